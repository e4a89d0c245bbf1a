"""The bounded record of exchanges inside a running mock.

Redaction happens before anything gets here (:mod:`mockserver.redaction`); how records look on the wire is left to
:mod:`mockserver.admin`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from mockserver.findings import Violation
from mockserver.messages import Exchange, Headers, Request, Response

RawHeaders = tuple[tuple[bytes, bytes], ...]


class Entry(NamedTuple):
    """One recorded exchange, kept as the bytes that were there; nothing is parsed until somebody looks.

    ``path`` is as sent, ``query`` without its question mark; headers are names and values apart, so that the names, which
    seldom change, are kept once.  ``cut`` says how the answer's transfer ends early.
    """

    id: str
    started: float
    duration: float
    session: str
    method: str
    path: bytes
    query: bytes
    names: tuple[bytes, ...]
    values: tuple[bytes, ...]
    body: bytes
    status: int
    answer_names: tuple[bytes, ...]
    answer_values: tuple[bytes, ...]
    answer_body: bytes
    operation: str
    violations: tuple[Violation, ...]
    scenario: str
    notes: tuple[str, ...]
    cut: str | None

    @property
    def headers(self) -> RawHeaders:
        """The request's headers in their order."""
        return tuple(zip(self.names, self.values, strict=True))

    @property
    def answer_headers(self) -> RawHeaders:
        """The answer's headers in their order."""
        return tuple(zip(self.answer_names, self.answer_values, strict=True))

    @property
    def exchange(self) -> Exchange:
        """The exchange as a plain value."""
        return Exchange(
            self.id,
            Request(
                self.method,
                self.path.decode("latin-1"),
                self.query.decode("latin-1"),
                _decoded(self.headers),
                self.body,
            ),
            Response(self.status, _decoded(self.answer_headers), self.answer_body, self.cut),
            started=self.started,
            duration=self.duration,
            session=self.session,
            notes=self.notes,
        )


Row = tuple[
    str, float, float, str, str, bytes, bytes, tuple[bytes, ...], tuple[bytes, ...], bytes, int, tuple[bytes, ...],
    tuple[bytes, ...], bytes, str, tuple[Violation, ...], str, tuple[str, ...], str | None,
]  # fmt: skip
"""The members of an Entry.  A plain tuple of them is what is kept: the garbage collector can leave it alone."""

OVERHEAD = 1024
"""What an entry is taken to cost beside the bytes of its messages."""


class Journal:
    """The newest exchanges, at most so many and so many bytes of bodies.  Written by one thread, read by any."""

    def __init__(self, entries: int, size: int) -> None:
        self._limit, self._size_limit = entries, size
        self._rows: deque[tuple[Row, int]] = deque()
        self._size = 0
        self.dropped = 0

    def append(self, row: Row, size: int) -> None:
        """Record an exchange that has been redacted, of so many bytes; the oldest ones make room."""
        rows = self._rows
        size += OVERHEAD
        rows.append((row, size))
        self._size += size
        while len(rows) > self._limit or (self._size > self._size_limit and len(rows) > 1):
            self._size -= rows.popleft()[1]
            self.dropped += 1

    def entries(self, session: str | None = None) -> list[Entry]:
        """Oldest first; those of one session, or all."""
        found = [Entry._make(row) for row, _ in tuple(self._rows)]
        return [entry for entry in found if session is None or entry.session == session]

    def exchanges(self, session: str | None = None) -> Iterator[Exchange]:
        """The same as plain values."""
        return (entry.exchange for entry in self.entries(session))

    def get(self, identifier: str) -> Entry | None:
        """The entry with that id."""
        return next((Entry._make(row) for row, _ in tuple(self._rows) if row[0] == identifier), None)

    def clear(self, session: str | None = None) -> int:
        """Forget the entries of one session, or all; how many there were."""
        kept = deque((row, size) for row, size in self._rows if session is not None and row[3] != session)
        count = len(self._rows) - len(kept)
        self._rows, self._size = kept, sum(size for _, size in kept)
        return count

    def __len__(self) -> int:
        return len(self._rows)


def _decoded(headers: RawHeaders) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
