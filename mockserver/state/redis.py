"""A store on a Redis server, for processes on several machines.

The journal is a stream; whatever has to be atomic is a script that runs inside the server.  All keys of one contract carry
the same hash tag, so that a cluster keeps them on one node.  How durable a confirmed write is, the server's settings say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from mockserver.errors import StateError, UsageError
from mockserver.scenarios import SESSIONS_AT_MOST
from mockserver.state.store import Limits, Row, Standing

_TIMEOUT_S: Final = 2.0
_PAUSE_S: Final = 0.5
"""How long a server that did not answer is left alone: requests in that time are refused without waiting for it."""
_BATCH_S: Final = 60
"""How long a batch of rows is remembered, which a broken connection may bring twice."""

_APPEND: Final = f"""
local rows, facts, batch = KEYS[1], KEYS[2], KEYS[3]
if not redis.call('SET', batch, 1, 'NX', 'EX', {_BATCH_S}) then return 0 end
local size = tonumber(redis.call('HGET', facts, 'size') or '0')
for i = 3, #ARGV, 4 do
  redis.call('XADD', rows, '*', 'id', ARGV[i], 'session', ARGV[i + 1], 'size', ARGV[i + 2], 'row', ARGV[i + 3])
  size = size + tonumber(ARGV[i + 2])
end
local count, most, largest, gone = redis.call('XLEN', rows), tonumber(ARGV[1]), tonumber(ARGV[2]), 0
while count > 1 and (count > most or size > largest) do
  local oldest = redis.call('XRANGE', rows, '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', rows, oldest[1])
  count, size, gone = count - 1, size - tonumber(oldest[2][6]), gone + 1
end
redis.call('HSET', facts, 'size', size)
if gone > 0 then redis.call('HINCRBY', facts, 'dropped', gone) end
return gone
"""
_CLEAR: Final = """
local rows, facts, gone, size = KEYS[1], KEYS[2], 0, 0
for _, row in ipairs(redis.call('XRANGE', rows, '-', '+')) do
  if #ARGV == 0 or row[2][4] == ARGV[1] then
    gone, size = gone + 1, size + tonumber(row[2][6])
    redis.call('XDEL', rows, row[1])
  end
end
if gone > 0 then redis.call('HINCRBY', facts, 'size', -size) end
redis.call('HINCRBY', facts, 'cleared', 1)
return gone
"""
_TRIM: Final = f"""
local function trim(of, order)
  while redis.call('ZCARD', order) > {SESSIONS_AT_MOST} do
    redis.call('HDEL', of, redis.call('ZPOPMIN', order)[1])
  end
end
"""
_ARM: Final = (
    _TRIM
    + """
local facts, armed, order, turns, turned = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local session = ARGV[1]
for _, key in ipairs(redis.call('HKEYS', turns)) do
  if string.sub(key, 1, #session + 1) == session .. '\\0' then
    redis.call('HDEL', turns, key)
    redis.call('ZREM', turned, key)
  end
end
redis.call('HDEL', armed, session)
redis.call('ZREM', order, session)
local version = redis.call('HINCRBY', facts, 'version', 1)
if #ARGV > 1 then
  redis.call('HSET', armed, session, ARGV[2])
  redis.call('ZADD', order, version, session)
  trim(armed, order)
end
return version
"""
)
_ADVANCE: Final = (
    _TRIM
    + """
local turns, turned = KEYS[1], KEYS[2]
local count = redis.call('HINCRBY', turns, ARGV[1], 1)
if count == 1 then
  local newest = redis.call('ZRANGE', turned, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', turned, tonumber(newest or '0') + 1, ARGV[1])
  trim(turns, turned)
end
return count - 1
"""
)


class RedisStore:
    """Shared by all mocks of one contract that use the same database of a server."""

    def __init__(self, url: str, password: str | None, name: str, limits: Limits) -> None:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise UsageError(
                "Redis needs one more package: python -m pip install 'quickrouter-contract[redis]'"
            ) from None
        self._url, self._limits = url, limits
        self._failure = (redis.RedisError, OSError)
        self._mutex = threading.Lock()
        self._down_until = 0.0
        secret = {} if password is None else {"password": password}
        try:
            self._redis: Any = redis.Redis.from_url(
                url, **secret, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, retry=Retry(NoBackoff(), 1)
            )
        except ValueError as wrong:
            raise UsageError(f"--state is no address of a Redis server: {wrong}") from None
        self._append, self._clear, self._arm, self._advance = (
            self._redis.register_script(text) for text in (_APPEND, _CLEAR, _ARM, _ADVANCE)
        )
        tag = f"quickrouter-contract:{{{name}}}"
        self._batch = f"{tag}:batch:"
        self._rows, self._facts, self._armed, self._order, self._turns, self._turned, self._tracks = (
            f"{tag}:{key}" for key in ("rows", "facts", "armed", "armed-order", "turns", "turns-order", "tracks")
        )
        self.version()

    def append(self, rows: Sequence[Row]) -> None:
        """Keep rows in their order; the oldest ones make room."""
        keys = [self._rows, self._facts, self._batch + rows[0].id]
        self._done(lambda: self._append(keys, [*self._limits, *(value for row in rows for value in row)]))

    def rows(self, session: str | None) -> list[bytes]:
        """Oldest first; those of one session, or all."""
        wanted = None if session is None else session.encode()
        return [row[b"row"] for row in self._all() if wanted is None or row[b"session"] == wanted]

    def row(self, identifier: str) -> bytes | None:
        """The row with that id."""
        wanted = identifier.encode()
        return next((row[b"row"] for row in self._all() if row[b"id"] == wanted), None)

    def since(self, identifier: str) -> list[bytes] | None:
        """The rows after the one with that id; None when it is not there."""
        found, wanted = self._all(), identifier.encode()
        at = next((index for index, row in enumerate(found) if row[b"id"] == wanted), None)
        return None if at is None else [row[b"row"] for row in found[at + 1 :]]

    def clear(self, session: str | None) -> int:
        """Forget the rows of one session, or all; how many there were."""
        given = [] if session is None else [session]
        return int(self._done(lambda: self._clear([self._rows, self._facts], given)))

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
        self._done(lambda: self._arm(keys, [session] if scenario is None else [session, scenario]))

    def reset(self) -> None:
        """No session plays anything, and no turn was counted."""

        def do() -> Any:
            with self._redis.pipeline(transaction=True) as together:
                together.delete(self._armed, self._order, self._turns, self._turned)
                together.hincrby(self._facts, "version", 1)
                return together.execute()

        self._done(do)

    def turn(self, session: str, name: str) -> int:
        """How many turns of a session's scenario were counted."""
        return int(self._done(lambda: self._redis.hget(self._turns, f"{session}\0{name}")) or 0)

    def advance(self, session: str, name: str) -> int:
        """Count a turn; how many there were before."""
        return int(self._done(lambda: self._advance([self._turns, self._turned], [f"{session}\0{name}"])))

    def follow(self, track: str) -> int:
        """Count an answer from a cassette's track; how many there were before."""
        return int(self._done(lambda: self._redis.hincrby(self._tracks, track, 1))) - 1

    def rewind(self) -> None:
        """Begin every track again."""
        self._done(lambda: self._redis.delete(self._tracks))

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()

    def _all(self) -> list[dict[bytes, bytes]]:
        return [fields for _, fields in self._done(lambda: self._redis.xrange(self._rows))]

    def _done(self, call: Callable[[], Any]) -> Any:
        """What a call gives; StateError where the server does not answer, at once where it just did not."""
        if time.monotonic() < self._down_until:
            raise StateError(f"cannot reach the state at {self._url}")
        try:
            with self._mutex:
                return call()
        except self._failure as error:
            self._down_until = time.monotonic() + _PAUSE_S
            raise StateError(f"cannot reach the state at {self._url}: {error}") from None
