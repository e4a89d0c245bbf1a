"""Whether an administration request comes from a page of another site, which a browser would send without asking.

A mock is reachable from every page that the browser of somebody who can reach it shows: by a form or script (Origin,
Sec-Fetch-Site) or by a name that was made to point here (Host).  Neither may read the journal or change what is answered.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
"""A Host header as browsers send it: no user, no path, no other characters."""


def stranger(method: str, headers: Mapping[str, str], loopback: bool) -> str:
    """Why the request is refused; "" when it is not. ``headers`` are looked up in lower case.

    Only on ``loopback`` the names are known by which the mock is reached; elsewhere a proxy before it may have changed Host.
    """
    host = headers.get("host", "")
    if loopback and not _local(host):
        named = f"a loopback address, not as {host[:80]!r}"
        return f"the administration is reached by {named}; a mock that others reach is started with --host"
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    own = site == "same-origin" and not loopback
    if origin is not None and not own and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
        return f"the administration takes no requests from pages of {origin[:80]!r}"
    if site in ("cross-site", "same-site") and not _followed(method, headers):
        return "the administration takes no requests from pages of other sites"
    return ""


def _followed(method: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody follows a link to a page; anything that a page loads by itself is timed or counted by it."""
    shown = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return shown and method in ("GET", "HEAD")


def _local(host: str) -> bool:
    """Whether a Host header names this machine and nothing else could be meant."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found["name"].strip("[]").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback
