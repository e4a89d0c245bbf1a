"""A store in a file, for the processes of one machine: SQLite with a write-ahead log.

Writers queue at a lock of the operating system, which wakes the next one at once and falls with its owner; SQLite itself
would let them sleep and try again.  Nothing waits for the disk: a transaction is safe from the end of its process, not from
a power cut.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

from mockserver.errors import StateError
from mockserver.scenarios import SESSIONS_AT_MOST
from mockserver.state.store import Limits, Row, Standing

_FORMAT: Final = 0x51524332
"""The application id of our files; the last byte grows with the tables."""
_BUSY_S: Final = 5.0
_LOG_AT_REST: Final = 16 * 1024 * 1024
"""Bytes that the log keeps for later, once it can begin anew; it grows beyond while somebody reads an old state of it."""
_TABLES: Final = """
CREATE TABLE exchanges (seq INTEGER PRIMARY KEY, id TEXT, session TEXT, size INTEGER, row BLOB);
CREATE TABLE facts (only INTEGER PRIMARY KEY, count INTEGER, size INTEGER, dropped INTEGER, cleared INTEGER, version INTEGER,
  checked INTEGER, contract TEXT);
CREATE TABLE armed (session TEXT PRIMARY KEY, scenario BLOB);
CREATE TABLE turns (session TEXT, name TEXT, count INTEGER, PRIMARY KEY (session, name));
CREATE TABLE tracks (name TEXT PRIMARY KEY, count INTEGER);
"""


class FileStore:
    """Shared by all who open the same path; beside it stand SQLite's files and a lock."""

    def __init__(self, path: str, name: str, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._mutex = threading.Lock()
        self._lock = -1
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._lock = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR, 0o600)
            self._database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            if self._lock >= 0:
                os.close(self._lock)
            raise StateError(f"cannot keep the state in {path}: {getattr(error, 'strerror', None) or error}") from None
        try:
            self._prepare(name)
        except StateError:
            self.close()
            raise

    def _prepare(self, name: str) -> None:
        with self._locked() as database:
            found = database.execute("PRAGMA application_id").fetchone()[0]
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables and found != _FORMAT:
                ours = found >> 8 == _FORMAT >> 8
                raise self._unusable("another version of this program's" if ours else "another program's database")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f"PRAGMA journal_size_limit = {_LOG_AT_REST}")
            if not tables:
                database.execute("BEGIN")  # whoever is killed meanwhile leaves an empty file
                for statement in (*filter(str.strip, _TABLES.split(";")), f"PRAGMA application_id = {_FORMAT}"):
                    database.execute(statement)
                database.execute("INSERT INTO facts VALUES (1, 0, 0, 0, 0, 0, 0, ?)", (name,))
                database.execute("COMMIT")
            kept = database.execute("SELECT contract FROM facts").fetchone()[0]
            if kept != name:
                raise self._unusable(f"that of a mock of the contract {kept}")

    def _unusable(self, whose: str) -> StateError:
        return StateError(f"cannot keep the state in {self._path}: it is {whose}; name another file")

    def check(self) -> None:
        """Raise StateError where nothing can be written."""
        with self._writing() as database:
            database.execute("UPDATE facts SET checked = checked + 1")  # what is no change is not written

    def append(self, rows: Sequence[Row]) -> None:
        """Keep rows in their order; the oldest ones make room."""
        with self._writing() as database:
            count, size = database.execute("SELECT count, size FROM facts").fetchone()
            database.executemany("INSERT INTO exchanges (id, session, size, row) VALUES (?, ?, ?, ?)", rows)
            count += len(rows)
            size += sum(row.size for row in rows)
            gone = last = 0
            if count > self._limits.entries or size > self._limits.size:
                with closing(database.execute("SELECT seq, size FROM exchanges ORDER BY seq")) as oldest:
                    while count > 1 and (count > self._limits.entries or size > self._limits.size):
                        last, one = oldest.fetchone()
                        count, size, gone = count - 1, size - one, gone + 1
                database.execute("DELETE FROM exchanges WHERE seq <= ?", (last,))
            database.execute("UPDATE facts SET count = ?, size = ?, dropped = dropped + ?", (count, size, gone))

    def rows(self, session: str | None) -> list[bytes]:
        """Oldest first; those of one session, or all."""
        where, given = _of(session)
        return [row for (row,) in self._read(f"SELECT row FROM exchanges {where} ORDER BY seq", *given)]  # noqa: S608

    def row(self, identifier: str) -> bytes | None:
        """The row with that id."""
        found = self._read("SELECT row FROM exchanges WHERE id = ?", identifier)
        return found[0][0] if found else None

    def amend(self, identifier: str, row: bytes) -> None:
        """Put another row in the place of the one with that id, if it is there; it counts for as much as before."""
        with self._writing() as database:
            database.execute("UPDATE exchanges SET row = ? WHERE id = ?", (row, identifier))

    def since(self, identifier: str) -> list[bytes] | None:
        """The rows after the one with that id; None when it is not there."""
        query = "SELECT row FROM exchanges WHERE seq >= (SELECT seq FROM exchanges WHERE id = ?) ORDER BY seq"
        found = self._read(query, identifier)
        return [row for (row,) in found[1:]] if found else None

    def clear(self, session: str | None) -> int:
        """Forget the rows of one session, or all; how many there were."""
        where, given = _of(session)
        with self._writing() as database:
            sums = f"SELECT count(*), coalesce(sum(size), 0) FROM exchanges {where}"  # noqa: S608
            count, size = database.execute(sums, given).fetchone()
            database.execute(f"DELETE FROM exchanges {where}", given)  # noqa: S608
            database.execute(
                "UPDATE facts SET count = count - ?, size = size - ?, cleared = cleared + 1", (count, size)
            )
        return int(count)

    def standing(self) -> Standing:
        """The journal in numbers."""
        newest = "(SELECT id FROM exchanges ORDER BY seq DESC LIMIT 1)"
        (found,) = self._read(f"SELECT count, dropped, cleared, coalesce({newest}, '') FROM facts")  # noqa: S608
        return Standing(*found)

    def version(self) -> int:
        """Another number after every change to what is armed."""
        return int(self._read("SELECT version FROM facts")[0][0])

    def armed(self) -> Mapping[str, bytes]:
        """What each session plays."""
        return dict(self._read("SELECT session, scenario FROM armed"))

    def arm(self, session: str, scenario: bytes | None) -> None:
        """Let a session play this, from the start; None for what the mock was started with."""
        with self._writing() as database:
            database.execute("DELETE FROM turns WHERE session = ?", (session,))
            database.execute("DELETE FROM armed WHERE session = ?", (session,))
            if scenario is not None:
                database.execute("INSERT INTO armed VALUES (?, ?)", (session, scenario))
                _trim(database, "armed")
            database.execute("UPDATE facts SET version = version + 1")

    def reset(self) -> None:
        """No session plays anything, and no turn was counted."""
        with self._writing() as database:
            database.execute("DELETE FROM turns")
            database.execute("DELETE FROM armed")
            database.execute("UPDATE facts SET version = version + 1")

    def turn(self, session: str, name: str) -> int:
        """How many turns of a session's scenario were counted."""
        found = self._read("SELECT count FROM turns WHERE session = ? AND name = ?", session, name)
        return int(found[0][0]) if found else 0

    def advance(self, session: str, name: str) -> int:
        """Count a turn; how many there were before."""
        with self._writing() as database:
            query = "SELECT count FROM turns WHERE session = ? AND name = ?"
            found = database.execute(query, (session, name)).fetchone()
            if found is None:
                database.execute("INSERT INTO turns VALUES (?, ?, 1)", (session, name))
                _trim(database, "turns")
                return 0
            database.execute("UPDATE turns SET count = count + 1 WHERE session = ? AND name = ?", (session, name))
            return int(found[0])

    def follow(self, track: str) -> int:
        """Count an answer from a cassette's track; how many there were before."""
        with self._writing() as database:
            database.execute("INSERT OR IGNORE INTO tracks VALUES (?, 0)", (track,))
            database.execute("UPDATE tracks SET count = count + 1 WHERE name = ?", (track,))
            return int(database.execute("SELECT count - 1 FROM tracks WHERE name = ?", (track,)).fetchone()[0])

    def rewind(self) -> None:
        """Begin every track again."""
        with self._writing() as database:
            database.execute("DELETE FROM tracks")

    def close(self) -> None:
        """Let go of the file."""
        with self._mutex:
            self._database.close()
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def _read(self, query: str, *given: Any) -> list[Any]:
        try:
            with self._mutex:
                return self._database.execute(query, given).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that waits for its turn."""
        with self._locked() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._mutex:
                fcntl.flock(self._lock, fcntl.LOCK_EX)
                try:
                    yield self._database
                finally:
                    fcntl.flock(self._lock, fcntl.LOCK_UN)
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> StateError:
        broken = type(error) is sqlite3.DatabaseError
        return StateError(f"cannot keep the state in {self._path}: {error}{'; name another file' if broken else ''}")


def _of(session: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if session is None else ("WHERE session = ?", (session,))


def _trim(database: sqlite3.Connection, table: str) -> None:
    """Forget the oldest sessions where there are too many."""
    newest = f"SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT {SESSIONS_AT_MOST}"  # noqa: S608
    database.execute(f"DELETE FROM {table} WHERE rowid NOT IN ({newest})")  # noqa: S608
