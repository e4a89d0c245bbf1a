"""Values made from shapes: one valid JSON value per seed, the same in every process.

Values are built by construction, optional parts at shallow depth only, and the whole is handed out only after
`jsonschema` has accepted it. What a schema means is left to `shapes`, texts for regular expressions to `patterns`;
nothing is known here about any API.
"""

from __future__ import annotations

import base64
import copy
import datetime
import ipaddress
import math
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import Any, TypeVar

from mockserver.branches import Branch, Side
from mockserver.expressions import ExpressionError, matches
from mockserver.literals import Json, Schema, identity
from mockserver.patterns import candidates
from mockserver.pointers import escape
from mockserver.shapes import Shape, shape_of

_T = TypeVar("_T")

# Optional parts are left out below this depth or beyond this size, so that broad or recursive schemas stay small.
_OPTIONAL_DEPTH = 3
_OPTIONAL_STEPS = 300
_MAX_STEPS = 4000
LONGEST_TEXT = 1_000_000
"""Characters of a text that is made up."""
# How likely an optional property is, try after try: all of them first, none at the latest in the fifth try.
_KEEP = (1.0, 0.5, 0.5, 0.25, 0.0, 0.75, 0.5, 0.5, 0.25, 0.25)
_WORDS = re.findall(
    r"\w+",
    "amber basil cedar delta ember fjord grove hazel indigo jade kelp linen maple nectar olive pearl quartz river sage",
)
_EPOCH = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


class Unsatisfiable(ValueError):
    """No valid value was found: `pointer` is the schema asked for, `keyword` what stood in the way, `path` where."""

    def __init__(self, pointer: str, keyword: str, path: str = "") -> None:
        self.pointer, self.keyword, self.path = pointer, keyword, path
        place = f" at {path} of the value" if path else ""
        super().__init__(f"no valid value found for the schema at {pointer}: {keyword!r}{place} cannot be satisfied")


def synthesize(
    document: Mapping[str, Any], pointer: str, *, seed: int | str, side: Side = "response", prefer_examples: bool = True
) -> Json:
    """One valid value of the schema at a pointer (`#/a/b`) into a document whose references are all local.

    With `prefer_examples` a valid `example`, one of `examples` or `default` is used as it stands, at any depth. Raises
    Unsatisfiable when no valid value was found, KeyError when a reference leads nowhere.
    """
    return value_of(shape_of(document, pointer, side), pointer, seed=seed, prefer_examples=prefer_examples)


def value_of(shape: Shape, pointer: str, *, seed: int | str, prefer_examples: bool = True) -> Json:
    """The same for a shape that is kept, which saves reading the schema again; `pointer` only names it in errors."""
    try:
        value = _Builder(Random(repr(seed)), prefer_examples).value(shape, ())
    except ExpressionError:  # one that cannot be read makes every text unjudgeable
        raise Unsatisfiable(pointer, "pattern") from None
    except _DeadEndError as failure:
        path = "".join(f"/{escape(part)}" for part in failure.path)
        raise Unsatisfiable(pointer, failure.keyword, path) from None
    if not shape.accepts(value):
        raise Unsatisfiable(pointer, shape.refusal(value))
    return value


class _DeadEndError(Exception):
    """No value was found at a path; becomes Unsatisfiable at the rim, where the pointer is known."""

    def __init__(self, keyword: str) -> None:
        super().__init__(keyword)
        self.keyword = keyword
        self.path: tuple[str | int, ...] = ()


class _Builder:
    """One synthesis: its random source and the steps it has taken."""

    def __init__(self, random: Random, prefer_examples: bool) -> None:
        self.random, self.prefer_examples, self.steps = random, prefer_examples, 0

    def value(self, shape: Shape, above: tuple[Shape, ...], step: str | int | None = None) -> Json:
        """A value of a shape; `above` are the shapes that it is part of, `step` its place in the innermost."""
        try:
            return self.attempt(shape, above)
        except _DeadEndError as failure:
            if step is not None:
                failure.path = (step, *failure.path)
            raise

    def attempt(self, shape: Shape, above: tuple[Shape, ...]) -> Json:
        self.steps += 1
        if self.prefer_examples:
            for written in self.shuffled(shape.examples) + list(shape.defaults):
                value = _visible(shape, copy.deepcopy(written))
                if shape.accepts(value):
                    return value
        ways = self.shuffled(shape.live)
        if not ways:
            raise _DeadEndError(shape.conflict or "required")
        deep = len(above) >= _OPTIONAL_DEPTH or self.steps > _OPTIONAL_STEPS
        if deep or shape in above:
            ways.sort(key=lambda way: way[2])
        failure = _DeadEndError("required")
        for keep in _KEEP:
            for branch, kind, _ in ways:
                if self.steps > _MAX_STEPS:
                    raise failure
                self.steps += 1
                try:
                    value = self.of_kind(shape, branch, kind, above, 0.0 if deep else keep)
                except _DeadEndError as caught:
                    failure = caught
                    continue
                if not branch.residual or shape.accepts(value):
                    return value
                failure = _DeadEndError(shape.refusal(value))
        raise failure

    def of_kind(self, shape: Shape, branch: Branch, kind: str, above: tuple[Shape, ...], keep: float) -> Json:
        if branch.allowed is not None:
            for value in self.shuffled(branch.allowed.values()):
                if shape.accepts(value):
                    return copy.deepcopy(value)
            raise _DeadEndError("enum")
        match kind:
            case "null":
                return None
            case "boolean":
                return self.random.choice([one for one in (True, False) if identity(one) not in branch.refused])
            case "integer" | "fraction":
                return self.fresh(branch, lambda: self.number(branch, kind))
            case "string":
                return self.fresh(branch, lambda: self.text(branch))
            case "array":
                return self.array(shape, branch, (*above, shape), keep)
        return self.object(shape, branch, (*above, shape), keep)

    def fresh(self, branch: Branch, make: Callable[[], Json]) -> Json:
        for _ in range(20 if branch.refused else 1):
            value = make()
            if not branch.refused or identity(value) not in branch.refused:
                return value
        raise _DeadEndError("not")

    def number(self, branch: Branch, kind: str) -> int | float:
        step, first, last = branch.grid(kind)
        if not step:
            low, high = (branch.low or (None,))[0], (branch.high or (None,))[0]
            room = high - low if low is not None and high is not None else Fraction(100)
            step = Fraction(1, 100) if room >= 1 else room / 128
            if not step and low is not None:
                return float(low)
            first = None if low is None else math.floor(low / step) + 1
            last = None if high is None else math.ceil(high / step) - 1
        width = 1000 if kind == "integer" else 10_000
        if first is None:
            first = 0 if last is None or last >= 0 else last - width
        last = first + width if last is None else min(last, first + width)
        if last < first:
            raise _DeadEndError("multipleOf" if branch.multiples else "maximum")
        for _ in range(20):
            number = self.random.randint(first, last) * step
            if kind == "integer":
                return int(number)
            try:
                value = float(number)
            except OverflowError:  # beyond the numbers that JSON readers have in common
                continue
            if ("integer" in branch.kinds or not value.is_integer()) and _fits(branch, value):
                return value
        raise _DeadEndError("multipleOf")

    def text(self, branch: Branch) -> str:
        if branch.min_length > LONGEST_TEXT:
            raise _DeadEndError("minLength")
        most = math.inf if branch.max_length is None else branch.max_length
        for candidate in self.texts(branch):
            if branch.min_length <= len(candidate) <= most and all(matches(p, candidate) for p in branch.patterns):
                return candidate
        raise _DeadEndError("pattern")

    def texts(self, branch: Branch) -> Iterator[str]:
        """Candidates: of the format first, then of each pattern, then free text of a fitting length."""
        if branch.format in _FORMATS:
            for _ in range(8):
                yield _FORMATS[branch.format](self.random, branch.min_length)
        for pattern in branch.patterns:
            yield from candidates(pattern, self.random, branch.min_length, branch.max_length)
        if not branch.patterns:
            words = _words(self.random, max(branch.min_length, 8))
            yield words[: branch.max_length].ljust(branch.min_length, "a")

    def array(self, shape: Shape, branch: Branch, above: tuple[Shape, ...], keep: float) -> list[Json]:
        wanted = branch.min_items
        needed = sum(rule.least for rule in branch.contains)
        if max(branch.min_items, needed) > _MAX_STEPS:
            raise _DeadEndError("minItems")
        if keep:
            recursive = shape.item(branch, branch.prefix_length) in above
            more = 0 if recursive or branch.prefix_length else self.random.randint(1, 2)
            wanted = max(wanted, branch.prefix_length, more)
        wanted = max(wanted, needed and branch.prefix_length + needed)
        wanted = wanted if branch.max_items is None else min(wanted, branch.max_items)
        must: dict[int, list[Schema]] = {}
        places = list(range(wanted)) if keep == 1.0 else self.random.sample(range(wanted), wanted)
        for rule in branch.contains:
            fit = [place for place in places if shape.item(branch, place, rule.schema).live]
            for place in fit[max(0, len(fit) - rule.least) :]:
                must.setdefault(place, []).append(rule.schema)
                places.remove(place)
        found: list[Json] = []
        seen: set[str] = set()
        for index in range(wanted):
            here = must.get(index, [])
            closed = [rule.schema for rule in branch.contains if rule.most is not None]
            refused = [shape.without(schema) for schema in closed if not any(schema is held for held in here)]
            child = shape.item(branch, index, *here, *refused)
            if not child.live and index >= max(branch.min_items, needed):
                break
            for _ in range(24 if branch.unique else 1):
                item = self.value(child, above, index)
                if not branch.unique or identity(item) not in seen:
                    break
            else:
                if index < max(branch.min_items, needed):
                    raise _DeadEndError("uniqueItems")
                break
            seen |= {identity(item)} if branch.unique else set()
            found.append(item)
        return found

    def object(self, shape: Shape, branch: Branch, above: tuple[Shape, ...], keep: float) -> dict[str, Json]:
        names = branch.with_dependents(branch.required)
        most = math.inf if branch.max_properties is None else branch.max_properties
        wished = [name for name in branch.names if name not in names and self.random.random() < keep]
        spare = [name for name in branch.names if name not in names and name not in wished]
        optional = [(name, True) for name in wished] + [(name, False) for name in spare]
        for name, wish in optional:
            child = shape.member(branch, name)
            more = branch.with_dependents([*names, name])
            room = (wish or len(names) < branch.min_properties) and len(more) <= most and name not in names
            welcome = room and not child.hidden and not (wish and child in above) and child.live
            if welcome and self.named(shape, branch, name):
                names = more
        for name in self.more_names(shape, branch):
            open_ended = keep and not branch.names and shape.member(branch, name).schemas
            if len(names) >= max(branch.min_properties, 1 if open_ended else 0) or len(names) >= most:
                break
            if name not in names and shape.member(branch, name).live:
                names.append(name)
        if len(names) < branch.min_properties:
            raise _DeadEndError("minProperties")
        return {name: self.value(shape.member(branch, name), above, name) for name in names}

    def named(self, shape: Shape, branch: Branch, name: str) -> bool:
        return not branch.property_names or shape.name(branch).accepts(name)

    def more_names(self, shape: Shape, branch: Branch) -> Iterator[str]:
        """Names beyond those that the branch knows: of its name patterns, of its propertyNames, or words."""
        for rule in branch.property_rules:
            for pattern in rule.patterns:
                for _ in range(8):
                    name = self.text(Branch(patterns=(pattern,)))
                    if self.named(shape, branch, name):
                        yield name
        nameable = shape.open(branch) and shape.name(branch).live
        for index in range(64 if nameable else 0):
            if branch.property_names:
                yield str(self.value(shape.name(branch), ()))
            else:
                yield _words(self.random, 1) if index < 8 else f"{_words(self.random, 1)}_{index}"

    def shuffled(self, values: Iterable[_T]) -> list[_T]:
        listed = list(values)
        self.random.shuffle(listed)
        return listed


def _words(random: Random, length: int) -> str:
    """Words of at least a length, with spaces between them."""
    words = [random.choice(_WORDS)]
    size = len(words[0])
    while size < length:
        words.append(random.choice(_WORDS))
        size += 1 + len(words[-1])
    return " ".join(words)


def _fits(branch: Branch, value: float) -> bool:
    exact = Fraction(value)
    above = branch.low is None or (exact, not branch.low[1]) >= (branch.low[0], True)
    below = branch.high is None or exact < branch.high[0] or (exact == branch.high[0] and not branch.high[1])
    return math.isfinite(value) and above and below


def _visible(shape: Shape, value: Json) -> Json:
    """A written example without the properties that belong to the other side, unless they are required."""
    for branch in shape.branches:
        if isinstance(value, dict):
            hidden = [name for name in value if name not in branch.required and shape.member(branch, name).hidden]
            for name in hidden:
                del value[name]
            return {name: _visible(shape.member(branch, name), inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [_visible(shape.item(branch, index), inner) for index, inner in enumerate(value)]
    return value


def _moment(random: Random) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(seconds=random.randrange(10**8))


def _host(random: Random) -> str:
    return f"{random.choice(_WORDS)}-{random.randrange(1000)}.example.com"


def _base64(random: Random, length: int) -> str:
    return base64.b64encode(random.randbytes(-(-length // 4) * 3 or 12)).decode()


_FORMATS: Mapping[str | None, Callable[[Random, int], str]] = {
    "date-time": lambda random, length: _moment(random).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "date": lambda random, length: _moment(random).strftime("%Y-%m-%d"),
    "time": lambda random, length: _moment(random).strftime("%H:%M:%SZ"),
    "uuid": lambda random, length: str(uuid.UUID(int=random.getrandbits(128), version=4)),
    "email": lambda random, length: f"{random.choice(_WORDS)}{random.randrange(1000)}@example.com",
    "uri": lambda random, length: f"https://{_host(random)}/{random.choice(_WORDS)}".ljust(length, "a"),
    "hostname": lambda random, length: _host(random),
    "ipv4": lambda random, length: str(ipaddress.IPv4Address("198.18.0.0") + random.getrandbits(17)),
    "ipv6": lambda random, length: str(ipaddress.IPv6Address("2001:db8::") + random.getrandbits(64)),
    "byte": _base64,
    "base64": _base64,
}
