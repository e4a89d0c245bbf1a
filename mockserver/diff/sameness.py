"""Whether two schemas say the same, word for word, through their references; notes and descriptions do not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.diff.keywords import STATEMENTS
from mockserver.literals import identity
from mockserver.pointers import descend

_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas")
_INNER = (
    *("not", "if", "then", "else", "additionalProperties", "propertyNames", "items", "contains"),
    *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)
_SETS = ("required", "type")
_REFERENCES_AT_MOST = 64


@dataclass(frozen=True)
class Sameness:
    """Compares schemas of two closed documents; circles are taken to be alike while they are compared."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    seen: set[tuple[int, int]] = field(default_factory=set)

    def same(self, one: Any, other: Any) -> bool:
        """Whether the old schema and the new one say the same."""
        one, other = _followed(self.old, one), _followed(self.new, other)
        if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
            return bool(_empty(one) == _empty(other))
        if (id(one), id(other)) in self.seen:
            return True
        self.seen.add((id(one), id(other)))
        stated = {name for name in one if name in STATEMENTS}
        return stated == {name for name in other if name in STATEMENTS} and all(
            self._value(name, one[name], other[name]) for name in stated
        )

    def _value(self, keyword: str, one: Any, other: Any) -> bool:
        if keyword in _LISTS:
            return len(one) == len(other) and all(map(self.same, one, other))
        if keyword in _NAMED:
            return one.keys() == other.keys() and all(self.same(one[name], other[name]) for name in one)
        if keyword in _INNER or keyword == "$ref":
            return self.same(
                {"$ref": one} if keyword == "$ref" else one, {"$ref": other} if keyword == "$ref" else other
            )
        if keyword in _SETS and isinstance(one, list) and isinstance(other, list):
            return set(one) == set(other)
        return identity(one) == identity(other)


def _empty(schema: Any) -> Any:
    """``{}`` and ``true`` say the same."""
    return True if isinstance(schema, Mapping) and STATEMENTS.isdisjoint(schema) else schema


def _followed(document: Mapping[str, Any], schema: Any) -> Any:
    for _ in range(_REFERENCES_AT_MOST):
        if not (isinstance(schema, Mapping) and STATEMENTS.intersection(schema) == {"$ref"}):
            break
        schema = descend(document, schema["$ref"])
    return schema
