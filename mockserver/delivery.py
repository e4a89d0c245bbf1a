"""How an answer travels: at once, late, cut after some bytes, or ended by a reset.

Only the way is decided here, never what is answered.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from mockserver import sse

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

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
    status: int, headers: list[tuple[bytes, bytes]], body: bytes, way: Delivery, receive: Receive, send: Send
) -> None:
    """Send an answer in its way; a cut answer announces its full length."""
    if way.delay_s and not way.events:
        await asyncio.sleep(way.delay_s)
    if way.reset and way.cut_after_bytes is None:
        await _reset(send, receive)
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if way.events:
        await _one_by_one(body, way, receive, send)
        return
    if way.cut_after_bytes is None or (way.cut_after_bytes >= len(body) and not way.reset):
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.body", "body": body[: way.cut_after_bytes], "more_body": True})
    if way.reset:
        await asyncio.sleep(0.05)  # what is sent has to leave before the reset discards it
        await _reset(send, receive)
    # Returning with the message incomplete makes the server close the connection.


async def _one_by_one(body: bytes, way: Delivery, receive: Receive, send: Send) -> None:
    """Each event by itself, after its delay."""
    whole = way.cut_after_bytes is None or (way.cut_after_bytes >= len(body) and not way.reset)
    for piece in sse.pieces(body if whole else body[: way.cut_after_bytes]):
        if way.delay_s:
            await asyncio.sleep(way.delay_s)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if whole:
        await send({"type": "http.response.body", "body": b""})
    elif way.reset:
        await asyncio.sleep(0.05)
        await _reset(send, receive)


async def _reset(send: Send, receive: Receive) -> None:
    """End the connection with a TCP reset, which ASGI has no word for: the sender's transport is asked directly."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    abort = getattr(transport, "abort", None)
    if transport is None or abort is None:
        return  # another server: the connection is closed as after a cut
    own = transport.get_extra_info("socket")
    if own is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    abort()
    await receive()  # returns when the server has noticed
