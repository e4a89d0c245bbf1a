"""What runs inside a Redis server: everything that has to happen as a whole, and once however often it arrives.

A connection may break when a call was carried out and its answer is still on the way.  The client then asks again, and the
server cannot tell that from another call; so every process numbers its calls and makes them one after the other, and the
server remembers the last number of each with its answer.
"""

from __future__ import annotations

from typing import Final

from mockserver.scenarios import SESSIONS_AT_MOST

_REMEMBERED_S: Final = 600
"""How long a process that is silent is remembered: far longer than its client goes on asking."""


def _once(work: str, *parts: str) -> str:
    """A script that does ``work``, which returns a whole number, unless the caller's call with that number was done.

    The caller's key is the last one, the number of its call the last argument.  A call that comes late, because it waited
    in a connection that the caller had given up, has a smaller number than the last one.
    """
    return f"""
local caller, call = table.remove(KEYS), tonumber(table.remove(ARGV))
local last, answer = string.match(redis.call('GET', caller) or '', '^(%d+) (%d+)$')
if last and tonumber(last) >= call then return tonumber(answer) end
{"".join(parts)}
local function work()
{work}
end
answer = work()
redis.call('SET', caller, string.format('%.0f %.0f', call, answer), 'EX', {_REMEMBERED_S})
return answer
"""


_TRIM: Final = f"""
local function trim(of, order)
  while redis.call('ZCARD', order) > {SESSIONS_AT_MOST} do
    redis.call('HDEL', of, redis.call('ZPOPMIN', order)[1])
  end
end
"""
_CHANGED: Final = """
local function changed(facts)
  local now, before = redis.call('TIME'), redis.call('HGET', facts, 'version') or '0'
  local version = math.max(tonumber(before) + 1, now[1] * 1000000 + now[2])
  redis.call('HSET', facts, 'version', string.format('%.0f', version))
  return version
end
"""
"""The new version of what is armed: never one that was given before, even by a server that has lost what it held."""

CHECK: Final = _once("""
local facts, rows, armed, order, turns, turned, tracks, amended = unpack(KEYS)
redis.call('HLEN', facts) redis.call('XLEN', rows) redis.call('HLEN', armed) redis.call('ZCARD', order)
redis.call('HLEN', turns) redis.call('ZCARD', turned) redis.call('HLEN', tracks) redis.call('HLEN', amended) redis.call('TIME')
return 0
""")
"""Nothing but the caller's own row: an error where a mock's keys can be neither read nor written."""

APPEND: Final = _once("""
local rows, facts = KEYS[1], KEYS[2]
local count, size = redis.call('XLEN', rows), 0
if count > 0 then size = tonumber(redis.call('HGET', facts, 'size') or '0') end
for i = 3, #ARGV, 4 do
  redis.call('XADD', rows, '*', 'id', ARGV[i], 'session', ARGV[i + 1], 'size', ARGV[i + 2], 'row', ARGV[i + 3])
  count, size = count + 1, size + tonumber(ARGV[i + 2])
end
local most, largest, gone = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
while count > 1 and (count > most or size > largest) do
  local oldest = redis.call('XRANGE', rows, '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', rows, oldest[1])
  count, size, gone = count - 1, size - tonumber(oldest[2][6]), gone + 1
end
redis.call('HSET', facts, 'size', size)
if gone > 0 then redis.call('HINCRBY', facts, 'dropped', gone) end
return gone
""")
CLEAR: Final = _once("""
local rows, facts, amended, gone, size = KEYS[1], KEYS[2], KEYS[3], 0, 0
for _, row in ipairs(redis.call('XRANGE', rows, '-', '+')) do
  if #ARGV == 0 or row[2][4] == ARGV[1] then
    gone, size = gone + 1, size + tonumber(row[2][6])
    redis.call('XDEL', rows, row[1])
    redis.call('HDEL', amended, row[1])
  end
end
if gone > 0 then redis.call('HINCRBY', facts, 'size', -size) end
redis.call('HINCRBY', facts, 'cleared', 1)
return gone
""")
AMEND: Final = _once("""
local rows, amended, place = KEYS[1], KEYS[2], ARGV[1]
if #redis.call('XRANGE', rows, place, place) == 0 then return 0 end
local function parts(id)
  local time, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(number)
end
local first, second = parts(redis.call('XRANGE', rows, '-', '+', 'COUNT', 1)[1][1])
for _, known in ipairs(redis.call('HKEYS', amended)) do
  local time, number = parts(known)
  if time < first or (time == first and number < second) then redis.call('HDEL', amended, known) end
end
redis.call('HSET', amended, place, ARGV[2])
return 0
""")
"""An entry of a stream cannot be changed: what takes its place stands beside it by its place, until that is no longer there."""
ARM: Final = _once(
    """
local facts, armed, order, turns, turned = unpack(KEYS)
local session = ARGV[1]
for _, key in ipairs(redis.call('HKEYS', turns)) do
  if string.sub(key, 1, #session + 1) == session .. '\\0' then
    redis.call('HDEL', turns, key)
    redis.call('ZREM', turned, key)
  end
end
redis.call('HDEL', armed, session)
redis.call('ZREM', order, session)
local version = changed(facts)
if #ARGV > 1 then
  redis.call('HSET', armed, session, ARGV[2])
  redis.call('ZADD', order, string.format('%.0f', version), session)
  trim(armed, order)
end
return version
""",
    _TRIM,
    _CHANGED,
)
RESET: Final = _once(
    """
local facts, armed, order, turns, turned = unpack(KEYS)
redis.call('DEL', armed, order, turns, turned)
return changed(facts)
""",
    _CHANGED,
)
ADVANCE: Final = _once(
    """
local turns, turned = KEYS[1], KEYS[2]
local count = redis.call('HINCRBY', turns, ARGV[1], 1)
if count == 1 then
  local newest = redis.call('ZRANGE', turned, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', turned, tonumber(newest or '0') + 1, ARGV[1])
  trim(turns, turned)
end
return count - 1
""",
    _TRIM,
)
FOLLOW: Final = _once("return redis.call('HINCRBY', KEYS[1], ARGV[1], 1) - 1")
REWIND: Final = _once("return redis.call('DEL', KEYS[1])")

ALL: Final = (CHECK, APPEND, CLEAR, AMEND, ARM, RESET, ADVANCE, FOLLOW, REWIND)
