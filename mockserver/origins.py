"""Whether an administration request comes from a page of another site, which a browser would send without asking.

A mock is reachable from every page that the browser of somebody who can reach it shows: by a form or script (Origin,
Sec-Fetch-Site) or by a name that was made to point here (Host).  Neither may read the journal or change what is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from mockserver.settings import LOOPBACK


def stranger(method: str, headers: Mapping[str, str], loopback: bool) -> str:
    """Why the request is refused; "" when it is not. ``headers`` are looked up in lower case.

    Only on ``loopback`` the names are known by which the mock is reached; elsewhere a proxy before it may have changed Host.
    """
    host = headers.get("host", "")
    if loopback and not _local(f"//{host}"):
        return f"the administration is reached by a loopback address, not as {host!r:.80}"
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    own = site == "same-origin" and not loopback
    if origin is not None and not own and (origin == "null" or _place(origin) != host):
        return f"the administration takes no requests from pages of {origin!r:.80}"
    if site in ("cross-site", "same-site") and not _followed(method, headers):
        return "the administration takes no requests from pages of other sites"
    return ""


def _followed(method: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody follows a link to a page; anything that a page loads by itself is timed or counted by it."""
    shown = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return shown and method in ("GET", "HEAD")


def _place(url: str) -> str:
    """The host and port of a URL; "" when it has none or cannot be read."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _local(address: str) -> bool:
    try:
        name = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return name in LOOPBACK or (name.startswith("127.") and name.replace(".", "").isdigit())
