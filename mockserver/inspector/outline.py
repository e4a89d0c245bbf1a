"""A body as lines to read: JSON laid out with the place of each line, a form by its parts, other text as it is, bytes as hex.

Bounded, however large the body is: what is left out is said, and the whole body can be downloaded.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mockserver import media
from mockserver.inspector.forms import Part, parts_of
from mockserver.inspector.pictures import kind_of
from mockserver.inspector.visible import on_one_line, visible
from mockserver.pointers import escape

LINES: Final = 600
"""Lines of one body that are shown."""
SIZE: Final = 200_000
"""Characters of one body that are shown."""
LONGEST: Final = 2000
"""Characters of one string or line that are shown."""
_DEEPEST: Final = 40
_ITEMS: Final = 100
"""Members or items of one value that are shown, so that a long list does not hide what follows it."""
_BYTES: Final = 512
"""Bytes that are no text which are shown, sixteen a line."""
_READ: Final = 256 * 1024
"""Bytes of a text that are looked at."""

Line = dict[str, Any]
"""``at``: JSON Pointer into the message; ``depth``; ``kind``: object, array, string, number, constant, end, text, note;
``name``: with quotation marks, where the line is a member; ``text``; ``end``: what follows the value."""


def lines(body: bytes, content_type: str) -> tuple[str, list[Line]]:
    """What the body is (``empty``, ``json``, ``parts``, ``text`` or ``bytes``) and its lines."""
    if not body:
        return "empty", []
    if parts := parts_of(body, content_type):
        return "parts", _bounded(_form(parts))
    reading = media.read_json(body) if media.is_json(media.media_type(content_type)) or body[:1] in b'{["' else None
    if reading is not None and reading.value is not media.MISSING and not reading.problems:
        return "json", _bounded(_value(reading.value, "/body", 0, None, ""))
    text = _readable(body)
    if text is None:
        return "bytes", _bounded(_hex(body))
    return "text", _bounded(_text(text, "/body", cut=len(body) > _READ))


def _readable(body: bytes) -> str | None:
    """The beginning of a text; None for what is none."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(body[:_READ], final=len(body) <= _READ)
    except UnicodeDecodeError:
        return None


def _bounded(found: Iterator[Line]) -> list[Line]:
    kept: list[Line] = []
    size = 0
    for line in found:
        size += len(line["text"])
        if len(kept) == LINES or size > SIZE:
            return [*kept, _note("/body", 0, "more lines are left out")]
        kept.append(line)
    return kept


def _value(value: Any, at: str, depth: int, name: str | None, end: str) -> Iterator[Line]:
    head: Line = {"at": at, "depth": depth} | (
        {} if name is None else {"name": on_one_line(_quoted(name[:LONGEST]), 200)}
    )
    if isinstance(value, dict | list):
        listed = isinstance(value, list)
        kind, opening, closing = ("array", "[", "]") if listed else ("object", "{", "}")
        if not value or depth >= _DEEPEST:
            text = f"{opening}{'…' if value else ''}{closing}"
            yield head | {"kind": kind, "text": text, "end": end}
            return
        yield head | {"kind": kind, "text": opening}
        yield from _members(value, at, depth + 1)
        yield {"at": at, "depth": depth, "kind": "end", "text": closing, "end": end}
    elif isinstance(value, str):
        text = _quoted(value[:LONGEST]) if len(value) > LONGEST else _quoted(value)
        more = f"… {len(value):,} characters" if len(value) > LONGEST else ""
        yield head | {"kind": "string", "text": on_one_line(text, 2 * LONGEST) + more, "end": end}
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        yield head | {"kind": "number" if number else "constant", "text": json.dumps(value)[:LONGEST], "end": end}


def _members(value: Mapping[str, Any] | list[Any], at: str, depth: int) -> Iterator[Line]:
    listed = isinstance(value, list)
    pairs: Iterator[tuple[Any, Any]] = iter(enumerate(value) if isinstance(value, list) else value.items())
    last = len(value) - 1
    for index, (name, member) in enumerate(pairs):
        if index == _ITEMS:
            yield _note(at, depth, f"{len(value) - _ITEMS:,} more {'items' if listed else 'members'} are left out")
            return
        comma = "," if index < last else ""
        # members with endless names are all at the place of what holds them: places must not outgrow the body
        place = f"{at}/{escape(name)}" if len(at) + len(str(name)) < LONGEST else at
        yield from _value(member, place, depth, None if listed else str(name), comma)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(text: str, at: str, *, cut: bool) -> Iterator[Line]:
    for line in text.split("\n"):
        shown = visible(line.removesuffix("\r"), LONGEST)
        more = f" {len(line):,} characters" if len(line) > LONGEST else ""
        yield {"at": at, "depth": 0, "kind": "text", "text": shown + more}
    if cut:
        yield _note(at, 0, "the rest is left out")


def _hex(body: bytes) -> Iterator[Line]:
    for start in range(0, min(len(body), _BYTES), 16):
        piece = body[start : start + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in piece)
        yield {"at": "/body", "depth": 0, "kind": "text", "text": f"{start:06x}  {piece.hex(' '):<47}  {shown}"}
    if len(body) > _BYTES:
        yield _note("/body", 0, f"{len(body) - _BYTES:,} more bytes are left out")


def _form(parts: list[Part]) -> Iterator[Line]:
    for part in parts:
        at = f"/body/{escape(part.name)}"
        said = [f"file {part.file}" if part.file else "", part.type, f"{len(part.content):,} bytes"]
        about = ", ".join(on_one_line(word, 200) for word in said if word)
        yield {"at": at, "depth": 0, "kind": "object", "name": on_one_line(part.name, 200), "text": about}
        text = None if kind_of(part.content) else _readable(part.content)
        if text is not None:
            for line in _text(text, at, cut=len(part.content) > _READ):
                yield line | {"depth": 1}


def _note(at: str, depth: int, text: str) -> Line:
    return {"at": at, "depth": depth, "kind": "note", "text": f"… {text}"}
