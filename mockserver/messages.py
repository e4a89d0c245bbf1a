"""Requests, responses and exchanges as plain values that belong to no HTTP library.

Everything that judges or records traffic works on these; the rims (server, target, cassette readers)
translate from and to them.  What a body *means* is left to :mod:`mockserver.media`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

Headers = tuple[tuple[str, str], ...]
"""Names and values in the order and case in which they came; a name may stand more than once."""


HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What a header may be called (RFC 9110, 5.1): to be matched in full."""


def header_values(headers: Headers, name: str) -> list[str]:
    """All values of a header, in order; names compare without case (RFC 9110, 5.1)."""
    wanted = name.lower()
    return [value for key, value in headers if key.lower() == wanted]


def header(headers: Headers, name: str) -> str | None:
    """The header's value; repeated lines are joined by a comma as RFC 9110, 5.2 says; None when absent."""
    values = header_values(headers, name)
    return ", ".join(values) if values else None


def headers_of(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Headers from any iterable of pairs."""
    return tuple((str(name), str(value)) for name, value in pairs)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: ``path`` as sent (percent-encoded, without query), ``query`` without its question mark."""

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """See :func:`header`."""
        return header(self.headers, name)

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Response:
    """One response; ``body`` holds the bytes as transferred, before any content coding is undone.

    ``cut`` says in words how the transfer ended before the message was complete, None for a whole message.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    cut: str | None = None

    def header(self, name: str) -> str | None:
        """See :func:`header`."""
        return header(self.headers, name)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, or ``failure``: why there is none (``timeout``, ``connection``, ...).

    ``started`` is in Unix seconds, ``duration`` in seconds; ``session`` is the name under which it is kept apart.
    """

    id: str
    request: Request
    response: Response | None
    failure: str | None = None
    started: float = 0.0
    duration: float = 0.0
    session: str = ""
    notes: tuple[str, ...] = field(default=())
