"""Who speaks of one place of a message: the schemas that stand there side by side, and those of a member or an item.

A property that is new in one part of a schema may have been described in another part all along; only all speakers
together tell. What they say is compared by :mod:`mockserver.diff.schemas`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.diff.keywords import stating
from mockserver.expressions import matches
from mockserver.pointers import dereference, escape, find

_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("if", "then", "else", "not")


def settled(document: Mapping[str, Any], pointer: str) -> str:
    """The pointer behind references that say nothing of their own."""
    for _ in range(64):
        node = find(document, pointer)
        if not (isinstance(node, Mapping) and isinstance(node.get("$ref"), str)):
            return pointer
        if stating({name: value for name, value in node.items() if name != "$ref"}):
            return pointer
        pointer = node["$ref"].removeprefix("#")
    return pointer


@dataclass(frozen=True, slots=True)
class Speakers:
    """The schemas, by pointers into one closed document, that a value has to satisfy all together."""

    document: Mapping[str, Any]
    tops: tuple[str, ...]

    def alone(self, pointer: str) -> bool:
        """Whether the schema at a pointer is the only speaker."""
        return len(self.tops) == 1 and settled(self.document, self.tops[0]) == pointer

    def member(self, name: str) -> Speakers:
        """The speakers of an object's member."""
        return Speakers(self.document, tuple(dict.fromkeys(self._of_member(name))))

    def names(self, name: str) -> bool:
        """Whether anybody speaks of a member, be it only to demand that it is there."""
        return bool(self.member(name).tops) or any(name in _demanded(node) for _, node in self._all())

    def items(self, index: int) -> Speakers:
        """The speakers of an array's item."""
        return Speakers(self.document, tuple(dict.fromkeys(self._of_item(index))))

    def _of_member(self, name: str) -> Iterator[str]:
        for pointer, node in self._all():
            yield from member_schemas(node, pointer, name)

    def _of_item(self, index: int) -> Iterator[str]:
        for pointer, node in self._all():
            if schema := item_schema(node, pointer, index):
                yield schema

    def _all(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        seen: set[str] = set()
        waiting = list(self.tops)
        while waiting:
            pointer = waiting.pop(0)
            node = find(self.document, pointer)
            if pointer in seen or not isinstance(node, Mapping):
                continue
            seen.add(pointer)
            yield pointer, node
            if isinstance(node.get("$ref"), str):
                waiting.append(dereference(self.document, node["$ref"])[0].removeprefix("#"))
            waiting += [f"{pointer}/{word}/{index}" for word in _LISTS for index in range(len(node.get(word, ())))]
            waiting += [f"{pointer}/{word}" for word in _SINGLE if word in node]
            waiting += [f"{pointer}/dependentSchemas/{escape(name)}" for name in node.get("dependentSchemas", ())]


def _demanded(node: Mapping[str, Any]) -> Iterator[str]:
    yield from node.get("required", ())
    for name, more in node.get("dependentRequired", {}).items():
        yield name
        yield from more


def member_schemas(node: Mapping[str, Any], pointer: str, name: str) -> list[str]:
    """The pointers of what one schema object says about a member; empty where it is silent."""
    found = [f"{pointer}/properties/{escape(name)}"] if name in node.get("properties", ()) else []
    patterns = node.get("patternProperties", {})
    found += [f"{pointer}/patternProperties/{escape(pattern)}" for pattern in patterns if matches(pattern, name)]
    if not found and "additionalProperties" in node:
        found.append(f"{pointer}/additionalProperties")
    return found


def item_schema(node: Mapping[str, Any], pointer: str, index: int) -> str:
    """The pointer of what one schema object says about an item; "" where it is silent."""
    if index < len(node.get("prefixItems", ())):
        return f"{pointer}/prefixItems/{index}"
    return f"{pointer}/items" if "items" in node else ""
