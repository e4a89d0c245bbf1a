"""HTTP on the proxy's own side; what is no request is refused in the proxy's own form."""

from __future__ import annotations

from mockserver.forward.flow import Problem
from mockserver.heads import HeadsProtocol
from mockserver.settings import HEAD_AT_MOST


class DecliningProtocol(HeadsProtocol):
    """Takes no offer of another protocol."""

    @property
    def _limit(self) -> int:
        return HEAD_AT_MOST

    def _refusal(self, status: int, message: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
        title = "Head too large" if status == 431 else "Not an HTTP request"
        headers, body = Problem(status, title, "http_request_error", message).message()
        return [pair for pair in headers if pair[0] != b"content-length"], body
