"""Pictures of answers: drawn once, kept within a bound, and found again by an address that says what is to be drawn.

An address holds everything that its picture depends on, so any process of the mock can draw it, and none has to remember it.
Drawing takes milliseconds and never happens on the event loop: there, what is not at hand is ``Undrawn``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from typing import Final, TypeVar

from mockserver.pictures import FORMATS, PIXELS_AT_MOST, Picture, Style

PATH: Final = "/__admin/images/"
"""Where addresses lead, below the root of the mock."""
KEPT_AT_MOST: Final = 32 * 1024 * 1024
"""Bytes of files that are kept."""
_ADDRESS_AT_MOST: Final = 8192
_PAINTERS: Final = 2
"""Threads that draw: more would only take the interpreter away from the loop."""

_T = TypeVar("_T")


class UndrawnError(Exception):
    """A picture of the answer has to be drawn first, which is for a thread of its own."""


class MalformedAddressError(ValueError):
    """An address that the mock cannot have given."""


class Gallery:
    """The pictures of one mock; shared between its loop and its painters."""

    def __init__(self, style: Style = "scene") -> None:
        self._style = style
        self._kept: OrderedDict[tuple[Picture, bool], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._painters: ThreadPoolExecutor | None = None

    def kept(self, picture: Picture, in_base64: bool = False) -> bytes:
        """The file of a picture that is at hand in this form; raises UndrawnError."""
        with self._lock:
            file = self._kept.get((picture, in_base64))
            if file is None:
                raise UndrawnError
            self._kept.move_to_end((picture, in_base64))
            return file

    def file(self, picture: Picture, in_base64: bool = False) -> bytes:
        """The file of a picture, drawn if need be; kept in the form that is asked for, since the other seldom is."""
        try:
            return self.kept(picture, in_base64)
        except UndrawnError:
            from mockserver.drawing import drawn

            file = drawn(picture, self._style)
            file = base64.b64encode(file) if in_base64 else file
        with self._lock:
            if (picture, in_base64) not in self._kept:
                self._kept[picture, in_base64] = file
                self._size += len(file)
            while self._size > KEPT_AT_MOST:
                self._size -= len(self._kept.popitem(last=False)[1])
        return file

    async def apart(self, work: Callable[[], _T]) -> _T:
        """The result of work that may draw, done off the loop."""
        if self._painters is None:
            self._painters = ThreadPoolExecutor(_PAINTERS, "painter")
        return await asyncio.get_running_loop().run_in_executor(self._painters, work)


def address_of(picture: Picture, expires: int) -> str:
    """The path of a picture that is there until a time in Unix seconds; 0 for always."""
    values = json.dumps([*astuple(picture), expires], ensure_ascii=False, separators=(",", ":"))
    name = base64.urlsafe_b64encode(values.encode("utf-8", "replace")).decode().rstrip("=")
    return f"{PATH}{name}.{picture.format}"


def picture_at(address: str) -> tuple[Picture, int]:
    """The picture that a path is the address of, and when it expires; raises MalformedAddressError."""
    name, _, kind = address.removeprefix(PATH).rpartition(".")
    if len(name) > _ADDRESS_AT_MOST:
        raise MalformedAddressError("the address is longer than the mock's are")
    try:
        values = json.loads(base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)))
        *fields, expires = values
        picture = Picture(*fields)
    except (ValueError, TypeError, RecursionError):
        raise MalformedAddressError("the mock gave no such address") from None
    texts = all(isinstance(text, str) for text in (picture.format, picture.prompt, picture.model))
    whole = (picture.width, picture.height, picture.quality, picture.number, picture.count, picture.design, expires)
    if not texts or any(type(number) is not int for number in whole) or not isinstance(picture.draft, int | float):
        raise MalformedAddressError("the mock gave no such address")
    fits = min(picture.width, picture.height) > 0 and picture.width * picture.height <= PIXELS_AT_MOST
    if picture.format not in FORMATS or kind != picture.format or not fits or not 0 <= picture.draft < 1:
        raise MalformedAddressError("the mock gave no such address")
    if address_of(picture, expires) != PATH + f"{name}.{kind}":
        raise MalformedAddressError("the mock gave no such address")
    return picture, expires
