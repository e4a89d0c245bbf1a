"""What the requests of one turn of the event loop are answered with, sent together when all of them are judged.

Every write may wake a client, which on a busy machine costs more than making the answer: one after the other they also keep
the code that makes answers warm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Outbox:
    """Answers that wait for the end of the turn, in the order in which they were put.  Belongs to one event loop.

    ``keep`` makes what was recorded about them durable; it gives b"", or what is sent in their place.
    """

    def __init__(self, keep: Callable[[], bytes] | None = None) -> None:
        self._keep = keep
        self._waiting: list[tuple[asyncio.WriteTransport, bytes]] = []

    def put(self, loop: asyncio.AbstractEventLoop, transport: asyncio.WriteTransport, data: bytes) -> None:
        """Send ``data`` at the end of the turn."""
        if not self._waiting:
            loop.call_soon(self.send)
        self._waiting.append((transport, data))

    def send(self) -> bool:
        """Send what waits, now: needed before something else goes to one of its transports; whether all is recorded."""
        waiting, self._waiting = self._waiting, []
        instead = self._keep() if self._keep else b""
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(instead or data)
        return not instead
