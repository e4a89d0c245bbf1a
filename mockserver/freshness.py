"""Fresh values in the style of an example: ids that keep its prefix and look like it, from random bits.

Which values have to be fresh, and whether a schema takes them, is left to :mod:`mockserver.answers`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from random import Random
from typing import Any

from mockserver.encoding import encoded

Fresh = Callable[[Callable[[int], int]], bytes]
"""Writes a fresh value as JSON, from a function that gives so many random bits."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STYLED = re.compile(r"(?P<prefix>.*[-_:.])?(?P<rest>[^-_:.]+)", re.DOTALL)


def styles(example: Any) -> list[Fresh]:
    """Ways to write fresh values like an example, the most telling first; none for what is neither text nor integer."""
    if isinstance(example, bool):
        return []
    if isinstance(example, int):
        return [_number(b"%d", 53, 2**53), _number(b"%d", 31, 2**31)]
    if not isinstance(example, str):
        return []
    if _UUID.fullmatch(example):
        return [lambda bits: b'"%b"' % str(uuid.UUID(int=bits(128), version=4)).encode()]
    match = _STYLED.fullmatch(example)
    prefix = (match["prefix"] if match else "") or ""
    length = len(example) - len(prefix)
    longer = max(length, 24)
    head = encoded(prefix)[:-1].replace(b"%", b"%%")
    return [
        _number(head + b'%%0%dx"' % longer, 4 * longer, 16**longer),
        _number(head + b'%%0%dx"' % length, 4 * length, 16**length),
        _number(head + b'%%0%dd"' % length, 4 * length, 10**length),
        _number(head + b'%%0%dX"' % length, 4 * length, 16**length),
    ]


def seeded(seed: object, *parts: str) -> Callable[[int], int]:
    """Random bits that are the same for the same seed and parts, in every process."""
    return Random(repr((str(seed), *parts))).getrandbits


def _number(template: bytes, size: int, bound: int) -> Fresh:
    """A template with one place for a number that has so many random bits and stays below a bound."""
    return lambda bits: template % (bits(size) % bound)
