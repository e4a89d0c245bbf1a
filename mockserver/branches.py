"""One merged conjunction of JSON Schema 2020-12 keywords: what a value has to be, by kind, without any alternatives.

Following references, choosing between alternatives and giving out child shapes is left to `shapes`.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, TypeAlias

from mockserver.expressions import matches
from mockserver.literals import Json, Resolve, Schema, contradictory, identity

Side: TypeAlias = Literal["request", "response"]
Scope: TypeAlias = tuple[int, ...]

#: The closed set of kinds. JSON Schema's "number" is integer or fraction, so that "not an integer" can be said.
KINDS = ("null", "boolean", "integer", "fraction", "string", "array", "object")
#: Stands for an alternative that the normal form cannot express.
UNPROVED: Schema = {"$comment": "the judge decides"}

_KINDS_OF_TYPE = {kind: frozenset({kind}) for kind in KINDS} | {"number": frozenset({"integer", "fraction"})}
_LENGTHS = {
    name: re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name)
    for name in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
}


def kind_of(value: Json) -> str:
    """The kind of a JSON value; 1.0 is an integer, as JSON Schema has it."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "integer" if value == math.floor(value) else "fraction"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


@dataclass(frozen=True, eq=False)
class ItemRule:
    """What one schema says about the items of an array."""

    scope: Scope
    prefix: tuple[Schema, ...]
    rest: Schema | None

    def at(self, index: int) -> Schema | None:
        return self.prefix[index] if index < len(self.prefix) else self.rest


@dataclass(frozen=True, eq=False)
class PropertyRule:
    """What one schema says about the properties of an object."""

    scope: Scope
    named: Mapping[str, Schema]
    patterns: Mapping[str, Schema]
    rest: Schema | None

    def at(self, name: str) -> list[Schema]:
        found = [self.named[name]] if name in self.named else []
        found += [schema for pattern, schema in self.patterns.items() if matches(pattern, name)]
        return found or ([] if self.rest is None else [self.rest])


@dataclass(frozen=True, eq=False)
class Contains:
    """How many items of an array have to satisfy a schema."""

    schema: Schema
    least: int
    most: int | None


@dataclass(frozen=True)
class Conflict:
    """The keyword that leaves a conjunction without any value."""

    keyword: str


@dataclass(frozen=True, eq=False)
class Branch:
    """One conjunction of constraints, by kind. `allowed` is None where any value goes, else values by `identity`.

    Bounds are (value, exclusive). `residual` says that the judge has the last word on values built from this branch.
    """

    kinds: frozenset[str] = frozenset(KINDS)
    allowed: Mapping[str, Json] | None = None
    refused: frozenset[str] = frozenset()
    low: tuple[Fraction, bool] | None = None
    high: tuple[Fraction, bool] | None = None
    multiples: tuple[Fraction, ...] = ()
    min_length: int = 0
    max_length: int | None = None
    patterns: tuple[str, ...] = ()
    format: str | None = None
    min_items: int = 0
    max_items: int | None = None
    item_rules: tuple[ItemRule, ...] = ()
    contains: tuple[Contains, ...] = ()
    unique: bool = False
    unevaluated_items: tuple[tuple[int, Schema], ...] = ()
    min_properties: int = 0
    max_properties: int | None = None
    required: tuple[str, ...] = ()
    property_rules: tuple[PropertyRule, ...] = ()
    property_names: tuple[Schema, ...] = ()
    dependents: tuple[tuple[str, tuple[str, ...]], ...] = ()
    unevaluated_properties: tuple[tuple[int, Schema], ...] = ()
    examples: tuple[Json, ...] = ()
    defaults: tuple[Json, ...] = ()
    hidden: bool = False
    residual: bool = False

    def item_schemas(self, index: int) -> list[Schema]:
        """Every schema that the item at an index has to satisfy."""
        found = [schema for rule in self.item_rules if (schema := rule.at(index)) is not None]
        for owner, schema in self.unevaluated_items:
            if not any(owner in rule.scope and rule.at(index) is not None for rule in self.item_rules):
                found.append(schema)
        return found

    def property_schemas(self, name: str) -> list[Schema]:
        """Every schema that the property with a name has to satisfy; none where the branch says nothing about it."""
        found = [schema for rule in self.property_rules for schema in rule.at(name)]
        for owner, schema in self.unevaluated_properties:
            if not any(owner in rule.scope and rule.at(name) for rule in self.property_rules):
                found.append(schema)
        return found

    @cached_property
    def prefix_length(self) -> int:
        """How many items have a rule of their own."""
        return max((len(rule.prefix) for rule in self.item_rules), default=0)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The property names that the branch knows, required ones first, in the order of the document."""
        named = [name for rule in self.property_rules for name in rule.named]
        return tuple(dict.fromkeys([*self.required, *named]))

    def grid(self, kind: str) -> tuple[Fraction, int | None, int | None]:
        """The step between the numbers of a kind, and the first and last multiple of it that is allowed.

        The step is 0 for fractions that need not be multiples of anything; the multiples are None then.
        """
        steps = [*self.multiples, Fraction(1)] if kind == "integer" else self.multiples
        if not steps:
            return Fraction(0), None, None
        step = Fraction(math.lcm(*(s.numerator for s in steps)), math.gcd(*(s.denominator for s in steps)))
        first = last = None
        if self.low:
            first = math.ceil(self.low[0] / step)
            first += self.low[1] and first * step == self.low[0]
        if self.high:
            last = math.floor(self.high[0] / step)
            last -= self.high[1] and last * step == self.high[0]
        return step, first, last

    def with_dependents(self, names: Iterable[str]) -> list[str]:
        """The names with every name that `dependentRequired` adds to them."""
        chosen = dict.fromkeys(names)
        queue = deque(chosen)
        while queue:
            name = queue.popleft()
            for trigger, added in self.dependents:
                if trigger == name:
                    queue.extend(extra for extra in added if extra not in chosen)
                    chosen |= dict.fromkeys(added)
        return list(chosen)

    def merged(self, schema: Mapping[str, Any], scope: Scope, side: Side) -> Branch:
        """This conjunction with one more schema, apart from its references and alternatives."""
        if schema is UNPROVED:
            return replace(self, residual=True)
        to: dict[str, Any] = {}
        for keyword, value in schema.items():
            match keyword:
                case "type":
                    to["kinds"] = to.get("kinds", self.kinds) & _kinds_of(value)
                case "const" | "enum":
                    values = {identity(one): one for one in ([value] if keyword == "const" else value)}
                    before = to.get("allowed", self.allowed)
                    to["allowed"] = values if before is None else {k: v for k, v in values.items() if k in before}
                case "not" if isinstance(value, Mapping):
                    to |= self._without(value, to.get("kinds", self.kinds))
                case "minimum" | "exclusiveMinimum":
                    bound = (Fraction(value), keyword == "exclusiveMinimum")
                    to["low"] = max(bound, to.get("low") or self.low or bound)
                case "maximum" | "exclusiveMaximum":
                    bound = (Fraction(value), keyword == "exclusiveMaximum")
                    to["high"] = min(bound, to.get("high") or self.high or bound, key=lambda b: (b[0], not b[1]))
                case "multipleOf":
                    to["multiples"] = (*self.multiples, Fraction(str(value)))
                    # The judge divides floats: not every multiple of 0.01 is one by its reckoning.
                    to["residual"] = to.get("residual", self.residual) or not float(value).is_integer()
                case "minLength" | "minItems" | "minProperties":
                    attribute = _LENGTHS[keyword]
                    to[attribute] = max(int(value), getattr(self, attribute))
                case "maxLength" | "maxItems" | "maxProperties":
                    attribute = _LENGTHS[keyword]
                    before = getattr(self, attribute)
                    to[attribute] = int(value) if before is None else min(int(value), before)
                case "pattern":
                    to["patterns"] = tuple(dict.fromkeys([*self.patterns, value]))
                case "format":
                    to["format"] = self.format or value
                case "contentEncoding" if value == "base64":
                    to["format"] = self.format or "byte"
                case "contains":
                    rule = Contains(value, int(schema.get("minContains", 1)), schema.get("maxContains"))
                    to |= {"contains": (*self.contains, rule), "residual": True}
                case "uniqueItems":
                    to["unique"] = self.unique or value
                case "required":
                    to["required"] = tuple(dict.fromkeys([*self.required, *value]))
                case "propertyNames":
                    to["property_names"] = (*self.property_names, value)
                case "dependentRequired":
                    to["dependents"] = self.dependents + tuple((name, tuple(more)) for name, more in value.items())
                case "unevaluatedItems":
                    to |= {"unevaluated_items": (*self.unevaluated_items, (id(schema), value)), "residual": True}
                case "unevaluatedProperties":
                    rules = (*self.unevaluated_properties, (id(schema), value))
                    to |= {"unevaluated_properties": rules, "residual": True}
                case "example":
                    to["examples"] = (*to.get("examples", self.examples), value)
                case "examples" if isinstance(value, list):
                    to["examples"] = (*to.get("examples", self.examples), *value)
                case "default":
                    to["defaults"] = (*self.defaults, value)
                case "readOnly" | "writeOnly" if value and (keyword == "readOnly") == (side == "request"):
                    to["hidden"] = True
        if "items" in schema or "prefixItems" in schema:
            items = ItemRule(scope, tuple(schema.get("prefixItems", ())), schema.get("items"))
            to["item_rules"] = (*self.item_rules, items)
        if not schema.keys().isdisjoint(("properties", "patternProperties", "additionalProperties")):
            named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
            properties = PropertyRule(scope, named, patterns, schema.get("additionalProperties"))
            to["property_rules"] = (*self.property_rules, properties)
        return replace(self, **to) if to else self

    def settled(self, resolve: Resolve) -> Branch | Conflict:
        """This conjunction without the kinds that it rules out, or the keyword that ruled out the last of them."""
        lost: dict[str, str] = {}
        low, high = self.low or (Fraction(0), False), self.high or (Fraction(0), False)
        room = high[0] - low[0] if self.low and self.high else 1
        if room < 0 or (room == 0 and (low[1] or high[1])):
            lost |= dict.fromkeys(("integer", "fraction"), "maximum")
        for kind in {"integer", "fraction"} & self.kinds:
            _, first, last = self.grid(kind) if self.low and self.high else (0, None, None)
            if first is not None and last is not None and last < first:
                lost[kind] = "multipleOf" if self.multiples else "maximum"
        for kind, least, most in (("string", "min_length", "max_length"), ("array", "min_items", "max_items")):
            if getattr(self, most) is not None and getattr(self, most) < getattr(self, least):
                lost[kind] = "maxLength" if kind == "string" else "maxItems"
        if self.max_properties is not None and self.max_properties < max(self.min_properties, len(self.required)):
            lost["object"] = "maxProperties"
        for name in self.required:
            if contradictory(self.property_schemas(name), resolve):
                lost["object"] = "required"
        if "null" in self.refused:
            lost["null"] = "not"
        if {"true", "false"} <= self.refused:
            lost["boolean"] = "not"
        kinds, allowed = self.kinds - lost.keys(), self.allowed
        if allowed is not None:
            allowed = {k: v for k, v in allowed.items() if kind_of(v) in kinds and k not in self.refused}
            kinds = frozenset(kind_of(value) for value in allowed.values())
        if not kinds:
            hit = [keyword for kind, keyword in lost.items() if kind in self.kinds]
            return Conflict(hit[0] if hit else "type" if self.allowed is None else "enum")
        return replace(self, kinds=kinds, allowed=allowed)

    def _without(self, schema: Mapping[str, Any], kinds: frozenset[str]) -> dict[str, Any]:
        if set(schema) == {"type"}:
            return {"kinds": kinds - _kinds_of(schema["type"])}
        if set(schema) in ({"const"}, {"enum"}):
            values = schema.get("enum", [schema.get("const")])
            return {"refused": self.refused | {identity(value) for value in values}}
        return {}


def _kinds_of(types: str | list[str]) -> frozenset[str]:
    names = [types] if isinstance(types, str) else types
    return frozenset(kind for name in names for kind in _KINDS_OF_TYPE[name])
