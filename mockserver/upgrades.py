"""Offers of another protocol, which are not taken: curl's ``--http2`` and Java's client make one with their first request.

The parser would take a request's body for the other protocol's, so the offer is removed before it (RFC 9110, 7.8).
"""

from __future__ import annotations

import re
from typing import Final

_OFFER: Final = re.compile(rb"\r\n[Uu][Pp][Gg][Rr][Aa][Dd][Ee]:[^\r\n]*(?=\r\n)")


def declined(data: bytes) -> bytes:
    """The beginning of a request without its offers; the same where its head is not complete or makes none."""
    if b"pgrade:" not in data and b"PGRADE:" not in data:
        return data
    head, blank, rest = data.partition(b"\r\n\r\n")
    return _OFFER.sub(b"", head + b"\r\n")[:-2] + blank + rest if blank else data
