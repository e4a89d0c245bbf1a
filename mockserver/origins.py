"""Whether an administration request comes from a page of another site, which a browser would send without asking.

A mock on loopback is reachable from every page that the developer's browser shows: by a form or script (Origin, Sec-Fetch-Site)
or by a name that was made to point here (Host).  Neither may read the journal or change what is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from mockserver.settings import LOOPBACK


def stranger(method: str, headers: Mapping[str, str]) -> str:
    """Why the request is refused; "" when it is not. ``headers`` are looked up in lower case."""
    host = headers.get("host", "")
    if not _local(f"//{host}"):
        return f"the administration is reached by a loopback address, not as {host!r:.80}"
    origin = headers.get("origin")
    if origin is not None and (origin == "null" or _place(origin) != host):
        return f"the administration takes no requests from pages of {origin!r:.80}"
    site = headers.get("sec-fetch-site")
    if site in ("cross-site", "same-site") and method not in ("GET", "HEAD"):
        return "the administration takes no requests from pages of other sites"
    return ""


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
