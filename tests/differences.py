"""Contracts that differ in one place, and what `diff` says about two of them."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mockserver import diff
from mockserver.diff import Change, Difference

Schema = Any
Edit = Callable[[dict[str, Any]], Any]
ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["text", "count"],
    "properties": {
        "text": {"type": "string", "maxLength": 20},
        "count": {"type": "integer", "minimum": 1, "maximum": 10},
        "kind": {"type": "string", "enum": ["red", "blue"]},
        "tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}},
    },
    "if": {"properties": {"kind": {"const": "red"}}, "required": ["kind"]},
    "then": {"properties": {"count": {"maximum": 5}}},
}


def document(request: Schema, response: Schema | None = None) -> dict[str, Any]:
    """A contract of one operation with these bodies."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.example.com"}],
        "paths": {
            "/items": {
                "post": {
                    "operationId": "make",
                    "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
                    "responses": {
                        "200": {
                            "description": "OK",
                            "headers": {"X-Id": {"schema": {"type": "string"}}},
                            "content": {"application/json": {"schema": request if response is None else response}},
                        }
                    },
                }
            }
        },
        "components": {
            "schemas": {"Tag": {"type": "string", "pattern": "^[a-z]+$"}},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def between(old: dict[str, Any], new: dict[str, Any]) -> Difference:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("old.json", "new.json")]
        for path, data in zip(paths, (old, new), strict=True):
            path.write_text(json.dumps(data), encoding="utf-8")
        return diff.compare(*map(str, paths))


def of_bodies(old: Schema, new: Schema) -> Difference:
    return between(document(old), document(new))


def edited(edit: Edit, base: dict[str, Any] | None = None) -> dict[str, Any]:
    made = copy.deepcopy(base or document(ITEM))
    edit(made)
    return made


def operation(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["paths"]["/items"]["post"]
    return found


def request_schema(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation(data)["requestBody"]["content"]["application/json"]["schema"]
    return found


def changes(found: Difference, area: str) -> list[Change]:
    return [change for change in found.changes if change.area == area]
