"""A store on a Redis server, for processes on several machines.

The journal is a stream; whatever has to be atomic is a script that runs inside the server.  All keys of one contract carry
the same hash tag, so that a cluster keeps them on one node.  How durable a confirmed write is, the server's settings say.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from mockserver.errors import StateError, UsageError
from mockserver.state import scripts
from mockserver.state.store import Limits, Row, Standing

_FORMAT: Final = 1
"""Stands in the names of all keys and grows with what they hold: mocks of other formats keep apart."""
_TIMEOUT_S: Final = 2.0
_PAUSE_S: Final = 0.5
"""How long a server that did not answer is left alone: requests in that time are refused without waiting for it."""
_READ_AT_ONCE: Final = 100
"""Rows that are asked for in one call, looking for one from the newest on."""

_Entry: TypeAlias = tuple[bytes, dict[bytes, bytes]]
"""A row in the stream: its place there, and what it holds."""


class RedisStore:
    """Shared by all mocks of one contract that use the same database of a server."""

    def __init__(self, url: str, password: str | None, name: str, limits: Limits) -> None:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry

            from mockserver.state.failures import sentence
        except ImportError:
            raise UsageError(
                "Redis needs one more package: python -m pip install 'quickrouter-contract[redis]'"
            ) from None
        self._url, self._limits = url, limits
        self._failure = (redis.RedisError, OSError)
        self._mutex = threading.Lock()
        self._down_until, self._trouble = 0.0, ""
        secret = {} if password is None else {"password": password}
        try:
            self._redis: Any = redis.Redis.from_url(
                url, **secret, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, retry=Retry(NoBackoff(), 1)
            )
        except ValueError as wrong:
            raise UsageError(f"--state is no address of a Redis server: {wrong}") from None
        tag = f"quickrouter-contract:{_FORMAT}:{{{name}}}"
        names = ("facts", "rows", "armed", "armed-order", "turns", "turns-order", "tracks", "amended")
        self._keys = [f"{tag}:{key}" for key in names]
        self._facts, self._rows, self._armed, self._order, self._turns, self._turned, self._tracks, self._amended = (
            self._keys
        )
        self._caller, self._calls = f"{tag}:caller:{os.urandom(8).hex()}", itertools.count(1)
        self._scripts = {text: self._redis.register_script(text) for text in scripts.ALL}
        user = str(self._redis.get_connection_kwargs().get("username") or "")
        self._why = partial(sentence, url=url, keys=tag, user=user, secret=password is not None)
        self._reached = False
        self._done(self._redis.ping)  # whoever owes a password may not say as much as a check does
        self.check()

    def check(self) -> None:
        """Raise StateError where nothing can be written."""
        self._once(scripts.CHECK, self._keys)

    def append(self, rows: Sequence[Row]) -> None:
        """Keep rows in their order; the oldest ones make room."""
        self._once(scripts.APPEND, [self._rows, self._facts], *self._limits, *(value for row in rows for value in row))

    def rows(self, session: str | None) -> list[bytes]:
        """Oldest first; those of one session, or all."""
        wanted = None if session is None else session.encode()
        found = self._done(lambda: self._redis.xrange(self._rows))
        return self._newest([entry for entry in found if wanted is None or entry[1][b"session"] == wanted])

    def row(self, identifier: str) -> bytes | None:
        """The row with that id."""
        found = self._entry(identifier)
        return None if found is None else self._newest([found])[0]

    def amend(self, identifier: str, row: bytes) -> None:
        """Put another row in the place of the one with that id, if it is there; it counts for as much as before."""
        found = self._entry(identifier)
        if found is not None:
            self._once(scripts.AMEND, [self._rows, self._amended], found[0], row)

    def since(self, identifier: str) -> list[bytes] | None:
        """The rows after the one with that id; None when it is not there."""
        found: list[_Entry] = []
        wanted = identifier.encode()
        for entry in self._backwards():
            if entry[1][b"id"] == wanted:
                return self._newest(found[::-1])
            found.append(entry)
        return None

    def clear(self, session: str | None) -> int:
        """Forget the rows of one session, or all; how many there were."""
        keys = [self._rows, self._facts, self._amended]
        return self._once(scripts.CLEAR, keys, *([] if session is None else [session]))

    def standing(self) -> Standing:
        """The journal in numbers."""

        def ask() -> Any:
            with self._redis.pipeline() as together:
                together.xlen(self._rows).hmget(self._facts, "dropped", "cleared").xrevrange(self._rows, count=1)
                return together.execute()

        count, (dropped, cleared), newest = self._done(ask)
        return Standing(count, int(dropped or 0), int(cleared or 0), newest[0][1][b"id"].decode() if newest else "")

    def version(self) -> int:
        """Another number after every change to what is armed."""
        return int(self._done(lambda: self._redis.hget(self._facts, "version")) or 0)

    def armed(self) -> Mapping[str, bytes]:
        """What each session plays."""
        found = self._done(lambda: self._redis.hgetall(self._armed))
        return {session.decode(): scenario for session, scenario in found.items()}

    def arm(self, session: str, scenario: bytes | None) -> None:
        """Let a session play this, from the start; None for what the mock was started with."""
        keys = [self._facts, self._armed, self._order, self._turns, self._turned]
        self._once(scripts.ARM, keys, session, *([] if scenario is None else [scenario]))

    def reset(self) -> None:
        """No session plays anything, and no turn was counted."""
        self._once(scripts.RESET, [self._facts, self._armed, self._order, self._turns, self._turned])

    def turn(self, session: str, name: str) -> int:
        """How many turns of a session's scenario were counted."""
        return int(self._done(lambda: self._redis.hget(self._turns, f"{session}\0{name}")) or 0)

    def advance(self, session: str, name: str) -> int:
        """Count a turn; how many there were before."""
        return self._once(scripts.ADVANCE, [self._turns, self._turned], f"{session}\0{name}")

    def follow(self, track: str) -> int:
        """Count an answer from a cassette's track; how many there were before."""
        return self._once(scripts.FOLLOW, [self._tracks], track)

    def rewind(self) -> None:
        """Begin every track again."""
        self._once(scripts.REWIND, [self._tracks])

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()

    def _newest(self, found: Sequence[_Entry]) -> list[bytes]:
        """Rows as they are now."""
        amended = self._done(lambda: self._redis.hgetall(self._amended)) if found else {}
        return [amended.get(place, row[b"row"]) for place, row in found]

    def _entry(self, identifier: str) -> _Entry | None:
        wanted = identifier.encode()
        return next((entry for entry in self._backwards() if entry[1][b"id"] == wanted), None)

    def _backwards(self) -> Iterator[_Entry]:
        """The rows from the newest to the oldest."""
        end = "+"
        while found := self._done(partial(self._redis.xrevrange, self._rows, max=end, count=_READ_AT_ONCE)):
            yield from found
            end = f"({found[-1][0].decode()}"

    def _once(self, script: str, keys: Sequence[str], *given: Any) -> int:
        """What a script gives, run once even where the connection breaks before its answer is here."""
        return int(
            self._done(lambda: self._scripts[script]([*keys, self._caller], [*given, next(self._calls)])),
        )

    def _done(self, call: Callable[[], Any]) -> Any:
        """What a call gives; StateError where the server does not answer, at once where it just did not.

        Calls come one after the other; a connection that one of them failed on is not used again.
        """
        if time.monotonic() < self._down_until:
            raise StateError(self._trouble)
        try:
            with self._mutex:
                found = call()
        except self._failure as error:
            self._down_until = time.monotonic() + _PAUSE_S
            self._redis.connection_pool.disconnect()
            self._trouble = self._why(error, reached=self._reached)
            raise StateError(self._trouble) from None
        self._reached = True
        return found
