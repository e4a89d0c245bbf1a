"""JSON Pointers (RFC 6901): building them, following them and following local references in a closed document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

_REFERENCES_AT_MOST = 64
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def escape(part: str | int) -> str:
    """One step of a pointer, escaped."""
    return str(part).replace("~", "~0").replace("/", "~1")


def unescape(part: str) -> str:
    """The inverse of :func:`escape`."""
    return part.replace("~1", "/").replace("~0", "~")


def pointer_of(parts: Iterable[str | int]) -> str:
    """A pointer from its steps; the empty string for none."""
    return "".join(f"/{escape(part)}" for part in parts)


def parts_of(pointer: str) -> list[str]:
    """The steps of a pointer, with or without a leading ``#``."""
    return list(_steps(pointer))


@lru_cache(4096)
def _steps(pointer: str) -> tuple[str, ...]:
    """The same, remembered: a contract's pointers are followed with every request."""
    return tuple(unescape(part) for part in pointer.removeprefix("#").split("/")[1:])


def parent_pointers(pointer: str) -> list[str]:
    """The pointer itself, its parent, ... up to the empty one."""
    found = [pointer]
    while pointer:
        pointer = pointer.rpartition("/")[0]
        found.append(pointer)
    return found


def index_of(part: str) -> int | None:
    """The index that a step of a pointer names (RFC 6901, 4); None where it names none that a list could have."""
    return int(part) if _INDEX.fullmatch(part) else None


def step(node: Any, part: str) -> Any:
    """The member or item named ``part``; raises KeyError with a sentence when there is none."""
    if isinstance(node, Mapping):
        if part in node:
            return node[part]
        raise KeyError(f"there is no member {part!r}")
    if isinstance(node, list):
        index = index_of(part)
        if index is not None and index < len(node):
            return node[index]
        raise KeyError(f"there is no item {part!r} in a list of {len(node)}")
    raise KeyError(f"{part!r} is looked for in a {type(node).__name__}")


def descend(node: Any, pointer: str) -> Any:
    """The value at a pointer; raises KeyError with a sentence when there is none."""
    for part in _steps(pointer):
        node = step(node, part)
    return node


def find(node: Any, pointer: str, default: Any = None) -> Any:
    """The value at a pointer, or the default."""
    for part in _steps(pointer):
        if isinstance(node, dict):  # as step(), without the words
            if part not in node:
                return default
            node = node[part]
        else:
            try:
                node = step(node, part)
            except KeyError:
                return default
    return node


def dereference(document: Mapping[str, Any], pointer: str) -> tuple[str, Any]:
    """Follow local references from a pointer: the final pointer (with ``#``) and the value there.

    Raises KeyError when it does not resolve or runs in a circle.
    """
    pointer = "#" + pointer.removeprefix("#")
    for _ in range(_REFERENCES_AT_MOST):
        node = descend(document, pointer)
        if not (isinstance(node, Mapping) and isinstance(node.get("$ref"), str)):
            return pointer, node
        pointer = node["$ref"]
    raise KeyError(f"the references from {pointer} run in a circle")
