"""Bodies of the type ``multipart/form-data`` (RFC 7578): from bytes to the value that the schema speaks of.

Every part becomes a member: a text, read as the documented type, or a :class:`~mockserver.parts.Part`.  Names that clients
give to lists and objects (``a[]``, ``a[b]``) and names that come more than once make lists and objects.  Everything stays
in memory, within the limit on bodies.  Whether the value is right is left to :mod:`mockserver.validation`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from mockserver import media
from mockserver.media import MISSING, Problem, Reading
from mockserver.parameters import kinds_of, scalar, schema_at
from mockserver.parts import Part

logging.getLogger("python_multipart").addHandler(logging.NullHandler())  # what is wrong with a form is ours to say

MEDIA_TYPE: Final = "multipart/form-data"

PARTS_AT_MOST: Final = 1000
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){0,8})")


class _Reader:
    """Collects the parts: names, values, and whether a part is a file."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str | Part]] = []
        self.ended = False
        self.strange = ""
        self._headers: dict[str, bytes] = {}
        self._field, self._value, self._data = b"", b"", bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
            "on_end": self._on_end,
        }

    def _begin(self) -> None:
        self._headers, self._data = {}, bytearray()
        if len(self.found) >= PARTS_AT_MOST:
            raise FormParserError(f"it has more than {PARTS_AT_MOST} parts")

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value
        self._field, self._value = b"", b""

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _on_end(self) -> None:
        self.ended = True

    def _end(self) -> None:
        disposition, options = parse_options_header(self._headers.get("content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if disposition != b"form-data" or not name:
            self.strange = self.strange or "a part has no Content-Disposition: form-data with a name"
            return
        kind = media.media_type(self._headers.get("content-type", b"").decode("latin-1"))
        if b"filename" in options or kind not in ("", "text/plain"):
            filename = options.get(b"filename", b"").decode("utf-8", "replace")
            self.found.append((name, Part.of(bytes(self._data), filename, kind)))
        else:
            self.found.append((name, self._data.decode("utf-8", "replace")))


def read(document: Mapping[str, Any], body: bytes, content_type: str | None, schema: str) -> Reading:
    """The value of a form, its texts read as the schema at a pointer ("" for none) documents them."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        return Reading(MISSING, (_broken("the Content-Type names no boundary"),))
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        return Reading(MISSING, (_broken(str(error)),))
    if not reader.ended:
        return Reading(MISSING, (_broken("it ends before its closing boundary"),))
    if reader.strange:
        return Reading(MISSING, (_broken(reader.strange),))
    return Reading(_typed(document, schema_at(document, schema), _nested(reader.found)))


def _broken(what: str) -> Problem:
    return Problem("form.malformed", f"the body is no multipart/form-data: {what}")


def _nested(found: list[tuple[str, str | Part]]) -> dict[str, Any]:
    """Lists and objects from names such as ``a``, ``a[]`` and ``a[b][c]``."""
    value: dict[str, Any] = {}
    for name, content in found:
        match = _NAME.fullmatch(name)
        steps = re.findall(r"\[([^\[\]]*)\]", match[2]) if match else []
        here, key = value, match[1] if match else name
        is_list = bool(steps) and (steps[-1] == "" or steps[-1].isdigit())
        for step in steps[:-1] if is_list else steps:
            inner = here.setdefault(key, {})
            if not isinstance(inner, dict):
                break
            here, key = inner, step
        if key not in here:
            here[key] = [content] if is_list else content
        elif isinstance(here[key], list):
            here[key].append(content)
        else:
            here[key] = [here[key], content]
    return value


def _typed(document: Mapping[str, Any], schema: Mapping[str, Any], value: Any) -> Any:
    """Texts as the types that their schemas name."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {name: _typed(document, schema_at(document, known.get(name)), value[name]) for name in value}
    if isinstance(value, list):
        item = schema_at(document, schema.get("items"))
        return [_typed(document, item, inner) for inner in value]
    kinds = kinds_of(schema)
    if "array" in kinds and "string" not in kinds:
        return [_typed(document, schema_at(document, schema.get("items")), value)]
    return value if isinstance(value, Part) else scalar(schema, value)
