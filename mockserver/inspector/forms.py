"""The parts of a multipart body, taken apart to be looked at; whether they are right is for the judge to say."""

from __future__ import annotations

from email.message import Message
from typing import Final, NamedTuple

from mockserver import media

_MOST: Final = 200
"""Parts that are looked at."""


class Part(NamedTuple):
    """One part: its ``name``, ``file`` name and ``type`` ("" where it has none), and its bytes."""

    name: str
    file: str
    type: str
    content: bytes


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """The first parts in their order; empty where the body is no form, or none that can be taken apart."""
    if not media.media_type(content_type).startswith("multipart/"):
        return []
    whole = Message()
    whole["Content-Type"] = content_type
    boundary = whole.get_boundary()
    if not boundary:
        return []
    found = []
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"), _MOST + 1)
    for piece in pieces[1 : _MOST + 1]:
        if piece.startswith(b"--"):
            break
        head, blank, content = piece.partition(b"\r\n\r\n")
        if not blank:
            return []
        found.append(_part(head, content))
    return found


def _part(head: bytes, content: bytes) -> Part:
    headers = Message()
    for line in head.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip():
            headers[key.strip()] = value.strip()
    name = headers.get_param("name", "", "content-disposition")
    return Part(str(name), headers.get_filename() or "", str(headers["content-type"] or ""), content)
