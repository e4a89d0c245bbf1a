"""HTTP on the wire: uvicorn's protocol with limits on the head of a request and on time, refusing in the API's own words.

A plainly valid request that came in one piece is answered where it is parsed, head and body in one write
(:mod:`mockserver.outbox`): no task, no ASGI messages.  Every other one, and whatever the pipeline wants to look at more closely, reaches :mod:`mockserver.app`.
"""

from __future__ import annotations

import time
from typing import Any, Final

from mockserver.connections import RATE, SILENT_S, Connections, Hold
from mockserver.delivery import LARGE, reset, unacknowledged
from mockserver.heads import HeadsProtocol
from mockserver.pipeline import REFUSED
from mockserver.shortcut import Shortcut

_HALF_CLOSED_S: Final = 1.0
"""Seconds that an answer under way may still take when the client has closed its side."""
_LAST_S: Final = 0.05
"""Seconds in which a request is still taken that was on its way when the mock was told to end."""
_UNFINISHED_S: Final = 0.5
"""Seconds that an unfinished request may still take then."""
_NAME: Final = b"mock-exchange: "
_now = time.time


class BoundedProtocol(HeadsProtocol):
    """Refuses what is not HTTP with 400, a head that grows beyond the mock's limit with 431, what takes too long with 408."""

    _heads = 0
    """How many heads were complete."""
    _short: Shortcut | None = None
    """What answers the request that is being read, if nothing odd turns up."""
    _body = b""
    _begin: tuple[Shortcut, list[tuple[bytes, bytes]], bytes] | None = None
    """Whose answers begin how, as long as the server adds the same to every head."""
    _running: Any = None
    """Which request the application answers: of several that came at once, uvicorn tells only the last that the client is gone."""
    _came = 0
    """Bytes of the body that is being read, as far as it did not come in one piece."""
    _begun: tuple[int, float] | None = None
    """Which request was seen unfinished, by its number, and since when; 0 stands for a connection on which nothing came."""
    _slow = False
    """Whether answers go one by one, since the client does not take them or they are large."""
    _unsent = 0
    """Bytes that the client had not taken when it was first seen to be slow."""
    _slow_since = 0.0
    _hold: Hold | None = None

    def on_headers_complete(self) -> None:
        """Choose the way to the answer."""
        self._heads += 1
        self._moved = True
        short = self._mock.shortcuts.get((self.parser.get_method(), self.url))
        if (
            short is None
            or not self._is_idle
            or self.expect_100_continue
            or self._slow
            or not self.parser.should_keep_alive()
            or self.parser.get_http_version() != "1.1"
        ):
            self._begin_ordinarily()
        else:
            self._short, self._body = short, b""

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._moved = True
        if self._short is None:
            self._came += len(body)
            super().on_body(body)
        else:
            self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        """Answer, or let the application answer."""
        short = self._short
        if short is None:
            super().on_message_complete()
            return
        if self._named is not None:
            self._without_trailers()
        try:
            rest = short.written(self.headers, self._body, _now())
        except Exception:  # noqa: BLE001  the application says what is wrong with the contract
            rest = None
        if rest is None:
            self._ordinarily()
            super().on_message_complete()
            return
        self._short = None
        outbox = self._mock.outbox
        outbox.put(self.loop, self.transport, self._beginning(short) + rest)
        if len(rest) > LARGE:
            outbox.send()
            if self.flow.write_paused:
                self._accompany(rest)
            else:  # what else has come on this connection lets others go first
                self._slow = True
                self.loop.call_soon(self._go_on)
        self.on_response_complete()

    def _beginning(self, short: Shortcut) -> bytes:
        known, defaults = self._begin, self.server_state.default_headers
        if known is None or known[0] is not short or known[1] is not defaults:
            begin = short.begin + b"".join(b"%b: %b\r\n" % pair for pair in defaults)
            self._begin = known = (short, defaults, begin)
        return known[2]

    def on_response_complete(self) -> None:
        """Go on with the next request; read on only when no request waits, so that a client cannot pile them up."""
        if self.pipeline:
            self._running = self.pipeline[-1][0]
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def shutdown(self) -> None:
        """Close when nothing is left to answer, and nothing on its way."""
        if self._is_idle:
            self.loop.call_later(_LAST_S, self._close_if_idle)
        else:
            super().shutdown()

    def _close_if_idle(self) -> None:
        if self._is_idle and self._head == 0:
            self._mock.outbox.send()
            self.transport.close()

    def connection_made(self, transport: Any) -> None:
        """Serve another client, or say that there is no room for it."""
        super().connection_made(transport)
        most, count = self._connections.at_most, len(self.connections)
        if count <= most:
            if self._connections.ending:
                self.shutdown()
            return
        self._connections.complain(
            f"this process holds {most} connections and may open no more (ulimit -n); others are refused with 503"
        )
        if count <= most + most // 8:
            self._refuse(503, f"the mock serves {most} connections at once and has no room for another")
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep nothing for a client that is gone."""
        running = self._running
        if running is not None and not running.response_complete:
            running.disconnected = True
            running.message_event.set()
        super().connection_lost(exc)
        self._release()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Let what is being answered be finished for a client that sends nothing more, soon."""
        if self._is_idle or self.cycle.more_body:
            return False
        self.cycle.keep_alive = False
        self.loop.call_later(_HALF_CLOSED_S, self.transport.close)
        return True

    def pause_writing(self) -> None:
        """Count what the client does not take."""
        super().pause_writing()
        self._slow = True
        self._unsent, self._slow_since = 0, time.monotonic()
        self._hold = Hold(self.drop)
        self._connections.hold(self._hold, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._slow = False
        self._release()

    def _go_on(self) -> None:
        self._slow = self.flow.write_paused

    def _release(self) -> None:
        if self._hold is not None:
            self._connections.release(self._hold)
            self._hold = None

    async def taken(self) -> bool:
        """Whether the client has taken what was sent to it, or is gone; returns when it is known."""
        await self.flow.drain()
        return self.parser is not None

    def _accompany(self, answer: bytes) -> None:
        """Note in the journal when the client does not stay for an answer."""
        name = answer.partition(_NAME)[2].partition(b"\r\n")[0].decode()

        async def look() -> None:
            if not await self.taken():
                self._mock.missed(name)

        task = self.loop.create_task(look())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def sweep(self, now: float) -> None:
        """End what takes too long: a request that is not complete in time, an answer that nobody takes."""
        settings = self._mock.settings
        if self.flow.write_paused:
            left = self.transport.get_write_buffer_size() + unacknowledged(self.transport)
            self._unsent = self._unsent or left
            limit = settings.send_timeout
            if limit and now - self._slow_since > limit + (self._unsent - left) / RATE:
                self.drop()
            return
        if self._head < 0 or self.pipeline:
            return  # what waits for earlier answers is not read meanwhile
        if not self._is_idle:
            if not self.cycle.more_body:
                return
            number, size = self._heads, self._came
        elif self._head or not self._heads:
            number, size = self._heads + (self._head > 0), self._head
        else:
            return
        if self._begun is None or self._begun[0] != number:
            self._begun = (number, now)
        elif number:
            self._hurry(now - self._begun[1], size)

    def _hurry(self, seconds: float, size: int) -> None:
        """Refuse an unfinished request that took so long for so many bytes."""
        limit = self._mock.settings.request_timeout
        if self._connections.ending and seconds > _UNFINISHED_S:
            self._refuse(503, "the mock is about to end and takes no request that is not complete")
        elif limit and seconds > limit + size / RATE:
            what = "head" if self._is_idle else f"body ({size} bytes came)"
            self._refuse(408, f"the request must be complete within {limit:g} s; the end of its {what} did not come")

    def give_way(self, now: float) -> None:
        """Close where nothing came for a while."""
        if self._begun is not None and self._begun[0] == 0 and now - self._begun[1] > SILENT_S and not self._head:
            self.transport.close()

    def drop(self) -> None:
        """End at once, so that nothing is kept for this client."""
        if self.flow.write_paused or self.pipeline or self._is_idle or not self.cycle.more_body:
            reset(self.transport)
        elif self._head >= 0:
            self._refuse(503, "the mock holds too much for slow clients; this request was not complete yet")

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def _limit(self) -> int:
        limit: int = self._mock.settings.max_headers
        return limit

    @property
    def _mock(self) -> Any:
        return self.config.app

    @property
    def _connections(self) -> Connections:
        found: Connections = self._mock.connections
        return found

    def _ordinarily(self) -> None:
        """Hand the request that is being read to the application, with what has come of its body."""
        self._short = None
        self._begin_ordinarily()
        if self._body:
            self.on_body(self._body)

    def _begin_ordinarily(self) -> None:
        """Let the application answer the request whose head is complete."""
        self._came = 0
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle
        if self._connections.ending:
            self.cycle.keep_alive = False

    def _refusal(self, status: int, message: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
        self._short = None
        if not self._is_idle:  # the application waits for the rest of the body
            self.scope[REFUSED] = (status, message)  # type: ignore[typeddict-unknown-key]
        self._mock.outbox.send()
        found = self._mock.pipeline.envelope.error(None, status, message, "", None)
        return [(b"content-type", found.kind)], found.body
