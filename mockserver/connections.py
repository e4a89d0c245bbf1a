"""What clients may hold of one mock process: connections, time for a request and for taking an answer, bytes that wait.

None of it is done per request: a sweep a second looks at all connections, and only what a slow client makes the mock keep is
counted.  How a connection ends that is told to is left to :mod:`mockserver.protocol`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

HELD_AT_MOST: Final = 256 * 1024 * 1024
"""Bytes of unfinished requests and of answers that were not taken yet, of all connections together."""
RATE: Final = 1000
"""Bytes that are worth a second more: whoever keeps to this rate is never too slow."""
SILENT_S: Final = 10.0
"""How long a connection that never sent anything is safe where there is hardly room for others."""
_NEARLY: Final = 0.9
_COMPLAINED_EVERY_S: Final = 60.0


class Connection(Protocol):
    """One connection as it is seen here."""

    def sweep(self, now: float) -> None:
        """Look whether the client is too slow; ``now`` in seconds of the monotonic clock."""

    def give_way(self, now: float) -> None:
        """Close where nothing ever came, for others that wait."""


@dataclass(eq=False, slots=True)
class Hold:
    """Bytes that one client makes the mock keep; ``drop`` ends its connection."""

    drop: Callable[[], object]
    size: int = 0


class Connections:
    """The bounds of one process, and who is near them.  Belongs to one event loop."""

    def __init__(self) -> None:
        self.at_most = sys.maxsize
        """How many connections are served; set when it is known how many descriptors there are."""
        self.held = 0
        """Bytes that clients make the mock keep."""
        self._holds: dict[Hold, None] = {}
        self._complained: dict[str, float] = {}
        self._ending = asyncio.Event()

    @property
    def ending(self) -> bool:
        """Whether the mock only finishes what it has begun."""
        return self._ending.is_set()

    def end(self) -> None:
        """From now on only finish: whatever waits goes on at once."""
        self._ending.set()

    async def pause(self, seconds: float, gone: asyncio.Future[Any]) -> None:
        """Wait so long, or until the client is gone or the mock ends."""
        ended = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({ended, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()

    def hold(self, hold: Hold, size: int) -> None:
        """Count more bytes; where they are too many, who has held some for longest goes."""
        self._holds[hold] = None
        hold.size += size
        self.held += size
        while self.held > HELD_AT_MOST:
            longest = next(iter(self._holds))
            self.release(longest)
            self.complain(
                f"slow clients held more than {HELD_AT_MOST >> 20} MB; those that did so for longest were cut off"
            )
            longest.drop()

    def release(self, hold: Hold) -> None:
        """What was held is free again."""
        if hold in self._holds:
            del self._holds[hold]
            self.held -= hold.size
        hold.size = 0

    def sweep(self, connections: Iterable[Connection]) -> None:
        """Look at all connections."""
        now = time.monotonic()
        found = list(connections)
        crowded = len(found) >= _NEARLY * self.at_most
        for connection in found:
            connection.sweep(now)
            if crowded:
                connection.give_way(now)

    def complain(self, what: str) -> None:
        """Say something on stderr, now and then."""
        now = time.monotonic()
        if now > self._complained.get(what, -_COMPLAINED_EVERY_S) + _COMPLAINED_EVERY_S:
            self._complained[what] = now
            sys.stderr.write(f"warning: {what}\n")
