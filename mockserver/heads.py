"""HTTP on the wire: uvicorn's protocol with a limit on what comes without getting a request further.

Bytes count that complete no head and bring no body: heads, extensions of chunks, trailers.  Trailers are dropped (RFC 9110,
6.5.1): what they say must not be taken for a header.
"""

from __future__ import annotations

import http.client
from abc import abstractmethod
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockserver.upgrades import declined

_LINGER_S: Final = 1.0
"""Seconds that a refused connection is still read from."""


class HeadsProtocol(HttpToolsProtocol):
    """Refuses what is not HTTP with 400 and a head that grows beyond the limit with 431; takes no offer of another protocol."""

    _head = 0
    """Bytes that came without getting a request further; negative when the connection was refused."""
    _moved = False
    """Whether the bytes that were parsed last completed a head or brought a piece of a body."""
    _named: int | None = None
    """How many headers there were before the chunks of a body."""

    _short: Any = None
    """What could answer the request that is being read in a shorter way than the application."""

    def _ordinarily(self) -> None:
        """Leave a request whose body is not complete to the application after all."""

    @property
    @abstractmethod
    def _limit(self) -> int:
        """Bytes of a head."""

    @abstractmethod
    def _refusal(self, status: int, message: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body of the answer to what is no request."""

    def data_received(self, data: bytes) -> None:
        """Parse; count what comes without getting a request further."""
        if self._head < 0:
            return  # refused: what still comes is dropped, so that the client gets to read why
        if (b"pgrade:" in data or b"PGRADE:" in data) and self._is_idle:
            data = declined(data)
        self._moved = False
        super().data_received(data)
        if self._short is not None:
            self._ordinarily()
        if self._moved or self._head < 0:
            if self._head > 0:
                self._head = 0
            return
        self._head += len(data)
        if self._head > self._limit and not self.transport.is_closing():
            self._refuse(431, f"the head of a request must have at most {self._limit} bytes; it has more")

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._moved = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._moved = True
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """A chunk begins: what is called a header from now on is a trailer."""
        if self._named is None:
            self._named = len(self.headers)

    def on_message_complete(self) -> None:
        """End a request."""
        self._moved = True
        self._without_trailers()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, f"the request is not HTTP/1.1: {msg}")

    def _without_trailers(self) -> None:
        if self._named is not None:
            del self.headers[self._named :]
            self._named = None

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)

    def _refuse(self, status: int, message: str) -> None:
        self._head = -1
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and cycle.response_started:
            self.transport.close()  # there is an answer on its way already
            return
        headers, body = self._refusal(status, message)
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        lines = [f"HTTP/1.1 {status} {http.client.responses[status]}".encode()]
        lines += [b"%b: %b" % pair for pair in headers]
        lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(lines))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)
