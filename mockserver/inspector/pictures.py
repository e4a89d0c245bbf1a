"""Pictures in a message, recognised by what they are: base64 that begins as an image does, a whole body, an address.

The names of fields do not matter, so answers of every shape are understood, events of a stream among them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from mockserver.inspector.forms import parts_of

MOST: Final = 64
"""Pictures of one message that are looked for."""
_ADDRESSES: Final = 1000
"""Addresses of one message that are looked at."""

_SHORTEST: Final = 40
"""Characters of base64 that could hold an image: the smallest GIF has 35 bytes."""
_TOLD_BY: Final = 64
"""Characters of base64 that tell what an image is."""

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_BEGINNINGS: Final = (b"iVBORw0KGg", b"/9j/", b"\\/9j\\/", b"_9j_", b"R0lGOD", b"UklGR")
"""The same and RIFF in base64, in either alphabet, slashes escaped as some JSON writers do."""
_RUN: Final = re.compile(rb"[A-Za-z0-9+/=_\\-]+")
_ADDRESS: Final = re.compile(rb"https?:\\?/\\?/[^\s\"'<>()\[\]{}`|^]{3,4000}")
_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif")


class Picture(NamedTuple):
    """One picture: the media ``type`` and the bytes or base64 of one that is in the message, or the ``url`` of another."""

    type: str
    raw: bytes
    coded: bytes
    url: str

    @property
    def data(self) -> bytes:
        """The image's bytes; empty for one that is elsewhere, or whose base64 is broken."""
        try:
            return self.raw or _decoded(self.coded)
        except binascii.Error:
            return b""

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        return len(self.raw) or len(self.coded) * 3 // 4


def kind_of(data: bytes) -> str:
    """The media type of an image by its first bytes; "" for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), "")


def found(body: bytes, content_type: str, port: int | None) -> list[Picture]:
    """The pictures of a body in their order; ``port`` is the mock's, whose own addresses count whatever their path."""
    whole = [body, *(part.content for part in parts_of(body, content_type))]
    raw = [Picture(kind, content, b"", "") for content in whole if (kind := kind_of(content))]
    if raw:
        return raw[:MOST]
    placed = sorted([*_coded(body), *_addresses(body, port)], key=lambda pair: pair[0])
    return [picture for _, picture in placed][:MOST]


def _coded(body: bytes) -> Iterator[tuple[int, Picture]]:
    for beginning in _BEGINNINGS:
        start = body.find(beginning)
        for _ in range(MOST):
            if start < 0:
                break
            run = _RUN.match(body, start)
            end = run.end() if run else start + 1
            if end - start > _SHORTEST and not (start and _RUN.match(body[start - 1 : start])):
                kind = _told(body[start : start + _TOLD_BY])
                if kind:
                    yield start, Picture(kind, b"", body[start:end].rstrip(b"\\"), "")
            start = body.find(beginning, end)


def _told(beginning: bytes) -> str:
    try:
        return kind_of(_decoded(beginning))
    except binascii.Error:
        return ""


def _decoded(text: bytes) -> bytes:
    """The bytes of base64 in either alphabet, padded or not; raises binascii.Error."""
    plain = text.replace(b"\\", b"").translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    plain = plain[:-1] if len(plain) % 4 == 1 else plain
    return base64.b64decode(plain + b"=" * (-len(plain) % 4))


def _addresses(body: bytes, port: int | None) -> Iterator[tuple[int, Picture]]:
    start = body.find(b"http")
    for _ in range(_ADDRESSES):
        if start < 0:
            return
        match = _ADDRESS.match(body, start)
        url = _plain(match[0]) if match else ""
        parts = _parts(url) if url else None
        if parts and (parts[1].endswith(_ENDINGS) or (port is not None and parts[0] == port)):
            yield start, Picture("", b"", b"", url)
        start = body.find(b"http", match.end() if match else start + 4)


def looks_like_one(url: str) -> bool:
    """Whether an address ends as those of pictures do."""
    parts = _parts(url)
    return parts is not None and parts[1].endswith(_ENDINGS)


def own_path(url: str, port: int | None) -> str:
    """Path and query of an address of the mock itself; "" for any other."""
    parts = _parts(url)
    if parts is None or port is None or parts[0] != port:
        return ""
    split = urlsplit(url)
    return (split.path or "/") + (f"?{split.query}" if split.query else "")


def _parts(url: str) -> tuple[int | None, str] | None:
    """The port of an address on this machine (None elsewhere), and its path in lower case; None for no address."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme.lower()]
    except (ValueError, KeyError):
        return None
    here = name in ("localhost", "::1") or name.startswith("127.")
    return (port if here else None), parts.path.lower()


def _plain(written: bytes) -> str:
    """An address as it stands in JSON, without its escapes."""
    text = written.decode("utf-8", "replace").rstrip("\\.,;!")
    try:
        return str(json.loads(f'"{text}"')) if "\\" in text else text
    except ValueError:
        return text
