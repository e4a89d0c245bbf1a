"""JSON Schema 2020-12 as one closed, frozen normal form: a shape is a choice of branches, a branch one conjunction.

`allOf` and `$ref` are merged away; `anyOf`, `oneOf`, `if`, `not` and `dependentSchemas` become branches. Children stay
raw until somebody asks for them, so recursive schemas cost nothing, and equal children are the same `Shape` object.
Building values is left to `synthesis` and to the suite's strategies. Judging them is left to `jsonschema`, which
`Shape.accepts` asks: a branch marked `residual` holds less than the schema says and needs that answer.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, TypeAlias
from urllib.parse import unquote

from jsonschema.protocols import Validator

from mockserver.branches import UNPROVED, Branch, Conflict, Scope, Side
from mockserver.dialect import dialect_of
from mockserver.literals import Json, Schema
from mockserver.pointers import descend

__all__ = ["Branch", "Json", "Schema", "Shape", "Side", "shape_of"]

Option: TypeAlias = tuple[Schema, ...]
Choice: TypeAlias = tuple[Scope, tuple[Option, ...]]

# A product of alternatives is walked fairly, so that what a limit cuts off is more of the same.
_MAX_BRANCHES = 64
_MAX_CONFLICTS = 1500
_MAX_NEGATED = 16
_NEGATED_LIMITS = {
    "minLength": ("string", "maxLength", -1),
    "maxLength": ("string", "minLength", 1),
    "minItems": ("array", "maxItems", -1),
    "maxItems": ("array", "minItems", 1),
    "minProperties": ("object", "maxProperties", -1),
    "maxProperties": ("object", "minProperties", 1),
    "minimum": ("number", "exclusiveMaximum", 0),
    "exclusiveMinimum": ("number", "maximum", 0),
    "maximum": ("number", "exclusiveMinimum", 0),
    "exclusiveMaximum": ("number", "minimum", 0),
}
_UNHEARD_OF = "\x00"
_NAME: Schema = {"type": "string"}
_INEXPRESSIBLE = {
    *("oneOf", "if", "pattern", "multipleOf", "items", "prefixItems", "contains", "uniqueItems", "patternProperties"),
    *("additionalProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
    *("unevaluatedItems", "unevaluatedProperties"),
}


def shape_of(document: Mapping[str, Any], pointer: str, side: Side = "response") -> Shape:
    """The shape of the schema at a pointer (`#/a/b`) into a document whose references are all local.

    The document is not copied and must not change while the shape is in use. Properties that the other side owns
    (readOnly in a request, writeOnly in a response) are `hidden`. Raises KeyError when the pointer, or later a
    reference, leads nowhere.
    """
    source = _Source(document, side)
    return source.shape([source.resolve(pointer)])


@dataclass(frozen=True, eq=False)
class Shape:
    """All values that satisfy every one of some schemas. Equal shapes of one document are the same object."""

    source: _Source = field(repr=False)
    schemas: tuple[Schema, ...]

    @cached_property
    def _expanded(self) -> tuple[tuple[Branch, ...], str]:
        found: list[Branch] = []
        keyword = ""
        steps: list[tuple[Schema, Scope]] = [(schema, ()) for schema in self.schemas]
        for outcome in islice(_expand(self.source, steps, Branch(), ()), _MAX_CONFLICTS):
            if isinstance(outcome, Branch):
                found.append(outcome)
                if len(found) == _MAX_BRANCHES:
                    break
            else:
                keyword = keyword or outcome.keyword
        return tuple(found), keyword

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The alternatives, at most 64; none where the schemas contradict each other."""
        return self._expanded[0]

    @property
    def conflict(self) -> str:
        """The first keyword that ruled out an alternative; empty where none did."""
        return self._expanded[1]

    @cached_property
    def examples(self) -> tuple[Json, ...]:
        """Examples written down in the schemas; neither judged nor without hidden properties."""
        return tuple({id(one): one for branch in self.branches for one in branch.examples}.values())

    @cached_property
    def defaults(self) -> tuple[Json, ...]:
        """Defaults written down in the schemas; neither judged nor without hidden properties."""
        return tuple({id(one): one for branch in self.branches for one in branch.defaults}.values())

    @cached_property
    def hidden(self) -> bool:
        """Whether the property with this shape belongs to the other side alone."""
        return bool(self.branches) and all(branch.hidden for branch in self.branches)

    @cached_property
    def _judge(self) -> Validator:
        only = self.schemas[0] if len(self.schemas) == 1 else {"allOf": list(self.schemas)}
        return self.source.judge.evolve(schema=only)

    def accepts(self, value: Json) -> bool:
        """Whether `jsonschema` finds the value valid."""
        return self._judge.is_valid(value)

    def refusal(self, value: Json) -> str:
        """The keyword by which `jsonschema` refuses a value; empty if it accepts it."""
        return next((str(error.validator) for error in self._judge.iter_errors(value)), "")

    def item(self, branch: Branch, index: int, *also: Schema) -> Shape:
        """The shape of the item at an index of an array of one of the branches."""
        return self.source.shape([*branch.item_schemas(index), *also])

    def member(self, branch: Branch, name: str) -> Shape:
        """The shape of the property with a name in an object of one of the branches."""
        return self.source.shape(branch.property_schemas(name))

    def name(self, branch: Branch) -> Shape:
        """The shape of the names in an object of one of the branches."""
        return self.source.shape([_NAME, *branch.property_names])

    def open(self, branch: Branch) -> bool:
        """Whether an object may have properties with names that nothing in the branch speaks of."""
        return bool(self.member(branch, _UNHEARD_OF).live)

    def without(self, schema: Schema) -> Schema:
        """The negation of a schema, as the same object for the same schema."""
        return self.source.negation(schema)

    def height(self, branch: Branch, kind: str) -> float:
        """The levels of the flattest value of a branch that has a kind; infinite if there is none."""
        if branch.allowed is not None:
            return 0
        return max((1 + child.flattest for child in self._demands(branch, kind)), default=0)

    @cached_property
    def live(self) -> tuple[tuple[Branch, str, float], ...]:
        """Each branch with each of its kinds that has any value, and the levels of the flattest one."""
        pairs = [(branch, kind) for branch in self.branches for kind in sorted(branch.kinds)]
        measured = [(branch, kind, self.height(branch, kind)) for branch, kind in pairs]
        return tuple(entry for entry in measured if entry[2] < math.inf)

    @property
    def flattest(self) -> float:
        """The levels of the flattest value; infinite if there is none."""
        if self not in self.source.heights:
            self._measure()
        return self.source.heights[self]

    def _demands(self, branch: Branch, kind: str) -> list[Shape]:
        """The shapes of all children without which no value of this kind exists."""
        if kind == "object":
            return [self.member(branch, name) for name in branch.with_dependents(branch.required)]
        if kind == "array":
            held = [self.source.shape([rule.schema]) for rule in branch.contains if rule.least]
            return held + [self.item(branch, index) for index in range(min(branch.min_items, branch.prefix_length + 1))]
        return []

    def _measure(self) -> None:
        """Heights as the least fixed point over every shape that this one demands, so that circles stay infinite."""
        needs: dict[Shape, list[list[Shape]]] = {}
        queue = [self]
        while queue:
            shape = queue.pop()
            if shape not in needs and shape not in self.source.heights:
                pairs = [(branch, kind) for branch in shape.branches for kind in branch.kinds]
                needs[shape] = [[] if b.allowed is not None else shape._demands(b, kind) for b, kind in pairs]
                queue.extend(child for ways in needs[shape] for child in ways)
        heights = self.source.heights
        heights.update(dict.fromkeys(needs, math.inf))
        changed = True
        while changed:
            changed = False
            for shape, ways in needs.items():
                height = min((max((1 + heights[child] for child in way), default=0) for way in ways), default=math.inf)
                if height < heights[shape]:
                    heights[shape], changed = height, True


@dataclass(frozen=True, eq=False)
class _Source:
    """A document, the side it is read for, and what was already made of it, kept as long as its shapes."""

    document: Mapping[str, Any]
    side: Side
    shapes: dict[tuple[int, ...], Shape] = field(default_factory=dict)
    heights: dict[Shape, float] = field(default_factory=dict)
    negations: dict[int, tuple[Schema, Schema]] = field(default_factory=dict)

    @cached_property
    def judge(self) -> Validator:
        judge: Validator = dialect_of(self.document)(self.document)
        return judge

    def resolve(self, reference: str) -> Schema:
        found = descend(self.document, unquote(reference))
        if isinstance(found, bool | Mapping):
            return found
        raise KeyError(f"there is no schema at {reference!r} but a {type(found).__name__}")

    def shape(self, schemas: Iterable[Schema]) -> Shape:
        distinct = {id(schema): schema for schema in schemas if schema is not True}
        key = tuple(distinct)
        if key not in self.shapes:
            self.shapes[key] = Shape(self, tuple(distinct.values()))
        return self.shapes[key]

    def negation(self, schema: Schema) -> Schema:
        if isinstance(schema, bool):
            return not schema
        # The schema is kept beside its negation, so that its id cannot be given to another one.
        return self.negations.setdefault(id(schema), (schema, {"not": schema}))[1]

    def deniable(self, schema: Schema) -> bool:
        """Whether the denial of a schema is short enough to be added to each of many alternatives."""
        for _ in range(8):
            if isinstance(schema, bool):
                return True
            if "$ref" not in schema:
                return len(self.denials(schema)) <= 2
            schema = self.resolve(schema["$ref"])
        return False

    def denials(self, schema: Mapping[str, Any]) -> list[Option]:
        """Alternatives, each of which makes a schema false; the last is unproved if a keyword cannot be expressed."""
        found: list[Option] = []
        for keyword, value in schema.items():
            match keyword:
                case "type" | "const" | "enum":
                    found.append(({"not": {keyword: value}},))
                case "required":
                    found += [({"type": "object", "properties": {name: False}},) for name in value]
                case "properties":
                    for name, inner in value.items():
                        opposite = {"properties": {name: self.negation(inner)}}
                        found.append(({"type": "object", "required": [name], **opposite},))
                case "not":
                    found.append((value,))
                case "$ref":
                    found.append((self.negation(self.resolve(value)),))
                case "allOf":
                    found += [(self.negation(part),) for part in value]
                case "anyOf":
                    found.append(tuple(self.negation(part) for part in value))
                case _ if keyword in _NEGATED_LIMITS:
                    kind, opposite_keyword, step = _NEGATED_LIMITS[keyword]
                    if value + step >= 0 or not step:
                        found.append(({"type": kind, opposite_keyword: value + step},))
        if not _INEXPRESSIBLE.isdisjoint(schema) or len(found) > _MAX_NEGATED:
            found = [*found[:_MAX_NEGATED], (UNPROVED,)]
        return found


def _choices(source: _Source, schema: Mapping[str, Any], scope: Scope) -> Iterator[Choice]:
    """What a schema leaves to choose: for each choice its options, each a tuple of schemas that all hold."""
    if "anyOf" in schema:
        yield scope, tuple((option,) for option in schema["anyOf"])
    if "oneOf" in schema:
        options = schema["oneOf"]
        # Saying "and none of the others" in full would multiply out; what is short is said, the judge sees to the rest.
        others = [(o, source.negation(o)) for o in options if source.deniable(o)]
        rest: Option = () if len(others) == len(options) else (UNPROVED,)
        yield scope, tuple((one, *(no for other, no in others if other is not one), *rest) for one in options)
    if "if" in schema and ("then" in schema or "else" in schema):
        test = schema["if"]
        yield scope, ((test, schema.get("then", True)), (source.negation(test), schema.get("else", True)))
    for name, inner in schema.get("dependentSchemas", {}).items():
        present = {"type": "object", "required": [name]}
        yield scope, ((present, inner), ({"properties": {name: False}},))
    denied = schema.get("not")
    if isinstance(denied, Mapping) and set(denied) not in ({"type"}, {"const"}, {"enum"}):
        yield scope, tuple(source.denials(denied))


def _expand(
    source: _Source, steps: list[tuple[Schema, Scope]], branch: Branch, choices: tuple[Choice, ...]
) -> Iterator[Branch | Conflict]:
    """Every conjunction that is left after merging the steps and making the choices, or why there is none."""
    queue = deque(steps)
    while queue:
        schema, scope = queue.popleft()
        if isinstance(schema, bool):
            if not schema:
                yield Conflict("false")
                return
            continue
        if id(schema) in scope:
            yield Conflict("$ref")
            return
        scope = (*scope, id(schema))
        branch = branch.merged(schema, scope, source.side)
        if schema.get("not") is True:
            yield Conflict("not")
            return
        if "$ref" in schema:
            queue.append((source.resolve(schema["$ref"]), scope))
        queue.extend((part, scope) for part in schema.get("allOf", ()))
        choices += tuple(_choices(source, schema, scope))
    settled = branch.settled(source.resolve)
    if isinstance(settled, Conflict) or not choices:
        yield settled
        return
    (scope, options), rest = choices[0], choices[1:]
    if not options:
        yield Conflict("not")
    parts = [_expand(source, [(schema, scope) for schema in option], settled, rest) for option in options]
    yield from _interleaved(parts)


def _interleaved(parts: Iterable[Iterator[Branch | Conflict]]) -> Iterator[Branch | Conflict]:
    queue = deque(parts)
    while queue:
        part = queue.popleft()
        for outcome in islice(part, 1):
            yield outcome
            queue.append(part)
