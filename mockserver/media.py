"""Bodies by media type: undoing content codings and reading JSON strictly, saying what is wrong with the bytes.

Reading goes on as far as it can: a byte order mark or a repeated key is a problem, and the value is still there.
What the value should look like is left to :mod:`mockserver.validation`.
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from typing import Any, Final

MAX_DEPTH: Final = 200
MAX_DECODED: Final = 64 * 1024 * 1024
"""Bytes of a body without its content coding; as much is read of one that has none."""
MAX_VALUES: Final = 1_000_000
"""Values of one JSON text, counted by commas; judging them takes seconds."""
CODINGS_AT_MOST: Final = 3
_KEYS_AT_MOST: Final = 20
"""Repeated keys of one text that are told by their names."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing()
"""The value of a body that could not be read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the bytes: a rule name below ``json.`` or ``wire.`` and a sentence."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A body's value (MISSING when there is none to be had) and what is wrong with its bytes."""

    value: Any
    problems: tuple[Problem, ...] = ()


def media_type(content_type: str | None) -> str:
    """``type/subtype`` of a Content-Type, in lower case, without parameters; "" when absent."""
    return (content_type or "").split(";", 1)[0].strip().lower()


def charset(content_type: str | None) -> str:
    """The charset parameter in lower case; "" when absent."""
    for part in (content_type or "").split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def is_json(kind: str) -> bool:
    """Whether a media type is JSON (RFC 6839: the suffix counts)."""
    return kind == "application/json" or kind.endswith("+json")


def covers(documented: str, kind: str) -> bool:
    """Whether a documented media type or range covers one that came."""
    documented = media_type(documented)
    if documented in ("*/*", kind):
        return True
    return documented.endswith("/*") and kind.startswith(documented[:-1])


def decode(body: bytes, coding: str | None) -> tuple[bytes, Problem | None]:
    """Undo ``Content-Encoding``; on failure the bytes as they came and the problem."""
    names = [name.strip().lower() for name in (coding or "").split(",") if name.strip()]
    if len(names) > CODINGS_AT_MOST:
        return body, Problem("wire.coding", f"{len(names)} content codings on top of each other are not undone")
    for name in reversed(names):
        if name == "identity":
            continue
        if name not in ("gzip", "x-gzip", "deflate"):
            return body, Problem("wire.coding", f"the content coding {name!r} was not asked for and cannot be undone")
        try:
            body = _inflate(body, name)
        except zlib.error as error:
            return body, Problem(
                "wire.coding", f"the content coding {name}, which the header names, cannot be undone: {error}"
            )
    if not names and body[:2] == b"\x1f\x8b":
        try:
            return _inflate(body, "gzip"), Problem("wire.coding", "the body is gzip, and no Content-Encoding says so")
        except zlib.error:
            return body, None
    return body, None


def _inflate(body: bytes, name: str) -> bytes:
    if name == "deflate":
        try:
            return _bounded(zlib.decompressobj(), body)
        except zlib.error:
            return _bounded(zlib.decompressobj(-zlib.MAX_WBITS), body)
    return _bounded(zlib.decompressobj(16 + zlib.MAX_WBITS), body)


def _bounded(engine: Any, body: bytes) -> bytes:
    result: bytes = engine.decompress(body, MAX_DECODED)
    if engine.unconsumed_tail:
        raise zlib.error(f"it decodes to more than {MAX_DECODED} bytes")
    if not engine.eof:
        raise zlib.error("it ends before the compressed data does")
    return result


def read_json(body: bytes) -> Reading:
    """Read a JSON text (RFC 8259) and name everything that is wrong with its bytes."""
    problems: list[Problem] = []
    if not body:
        return Reading(MISSING, (Problem("json.empty", "the body is empty; a JSON text is expected"),))
    if body[:3] == b"\xef\xbb\xbf":
        problems.append(
            Problem("json.bom", "the body begins with a byte order mark, which JSON forbids (RFC 8259, 8.1)")
        )
        body = body[3:]
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(body, error, problems)
    return _read_text(text, problems)


def _not_utf8(body: bytes, error: UnicodeDecodeError, problems: list[Problem]) -> Reading:
    guess = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    what = f"the body is not UTF-8: {error.reason} at byte {error.start}" + (
        f" (it looks like {guess})" if guess else ""
    )
    problems.append(Problem("json.encoding", what))
    return Reading(_read_text(body.decode(guess or "utf-8", "replace"), []).value, tuple(problems))


class _Hooks:
    """Collects what the standard parser would let pass: repeated keys and the constants NaN and Infinity."""

    def __init__(self) -> None:
        self.repeated: list[str] = []
        self.constants: list[str] = []

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self.repeated.append(key)
                seen.add(key)
        return result

    def constant(self, name: str) -> float:
        self.constants.append(name)
        return float(name.replace("Infinity", "inf"))


def _read_text(text: str, problems: list[Problem]) -> Reading:
    hooks = _Hooks()
    decoder = json.JSONDecoder(object_pairs_hook=hooks.pairs, parse_constant=hooks.constant, parse_float=_number)
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if start == len(text):
        return Reading(MISSING, (*problems, Problem("json.empty", "the body holds only white space")))
    if text.count(",") > MAX_VALUES:
        what = f"the JSON text has more than {MAX_VALUES} values, more than are read"
        return Reading(MISSING, (*problems, Problem("json.size", what)))
    try:
        value, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or "Unterminated" in error.msg
        rule = "json.cut" if cut else "json.malformed"
        what = "the JSON text ends too early" if cut else "the body is not JSON"
        problems.append(Problem(rule, f"{what}: {error.msg} at line {error.lineno}, column {error.colno}"))
        return Reading(MISSING, tuple(problems))
    except RecursionError:
        return Reading(MISSING, (*problems, Problem("json.depth", "the JSON text is nested too deeply to be read")))
    except ValueError as error:
        return Reading(MISSING, (*problems, Problem("json.number", f"a number cannot be read: {error}")))
    if _depth_over(value, MAX_DEPTH):
        return Reading(
            MISSING, (*problems, Problem("json.depth", f"the JSON text is nested more than {MAX_DEPTH} levels deep"))
        )
    repeated = list(dict.fromkeys(hooks.repeated))
    for key in repeated[:_KEYS_AT_MOST]:
        problems.append(Problem("json.duplicate-key", f"the key {_cut(key)} stands more than once in one object"))
    if len(repeated) > _KEYS_AT_MOST:
        what = f"{len(repeated) - _KEYS_AT_MOST} more keys stand more than once in one object"
        problems.append(Problem("json.duplicate-key", what))
    for name in dict.fromkeys(hooks.constants):
        problems.append(Problem("json.constant", f"{name} is not JSON (RFC 8259, 6)"))
    rest = text[end:].strip(" \t\r\n")
    if rest:
        problems.append(Problem("json.trailing", f"{len(rest)} characters follow the JSON text: {rest[:40]!r}"))
    return Reading(value, tuple(problems))


def _cut(key: str) -> str:
    return repr(key if len(key) <= 80 else f"{key[:80]}...")


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is out of the range of a double")
    return value


def _depth_over(value: Any, limit: int) -> bool:
    """Whether containers nest deeper than the limit; level by level, so that it cannot overflow the stack itself."""
    level = [value] if isinstance(value, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > limit:
            return True
        following: list[Any] = []
        for node in level:
            members = node.values() if isinstance(node, dict) else node
            following.extend(member for member in members if isinstance(member, dict | list))
        level = following
    return False
