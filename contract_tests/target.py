"""The server under test: sends one request over a new connection and brings back an exchange, whatever happens.

Nothing is repeated here and no redirect is followed: a POST that may have been paid for is never sent twice in silence.
The bytes are kept as they came; undoing content codings is left to the judge.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from contract_tests.alarm import Alarm
from contract_tests.following import RAW_HEADERS, Follower
from mockserver import __version__
from mockserver.contract import Contract
from mockserver.errors import Inconclusive, UsageError
from mockserver.messages import Exchange, Request, Response, headers_of

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that are read; a longer one counts as cut by us."""

KEPT_OF_LONGER = 64 * 1024
"""Bytes that are kept of an answer that is longer: enough to see what it is."""

LATE = "(time-out)"
"""How a failure or a cut ends that only time explains."""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine only."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str) -> str:
    """The base URL without a trailing slash; raises UsageError where it is none."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise UsageError(f"the base URL {url!r} holds white space or control characters")
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is no base URL; one looks like https://api.example.com or http://127.0.0.1:4010")
    if parts.query or parts.fragment or parts.username is not None:
        raise UsageError(f"the base URL {parts.scheme}://{parts.hostname} may hold no user, query or fragment")
    return parts.geturl().rstrip("/")


_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
"""Variables that say how to reach a server that is not on this machine."""


@dataclass(slots=True)
class Target:
    """Base URL, key, time-out in seconds and the least time between two requests in seconds.

    The key appears nowhere in the representation.
    """

    base_url: str
    contract: Contract
    key: str = field(repr=False)
    timeout_s: float = 300.0
    interval_s: float = 0.0
    _client: httpx.Client = field(init=False, repr=False)
    _alarm: Alarm = field(init=False, repr=False)
    _follower: Follower = field(init=False, repr=False)
    _ids: Iterator[int] = field(init=False, repr=False)
    _last: float = field(init=False, repr=False, default=0.0)
    answered: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)
        self._alarm = Alarm()
        try:
            self._client = httpx.Client(
                timeout=httpx.Timeout(self.timeout_s, connect=min(10.0, self.timeout_s)),
                limits=httpx.Limits(max_keepalive_connections=0),
                follow_redirects=False,
                event_hooks={"response": [_without_location]},
                trust_env=not is_loopback(self.base_url),
            )
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:  # what httpx reads from the environment
            at_fault = _CERTIFICATES if isinstance(error, OSError) else _PROXIES
            named = [name for name in at_fault if os.environ.get(name)]
            # the address of a proxy may hold a password, and what is wrong with it is quoted as a part of it
            why = _reason(error) if isinstance(error, OSError) else "no address of a proxy like http://HOST:PORT"
            raise UsageError(f"{', '.join(named) or 'the environment'} cannot be used: {why}") from None
        self._follower = Follower(self._client, self._alarm, self.base_url)

    def close(self) -> None:
        """Give up the connections."""
        self._client.close()

    def next_id(self) -> str:
        """The id of the next exchange: x0001, x0002, ..."""
        return f"x{next(self._ids):04d}"

    def send(self, request: Request) -> Exchange:
        """Send one request; raises Inconclusive when the server has never answered and cannot be reached."""
        self._wait()
        identifier = self.next_id()
        started, clock = time.time(), time.perf_counter()
        response: Response | None = None
        failure: str | None = None
        try:
            response, failure = self._answer(request, clock + self.timeout_s)
        except httpx.ConnectError as error:
            failure = f"connection failed: {_reason(error)}"
        except httpx.ConnectTimeout:
            failure = "connection failed: no connection in time"
        except httpx.TimeoutException:
            failure = self._late
        except httpx.RemoteProtocolError as error:
            failure = f"not a valid HTTP answer: {_reason(error)}"
        except httpx.HTTPError as error:
            failure = f"the connection broke: {_reason(error)}"
        except (httpx.InvalidURL, UnicodeError) as error:
            raise UsageError(f"{self.base_url} cannot be asked: {error}") from None
        duration = time.perf_counter() - clock
        if response is None and duration >= self.timeout_s:
            failure = self._late
        if response is None and not self.answered and failure and failure.startswith("connection failed"):
            raise Inconclusive(f"{self.base_url} cannot be reached: {failure.removeprefix('connection failed: ')}")
        self.answered = self.answered or response is not None
        return Exchange(identifier, request, response, failure, started, duration)

    @property
    def _late(self) -> str:
        return f"no answer within {self.timeout_s:g} s {LATE}"

    def _answer(self, request: Request, deadline: float) -> tuple[Response | None, str | None]:
        url = f"{self.base_url}{request.target}"
        names = {name.lower() for name, _ in request.headers}
        usual = (("User-Agent", f"quickrouter-contract/{__version__}"), ("Accept-Encoding", "gzip, deflate"))
        headers = [pair for pair in usual if pair[0].lower() not in names]
        # httpx sends header text as ASCII; a key with other characters is sent as UTF-8 bytes
        raw = [(n.encode(), v.encode("utf-8")) for n, v in (*headers, *request.headers) if v]
        chunked = "transfer-encoding" in names
        content = (
            iter([request.body]) if chunked else request.body if request.body or request.method == "POST" else None
        )
        extensions = {"trace": self._trace}
        message = httpx.Request(request.method, url, headers=raw, content=content, extensions=extensions)
        with self._alarm.at(
            deadline
        ):  # httpx times each read, and a server that sends a byte now and then is never late
            answer = self._client.send(message, stream=True)
        cut: str | None = None
        body = bytearray()
        try:
            for chunk in answer.iter_raw():
                body += chunk
                if len(body) > MAX_ANSWER:
                    del body[KEPT_OF_LONGER:]
                    cut = f"the answer is longer than {MAX_ANSWER} bytes; the rest was not read"
                    break
                if time.perf_counter() > deadline:
                    cut = f"the answer was not complete after {self.timeout_s:g} s {LATE}"
                    break
        except httpx.TimeoutException:
            cut = f"the answer stopped after {len(body)} bytes and was not complete after {self.timeout_s:g} s {LATE}"
        except httpx.HTTPError as error:
            cut = f"the connection ended before the answer was complete: {_reason(error)}"
        finally:
            answer.close()
        pairs = headers_of((n.decode("latin-1"), v.decode("latin-1")) for n, v in answer.extensions[RAW_HEADERS])
        return Response(answer.status_code, pairs, bytes(body), cut), None

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        self._alarm.trace(event, info)
        self._follower.trace(event, info)

    def followed(self, url: str) -> bytes:
        """The file at an address that an answer gave, asked for as anybody would: without the key.

        Raises LookupError with a sentence where there is none, UnfollowedError where it is not asked for.
        """
        return self._follower.followed(url, self.timeout_s)

    def _wait(self) -> None:
        rest = self._last + self.interval_s - time.monotonic()
        if self.interval_s and rest > 0:
            time.sleep(rest)
        self._last = time.monotonic()


def _without_location(answer: httpx.Response) -> None:
    """Keep the headers and take Location away: httpx reads it although it follows nothing, and fails where it is no URL."""
    answer.extensions[RAW_HEADERS] = list(answer.headers.raw)
    if "location" in answer.headers:
        del answer.headers["location"]


def _reason(error: Exception) -> str:
    text = str(error).strip().rstrip(".")
    return text or type(error).__name__
