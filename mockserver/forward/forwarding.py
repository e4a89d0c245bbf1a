"""The forwarding ASGI application.

httpx's transport is the client, below its ``Client``: that one adds headers, follows redirects and keeps cookies, the
transport sends exactly what it is given, streams both ways and verifies certificates.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import ssl
import urllib.request
from collections.abc import AsyncIterator, MutableMapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx

from mockserver.errors import UsageError
from mockserver.forward import tls
from mockserver.forward.flow import (
    CLIENT_GONE,
    HELD_BACK,
    UNREACHED,
    Flow,
    Problem,
    RawHeaders,
    Receive,
    Send,
    answer,
    text,
)
from mockserver.messages import Exchange

CONNECT_S: Final = 30.0

_HOP_BY_HOP: Final = frozenset(
    b"connection keep-alive proxy-connection proxy-authorization te trailer transfer-encoding upgrade".split()
)
"""RFC 9110, 7.6.1: these speak of one connection and are never passed on."""


class Watcher(Protocol):
    """Who sees what goes by."""

    holds_requests: bool
    holds_responses: bool

    async def refuse_request(self, exchange: Exchange) -> Problem | None:
        """Why a request is not forwarded; asked where ``holds_requests``."""

    async def refuse_response(self, exchange: Exchange) -> Problem | None:
        """Why an answer is not passed on; asked where ``holds_responses``."""

    def done(self, exchange: Exchange) -> None:
        """An exchange is over; must not wait."""

    async def kept(self) -> None:
        """Wait until all that is over is kept; asked before every answer, so that few exchanges ever wait for that."""


class _GoneError(Exception):
    """The client went away while it was sending."""


class _Body(httpx.AsyncByteStream):
    """A request's body on its way through."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces


class Forward:
    """Forwards to one base URL what comes below ``base_path``; ``silence_s`` is how long the API may say nothing."""

    def __init__(self, upstream: str, base_path: str, watcher: Watcher, silence_s: float) -> None:
        parts = urlsplit(upstream)
        self.origin, self.host = f"{parts.scheme}://{parts.netloc}", parts.netloc
        self._prefix, self._base = parts.path.rstrip("/").encode(), base_path.encode()
        self._watcher, self._silence_s = watcher, silence_s
        self._name = f"quickrouter-contract-{secrets.token_hex(4)}".encode()
        self._ids = (f"p{number}" for number in itertools.count(1))
        proxy = None if urllib.request.proxy_bypass(parts.hostname or "") else _proxy(parts.scheme)
        # A connection that is used twice may be closed by the other side just then, and a POST that may have been paid
        # for must not be sent again: so each request has its own.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._transport = httpx.AsyncHTTPTransport(limits=limits, proxy=proxy, verify=tls.authorities())

    async def close(self) -> None:
        """Give up the connections."""
        await self._transport.aclose()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Forward one request."""
        if scope["type"] != "http":
            return

        async def send_in_turn(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                await self._watcher.kept()
            await send(message)

        flow = Flow(next(self._ids), scope, receive, send_in_turn, text(self._sent_headers(scope)))
        if any(self._name in value for name, value in scope["headers"] if name == b"via"):
            detail = f"{self.origin} leads back to this proxy"
            await answer(flow, Problem(502, "Loop detected", "proxy_loop_detected", detail))
            return
        pump = asyncio.ensure_future(self._pump(flow))
        gone = asyncio.ensure_future(_gone(flow))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
            if flow.complete:
                await pump
            elif not pump.done():
                flow.note = flow.failure = CLIENT_GONE
        except asyncio.CancelledError:
            flow.note, flow.failure = CLIENT_GONE, "the proxy was stopped"
            raise
        finally:
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)
            self._watcher.done(flow.exchange)
        if not pump.cancelled():
            pump.result()

    async def _pump(self, flow: Flow) -> None:
        with contextlib.suppress(_GoneError):
            await self._exchange(flow)

    async def _exchange(self, flow: Flow) -> None:
        body = _pieces(flow)
        if self._watcher.holds_requests:
            held = [piece async for piece in body]
            problem = await self._watcher.refuse_request(flow.exchange)
            if problem is not None:
                flow.note = flow.failure = HELD_BACK
                await answer(flow, problem)
                return
            body = _again(held)
        try:
            response = await self._transport.handle_async_request(self._request(flow, body))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = self._problem(error)
            flow.failure = problem.detail
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
                flow.note = UNREACHED
            async for _ in body:  # the client gets to read the answer, and its request is judged all the same
                if not flow.asked.whole:
                    break
            await answer(flow, problem)
            return
        try:
            await self._pass_on(flow, response)
        finally:
            await response.aclose()

    async def _pass_on(self, flow: Flow, response: httpx.Response) -> None:
        dropped = _HOP_BY_HOP | _listed(response.headers.raw)
        flow.status, flow.answer_headers = response.status_code, list(response.headers.raw)
        head = {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": [(name, value) for name, value in flow.answer_headers if name.lower() not in dropped],
        }
        stream: Any = response.stream  # typed as either kind; an asynchronous transport gives the asynchronous one
        held: list[bytes] | None = [] if self._watcher.holds_responses else None
        length = response.headers.get("content-length", "")
        announced = int(length) if length.isdigit() else None
        if not 200 <= response.status_code <= 599:
            detail = f"{self.host} answered with status {response.status_code}, which is none"
            await answer(flow, Problem(502, "Not an HTTP answer", "http_protocol_error", detail))
            return
        if held is None:
            await flow.send(head)
        try:
            async for piece in stream:
                flow.answered.add(piece)
                # a client that counts closes as soon as it has the announced bytes, before the API's connection ends
                flow.complete = announced is not None and flow.answered.size >= announced and held is None
                if held is None:
                    await flow.send({"type": "http.response.body", "body": piece, "more_body": True})
                else:
                    held.append(piece)
        except httpx.TimeoutException:
            flow.cut = f"the answer stopped after {flow.answered.size} bytes and said nothing for {self._silence_s:g} s"
        except httpx.HTTPError as error:
            flow.cut = f"the connection ended after {flow.answered.size} bytes of the answer: {_reason(error)}"
        if held is not None:
            problem = await self._watcher.refuse_response(flow.exchange)
            if problem is not None:
                await answer(flow, problem)
                return
            await flow.send(head)
            for piece in held:
                await flow.send({"type": "http.response.body", "body": piece, "more_body": True})
        if flow.cut:
            return  # without its end: the server cuts the connection, and the client sees what we saw
        flow.complete = True
        try:
            await flow.send({"type": "http.response.body", "body": b""})
        except RuntimeError:
            return  # a 304 may announce the length of a body that it does not have; the head is on its way already

    def _request(self, flow: Flow, body: AsyncIterator[bytes]) -> httpx.Request:
        scope = flow.scope
        path = scope["raw_path"]
        below = path[len(self._base) :] if self._base and path.startswith(self._base + b"/") else path
        query = scope["query_string"]
        target = self._prefix + below + (b"?" + query if query else b"")
        times = {"connect": CONNECT_S, "read": self._silence_s, "write": self._silence_s, "pool": None}
        version = scope.get("http_version", "1.1").encode()
        headers = [*self._sent_headers(scope), (b"Via", version + b" " + self._name)]
        chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        if chunked:
            headers = [pair for pair in headers if pair[0] != b"content-length"]
            headers.append((b"Transfer-Encoding", b"chunked"))
        headers.append((b"Connection", b"close"))
        return httpx.Request(
            scope["method"],
            f"{self.origin}/",
            headers=headers,
            stream=_Body(body),
            extensions={"target": target, "timeout": times},
        )

    def _sent_headers(self, scope: MutableMapping[str, Any]) -> RawHeaders:
        """A request's headers as they go on: without those of this connection, with the API's Host."""
        dropped = _HOP_BY_HOP | _listed(scope["headers"]) | {b"host", b"expect"}
        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
        return [(b"Host", self.host.encode()), *kept]

    def _problem(self, error: Exception) -> Problem:
        """Our answer for an upstream that gave none."""
        reason = _reason(error)
        if isinstance(error, httpx.ConnectTimeout):
            return Problem(
                504,
                "No connection in time",
                "connection_timeout",
                f"{self.host} could not be reached in {CONNECT_S:g} s",
            )
        if isinstance(error, httpx.TimeoutException):
            detail = f"{self.host} said nothing for {self._silence_s:g} s (time-out)"
            return Problem(504, "No answer in time", "http_response_timeout", detail)
        if (handshake := tls.failure(error)) is not None:
            return tls.problem(handshake, self.host)
        if isinstance(error, httpx.ConnectError | httpx.ProxyError):
            return Problem(502, "API not reached", "connection_refused", f"{self.host} cannot be reached: {reason}")
        detail = f"{self.host} gave no valid HTTP answer: {reason}"
        return Problem(502, "No valid answer", "http_protocol_error", detail)


async def _pieces(flow: Flow) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await flow.receive()
        if message["type"] != "http.request":
            flow.note = flow.failure = CLIENT_GONE
            raise _GoneError
        more = bool(message.get("more_body"))
        if piece := message.get("body", b""):
            flow.asked.add(piece)
            yield piece
    flow.read.set()


async def _again(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _gone(flow: Flow) -> None:
    """Wait until the client has gone away."""
    await flow.read.wait()
    while (await flow.receive())["type"] != "http.disconnect":
        pass


def _listed(headers: Any) -> set[bytes]:
    """Headers that Connection says are of this connection only; where a body ends is never."""
    values = [value for name, value in headers if name.lower() == b"connection"]
    return {name.strip().lower() for value in values for name in value.split(b",")} - {b"content-length"}


def _proxy(scheme: str) -> httpx.Proxy | None:
    """The proxy that the environment names; raises UsageError where it is none, without the password it may hold."""
    url = urllib.request.getproxies().get(scheme, "")
    try:
        return httpx.Proxy(url) if url.startswith(("http://", "https://")) else None
    except (httpx.InvalidURL, ValueError):
        raise UsageError(f"{scheme}_proxy cannot be used: no address of a proxy like http://HOST:PORT") from None


def _reason(error: BaseException) -> str:
    """What went wrong, in the words of the system where it has any: the libraries' own are less exact."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.strerror and not isinstance(found, ssl.SSLError):
            return found.strerror.split("] ")[-1]
        inner = getattr(found, "exceptions", None)
        found = inner[0] if inner else found.__cause__ or found.__context__
    return str(error).strip().rstrip(".") or type(error).__name__
