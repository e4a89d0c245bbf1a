"""How an answer travels: at once, late, cut after some bytes, or ended by a reset.

Only the way is decided here, never what is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from mockserver import sse

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Pause = Callable[[float, "asyncio.Future[Any]"], Awaitable[None]]
"""Waits so many seconds, or until the future is done or nobody may wait any longer."""

LARGE: Final = 64 * 1024
"""Bytes of an answer that is worth looking whether the client stays for it."""
GONE: Final = "the client went away before the answer was complete"
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """``delay_s`` seconds before the first byte; the connection ends after ``cut_after_bytes`` of the body (None: whole).

    With ``reset`` it ends by a TCP reset; without ``cut_after_bytes`` then before any byte of the answer.
    ``events`` sends a stream event by event, ``delay_s`` before each of them.
    """

    delay_s: float = 0.0
    cut_after_bytes: int | None = None
    reset: bool = False
    events: bool = False

    @property
    def cut(self) -> str | None:
        """How the transfer ends early, in words; None for a whole message."""
        if self.reset and self.cut_after_bytes is None:
            return "connection reset before the answer"
        if self.cut_after_bytes is None:
            return None
        return f"connection {'reset' if self.reset else 'closed'} after {self.cut_after_bytes} bytes of the body"


AT_ONCE = Delivery()


async def deliver(
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    way: Delivery,
    receive: Receive,
    send: Send,
    pause: Pause,
) -> bool:
    """Send an answer in its way; a cut answer announces its full length.  Whether the client stayed for all of it."""
    gone = asyncio.ensure_future(_gone(receive))
    try:
        if way.delay_s and not way.events:
            await pause(way.delay_s, gone)
            if gone.done():
                return False
        if way.reset and way.cut_after_bytes is None:
            await _reset(send, gone)
            return True
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if way.events:
            return await _one_by_one(body, way, gone, send, pause)
        if way.cut_after_bytes is None or (way.cut_after_bytes >= len(body) and not way.reset):
            await send({"type": "http.response.body", "body": body})
            return True
        await send({"type": "http.response.body", "body": body[: way.cut_after_bytes], "more_body": True})
        if way.reset:
            await asyncio.sleep(0.05)  # what is sent has to leave before the reset discards it
            await _reset(send, gone)
        # Returning with the message incomplete makes the server close the connection.
        return True
    finally:
        gone.cancel()


async def _one_by_one(body: bytes, way: Delivery, gone: asyncio.Future[None], send: Send, pause: Pause) -> bool:
    """Each event by itself, after its delay."""
    whole = way.cut_after_bytes is None or (way.cut_after_bytes >= len(body) and not way.reset)
    for piece in sse.pieces(body if whole else body[: way.cut_after_bytes]):
        if way.delay_s:
            await pause(way.delay_s, gone)
        if gone.done():
            return False
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if whole:
        if gone.done():
            return False
        await send({"type": "http.response.body", "body": b""})
    elif way.reset:
        await asyncio.sleep(0.05)
        await _reset(send, gone)
    return True


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone, or has everything."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(send: Send, gone: asyncio.Future[None]) -> None:
    """End the connection with a TCP reset, which ASGI has no word for: the sender's transport is asked directly."""
    transport = transport_of(send)
    if transport is not None:  # another server closes the connection as after a cut
        reset(transport)
        await gone


def transport_of(send: Send) -> Any:
    """The transport behind an ASGI ``send``; None where the server does not show one that can be reset."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    return transport if hasattr(transport, "abort") else None


def reset(transport: Any) -> None:
    """End a connection with a TCP reset."""
    own = transport.get_extra_info("socket")
    if own is not None:
        with contextlib.suppress(OSError):  # it may be closed on the other side already
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def unacknowledged(transport: Any) -> int:
    """Bytes that the system has taken for a connection and the other side has not; 0 where it does not say."""
    own = transport.get_extra_info("socket")
    if own is None or sys.platform != "linux":
        return 0
    import fcntl
    import termios

    with contextlib.suppress(OSError):
        return int.from_bytes(fcntl.ioctl(own.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    return 0
