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

RawHeaders = tuple[tuple[bytes, bytes], ...] | list[tuple[bytes, bytes]]


class Entry(NamedTuple):
    """One recorded exchange, kept as the bytes that were there; nothing is parsed until somebody looks.

    ``path`` is as sent, ``query`` without its question mark; ``cut`` says how the answer's transfer ends early.
    """

    id: str
    started: float
    duration: float
    session: str
    method: str
    path: bytes
    query: bytes
    headers: RawHeaders
    body: bytes
    status: int
    answer_headers: RawHeaders
    answer_body: bytes
    operation: str
    violations: tuple[Violation, ...]
    scenario: str
    notes: tuple[str, ...]
    cut: str | None

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

    @property
    def size(self) -> int:
        """Bytes that count against the journal's limit."""
        head = sum([len(name) + len(value) for name, value in self.headers])
        return len(self.body) + len(self.answer_body) + len(self.path) + len(self.query) + head + OVERHEAD


OVERHEAD = 1024
"""What an entry is taken to cost beside its bodies."""


class Journal:
    """The newest exchanges, at most so many and so many bytes of bodies.  Written by one thread, read by any."""

    def __init__(self, entries: int, size: int) -> None:
        self._limit, self._size_limit = entries, size
        self._entries: deque[Entry] = deque()
        self._size = 0
        self.dropped = 0

    def append(self, entry: Entry) -> None:
        """Record an exchange that has been redacted; the oldest ones make room."""
        entries = self._entries
        entries.append(entry)
        self._size += entry.size
        while len(entries) > self._limit or (self._size > self._size_limit and len(entries) > 1):
            self._size -= entries.popleft().size
            self.dropped += 1

    def entries(self, session: str | None = None) -> list[Entry]:
        """Oldest first; those of one session, or all."""
        return [entry for entry in tuple(self._entries) if session is None or entry.session == session]

    def exchanges(self, session: str | None = None) -> Iterator[Exchange]:
        """The same as plain values."""
        return (entry.exchange for entry in self.entries(session))

    def get(self, identifier: str) -> Entry | None:
        """The entry with that id."""
        return next((entry for entry in tuple(self._entries) if entry.id == identifier), None)

    def clear(self, session: str | None = None) -> int:
        """Forget the entries of one session, or all; how many there were."""
        kept = deque(entry for entry in self._entries if session is not None and entry.session != session)
        count = len(self._entries) - len(kept)
        self._entries, self._size = kept, sum(entry.size for entry in kept)
        return count

    def __len__(self) -> int:
        return len(self._entries)


def _decoded(headers: RawHeaders) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
