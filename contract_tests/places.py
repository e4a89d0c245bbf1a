"""Places in a request body that a schema speaks of, each with every keyword that may apply there.

A place is found by walking the schema beside a valid body: through references, ``allOf``, both branches of ``if`` and
all alternatives.  Which values break exactly one rule is decided by the judge, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.media import MISSING
from mockserver.pointers import dereference, escape, find

_IN_PLACE = ("allOf", "anyOf", "oneOf")
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Place:
    """One place: its pointer in the body and the schema nodes that may apply to it, the certain ones first."""

    pointer: str
    nodes: tuple[Mapping[str, Any], ...]
    required: bool

    @property
    def name(self) -> str:
        """Short name for people: the pointer with dots."""
        return self.pointer.lstrip("/").replace("/", ".") or "the body"

    def all(self, keyword: str) -> list[Any]:
        """The keyword's value in every node that has it."""
        return [node[keyword] for node in self.nodes if keyword in node]

    def first(self, keyword: str) -> Any:
        """The keyword's first value, None when no node has it."""
        return next(iter(self.all(keyword)), None)

    @property
    def types(self) -> frozenset[str]:
        """The JSON types that may stand here; empty when the schema does not say."""
        found: set[str] = set()
        for kind in self.all("type"):
            found.update([kind] if isinstance(kind, str) else kind)
        return frozenset(found)

    @property
    def enums(self) -> list[Any]:
        """Every value that some node lists, in order, each once."""
        seen: list[Any] = []
        for values in [*self.all("enum"), *([value] for value in self.all("const"))]:
            seen.extend(value for value in values if value not in seen)
        return seen

    @property
    def free_text(self) -> bool:
        """Whether any text may stand here, as far as its length allows."""
        closed = self.enums or any(self.first(word) for word in ("pattern", "format", "x-file"))
        return self.types == {"string"} and not closed


def places(document: Mapping[str, Any], schema: str, body: Any) -> list[Place]:
    """All places of a body, members that the schema knows and the body lacks included; the root first."""
    return list(_walk(document, [find(document, schema)], body, "", True, 0))


@dataclass(frozen=True, slots=True)
class Branch:
    """One ``if``: an assignment (pointer -> value) that makes it true, and the places that ``then`` speaks of."""

    assignment: Mapping[str, Any]
    speaks_of: frozenset[str]


def branches(document: Mapping[str, Any], schema: str) -> list[Branch]:
    """The conditions of a schema that constants and lists make true, each assignment once."""
    found: dict[str, Branch] = {}
    for node in _nodes(document, find(document, schema), 0):
        test = node.get("if")
        if not isinstance(test, Mapping):
            continue
        fixed = {
            f"/{escape(name)}": _constant(document, value)
            for name, value in test.get("properties", {}).items()
            if isinstance(value, Mapping)
        }
        if fixed and all(value is not MISSING for value in fixed.values()):
            told = {
                f"/{escape(name)}"
                for inner in _nodes(document, node.get("then"), 0)
                for name in inner.get("properties", {})
            }
            known = found.get(repr(fixed))
            found[repr(fixed)] = Branch(fixed, frozenset(told) | (known.speaks_of if known else frozenset()))
    return list(found.values())


def _constant(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """The first value that a schema lists, through references and alternatives; MISSING where it lists none."""
    for node in _nodes(document, schema, 0):
        if "const" in node or node.get("enum"):
            return node.get("const", next(iter(node.get("enum", [])), MISSING))
    return MISSING


def _nodes(document: Mapping[str, Any], node: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """A schema node and everything that may apply at the same place."""
    if not isinstance(node, Mapping) or depth > 3 * _DEPTH:
        return
    yield node
    if isinstance(node.get("$ref"), str):
        yield from _nodes(document, dereference(document, node["$ref"])[1], depth + 1)
    for keyword in _IN_PLACE:
        for branch in node.get(keyword, ()):
            yield from _nodes(document, branch, depth + 1)
    for keyword in ("then", "else"):
        yield from _nodes(document, node.get(keyword), depth + 1)


def _walk(
    document: Mapping[str, Any], starts: list[Any], body: Any, pointer: str, required: bool, depth: int
) -> Iterator[Place]:
    nodes = [node for start in starts for node in _nodes(document, start, 0)]
    yield Place(pointer, tuple(nodes), required)
    if depth >= _DEPTH:
        return
    if isinstance(body, Mapping):
        names: dict[str, list[Any]] = {}
        for node in nodes:
            for name, schema in node.get("properties", {}).items():
                names.setdefault(name, []).append(schema)
        needed = {name for node in nodes for name in node.get("required", ())}
        for name, schemas in names.items():
            inner = body.get(name, MISSING)
            yield from _walk(document, schemas, inner, f"{pointer}/{escape(name)}", name in needed, depth + 1)
    elif isinstance(body, list) and body:
        schemas = [node["items"] for node in nodes if isinstance(node.get("items"), Mapping)]
        yield from _walk(document, schemas, body[0], f"{pointer}/0", False, depth + 1)
