"""The schemas themselves: the 2020-12 meta-schema, regular expressions, and keywords that are only nearly right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from random import Random
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator

from mockserver import sentences, unfolding
from mockserver.expressions import ExpressionError, expression
from mockserver.library import Document
from mockserver.lint.problem import Problem, at, did_you_mean
from mockserver.lint.walk import SCHEMAS, Place
from mockserver.patterns import candidates
from mockserver.pointers import dereference, pointer_of

_OPENAPI = ("discriminator", "xml", "externalDocs", "example")
KEYWORDS = (
    *("$ref", "$defs", "$id", "$schema", "$anchor", "$dynamicRef", "$dynamicAnchor", "$comment", "$vocabulary"),
    *("type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
    *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxContains", "minContains"),
    *("maxProperties", "minProperties", "required", "dependentRequired", "dependentSchemas", "propertyNames"),
    *("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "prefixItems", "items", "contains", "properties"),
    *("patternProperties", "additionalProperties", "unevaluatedItems", "unevaluatedProperties", "definitions"),
    *("title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "format"),
    *("contentEncoding", "contentMediaType", "contentSchema", *_OPENAPI),
)
"""What a schema may hold: JSON Schema 2020-12, and OpenAPI 3.1's additions."""
_LONG_TRIAL = 3000
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def problems(document: Document, places: list[Place]) -> Iterator[Problem]:
    """What is wrong with any schema of the document."""
    schemas = [place for place in places if place.kind in SCHEMAS]
    inner = {place.pointer for place in schemas}
    for place in schemas:
        if not any(parent in inner for parent in _parents(place.pointer)):
            yield from _against_meta_schema(document, place)
        if isinstance(place.node, Mapping):
            yield from _patterns(document, place)
    for place in places:
        yield from _circles(document, place)
    for pointer, trouble in unfolding.troubles(document.data):
        yield at(document, pointer, trouble)


def misspelt(document: Document, places: list[Place]) -> Iterator[Problem]:
    """Keywords and required members that are nearly, but not quite, the name of something."""
    for place in places:
        if place.kind in SCHEMAS and isinstance(place.node, Mapping):
            yield from _nearly_right(document, place)
            yield from _required(document, place)


def _parents(pointer: str) -> list[str]:
    """The pointers one, two and three steps up: a schema within a schema stands at most two steps below it."""
    found = []
    for _ in range(2):
        pointer = pointer.rpartition("/")[0]
        found.append(pointer)
    return found


def _against_meta_schema(document: Document, place: Place) -> Iterator[Problem]:
    if isinstance(place.node, bool) or jsonschema_rs.meta.is_valid(place.node):
        return
    checker = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    seen: set[tuple[str, str]] = set()
    for error in checker.iter_errors(place.node):
        pointer = place.pointer + pointer_of(error.absolute_path)
        right = f"it must {sentences.documented(str(error.validator), error.validator_value)}"
        if error.validator in ("anyOf", "oneOf", "$ref", "$dynamicRef"):
            right = "JSON Schema 2020-12 does not allow it"
        name = pointer.rpartition("/")[2]
        if name == "type":
            right = f"the types are {', '.join(_TYPES)}"
        if (pointer, right) not in seen:
            seen.add((pointer, right))
            yield at(document, pointer, f"{name!r} is {sentences.show(error.instance)}", right)


def _nearly_right(document: Document, place: Place) -> Iterator[Problem]:
    for name in place.node:
        if name in KEYWORDS or name.startswith("x-"):
            continue
        if meant := did_you_mean(str(name), KEYWORDS):
            message = f"{name!r} is no keyword of JSON Schema and states nothing"
            yield at(document, place.pointer + pointer_of([name]), message, f"did you mean {meant!r}?")


def _required(document: Document, place: Place) -> Iterator[Problem]:
    members, required = place.node.get("properties"), place.node.get("required")
    if not (isinstance(members, Mapping) and isinstance(required, list)):
        return
    for index, name in enumerate(required):
        if isinstance(name, str) and name not in members:
            meant = did_you_mean(name, [key for key in members if key not in required], likeness=0.7)
            hint = f"did you mean {meant!r}?" if meant else f"described are {', '.join(members)}"
            message = f"{name!r} is required and not among the properties beside it"
            # it may be described elsewhere, and JSON Schema allows it; only a near miss is surely a mistake
            yield at(document, f"{place.pointer}/required/{index}", message, hint, note=not meant)


def _patterns(document: Document, place: Place) -> Iterator[Problem]:
    node: Mapping[str, Any] = place.node
    own = {"/pattern": node["pattern"]} if isinstance(node.get("pattern"), str) else {}
    by_name = node.get("patternProperties")
    if isinstance(by_name, Mapping):
        own |= {f"/patternProperties{pointer_of([pattern])}": pattern for pattern in by_name}
    for where, pattern in own.items():
        try:
            compiled = expression(pattern)
        except ExpressionError as error:
            yield at(document, place.pointer + where, str(error), "one of ECMA 262 (JavaScript's) is needed")
            continue
        slow = next((text for text in _trials(pattern) if not compiled.decides(text)), None)
        if slow is not None:
            message = f"a search for the regular expression {sentences.show(pattern)} takes too long"
            right = f"a text of {len(slow)} characters such as {sentences.show(slow)} is not held against it"
            yield at(document, place.pointer + where, message, right, note=True)


def _trials(pattern: str) -> Iterator[str]:
    """Texts that a careless pattern takes long for: its own matches many times over, and something else at the end."""
    texts = dict.fromkeys(("a", "0", " ", "aa ", *islice(candidates(pattern, Random(1), 1, 24), 6)))
    for text in texts:
        if text:
            for times in (30, _LONG_TRIAL):
                yield (text * (times // len(text) + 1))[:times] + "\u2603!"


def _circles(document: Document, place: Place) -> Iterator[Problem]:
    reference = place.node.get("$ref") if isinstance(place.node, Mapping) else None
    if isinstance(reference, str) and reference.startswith("#"):
        try:
            dereference(document.data, reference)
        except KeyError as missing:
            yield at(document, f"{place.pointer}/$ref", f"$ref does not resolve: {missing.args[0]}")
