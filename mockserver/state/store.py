"""What several mock processes share, as the least that a place to keep it has to do.

A store knows bytes and numbers only.  Every call is atomic, and what it has written survives the process that wrote it.
All calls raise StateError where the place does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Limits(NamedTuple):
    """What a journal keeps at most: entries, and bytes of them."""

    entries: int
    size: int


class Row(NamedTuple):
    """One exchange as a store keeps it: its id and session, what it counts for in bytes, and all of it."""

    id: str
    session: str
    size: int
    data: bytes


class Standing(NamedTuple):
    """How many rows there are and how many made room; how often rows were forgotten on demand; the newest row's id."""

    rows: int
    dropped: int
    cleared: int
    newest: str


class Store(Protocol):
    """Rows of the journal, armed scenarios with a version, and counters."""

    def check(self) -> None:
        """Raise StateError where nothing can be written."""

    def append(self, rows: Sequence[Row]) -> None:
        """Keep rows in their order; the oldest ones make room."""

    def rows(self, session: str | None) -> list[bytes]:
        """Oldest first; those of one session, or all."""

    def row(self, identifier: str) -> bytes | None:
        """The row with that id."""

    def amend(self, identifier: str, row: bytes) -> None:
        """Put another row in the place of the one with that id, if it is there; it counts for as much as before."""

    def since(self, identifier: str) -> list[bytes] | None:
        """The rows after the one with that id; None when it is not there."""

    def clear(self, session: str | None) -> int:
        """Forget the rows of one session, or all; how many there were."""

    def standing(self) -> Standing:
        """The journal in numbers."""

    def version(self) -> int:
        """Another number after every change to what is armed."""

    def armed(self) -> Mapping[str, bytes]:
        """What each session plays."""

    def arm(self, session: str, scenario: bytes | None) -> None:
        """Let a session play this, from the start; None for what the mock was started with."""

    def reset(self) -> None:
        """No session plays anything, and no turn was counted."""

    def turn(self, session: str, name: str) -> int:
        """How many turns of a session's scenario were counted."""

    def advance(self, session: str, name: str) -> int:
        """Count a turn; how many there were before."""

    def follow(self, track: str) -> int:
        """Count an answer from a cassette's track; how many there were before."""

    def rewind(self) -> None:
        """Begin every track again."""

    def close(self) -> None:
        """Let go of the place."""
