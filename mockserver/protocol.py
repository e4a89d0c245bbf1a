"""HTTP on the wire: uvicorn's protocol with a limit on the head of a request, refusing in the API's own words.

A plainly valid request that came in one piece is answered where it is parsed, head and body in one write
(:mod:`mockserver.outbox`): no task, no ASGI messages.  Every other one, and whatever the pipeline wants to look at more closely, reaches :mod:`mockserver.app`.
"""

from __future__ import annotations

import http.client
import time
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockserver.shortcut import Shortcut
from mockserver.upgrades import declined

_LINGER_S: Final = 1.0
"""Seconds that a refused connection is still read from."""
_CLOSING: Final = b"connection: close\r\n\r\n"
_now = time.time


class BoundedProtocol(HttpToolsProtocol):
    """Refuses what is not HTTP with 400 and a head that grows beyond the mock's limit with 431."""

    _head = 0
    """Bytes of a head that is not complete; negative when the connection was refused."""
    _heads = 0
    """How many heads were complete."""
    _short: Shortcut | None = None
    """What answers the request that is being read, if nothing odd turns up."""
    _body = b""
    _begin: tuple[Shortcut, list[tuple[bytes, bytes]], bytes] | None = None
    """Whose answers begin how, as long as the server adds the same to every head."""

    def data_received(self, data: bytes) -> None:
        """Parse; count what comes without completing a head."""
        if self._head < 0:
            return  # refused: what still comes is dropped, so that the client gets to read why
        if b"pgrade:" in data and self._is_idle:
            data = declined(data)
        heads = self._heads
        idle = self._is_idle
        super().data_received(data)
        if self._short is not None:
            self._ordinarily()
        if self._head < 0:
            return  # refused just now
        if self._heads != heads:
            self._head = 0
        elif idle:
            self._head += len(data)
            limit: int = self._mock.settings.max_headers
            if self._head > limit and not self.transport.is_closing():
                self._refuse(431, f"the head of a request must have at most {limit} bytes; it has more")

    def on_headers_complete(self) -> None:
        """Choose the way to the answer."""
        self._heads += 1
        short = self._mock.pipeline.shortcuts.get((self.parser.get_method(), self.url))
        if (
            short is None
            or not self._is_idle
            or self.expect_100_continue
            or self.flow.write_paused
            or not self.parser.should_keep_alive()
            or self.parser.get_http_version() != "1.1"
        ):
            super().on_headers_complete()
        else:
            self._short, self._body = short, b""

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._short is None:
            super().on_body(body)
        else:
            self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        """Answer, or let the application answer."""
        short = self._short
        if short is None:
            super().on_message_complete()
            return
        try:
            rest = short.written(self.headers, self._body, _now())
        except Exception:  # noqa: BLE001  the application says what is wrong with the contract
            rest = None
        if rest is None:
            self._ordinarily()
            super().on_message_complete()
            return
        self._short = None
        self._mock.outbox.put(self.loop, self.transport, self._beginning(short) + rest)
        self.on_response_complete()

    def _beginning(self, short: Shortcut) -> bytes:
        known, defaults = self._begin, self.server_state.default_headers
        if known is None or known[0] is not short or known[1] is not defaults:
            begin = short.begin + b"".join(b"%b: %b\r\n" % pair for pair in defaults)
            self._begin = known = (short, defaults, begin)
        return known[2]

    def on_response_complete(self) -> None:
        """Go on with the next request; read on only when no request waits, so that a client cannot pile them up."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def shutdown(self) -> None:
        """Close when nothing is left to answer."""
        self._mock.outbox.send()
        super().shutdown()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def _mock(self) -> Any:
        return self.config.app

    def _ordinarily(self) -> None:
        """Hand the request that is being read to the application, with what has come of its body."""
        self._short = None
        super().on_headers_complete()
        if self._body:
            super().on_body(self._body)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, f"the request is not HTTP/1.1: {msg}")

    def _refuse(self, status: int, message: str) -> None:
        refusal = self._mock.pipeline.envelope.error(None, status, message, "", None)
        phrase = http.client.responses[status].encode()
        length = len(refusal.body)
        head = b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n" % (status, phrase, refusal.kind, length)
        self._head = -1
        self._short = None
        self._mock.outbox.send()
        self.transport.write(head + _CLOSING + refusal.body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)
