"""Reads JSON texts that have nothing odd about them, fast; everything else is left to :func:`mockserver.media.read_json`.

A value comes out only where the strict reader would give the same one and name no problem: no repeated key, no number
beyond 64 bits or with a fraction, no lone surrogate, nothing deeply nested.  ``tests/test_mock_admission.py`` holds both
readers against each other.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from mockserver.media import MISSING

_DEEPEST: Final = 12
_SCALARS: Final = frozenset({str, int, bool, type(None)})


def read_plain(body: bytes) -> Any:
    """The value of a plain JSON text, MISSING where the strict reader has to decide."""
    try:
        value = orjson.loads(body)
    except ValueError:
        return MISSING
    # Each pair costs one colon: with as many colons as members none was lost to a repeated key.  Colons in texts are counted
    # as well, unless one is escaped and would spoil the sum.
    if type(value) is dict and _SCALARS.issuperset(map(type, value.values())):
        counted = body.count(b":")
        if counted == len(value) or (counted == _flat_colons(value) and b"\\u003" not in body):
            return value
        return MISSING
    colons = _colons(value, 0)
    return value if colons >= 0 and body.count(b":") == colons and b"\\u003" not in body else MISSING


def _flat_colons(value: dict[str, Any]) -> int:
    """:func:`_colons` of an object of scalars, which most requests are."""
    total = len(value)
    for key, item in value.items():
        if type(item) is str and ":" in item:
            total += item.count(":")
        if ":" in key:
            total += key.count(":")
    return total


def _colons(value: Any, depth: int) -> int:
    """Colons that a text of the value has at least when no key is repeated; negative where the value is not plain."""
    kind = type(value)
    if kind is dict:
        if depth > _DEEPEST:
            return -1
        total = len(value)
        for key, item in value.items():
            if ":" in key:
                total += key.count(":")
            what = type(item)
            if what is str:
                if ":" in item:
                    total += item.count(":")
            elif what is not int and item is not None:
                inner = _colons(item, depth + 1)
                if inner < 0:
                    return -1
                total += inner
        return total
    if kind is list:
        if depth > _DEEPEST:
            return -1
        total = 0
        for item in value:
            inner = _colons(item, depth + 1)
            if inner < 0:
                return -1
            total += inner
        return total
    if kind is str:
        count: int = value.count(":")
        return count
    return -1 if kind is float else 0
