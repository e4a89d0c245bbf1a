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
    counted = body.count(b":")
    if type(value) is dict and counted == len(value) and _SCALARS.issuperset(map(type, value.values())):
        return value
    colons = _colons(value, 0)
    # Each pair costs one colon, each colon of a text is one too: only when all are accounted for was no pair lost to a
    # repeated key.  An escaped colon would spoil the sum.
    if colons < 0 or counted != colons or b"\\u003" in body:
        return MISSING
    return value


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
