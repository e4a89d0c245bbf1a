"""What requests leave behind and what they meet: journal, scenarios and the place in a cassette, of one mock.

One process keeps all of it in its own memory.  Several share a store: a file on one machine, Redis on several
(:mod:`mockserver.state.store`).  What stands in a row is left to :mod:`mockserver.journal`, what a scenario does to
:mod:`mockserver.scenarios`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockserver.journal import Journal
from mockserver.scenarios import Scenario, Stage
from mockserver.settings import Settings
from mockserver.state.ports import AnyJournal, AnyStage
from mockserver.state.store import Limits, Store

__all__ = ["AnyJournal", "AnyStage", "State", "opened"]


@dataclass(frozen=True, slots=True)
class State:
    """``store`` is what several processes share, None in one process that needs none."""

    journal: AnyJournal
    stage: AnyStage
    store: Store | None = None

    @property
    def commit(self) -> Callable[[], None] | None:
        """What makes durable what was recorded since it was last called; raises StateError.  None: nothing to do."""
        return self.journal.commit if self.store else None

    def close(self) -> None:
        """Let go of the store; what it holds stays there."""
        if self.store is not None:
            self.store.close()


def opened(settings: Settings, name: str, first: Scenario | None) -> State:
    """The state for one mock process; ``name`` is that of its contract, ``first`` the scenario it was started with.

    Raises UsageError for a place that cannot be meant, StateError for one that cannot be used.
    """
    limits = Limits(settings.journal_entries, settings.journal_bytes)
    if settings.state is None:
        return State(Journal(limits.entries, limits.size), Stage(first))
    from mockserver.state.places import store_at
    from mockserver.state.shared import SharedJournal, SharedStage

    store = store_at(settings.state, name, limits)
    return State(SharedJournal(store), SharedStage(store, first), store)
