"""Hypothesis strategies for the valid values of a schema: a fold over its shape, with `jsonschema` as the last guard.

Texts are drawn from a small alphabet that carries what breaks services: CJK, astral and right-to-left characters,
quotes, controls. What a schema means is left to `mockserver.shapes`, breaking it on purpose to the mutants.
"""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from mockserver.branches import Branch, Side
from mockserver.expressions import expression, matches
from mockserver.literals import Json, Schema, identity
from mockserver.patterns import candidates
from mockserver.shapes import Shape, shape_of

#: Every class of text that a service has been seen to mangle, a few characters each.
ALPHABET = "aZ09 _-" + "猪图é" + "🐷𝔘" + "אب" + "\"'`{}<>&\\/%" + "\n\t\r\0\x7f\u200b"

# Optional parts end at this depth: what is recursive becomes as flat as the schema lets it be.
_OPTIONAL_DEPTH = 3
_MORE_ITEMS = 3
_UNIQUE_TRIES = 24
_WIDEST = 2**53


def values(document: Mapping[str, Any], pointer: str, *, side: Side = "request") -> SearchStrategy[Json]:
    """Valid values of the schema at a pointer (`#/a/b`) into a document whose references are all local.

    Every drawn value passes jsonschema. Properties that belong to the other side are left out unless required. The
    strategy is empty if the schema is found to have no valid value. Raises KeyError when a reference leads nowhere.
    """
    return values_of(shape_of(document, pointer, side))


def values_of(shape: Shape) -> SearchStrategy[Json]:
    """The same for a shape that is kept."""
    return _Fold().values(shape, 0).filter(shape.accepts) if shape.live else st.nothing()


@dataclass(frozen=True, eq=False)
class _Fold:
    """Strategies by shape and depth; the depth unrolls recursion, so that drawing always ends."""

    known: dict[tuple[Shape, int], SearchStrategy[Json]] = field(default_factory=dict)

    def values(self, shape: Shape, depth: int) -> SearchStrategy[Json]:
        key = (shape, depth)
        if key not in self.known:
            self.known[key] = st.deferred(lambda: self.ways(shape, depth))
        return self.known[key]

    def ways(self, shape: Shape, depth: int) -> SearchStrategy[Json]:
        live = list(shape.live)
        if depth > _OPTIONAL_DEPTH:
            live = [way for way in live if way[2] == min(height for _, _, height in live)]
        # "number" is two kinds and one branch with several kinds is one alternative: neither may crowd out the others.
        return st.one_of(
            [self.guarded(shape, branch, self.of_kind(shape, branch, kind, depth)) for branch, kind, _ in live]
        )

    def guarded(self, shape: Shape, branch: Branch, drawn: SearchStrategy[Json]) -> SearchStrategy[Json]:
        if branch.refused:
            drawn = drawn.filter(lambda value: identity(value) not in branch.refused)
        return drawn.filter(shape.accepts) if branch.residual else drawn

    def of_kind(self, shape: Shape, branch: Branch, kind: str, depth: int) -> SearchStrategy[Json]:
        if branch.allowed is not None:
            valid = [value for value in branch.allowed.values() if shape.accepts(value)]
            return st.sampled_from(valid) if valid else st.nothing()
        match kind:
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "integer" | "fraction":
                return _numbers(branch, kind)
            case "string":
                return _texts(branch)
            case "array":
                return self.arrays(shape, branch, depth)
        return self.objects(shape, branch, depth)

    def arrays(self, shape: Shape, branch: Branch, depth: int) -> SearchStrategy[list[Json]]:
        needed = max(branch.min_items, sum(rule.least for rule in branch.contains))
        # Beyond the first item that cannot exist there is no room.
        longer = _MORE_ITEMS if depth <= _OPTIONAL_DEPTH else 0
        room = max(needed, branch.prefix_length if longer or branch.contains else 0) + longer
        room = room if branch.max_items is None else min(room, branch.max_items)
        room = next((index for index in range(room) if not shape.item(branch, index).live), room)
        if room < needed:
            return st.nothing()
        shortest = min(room, branch.prefix_length + needed) if branch.contains else needed

        @st.composite
        def draw_array(draw: DrawFn) -> list[Json]:
            length = draw(st.integers(shortest, room))
            must: dict[int, list[Schema]] = {}
            places = draw(st.permutations(range(length))) if branch.contains else []
            for rule in branch.contains:
                fit = [place for place in places if shape.item(branch, place, rule.schema).live]
                for place in fit[: rule.least]:
                    must.setdefault(place, []).append(rule.schema)
                    places.remove(place)
            found: list[Json] = []
            seen: set[str] = set()
            for index in range(length):
                here = must.get(index, [])
                closed = [rule.schema for rule in branch.contains if rule.most is not None]
                refused = [shape.without(schema) for schema in closed if not any(schema is held for held in here)]
                drawn = self.values(shape.item(branch, index, *here, *refused), depth + 1)
                item = draw(drawn)
                tries = 0
                while branch.unique and identity(item) in seen and tries < _UNIQUE_TRIES:
                    item, tries = draw(drawn), tries + 1
                if branch.unique and identity(item) in seen:
                    break
                seen.add(identity(item))
                found.append(item)
            if len(found) < needed:
                reject()
            return found

        return draw_array()

    def objects(self, shape: Shape, branch: Branch, depth: int) -> SearchStrategy[dict[str, Json]]:
        needed = branch.with_dependents(branch.required)
        most = math.inf if branch.max_properties is None else branch.max_properties

        def welcome(name: str) -> bool:
            child = shape.member(branch, name)
            named = not branch.property_names or shape.name(branch).accepts(name)
            return named and bool(child.live) and not child.hidden

        deep = depth > _OPTIONAL_DEPTH
        optional = [] if deep else [name for name in branch.names if name not in needed and welcome(name)]
        if deep and len(needed) < branch.min_properties:
            optional = [name for name in branch.names if name not in needed and welcome(name)]
        more_names = self.names(shape, branch, depth).filter(welcome)
        mapping = not deep and not branch.names and bool(shape.member(branch, "").schemas or branch.property_rules)

        @st.composite
        def draw_object(draw: DrawFn) -> dict[str, Json]:
            chosen = list(needed)
            for name in optional:
                wider = branch.with_dependents([*chosen, name])
                short = len(chosen) + len(optional) - optional.index(name) <= branch.min_properties
                if len(wider) <= most and (draw(st.booleans()) or short):
                    chosen = wider
            wanted = branch.min_properties + (draw(st.integers(0, 2)) if mapping else 0)
            while len(chosen) < min(wanted, most):
                chosen.append(draw(more_names.filter(lambda name: name not in chosen)))
            return {name: draw(self.values(shape.member(branch, name), depth + 1)) for name in chosen}

        return draw_object()

    def names(self, shape: Shape, branch: Branch, depth: int) -> SearchStrategy[str]:
        patterned = [_matching(pattern) for rule in branch.property_rules for pattern in rule.patterns]
        if shape.open(branch):
            free = (
                self.values(shape.name(branch), depth + 1) if branch.property_names else st.text(ALPHABET, min_size=1)
            )
            patterned.append(free)
        return st.one_of(patterned)


def _numbers(branch: Branch, kind: str) -> SearchStrategy[int | float]:
    step, first, last = branch.grid(kind)
    if step:
        first = -_WIDEST if first is None else first
        last = max(first, _WIDEST) if last is None else last
        if kind == "integer":
            return st.integers(min(first, last), last).map(lambda number: int(number * step))
        multiples = st.integers(min(first, last), last).map(lambda number: float(number * step))
        return multiples.filter(lambda number: "integer" in branch.kinds or not number.is_integer())
    low, low_open = branch.low or (None, False)
    high, high_open = branch.high or (None, False)
    floats = st.floats(
        None if low is None else _float_within(low, 1),
        None if high is None else _float_within(high, -1),
        exclude_min=low_open and _float_within(low or Fraction(0), 1) == low,
        exclude_max=high_open and _float_within(high or Fraction(0), -1) == high,
        allow_nan=False,
        allow_infinity=False,
        allow_subnormal=False,
    )
    return floats.filter(lambda number: "integer" in branch.kinds or not number.is_integer())


def _float_within(bound: Fraction, direction: int) -> float:
    """The float nearest to a bound that lies on its inner side."""
    nearest = float(bound)
    outside = (Fraction(nearest) - bound) * direction < 0
    return math.nextafter(nearest, direction * math.inf) if outside else nearest


def _texts(branch: Branch) -> SearchStrategy[str]:
    def fits(text: str) -> bool:
        longest = math.inf if branch.max_length is None else branch.max_length
        return branch.min_length <= len(text) <= longest and all(matches(p, text) for p in branch.patterns)

    if branch.patterns and (branch.min_length > 1 or len(branch.patterns) > 1 or branch.max_length is not None):
        # Drawing freely and throwing away what has the wrong length would throw away nearly everything.
        return st.randoms(use_true_random=False).map(lambda random: _text_within(branch, random)).filter(fits)
    if branch.patterns:
        return st.one_of([_matching(pattern) for pattern in branch.patterns]).filter(fits)
    bound = branch.min_length + 24
    longest = bound if branch.max_length is None else min(branch.max_length, bound)
    formatted = _FORMATS.get(branch.format)
    if formatted and not (branch.min_length or branch.max_length is not None):
        return formatted()
    if formatted:
        return formatted().filter(fits)
    return st.text(ALPHABET, min_size=branch.min_length, max_size=longest)


def _text_within(branch: Branch, random: Random) -> str:
    """A text that matches every pattern and has a fitting length; an empty one where none is found."""
    longest = math.inf if branch.max_length is None else branch.max_length
    for pattern in branch.patterns:
        for text in candidates(pattern, random, branch.min_length, branch.max_length):
            if branch.min_length <= len(text) <= longest and all(matches(p, text) for p in branch.patterns):
                return text
    return ""


def _matching(pattern: str) -> SearchStrategy[str]:
    readable = expression(pattern).readable
    if readable is None:
        only = Branch(patterns=(pattern,))
        return st.randoms(use_true_random=False).map(lambda random: _text_within(only, random))
    return st.from_regex(readable).filter(lambda text: matches(pattern, text))


def _zulu(moment: datetime.datetime) -> str:
    return moment.replace(microsecond=0).isoformat() + "Z"


def _recent() -> SearchStrategy[datetime.datetime]:
    return st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2100, 1, 1))


def _base64() -> SearchStrategy[str]:
    return st.binary(max_size=24).map(lambda octets: base64.b64encode(octets).decode())


def _host() -> SearchStrategy[str]:
    return st.from_regex(r"[a-z][a-z0-9]{0,8}\.example\.com", fullmatch=True)


_FORMATS: Mapping[str | None, Callable[[], SearchStrategy[str]]] = {
    "date-time": lambda: _recent().map(_zulu),
    "date": lambda: _recent().map(lambda moment: moment.date().isoformat()),
    "time": lambda: _recent().map(lambda moment: _zulu(moment).partition("T")[2]),
    "uuid": lambda: st.uuids(version=4).map(str),
    "email": lambda: st.from_regex(r"[a-z][a-z0-9.+]{0,8}[a-z]@example\.com", fullmatch=True),
    "uri": lambda: st.from_regex(r"https://[a-z]{1,8}\.example\.com/[a-z0-9/?=&%2C]{0,9}", fullmatch=True),
    "hostname": _host,
    "ipv4": lambda: st.ip_addresses(v=4).map(str),
    "ipv6": lambda: st.ip_addresses(v=6).map(str),
    "byte": _base64,
    "base64": _base64,
}
