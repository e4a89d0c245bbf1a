"""A contract whose one schema is put together from bytes: keywords, references, nesting that texts seldom hit upon."""

from __future__ import annotations

import json
from typing import Any

from tests.fuzz.targets.contracts import FOLDER, served

WORDS = (
    "type", "properties", "required", "items", "pattern", "$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "enum", "const",
    "minimum", "maximum", "maxLength", "minLength", "minItems", "maxItems", "uniqueItems", "additionalProperties", "patternProperties",
    "multipleOf", "format", "example", "default", "prefixItems", "contains", "minContains", "dependentSchemas", "dependentRequired",
    "unevaluatedProperties", "propertyNames", "minProperties", "x-sum", "x-length", "x-time", "x-unique", "x-image", "x-file", "x-given",
    "x-dimensions", "readOnly", "x-stream", "$dynamicRef",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    "object", "array", "string", "integer", "number", "null", ["string", "null"], [], {}, True, False, None, 0, 1, -1, 2, 0.5, 1e308, 10**30,
    "a", "^a+$", "(a|a)*$", "[", "\\p{L}", "date-time", "uuid", "byte", "#/components/schemas/T", "#/components/schemas/U", "#", "#/nope",
    ["a"], ["a", "b", "a"], {"a": {}}, {"a": True}, "part.json", "../x.json", "http://x/y",
)  # fmt: skip
CONTAINERS = {"properties", "patternProperties", "dependentSchemas"}
LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
SCHEMAS = {
    "items",
    "not",
    "if",
    "then",
    "else",
    "additionalProperties",
    "contains",
    "unevaluatedProperties",
    "propertyNames",
}


def check(data: bytes) -> None:
    """Two schemas that may refer to each other, as request and answer of one operation."""
    source = iter(data)
    try:
        document = {
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "components": {"schemas": {"T": _schema(source, 0), "U": _schema(source, 0)}},
            "paths": {"/t": {"post": {
                "operationId": "t",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}},
                "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/U"}}}}},
            }}},
        }  # fmt: skip
    except StopIteration:
        return
    file = FOLDER / "built.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    served(file)


def _schema(source: Any, depth: int) -> Any:
    made: dict[str, Any] = {}
    for _ in range(next(source) % 4):
        word = WORDS[next(source) % len(WORDS)]
        kind = next(source)
        if word in SCHEMAS and depth < 5 and kind & 1:
            made[word] = _schema(source, depth + 1)
        elif word in LISTS and depth < 5 and kind & 1:
            made[word] = [_schema(source, depth + 1) for _ in range(1 + kind % 3)]
        elif word in CONTAINERS and depth < 5 and kind & 1:
            made[word] = {"ab"[place % 2]: _schema(source, depth + 1) for place in range(1 + kind % 2)}
        else:
            made[word] = VALUES[kind % len(VALUES)]
    return made
