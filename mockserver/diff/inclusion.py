"""Proves that every value of one schema is valid under another, by their normal forms; what it cannot prove it denies.

A value is taken to have only members that its own schema speaks of: a client sends what is documented. The readable
difference is left to :mod:`mockserver.diff.schemas`, which asks here what a rewritten part comes to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from mockserver.branches import Branch
from mockserver.diff.sameness import Sameness
from mockserver.shapes import Shape

_UNHEARD_OF = "\x00"
_BRANCHES = 64
"""From so many alternatives on the normal form may be cut off, and nothing is proved from it."""
_PAIRS = 2000
"""Pairs of shapes that are looked at before giving up."""


def included(inner: Shape, outer: Shape) -> bool:
    """Whether every value of the inner shape is proved to be valid under the outer one."""
    return _Proof().shapes(inner, outer)


@dataclass(frozen=True)
class _Proof:
    """What is assumed while it is being proved: JSON values are finite, so that circles prove themselves."""

    assumed: set[tuple[int, int]] = field(default_factory=set)
    denied: set[tuple[int, int]] = field(default_factory=set)
    kept: list[Shape] = field(default_factory=list)

    def shapes(self, inner: Shape, outer: Shape) -> bool:
        pair = (id(inner), id(outer))
        if pair in self.denied or len(self.assumed) > _PAIRS:
            return False
        if pair in self.assumed or self.spelt_alike(inner, outer):
            return True
        self.kept.extend((inner, outer))
        if len(inner.branches) >= _BRANCHES:
            return False
        self.assumed.add(pair)
        if all(self.kind(inner, branch, kind, outer) for branch, kind, _ in inner.live):
            return True
        self.denied.add(pair)
        return False

    def spelt_alike(self, inner: Shape, outer: Shape) -> bool:
        """Whether every schema of the outer conjunction stands in the inner one too."""
        documents = inner.source.document, outer.source.document
        return all(any(Sameness(*documents).same(one, other) for one in inner.schemas) for other in outer.schemas)

    def kind(self, inner: Shape, branch: Branch, kind: str, outer: Shape) -> bool:
        """Whether the values of one kind of one alternative are all valid under the outer shape."""
        if branch.allowed is not None:
            return all(outer.accepts(value) for value in branch.allowed.values())
        if kind in ("null", "boolean"):
            return all(outer.accepts(value) for value in ([None] if kind == "null" else [True, False]))
        return any(self.within(inner, branch, outer, other, kind) for other in outer.branches)

    def within(self, inner: Shape, a: Branch, outer: Shape, b: Branch, kind: str) -> bool:
        if b.residual or kind not in b.kinds or b.allowed is not None or not b.refused <= a.refused:
            return False
        match kind:
            case "integer" | "fraction":
                return _numbers(a, b, kind)
            case "string":
                texts = set(b.patterns) <= set(a.patterns) and b.format in (None, a.format)
                return texts and _range(a, b, "min_length", "max_length")
            case "array":
                return (
                    _range(a, b, "min_items", "max_items") and a.unique >= b.unique and self.items(inner, a, outer, b)
                )
        return self.objects(inner, a, outer, b)

    def items(self, inner: Shape, a: Branch, outer: Shape, b: Branch) -> bool:
        last = max(a.prefix_length, b.prefix_length)
        return all(
            self.shapes(inner.item(a, index), outer.item(b, index))
            for index in range(last + 1)
            if a.max_items is None or index < a.max_items
        )

    def objects(self, inner: Shape, a: Branch, outer: Shape, b: Branch) -> bool:
        needed = a.with_dependents(a.required)
        if not set(b.required) <= set(needed) or not _range(a, b, "min_properties", "max_properties", len(needed)):
            return False
        if any(not set(more) <= set(a.with_dependents([*needed, name])) for name, more in b.dependents):
            return False
        if b.property_names and not self.shapes(inner.name(a), outer.name(b)):
            return False
        if not self.patterned(a, b):
            return False
        spoken = {*a.names, *(name for trigger, more in a.dependents for name in (trigger, *more))}
        for name in dict.fromkeys((*a.names, *b.names)):
            if name not in spoken and not a.property_schemas(name) and a.min_properties <= len(a.names):
                continue  # nobody sends a member that his contract does not speak of
            if not self.shapes(inner.member(a, name), outer.member(b, name)):
                return False
        return self.shapes(inner.member(a, _UNHEARD_OF), outer.member(b, _UNHEARD_OF))

    def patterned(self, a: Branch, b: Branch) -> bool:
        """Names by pattern are only compared where both sides speak of the same patterns with the same schemas."""
        left, right = _patterns(a), _patterns(b)
        return left == right or (not right and not any(rule.rest is not None for rule in b.property_rules))


def _patterns(branch: Branch) -> list[tuple[str, str]]:
    return sorted(
        (pattern, repr(schema)) for rule in branch.property_rules for pattern, schema in rule.patterns.items()
    )


def _range(a: Branch, b: Branch, least: str, most: str, at_least: int = 0) -> bool:
    low, high = max(getattr(a, least), at_least), getattr(a, most)
    enough: bool = low >= getattr(b, least)
    return enough and (getattr(b, most) is None or (high is not None and high <= getattr(b, most)))


def _numbers(a: Branch, b: Branch, kind: str) -> bool:
    if b.low and not (a.low and (a.low[0], a.low[1]) >= (b.low[0], b.low[1])):
        return False
    if b.high and not (a.high and (-a.high[0], a.high[1]) >= (-b.high[0], b.high[1])):
        return False
    steps = [*a.multiples, *([Fraction(1)] if kind == "integer" else [])]
    return all(any((step / wanted).denominator == 1 for step in steps) for wanted in b.multiples)
