"""Every object of a closed OpenAPI document with its kind: a table of what stands where, and one walk over it.

Examples, constants and other data are not entered; what the objects mean is left to the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.pointers import escape

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_PARAMETER = {"schema": "schema", "content": "{media}", "examples": "{example}", "example": ""}
_SCHEMA = {
    **dict.fromkeys(("properties", "patternProperties"), "{property}"),
    **dict.fromkeys(("$defs", "definitions", "dependentSchemas"), "{schema}"),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "[schema]"),
    **dict.fromkeys(("items", "contains", "then", "else", "not", "additionalProperties", "propertyNames"), "schema"),
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties", "contentSchema"), "schema"),
    **dict.fromkeys(("const", "enum", "default", "example", "examples"), ""),
    "if": "condition",
    "x-given": "[given]",
}
_CHILDREN: dict[str, dict[str, str]] = {
    "document": {
        "servers": "[server]",
        "paths": "{path item}",
        "webhooks": "{path item}",
        "components": "components",
    },
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "examples": "{example}",
        "requestBodies": "{request body}",
        "headers": "{header}",
        "securitySchemes": "{security scheme}",
        "callbacks": "{callback}",
        "pathItems": "{path item}",
    },
    "path item": {"parameters": "[parameter]", "servers": "[server]", **dict.fromkeys(METHODS, "operation")},
    "operation": {
        "parameters": "[parameter]",
        "requestBody": "request body",
        "responses": "{response}",
        "callbacks": "{callback}",
        "servers": "[server]",
    },
    "parameter": _PARAMETER,
    "header": _PARAMETER,
    "request body": {"content": "{media}"},
    "response": {"headers": "{header}", "content": "{media}"},
    "media": {"schema": "schema", "examples": "{example}", "example": "", "x-stream": "stream"},
    "stream": {"when": "condition", "events": "[event]"},
    "event": {"schema": "schema", "examples": "{example}"},
    "given": {"request": "condition", "then": "schema"},
    "example": {"value": "", "x-for": "condition"},
    "schema": _SCHEMA,
    "property": _SCHEMA,
    "condition": {name: "condition" if kind == "schema" else kind for name, kind in _SCHEMA.items()},
}
"""Kind -> member -> kind of what stands there: ``{x}`` is an object of x, ``[x]`` a list of x, "" is data."""

_CHILDREN["condition"] |= {
    **dict.fromkeys(("properties", "patternProperties", "$defs", "dependentSchemas"), "{condition}"),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "[condition]"),
}

SCHEMAS = ("schema", "property", "condition")
"""The kinds that are JSON Schemas: a condition (below ``if``) asks and states nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """One object (or boolean schema) of the document: its kind, its pointer, itself."""

    kind: str
    pointer: str
    node: Any


def places(document: Mapping[str, Any]) -> Iterator[Place]:
    """The document itself and everything below; members of our own keywords have the kind ``other``."""
    return _walk("document", "", document)


def _walk(kind: str, pointer: str, node: Any) -> Iterator[Place]:
    if isinstance(node, Mapping):
        yield Place(kind, pointer, node)
        for name, member in node.items():
            inside = f"{pointer}/{escape(name)}"
            following = _CHILDREN.get(kind, {}).get(name, "{path item}" if kind == "callback" else "other")
            if following.startswith("{") and isinstance(member, Mapping) and kind != "callback":
                for key, item in member.items():
                    yield from _walk(following[1:-1], f"{inside}/{escape(key)}", item)
            elif following:
                yield from _walk(following.strip("{}"), inside, member)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _walk(kind.strip("[]"), f"{pointer}/{index}", item)
    elif isinstance(node, bool) and kind in SCHEMAS:
        yield Place(kind, pointer, node)
