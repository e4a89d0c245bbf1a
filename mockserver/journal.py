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
    def size(self) -> int:
        """Bytes of its messages."""
        heads = sum(map(len, (*self.names, *self.values, *self.answer_names, *self.answer_values)))
        return heads + len(self.path) + len(self.query) + len(self.body) + len(self.answer_body)

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


class Kind(NamedTuple):
    """What all plain exchanges of one kind share; the changing answer headers are length, violations and id."""

    method: str
    path: bytes
    status: int
    operation: str
    answer_names: tuple[bytes, ...]
    answer_values: tuple[bytes, ...]


Plain = tuple[bytes, bytes, float, float, Kind, tuple[bytes, ...], int]
"""A plain exchange, packed: header values, body and answer joined by line feeds, id, start, duration, kind, header names,
length of the answer.  One block of bytes and numbers, which costs little and which the garbage collector leaves alone."""


def unpacked(row: Plain) -> Entry:
    """A plain exchange as an entry."""
    record, name, started, duration, kind, names, length = row
    *values, bodies = record.split(b"\n", len(names))  # no header value holds a line feed
    body, answer = bodies[: len(bodies) - length - 1], bodies[len(bodies) - length :]
    changing = (b"%d" % length, b"0", name)
    return Entry(
        name.decode(), started, duration, "", kind.method, kind.path, b"", names, tuple(values), body, kind.status,
        kind.answer_names, (*kind.answer_values, *changing), answer, kind.operation, (), "", (), None,
    )  # fmt: skip


OVERHEAD = 1024
"""What an entry is taken to cost beside the bytes of its messages."""


class Journal:
    """The newest exchanges, at most so many and so many bytes of bodies.  Written by one thread, read by any."""

    def __init__(self, entries: int, size: int) -> None:
        self._limit, self._size_limit = entries, size
        self._rows: deque[Entry | Plain] = deque()
        self._size = 0
        self.dropped = 0
        self.cleared = 0
        """How often something was forgotten on demand."""

    def append(self, row: Entry | Plain) -> None:
        """Record an exchange that has been redacted; the oldest ones make room."""
        rows = self._rows
        rows.append(row)
        self._size += OVERHEAD + (row.size if type(row) is Entry else len(row[0]))
        if len(rows) > self._limit or self._size > self._size_limit:
            self._make_room()

    def amend(self, identifier: str, cut: str) -> None:
        """Say of an entry, if it is still there, how its answer's transfer ended."""
        rows, name = self._rows, identifier.encode()
        for index in range(len(rows) - 1, -1, -1):
            row = rows[index]
            if (row.id == identifier) if isinstance(row, Entry) else (row[1] == name):
                entry = row if isinstance(row, Entry) else unpacked(row)
                rows[index] = entry._replace(cut=cut)
                self._size += entry.size - (row.size if isinstance(row, Entry) else len(row[0]))
                return

    def commit(self) -> None:
        """Nothing is left to do: what is appended is there."""

    def _make_room(self) -> None:
        rows = self._rows
        while len(rows) > 1 and (len(rows) > self._limit or self._size > self._size_limit):
            row = rows.popleft()
            self._size -= OVERHEAD + (row.size if type(row) is Entry else len(row[0]))
            self.dropped += 1

    def entries(self, session: str | None = None) -> list[Entry]:
        """Oldest first; those of one session, or all."""
        found = [row if isinstance(row, Entry) else unpacked(row) for row in tuple(self._rows)]
        return [entry for entry in found if session is None or entry.session == session]

    def exchanges(self, session: str | None = None) -> Iterator[Exchange]:
        """The same as plain values."""
        return (entry.exchange for entry in self.entries(session))

    def get(self, identifier: str) -> Entry | None:
        """The entry with that id."""
        return next((entry for entry in self.entries() if entry.id == identifier), None)

    @property
    def newest(self) -> str:
        """The id of the last entry; "" when there is none."""
        try:
            row = self._rows[-1]
        except IndexError:
            return ""
        return row.id if isinstance(row, Entry) else row[1].decode()

    def since(self, identifier: str) -> list[Entry] | None:
        """The entries after the one with that id, oldest first; None when it is not there (any more)."""
        name = identifier.encode()
        found: list[Entry] = []
        for row in reversed(tuple(self._rows)):
            if (row.id == identifier) if isinstance(row, Entry) else (row[1] == name):
                return found[::-1]
            found.append(row if isinstance(row, Entry) else unpacked(row))
        return None

    def clear(self, session: str | None = None) -> int:
        """Forget the entries of one session, or all; how many there were."""
        kept = [entry for entry in self.entries() if session is not None and entry.session != session]
        count = len(self._rows) - len(kept)
        self.cleared += 1
        self._rows, self._size = deque(kept), sum(entry.size + OVERHEAD for entry in kept)
        return count

    def __len__(self) -> int:
        return len(self._rows)


def _decoded(headers: RawHeaders) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
