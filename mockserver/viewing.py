"""Pictures that came, looked at: what a file really holds, and what of it is not as it was asked for.

Pillow is imported when the first picture is looked at.  What was asked for is read in :mod:`mockserver.pictures`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from mockserver.pictures import PIXELS_AT_MOST, wanted

_DATA_URL: Final = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,", re.IGNORECASE)
_KNOWN: Final = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")
"""Formats that are told from each other; what is none of them counts as no picture."""
_SAME: Final = {"MPO": "JPEG"}
"""What Pillow gives another name: a JPEG file with further pictures after the first."""
_DRAWN: Final = re.compile(rb"\s*+(?:<\?xml[^>]*+>\s*+)?+(?>(?><!--.*?-->)\s*+)*+<svg[\s>]", re.DOTALL)
"""What was read as a comment stays one: trying every other way to part them takes years."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file holds: format in lower case, pixels, whether anything shows through, a digest of all pixels.

    A picture with more than ``PIXELS_AT_MOST`` pixels is not decoded, and has an empty digest.
    """

    format: str
    size: tuple[int, int]
    see_through: bool
    digest: str


class UnviewableError(ValueError):
    """The bytes are not a whole picture; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a picture: the last part of the rule's name (``image-...``), and a sentence."""

    rule: str
    message: str


class UnfollowedError(LookupError):
    """An address that is not asked for; the text says why.  That says nothing about who gave it."""


Follow = Callable[[str], bytes]
"""Brings the file that an address leads to; raises LookupError with a sentence where it leads nowhere, UnfollowedError where
it is not asked for."""


def seen(file: bytes) -> Seen:
    """Decode a picture completely; raises UnviewableError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which is looked at below
            image = Image.open(io.BytesIO(file), formats=_readable())
            kind, size = _SAME.get(str(image.format), str(image.format)).lower(), image.size
            if size[0] * size[1] > PIXELS_AT_MOST:
                return Seen(kind, size, False, "")
            image.load()
            through = image.has_transparency_data and _alpha(image).getextrema()[0] != 255
            pixels = image.tobytes() + repr((size, image.mode, image.getpalette())).encode()
    except Image.DecompressionBombError:
        raise UnviewableError(f"the picture has far more than {PIXELS_AT_MOST} pixels") from None
    except UnidentifiedImageError:
        raise UnviewableError(f"{len(file)} bytes that are no picture, beginning {file[:12]!r}") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError) as error:
        # Pillow's decoders raise all of these on damaged files.
        raise UnviewableError(f"a picture that cannot be decoded: {str(error)[:120]}") from None
    return Seen(kind, size, through, hashlib.blake2b(pixels, digest_size=16).hexdigest())


@cache
def _readable() -> tuple[str, ...]:
    """The known formats that this Pillow was built with."""
    from PIL import Image

    Image.init()
    return tuple(name for name in _KNOWN if name in Image.OPEN)


def _alpha(image: Any) -> Any:
    return (image if image.mode in ("RGBA", "LA") else image.convert("RGBA")).getchannel("A")


def faults(
    rule: Mapping[str, Any], request: Any, text: str, follow: Follow | None = None
) -> tuple[Seen | None, tuple[Fault, ...]]:
    """What a string that an ``x-image`` is about shows, and what is wrong with it by a request's body.

    None where there is nothing to look at: no picture, or an address that nobody follows.
    """
    inline = _DATA_URL.match(text)
    if rule["as"] == "url" and inline is None:
        wrong = tuple(_address(text))
        if wrong or follow is None:
            return None, wrong
        try:
            file = follow(text)
        except UnfollowedError:
            return None, ()
        except LookupError as error:
            return None, (Fault("image-url", str(error.args[0])),)
        return looked_at(rule, request, file)
    found: list[Fault] = []
    if rule["as"] == "base64" and inline is not None:
        found.append(Fault("image-base64", f"base64 alone is expected; it begins with {inline[0]}"))
    try:
        file = base64.b64decode(text[inline.end() :] if inline else text, validate=True)
    except (binascii.Error, ValueError) as error:
        return None, (*found, Fault("image-base64", f"{len(text)} characters that are not base64: {error}"))
    shown, wrong = looked_at(rule, request, file)
    return shown, (*found, *wrong)


def looked_at(rule: Mapping[str, Any], request: Any, file: bytes) -> tuple[Seen | None, tuple[Fault, ...]]:
    """What a file shows, and what is wrong with it by a request's body."""
    asked = wanted(rule, request)
    if asked.format is None and _DRAWN.match(file[:2000]):
        return None, ()  # a drawing in words has no pixels to hold against anything
    try:
        shown = seen(file)
    except UnviewableError as error:
        return None, (Fault("image-undecodable", str(error)),)
    found = []
    if asked.format is not None and shown.format != asked.format:
        found.append(Fault("image-format", f"{asked.format} was asked for, a {shown.format} came"))
    if asked.size is not None and shown.size != asked.size:
        wished, came = "x".join(map(str, asked.size)), "x".join(map(str, shown.size))
        found.append(Fault("image-size", f"{wished} was asked for, a picture of {came} pixels came"))
    if asked.transparent is not None and shown.digest and shown.see_through != asked.transparent:
        came = "nothing of it is transparent" if asked.transparent else "parts of it are transparent"
        wish = "a transparent background" if asked.transparent else "an opaque background"
        found.append(Fault("image-background", f"{wish} was asked for, {came}"))
    return shown, tuple(found)


def _address(text: str) -> Iterator[Fault]:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        yield Fault("image-url", "the absolute address of a picture is expected")
