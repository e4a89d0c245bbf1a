"""The keywords of two schema objects that limit values, compared one by one, and which way each has moved.

Schemas are conjunctions: if no keyword of the new object is narrower, every value of the old one is still valid. What
holds inner schemas is left to :mod:`mockserver.diff.schemas`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from mockserver.branches import KINDS
from mockserver.literals import identity
from mockserver.meaning import KEYWORDS as MEANING
from mockserver.media import MISSING

Node = Mapping[str, Any]


class Motion(StrEnum):
    """Which way a statement has moved: fewer values are valid, more are, others are, it cannot be said, or none of it."""

    NARROWER = "narrower"
    WIDER = "wider"
    BOTH = "both"
    UNKNOWN = "unknown"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Step:
    """One keyword that has moved; ``why`` is said where the direction alone does not tell."""

    keyword: str
    old: Any
    new: Any
    motion: Motion
    why: str = ""


_LEAST = ("minLength", "minItems", "minProperties")
_MOST = ("maxLength", "maxItems", "maxProperties", "maxContains")
_TEXTUAL = ("pattern", "format", "contentEncoding", "contentMediaType")
_APPLICATORS = (
    *("$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "properties", "patternProperties"),
    *("additionalProperties", "propertyNames", "dependentSchemas", "items", "prefixItems", "contains"),
    *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)
LIMITS = frozenset(
    (
        *("type", "enum", "const", "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
        *(*_LEAST, *_MOST, *_TEXTUAL, "minContains", "uniqueItems", "required", "dependentRequired"),
    )
)
STATEMENTS = LIMITS | frozenset(_APPLICATORS)
"""Keywords that decide which values are valid, or promise something about them."""
_ANNOTATING = ("readOnly", "writeOnly", "default")
_NOT_COMPARED = ("$defs", "definitions", "$comment")


def stating(node: Node) -> bool:
    """Whether a schema object says anything about values; names and descriptions alone do not."""
    return not STATEMENTS.isdisjoint(node)


def limits(old: Node, new: Node) -> Iterator[Step]:
    """What has moved among the keywords of two schema objects that hold no inner schema."""
    yield from _sets("type", _kinds(old), _kinds(new), old.get("type", MISSING), new.get("type", MISSING))
    keyword = next((name for name in ("enum", "const") if name in old or name in new), "enum")
    shown = (_shown_values(old), _shown_values(new))
    yield from _sets(keyword, _values(old), _values(new), *shown)
    yield from _bound(old, new, "minimum", "exclusiveMinimum", 1)
    yield from _bound(old, new, "maximum", "exclusiveMaximum", -1)
    for keyword in _LEAST:
        yield from _ordered(keyword, old, new, 0, 1)
    for keyword in _MOST:
        yield from _ordered(keyword, old, new, float("inf"), -1)
    if "contains" in old and "contains" in new:
        yield from _ordered("minContains", old, new, 1, 1)
    yield from _multiple(old, new)
    for keyword in _TEXTUAL:
        yield from _text(keyword, old, new)
    if bool(old.get("uniqueItems")) != bool(new.get("uniqueItems")):
        motion = Motion.NARROWER if new.get("uniqueItems") else Motion.WIDER
        yield Step("uniqueItems", old.get("uniqueItems", MISSING), new.get("uniqueItems", MISSING), motion)
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            yield Step("required", MISSING, name, Motion.NARROWER)
    for name in old.get("required", ()):
        if name not in new.get("required", ()):
            yield Step("required", name, MISSING, Motion.WIDER)
    yield from _dependents(old.get("dependentRequired", {}), new.get("dependentRequired", {}))


def notes(old: Node, new: Node, side: str) -> Iterator[Step]:
    """What has changed among everything that limits no value; meaning keywords are promises about answers."""
    for keyword in dict.fromkeys((*old, *new)):
        before, after = old.get(keyword, MISSING), new.get(keyword, MISSING)
        if keyword in STATEMENTS or keyword in _NOT_COMPARED or before == after:
            continue
        if keyword in MEANING and side == "response":
            if without_notes(before) == without_notes(after):
                yield Step(keyword, before, after, Motion.SAME)
            elif before is MISSING or after is MISSING:
                yield Step(keyword, before, after, Motion.NARROWER if before is MISSING else Motion.WIDER)
            else:
                yield Step(keyword, before, after, Motion.UNKNOWN, "another relation")
        elif keyword in _ANNOTATING and _matters(keyword, side):
            yield _annotating(keyword, before, after)
        else:
            yield Step(keyword, before, after, Motion.SAME)


def without_notes(value: Any) -> Any:
    """A value without the members that only say where it comes from."""
    if isinstance(value, Mapping):
        notes = ("x-source", "x-convention", "x-contradiction")
        return {name: without_notes(member) for name, member in value.items() if name not in notes}
    return value


def _matters(keyword: str, side: str) -> bool:
    return keyword == {"request": "readOnly", "response": "writeOnly"}[side] or (
        keyword == "default" and side == "request"
    )


def _annotating(keyword: str, before: Any, after: Any) -> Step:
    if keyword == "default":
        why = "whoever leaves it out gets something else"
        return Step(keyword, before, after, Motion.SAME if before is MISSING else Motion.UNKNOWN, why)
    if bool(before) == bool(after):
        return Step(keyword, before, after, Motion.SAME)
    hidden = bool(after) and after is not MISSING
    why = "the other side alone has it now" if hidden else ""
    return Step(keyword, before, after, Motion.UNKNOWN if hidden else Motion.SAME, why)


def _kinds(node: Node) -> frozenset[str] | None:
    if "type" not in node:
        return None
    names = [node["type"]] if isinstance(node["type"], str) else node["type"]
    found: set[str] = set()
    for name in names:
        found.update(("integer", "fraction") if name == "number" else (name,))
    return None if found >= set(KINDS) else frozenset(found)


def _values(node: Node) -> frozenset[str] | None:
    found = None
    for keyword in ("enum", "const"):
        if keyword in node:
            values = frozenset(identity(v) for v in (node["enum"] if keyword == "enum" else [node["const"]]))
            found = values if found is None else found & values
    return found


def _shown_values(node: Node) -> Any:
    return node.get("enum", node.get("const", MISSING))


def _sets(
    keyword: str, old: frozenset[str] | None, new: frozenset[str] | None, before: Any, after: Any
) -> Iterator[Step]:
    """None is everything."""
    less = new is not None and (old is None or not old <= new)
    more = old is not None and (new is None or not new <= old)
    if less or more:
        yield Step(keyword, before, after, Motion.BOTH if less and more else Motion.NARROWER if less else Motion.WIDER)


def _bound(old: Node, new: Node, closed: str, opened: str, sign: int) -> Iterator[Step]:
    def limit(node: Node) -> tuple[Fraction, bool] | None:
        pairs = [(sign * Fraction(str(node[name])), name == opened) for name in (closed, opened) if name in node]
        return max(pairs, default=None)

    before, after = limit(old), limit(new)
    if before != after:
        stricter = after is not None and (before is None or after > before)
        shown = [next((node[name] for name in (closed, opened) if name in node), MISSING) for node in (old, new)]
        keyword = closed if closed in new or (closed in old and opened not in new) else opened
        yield Step(keyword, shown[0], shown[1], Motion.NARROWER if stricter else Motion.WIDER)


def _ordered(keyword: str, old: Node, new: Node, absent: float, sign: int) -> Iterator[Step]:
    before, after = old.get(keyword, absent), new.get(keyword, absent)
    if before != after:
        stricter = (after - before) * sign > 0
        shown = (old.get(keyword, MISSING), new.get(keyword, MISSING))
        yield Step(keyword, *shown, Motion.NARROWER if stricter else Motion.WIDER)


def _multiple(old: Node, new: Node) -> Iterator[Step]:
    before, after = old.get("multipleOf", MISSING), new.get("multipleOf", MISSING)
    if before == after:
        return
    if before is MISSING:
        motion = Motion.NARROWER
    elif after is MISSING:
        motion = Motion.WIDER
    else:
        ratio = Fraction(str(after)) / Fraction(str(before))
        whole = (
            float(before).is_integer() and float(after).is_integer()
        )  # a judge divides floats, with its own rounding
        finer = whole and (1 / ratio).denominator == 1
        motion = Motion.WIDER if finer else Motion.NARROWER if ratio.denominator == 1 else Motion.UNKNOWN
    yield Step("multipleOf", before, after, motion, "neither divides the other" if motion is Motion.UNKNOWN else "")


def _text(keyword: str, old: Node, new: Node) -> Iterator[Step]:
    before, after = old.get(keyword, MISSING), new.get(keyword, MISSING)
    if before == after:
        return
    if before is MISSING or after is MISSING:
        yield Step(keyword, before, after, Motion.NARROWER if before is MISSING else Motion.WIDER)
    else:
        yield Step(keyword, before, after, Motion.UNKNOWN, f"two values of {keyword}")


def _dependents(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Step]:
    for name in dict.fromkeys((*old, *new)):
        before, after = set(old.get(name, ())), set(new.get(name, ()))
        shown = (old.get(name, MISSING), new.get(name, MISSING))
        if after - before:
            yield Step("dependentRequired", *shown, Motion.NARROWER)
        if before - after:
            yield Step("dependentRequired", *shown, Motion.WIDER)
