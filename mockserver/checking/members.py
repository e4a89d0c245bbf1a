"""Members of a JSON value that no schema names: neither forbidden nor documented."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.pointers import find, pointer_of


def undocumented_members(
    document: Mapping[str, Any], schemas: list[str], value: Any, pointer: str
) -> Iterator[tuple[str, Any]]:
    """Pointers and values of the members that none of the schemas at these pointers names, at any depth."""
    places = [found for schema in schemas for found in _in_place(document, schema, set())]
    if isinstance(value, Mapping):
        listed = [(at, node) for at, node in places if not {"properties", "patternProperties"}.isdisjoint(node)]
        open_ended = any(isinstance(node.get("additionalProperties"), Mapping) for _, node in places)
        for name, member in value.items():
            inner = [f"{at}{pointer_of(['properties', name])}" for at, node in places if name in _named(node)]
            known_pattern = any(_fits(node, name) for _, node in places)
            where = f"{pointer}{pointer_of([name])}"
            if inner:
                yield from undocumented_members(document, inner, member, where)
            elif listed and not known_pattern and not open_ended:
                yield where, member
    elif isinstance(value, list):
        inner = [f"{at}/items" for at, node in places if isinstance(node.get("items"), Mapping)]
        for index, item in enumerate(value if inner else ()):
            yield from undocumented_members(document, inner, item, f"{pointer}/{index}")


def _in_place(document: Mapping[str, Any], pointer: str, seen: set[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The schema at a pointer and those that apply to the same value, each with its pointer."""
    at = pointer.removeprefix("#")
    node = find(document, at)
    if at in seen or not isinstance(node, Mapping):
        return
    seen.add(at)
    yield at, node
    if isinstance(node.get("$ref"), str):
        yield from _in_place(document, node["$ref"], seen)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index in range(len(node.get(keyword, ()))):
            yield from _in_place(document, f"{at}/{keyword}/{index}", seen)
    for keyword in ("if", "then", "else"):
        yield from _in_place(document, f"{at}/{keyword}", seen)
    for name in node.get("dependentSchemas", ()):
        yield from _in_place(document, f"{at}{pointer_of(['dependentSchemas', name])}", seen)


def _named(node: Mapping[str, Any]) -> Mapping[str, Any]:
    found = node.get("properties")
    return found if isinstance(found, Mapping) else {}


def _fits(node: Mapping[str, Any], name: str) -> bool:
    """Whether a pattern of the schema covers a member's name; a pattern that cannot be read covers every one."""
    for pattern in node.get("patternProperties", ()):
        try:
            if re.search(pattern, name):
                return True
        except re.error:
            return True
    return False
