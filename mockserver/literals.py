"""Values that schemas write out: when two are equal, and whether several lists leave any value at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

Json: TypeAlias = Any
Schema: TypeAlias = bool | Mapping[str, Any]
Resolve: TypeAlias = Callable[[str], Schema]
"""The schema at a pointer."""

_REFERENCES_AT_MOST = 8


def identity(value: Json) -> str:
    """A text that is equal for two values exactly if JSON Schema calls them equal (1 is 1.0, true is not 1)."""

    def plain(part: Json) -> Json:
        match part:
            case list():
                return [plain(item) for item in part]
            case dict():
                return {name: plain(item) for name, item in part.items()}
            case float() if part.is_integer():
                return int(part)
        return part

    return json.dumps(value if isinstance(value, str) else plain(value), sort_keys=True)


def contradictory(schemas: Iterable[Schema], resolve: Resolve) -> bool:
    """Whether the literals among the schemas leave nothing: a cheap look that prunes most pairs of alternatives."""
    allowed: set[str] | None = None
    refused: set[str] = set()
    for schema in schemas:
        if isinstance(schema, bool):
            if not schema:
                return True
            continue
        own = _literals(schema, resolve, _REFERENCES_AT_MOST)
        if own is not None:
            allowed = own if allowed is None else allowed & own
        denied = schema.get("not")
        if isinstance(denied, Mapping):
            refused |= _literals(denied, resolve, _REFERENCES_AT_MOST, alone=True) or set()
    return allowed is not None and allowed <= refused


def _literals(schema: Schema, resolve: Resolve, depth: int, alone: bool = False) -> set[str] | None:
    """The values that a schema lists, through references and alternatives; None where it lists none.

    With ``alone`` also None where it says anything else, so that more values than listed could be refused.
    """
    if isinstance(schema, bool) or not depth:
        return None
    if alone and len([word for word in schema if not word.startswith("x-")]) != 1:
        return None
    if "const" in schema:
        return {identity(schema["const"])}
    if "enum" in schema:
        return {identity(value) for value in schema["enum"]}
    if isinstance(schema.get("$ref"), str):
        return _literals(resolve(schema["$ref"]), resolve, depth - 1, alone)
    found = [_literals(part, resolve, depth - 1, alone) for part in schema.get("anyOf", ())]
    known = [values for values in found if values is not None]
    return set().union(*known) if found and len(known) == len(found) else None
