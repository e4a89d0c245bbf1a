"""What a schema unfolds to: how many schemas hold together for one value, references and alternatives followed.

Eight lines of ``allOf`` with two equal references each are two to the eighth of them, and a schema that refers to itself
without a value in between never ends.  Whatever judges or makes values would take that long, so both are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mockserver.pointers import escape, find

SCHEMAS_AT_MOST: Final = 20_000
"""Schemas that may hold together for one value."""
DEPTH_AT_MOST: Final = 60
"""Steps from schema to schema for one value: judging recurses."""

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("not", "if", "then", "else")
_DATA: Final = frozenset({"value", "example", "examples", "default", "const", "enum"})


def troubles(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Pointer and sentence for each schema that unfolds to too much; a schema that only leads to such a one is left out."""
    weights: dict[int, tuple[int, int]] = {}
    for pointer, node in _holders(document):
        trouble = _weigh(document, node, weights, [])
        if trouble:
            yield pointer, trouble


def _weigh(document: Mapping[str, Any], node: Any, weights: dict[int, tuple[int, int]], above: list[int]) -> str:
    """Note how many schemas a node is and how deep they go; or what is wrong, once for each wrong node."""
    if not isinstance(node, Mapping) or id(node) in weights:
        return ""
    if id(node) in above:
        return "the schema refers to itself without a value in between: nothing could ever be held against it"
    if len(above) > DEPTH_AT_MOST:
        return f"more than {DEPTH_AT_MOST} schemas refer to one another in a row for one value"
    many, deep, trouble = 1, 0, ""
    for part in _parts(document, node):
        trouble = trouble or _weigh(document, part, weights, [*above, id(node)])
        more, deeper = weights.get(id(part), (1, 0))
        many, deep = many + more, max(deep, deeper + 1)
    if not trouble and many > SCHEMAS_AT_MOST:
        trouble = f"the schema unfolds to more than {SCHEMAS_AT_MOST} schemas for one value"
    if not trouble and deep > DEPTH_AT_MOST:
        trouble = f"more than {DEPTH_AT_MOST} schemas refer to one another in a row for one value"
    weights[id(node)] = (1, 0) if trouble else (many, deep)
    return trouble


def _parts(document: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas that a schema holds against the very value that it is held against itself."""
    for word in _LISTS:
        if isinstance(node.get(word), list):
            yield from node[word]
    yield from (node[word] for word in _SINGLE if word in node)
    if isinstance(dependent := node.get("dependentSchemas"), Mapping):
        yield from dependent.values()
    if isinstance(reference := node.get("$ref"), str):
        yield find(document, reference)


def _holders(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of the document that has parts, in its order; examples and other data are passed over."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        pointer, node = waiting.pop()
        if isinstance(node, Mapping):
            if any(word in node for word in (*_LISTS, *_SINGLE, "dependentSchemas", "$ref")):
                yield pointer, node
            names = [name for name in node if name not in _DATA or pointer.endswith("/properties")]
            waiting.extend((f"{pointer}/{escape(name)}", node[name]) for name in reversed(names))
        elif isinstance(node, list):
            waiting.extend((f"{pointer}/{index}", item) for index, item in reversed(list(enumerate(node))))
