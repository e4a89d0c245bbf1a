"""HTTP on the wire, bounded: uvicorn's protocol with a limit on the head of a request, refusing in the API's own words.

Whatever is HTTP reaches :mod:`mockserver.app`; this is for what is none, or never ends.
"""

from __future__ import annotations

import http.client
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LINGER_S: Final = 1.0
"""Seconds that a refused connection is still read from."""
_CLOSING: Final = b"connection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """Refuses what is not HTTP with 400 and a head that grows beyond the mock's limit with 431."""

    _head = 0

    def data_received(self, data: bytes) -> None:
        """Parse; count what comes without completing a head."""
        if self._head < 0:
            return  # refused: what still comes is dropped, so that the client gets to read why
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._head = 0
        elif before is None or before.response_complete:
            self._head += len(data)
            limit: int = self._mock.settings.max_headers
            if self._head > limit and not self.transport.is_closing():
                self._refuse(431, f"the head of a request must have at most {limit} bytes; it has more")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, f"the request is not HTTP/1.1: {msg}")

    @property
    def _mock(self) -> Any:
        return self.config.app

    def _refuse(self, status: int, message: str) -> None:
        refusal = self._mock.pipeline.envelope.error(None, status, message, "", None)
        phrase = http.client.responses[status].encode()
        length = len(refusal.body)
        head = b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n" % (status, phrase, refusal.kind, length)
        self._head = -1
        self.transport.write(head + _CLOSING + refusal.body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)
