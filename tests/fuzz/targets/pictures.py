"""Files that say they are pictures: looked at within bounds, or said to be none."""

from __future__ import annotations

import base64
import contextlib

from mockserver import viewing
from mockserver.gallery import PATH, MalformedAddressError, picture_at
from mockserver.inspector.pictures import found
from mockserver.parts import Part

RULES = (
    {"as": "base64"},
    {"as": "url", "format": {"default": "png"}, "size": {"default": "1024x1024"}, "background": {"default": "transparent"}},
)  # fmt: skip


def check(data: bytes) -> None:
    """The whole data is the file; as text it is base64, an address, or neither."""
    with contextlib.suppress(viewing.UnviewableError):
        viewing.seen(data)
    text = data.decode("latin-1")
    for rule in RULES:
        viewing.looked_at(rule, {}, data)
        viewing.faults(rule, {}, text)
        viewing.faults(rule, {}, "data:image/png;base64," + base64.b64encode(data).decode())
    with contextlib.suppress(MalformedAddressError):
        picture_at(PATH + text)
    Part.from_url(text)
    for picture in found(data, "application/json", 4010):
        assert picture.data is not None
