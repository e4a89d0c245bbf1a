"""Journal and stage of a process that shares them with others, over one store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from mockserver.journal import Entry, Plain
from mockserver.messages import Exchange
from mockserver.scenarios import Scenario, Step
from mockserver.state.packing import Packer, entry_of, packed_scenario, scenario_in
from mockserver.state.store import Store


class SharedJournal:
    """The journal of all processes that share a store.

    What is appended belongs to answers that nobody has got yet; it is in the journal with ``commit``, which comes before
    they are sent.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Entry | Plain] = []
        self._pack = Packer().row

    def append(self, row: Entry | Plain) -> None:
        """Record an exchange that has been redacted, with the next commit."""
        self._waiting.append(row)

    def amend(self, identifier: str, cut: str) -> None:
        """Say of an entry, if it is still there, how its answer's transfer ended; raises StateError."""
        self.commit()
        entry = self.get(identifier)
        if entry is not None:
            self._store.amend(identifier, self._pack(entry._replace(cut=cut)).data)

    def commit(self) -> None:
        """Write what was appended, in one go; raises StateError and forgets it."""
        if self._waiting:
            rows, self._waiting = self._waiting, []
            self._store.append([self._pack(row) for row in rows])

    @property
    def dropped(self) -> int:
        """How many made room for newer ones."""
        return self._store.standing().dropped

    @property
    def cleared(self) -> int:
        """How often something was forgotten on demand."""
        return self._store.standing().cleared

    @property
    def newest(self) -> str:
        """The id of the last entry; "" when there is none."""
        return self._store.standing().newest

    def entries(self, session: str | None = None) -> list[Entry]:
        """Oldest first; those of one session, or all."""
        return [entry_of(data) for data in self._store.rows(session)]

    def exchanges(self, session: str | None = None) -> Iterator[Exchange]:
        """The same as plain values."""
        return (entry.exchange for entry in self.entries(session))

    def get(self, identifier: str) -> Entry | None:
        """The entry with that id."""
        data = self._store.row(identifier)
        return None if data is None else entry_of(data)

    def since(self, identifier: str) -> list[Entry] | None:
        """The entries after the one with that id, oldest first; None when it is not there (any more)."""
        found = self._store.since(identifier)
        return None if found is None else [entry_of(data) for data in found]

    def clear(self, session: str | None = None) -> int:
        """Forget the entries of one session, or all; how many there were."""
        return self._store.clear(session)

    def __len__(self) -> int:
        return self._store.standing().rows


class SharedStage:
    """The scenarios of all processes that share a store.

    What is armed is kept here too, and asked for again when the store's version is another one.  The version is looked at
    once per turn of the event loop: requests of one turn had all arrived when it was looked at.
    """

    def __init__(self, store: Store, first: Scenario | None = None) -> None:
        self._store, self._first = store, first
        self._armed: dict[str, Scenario | None] = {}
        self._version: int | None = None
        self._fresh = False

    @property
    def idle(self) -> bool:
        """Whether no session plays anything."""
        if not self._fresh:
            self._look()
        return self._first is None and not self._armed

    def armed(self, session: str) -> Scenario | None:
        """The scenario that a session plays; a session nobody armed plays the one the mock was started with."""
        if not self._fresh:
            self._look()
        return self._armed.get(session, self._first)

    def arm(self, session: str, scenario: Scenario | None) -> None:
        """Play a scenario from its first step; None for none."""
        own = scenario is not None or self._first is not None
        self._store.arm(session, packed_scenario(scenario) if own else None)
        self._age()

    def reset(self, session: str | None) -> None:
        """As at the start: for one session, or for all."""
        if session is None:
            self._store.reset()
        else:
            self._store.arm(session, None)
        self._age()

    def turn(self, session: str, scenario: Scenario) -> int:
        """How many requests the scenario has answered in the session."""
        return self._store.turn(session, scenario.name)

    def play(self, session: str, scenario: Scenario) -> Step | None:
        """The step for the session's next request, which then counts as answered."""
        return scenario.step(self._store.advance(session, scenario.name))

    def _look(self) -> None:
        version = self._store.version()  # before what it stands for: a change between the two is seen next time
        if version != self._version:
            self._armed = {session: scenario_in(data) for session, data in self._store.armed().items()}
            self._version = version
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._fresh = True
        loop.call_soon(self._age)

    def _age(self) -> None:
        self._fresh = False
