"""One exchange while it goes by, and the proxy's own answers where none came."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from mockserver.messages import Exchange, Headers, Request, Response
from mockserver.ndjson import NO_REQUEST_BODY, NO_RESPONSE_BODY

JUDGED_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a body that are kept to be judged; a longer one is forwarded all the same and judged without its body."""
CLIENT_GONE: Final = "the client went away before the answer was complete"
UNREACHED: Final = "the API was not reached"
HELD_BACK: Final = "the proxy held the request back"
"""Notes of exchanges whose answer says nothing about the API."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer of the proxy's own: RFC 9457 in its body, ``error`` for Proxy-Status (RFC 9209)."""

    status: int
    title: str
    error: str
    detail: str

    def message(self) -> tuple[RawHeaders, bytes]:
        """Headers and body."""
        value = {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}
        body = json.dumps(value, ensure_ascii=False).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"proxy-status", f"quickrouter-contract; error={self.error}".encode()),
        ]
        return headers, body


@dataclass(slots=True)
class Kept:
    """A body as far as it is kept."""

    content: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add(self, piece: bytes) -> None:
        """Keep a piece, or nothing any more beyond the limit."""
        self.size += len(piece)
        if self.size <= JUDGED_AT_MOST:
            self.content += piece
        else:
            self.content.clear()

    @property
    def whole(self) -> bool:
        """Whether all of it was kept."""
        return self.size <= JUDGED_AT_MOST


@dataclass(slots=True)
class Flow:
    """One exchange on its way; ``complete`` once the client has, or is just about to get, the whole answer."""

    id: str
    scope: MutableMapping[str, Any]
    receive: Receive
    send: Send
    headers: Headers
    asked: Kept = field(default_factory=Kept)
    answered: Kept = field(default_factory=Kept)
    read: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 0
    answer_headers: RawHeaders = field(default_factory=list)
    started: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)
    failure: str = ""
    cut: str | None = None
    note: str = ""
    complete: bool = False

    @property
    def exchange(self) -> Exchange:
        """What is known of it so far; headers as they went on, without our Via."""
        scope = self.scope
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        response = None
        if self.status:
            response = Response(self.status, text(self.answer_headers), bytes(self.answered.content), self.cut)
        notes = (
            *([self.note] if self.note else []),
            *([] if self.asked.whole and self.read.is_set() else [NO_REQUEST_BODY]),
            *([] if self.answered.whole else [NO_RESPONSE_BODY]),
        )
        return Exchange(
            self.id,
            Request(scope["method"], path, query, self.headers, bytes(self.asked.content)),
            response,
            None if response else self.failure or "no answer",
            self.started,
            time.perf_counter() - self.clock,
            notes=notes,
        )


def text(headers: RawHeaders) -> Headers:
    """Raw headers as text."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


async def answer(flow: Flow, problem: Problem) -> None:
    """Answer in the proxy's own words."""
    headers, body = problem.message()
    flow.complete = True
    await flow.send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await flow.send({"type": "http.response.body", "body": body})
