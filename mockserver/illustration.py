"""The places of an answer that are pictures (``x-image``): base64 of a file, or an address at the host that was asked.

What a picture has to be like is read in :mod:`mockserver.pictures`; it is drawn and kept by :mod:`mockserver.gallery`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mockserver.asked import Asked, Slot
from mockserver.encoding import encoded
from mockserver.gallery import address_of
from mockserver.pictures import Choices, Picture, picture_of

EXPIRES_S: Final = 3600
"""Seconds for which an address leads to its picture, where the contract does not say."""

_HOST = re.compile(rb"[A-Za-z0-9._\[\]:-]{1,255}")


def illustrated(rule: Mapping[str, Any]) -> Slot:
    """Makes the string that an ``x-image`` is about."""
    choices = Choices(rule)

    def picture(asked: Asked) -> Picture:
        missing = 1 - (asked.part + 1) / (asked.parts + 1)
        return picture_of(choices, asked.body, asked.index + 1, asked.count, asked.seed, missing)

    def base64_of(asked: Asked) -> bytes:
        wanted, gallery = picture(asked), asked.gallery
        return b'"%b"' % (gallery.file(wanted, True) if asked.patient else gallery.kept(wanted, True))

    def address(asked: Asked) -> bytes:
        # equal requests to a mock with a seed get equal answers, so their addresses cannot end at a time
        until = 0 if asked.now is None else int(asked.now + rule.get("expires_s", EXPIRES_S))
        return encoded(f"http://{_host(asked)}{address_of(picture(asked), until)}")

    return address if rule["as"] == "url" else base64_of


def _host(asked: Asked) -> str:
    """The host and port that the client called."""
    named = next((value for name, value in asked.headers if name == b"host"), b"")
    return named.decode("ascii") if _HOST.fullmatch(named) else "localhost"
