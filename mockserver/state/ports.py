"""What the rest of the mock asks of a journal and of a stage, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from mockserver.journal import Entry, Plain
from mockserver.messages import Exchange
from mockserver.scenarios import Scenario, Step


class AnyJournal(Protocol):
    """The newest exchanges, bounded; see :class:`mockserver.journal.Journal`."""

    @property
    def dropped(self) -> int:
        """How many made room for newer ones."""

    @property
    def cleared(self) -> int:
        """How often something was forgotten on demand."""

    @property
    def newest(self) -> str:
        """The id of the last entry; "" when there is none."""

    def append(self, row: Entry | Plain) -> None:
        """Record an exchange that has been redacted."""

    def amend(self, identifier: str, cut: str) -> None:
        """Say of an entry, if it is still there, how its answer's transfer ended; raises StateError."""

    def commit(self) -> None:
        """Make durable, and visible to the other processes, what was appended; raises StateError and forgets it."""

    def entries(self, session: str | None = None) -> list[Entry]:
        """Oldest first; those of one session, or all."""

    def exchanges(self, session: str | None = None) -> Iterator[Exchange]:
        """The same as plain values."""

    def get(self, identifier: str) -> Entry | None:
        """The entry with that id."""

    def since(self, identifier: str) -> list[Entry] | None:
        """The entries after the one with that id, oldest first; None when it is not there (any more)."""

    def clear(self, session: str | None = None) -> int:
        """Forget the entries of one session, or all; how many there were."""

    def __len__(self) -> int: ...


class AnyStage(Protocol):
    """Which scenario each session plays, and how far it is; see :class:`mockserver.scenarios.Stage`."""

    @property
    def idle(self) -> bool:
        """Whether no session plays anything."""

    def armed(self, session: str) -> Scenario | None:
        """The scenario that a session plays."""

    def arm(self, session: str, scenario: Scenario | None) -> None:
        """Play a scenario from its first step; None for none."""

    def reset(self, session: str | None) -> None:
        """As at the start: for one session, or for all."""

    def turn(self, session: str, scenario: Scenario) -> int:
        """How many requests the scenario has answered in the session."""

    def play(self, session: str, scenario: Scenario) -> Step | None:
        """The step for the session's next request, which then counts as answered."""
