"""Members of a JSON value that no schema names: neither forbidden nor documented."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mockserver.pointers import find, pointer_of

_OPEN_AFTER: Final = 32
"""Levels of nesting below which everything counts as documented."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the schemas for one value name: its members with their schemas, patterns of names, schemas of its items.

    ``says`` is whether they name members at all: where none is named, every one is as documented as the next.
    """

    members: Mapping[str, tuple[str, ...]]
    patterns: tuple[re.Pattern[str], ...]
    items: tuple[str, ...]
    says: bool


class Members:
    """Knows the members that the schemas of one closed document name; each set of schemas is read once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._known: dict[tuple[str, ...], Named] = {}

    def undocumented(
        self, schemas: tuple[str, ...], value: Any, pointer: str, depth: int = 0
    ) -> Iterator[tuple[str, Any]]:
        """Pointers and values of the members that none of the schemas at these pointers names, at any depth."""
        if not isinstance(value, dict | list) or depth > _OPEN_AFTER:
            return
        named = self._known.get(schemas)
        if named is None:
            named = self._known[schemas] = self._read(schemas)
        if isinstance(value, list):
            for index, item in enumerate(value if named.items else ()):
                yield from self.undocumented(named.items, item, f"{pointer}/{index}", depth + 1)
            return
        for name, member in value.items():
            inner = named.members.get(name)
            if inner is not None:
                if isinstance(member, dict | list):
                    yield from self.undocumented(inner, member, pointer + pointer_of([name]), depth + 1)
            elif named.says and not any(pattern.search(name) for pattern in named.patterns):
                yield pointer + pointer_of([name]), member

    def _read(self, schemas: tuple[str, ...]) -> Named:
        members: dict[str, tuple[str, ...]] = {}
        patterns: list[re.Pattern[str]] = []
        items: list[str] = []
        says = False
        seen: set[str] = set()
        for at, node in (found for schema in schemas for found in self._in_place(schema, seen)):
            for name in _table(node, "properties"):
                says = True
                members[name] = (*members.get(name, ()), f"{at}{pointer_of(['properties', name])}")
            for text in _table(node, "patternProperties"):
                says = True
                patterns.append(_compiled(text))
            if isinstance(node.get("additionalProperties"), Mapping):
                patterns.append(_compiled(""))
            if isinstance(node.get("items"), Mapping):
                items.append(f"{at}/items")
        return Named(members, tuple(patterns), tuple(items), says)

    def _in_place(self, pointer: str, seen: set[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The schema at a pointer and those that apply to the same value, each with its pointer."""
        at = pointer.removeprefix("#")
        node = find(self._document, at)
        if at in seen or not isinstance(node, Mapping):
            return
        seen.add(at)
        yield at, node
        if isinstance(node.get("$ref"), str):
            yield from self._in_place(node["$ref"], seen)
        for keyword in ("allOf", "anyOf", "oneOf"):
            for index in range(len(node.get(keyword, ()))):
                yield from self._in_place(f"{at}/{keyword}/{index}", seen)
        for keyword in ("if", "then", "else"):
            yield from self._in_place(f"{at}/{keyword}", seen)
        for name in _table(node, "dependentSchemas"):
            yield from self._in_place(f"{at}{pointer_of(['dependentSchemas', name])}", seen)


def _table(node: Mapping[str, Any], keyword: str) -> Mapping[str, Any]:
    found = node.get(keyword)
    return found if isinstance(found, Mapping) else {}


def _compiled(text: str) -> re.Pattern[str]:
    """The pattern; one that cannot be read here covers every name, so that nobody is accused."""
    try:
        return re.compile(text)
    except re.error:
        return re.compile("")
