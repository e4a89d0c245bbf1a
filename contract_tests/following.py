"""Pictures by the addresses that answers give: asked for without the key, and never from nearer than the API itself is.

An address may lead into the network of whoever runs the suite: by its host, by a redirect, or by a name that stands for
something else each time it is looked up.  So the connection decides, and nothing is sent before its address is looked at.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from contract_tests.alarm import Alarm
from mockserver import __version__, media
from mockserver.viewing import UnfollowedError

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a picture."""
ONE_S: Final = 30.0
"""Seconds that a picture may take to come from its address."""
ALL_S: Final = 120.0
"""Seconds for all pictures of one answer; those for which none are left are not looked at."""
_REDIRECTS: Final = 5
RAW_HEADERS: Final = "headers as they came"
"""The extension of an answer under which the client keeps its headers."""


class Reach(IntEnum):
    """From where an address can be reached."""

    MACHINE = 0
    LINK = 1
    NETWORK = 2
    WORLD = 3


def reach(address: str) -> Reach:
    """The reach of an IP address; raises ValueError where it is none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback or ip.is_unspecified:
        return Reach.MACHINE
    if ip.is_link_local:
        return Reach.LINK
    return Reach.WORLD if ip.is_global else Reach.NETWORK


def named(host: str) -> Reach | None:
    """The reach that a host in a URL has by its name alone; None for a name that has to be looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return Reach.MACHINE
    try:
        return reach(host)
    except ValueError:
        return None


class Dialled:
    """The connection that httpcore's ``trace`` tells of: the host that was dialled, and the reach of what answered."""

    def __init__(self, known: Reach) -> None:
        self.reach, self._host = known, ""

    def trace(self, event: str, info: Mapping[str, Any], host: str) -> bool:
        """Take note; whether the event is a connection to ``host`` itself, and not to a proxy before it."""
        if event.endswith("connect_tcp.started"):
            self._host = str(info.get("host"))
        stream = info.get("return_value")
        if not event.endswith("connect_tcp.complete") or stream is None or self._host != host:
            return False
        self.reach = reach(str(stream.get_extra_info("server_addr")[0]))
        return True


class Follower:
    """Brings what addresses lead to; ``api`` is told of the connections to the API."""

    def __init__(self, client: httpx.Client, alarm: Alarm, base_url: str) -> None:
        self._client, self._alarm = client, alarm
        self._host = urlsplit(base_url).hostname or ""
        known = named(self._host)
        self._api = Dialled(Reach.WORLD if known is None else known)
        self._left = ALL_S

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What httpcore tells of a connection to the API; a new one is the beginning of a new answer."""
        self._left = ALL_S
        self._api.trace(event, info, self._host)

    def followed(self, url: str, timeout_s: float) -> bytes:
        """The file at an address.

        Raises LookupError with a sentence where there is none, UnfollowedError where it is not asked for.
        """
        if self._left <= 0:
            raise UnfollowedError(f"the pictures of an answer took more than {ALL_S:g} s to come")
        clock = time.perf_counter()
        seconds = min(ONE_S, timeout_s, self._left)
        try:
            with self._alarm.at(clock + seconds):
                return self._fetched(httpx.URL(url), clock + seconds)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            if time.perf_counter() - clock >= seconds:
                raise LookupError(f"the address did not give all of a picture within {seconds:.0f} s") from None
            raise LookupError(f"the address leads nowhere: {str(error).strip().rstrip('.')}") from None
        finally:
            self._left -= time.perf_counter() - clock

    def _fetched(self, url: httpx.URL, deadline: float) -> bytes:
        for _ in range(_REDIRECTS):
            self._near(named(url.host))
            answer = self._client.send(self._request(url, deadline), stream=True)
            try:
                place = httpx.Headers(answer.extensions[RAW_HEADERS]).get("location")
                if not 300 <= answer.status_code < 400 or not place:
                    return _body(answer, deadline)
            finally:
                answer.close()
            url = url.join(place)
        raise LookupError(f"the address leads on and on, more than {_REDIRECTS} times")

    def _request(self, url: httpx.URL, deadline: float) -> httpx.Request:
        connection = Dialled(Reach.WORLD)

        def trace(event: str, info: Mapping[str, Any]) -> None:
            self._alarm.trace(event, info)
            if connection.trace(event, info, url.raw_host.decode("ascii")) and self._nearer(connection.reach):
                raise UnfollowedError("the address of a picture leads into the network of whoever runs the suite")

        left = max(0.01, deadline - time.perf_counter())
        extensions = {"trace": trace, "timeout": httpx.Timeout(left).as_dict()}
        headers = {"User-Agent": f"quickrouter-contract/{__version__}", "Accept-Encoding": "gzip, deflate"}
        return httpx.Request("GET", url, headers=headers, extensions=extensions)

    def _near(self, known: Reach | None) -> None:
        if known is not None and self._nearer(known):
            place = "machine" if known is Reach.MACHINE else "network"
            raise LookupError(f"the address leads to the {place} of whoever reads it")

    def _nearer(self, found: Reach) -> bool:
        api = self._api.reach
        return found < api or (found is Reach.LINK and api is not Reach.LINK)


def _body(answer: httpx.Response, deadline: float) -> bytes:
    if answer.status_code != 200:
        raise LookupError(f"a GET of the address is answered with status {answer.status_code}")
    body = bytearray()
    for chunk in answer.iter_raw():  # httpx would undo content codings without a bound
        body += chunk
        if len(body) > LARGEST:
            raise LookupError(f"the address leads to more than {LARGEST} bytes")
    if time.perf_counter() >= deadline:  # the alarm ended the connection, which may look like the end of the file
        raise httpx.ReadTimeout("too late")
    if not (coding := httpx.Headers(answer.extensions[RAW_HEADERS]).get("content-encoding")):
        return bytes(body)
    file, problem = media.decode(bytes(body), coding)
    if problem:
        raise LookupError(f"the address leads to a file that cannot be read: {problem.message}")
    return file
