"""A schema from observed values: what they have in common, and no more than they are evidence for.

Types, members that are always there, items taken together; a time, base64 or a URL where every value is one; a list as
long as the request asked where that was tried with several numbers; one value only where it came often.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from contract_tests.evidence import Observation
from mockserver.branches import kind_of
from mockserver.contract import Units
from mockserver.literals import identity
from mockserver.pointers import find

OFTEN = 5
"""Observations that it takes before a value that never changed is taken for the only one."""

_A_YEAR_S = 366 * 86400
_CODE = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
_BASE64_LEAST = 12
_LONGEST_CODE = 40


def infer(observations: Sequence[Observation], units: Units | None = None) -> dict[str, Any]:
    """The schema of some observed values; ``units`` says which request member counts items."""
    kinds = sorted({_kind(one.value) for one in observations})
    if "integer" in kinds and "number" in kinds:
        kinds.remove("integer")
    schema: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    schema |= _object([one for one in observations if isinstance(one.value, dict)], units)
    schema |= _array([one for one in observations if isinstance(one.value, list)], units)
    schema |= _text([one for one in observations if isinstance(one.value, str)], len(kinds) == 1)
    if kinds == ["integer"] and all(_is_time(one.value) for one in observations):
        schema["x-time"] = "unix-seconds"
    return schema


def _kind(value: Any) -> str:
    return {"fraction": "number"}.get(kind_of(value), kind_of(value))


def _object(observations: Sequence[Observation], units: Units | None) -> dict[str, Any]:
    if not observations:
        return {}
    names = list(dict.fromkeys(name for one in observations for name in one.value))
    always = [name for name in names if all(name in one.value for one in observations)]
    members = {name: infer([one.inside(name) for one in observations if name in one.value], units) for name in names}
    schema: dict[str, Any] = {"properties": members}
    if always:
        schema["required"] = always
    return schema


def _array(observations: Sequence[Observation], units: Units | None) -> dict[str, Any]:
    if not observations:
        return {}
    items = [Observation(item, one.request, one.exchange) for one in observations for item in one.value]
    schema: dict[str, Any] = {"items": infer(items, units)} if items else {}
    if units and units.request and counts_units(observations, units):
        schema["x-length"] = {"request": units.request}
    return schema


def counts_units(observations: Sequence[Observation], units: Units) -> bool:
    """Whether lists were as long as the request asked, for at least two different numbers."""
    asked = [find(one.request, units.request) for one in observations]
    numbers = {n for n in asked if isinstance(n, int | float) and not isinstance(n, bool)}
    return len(numbers) > 1 and all(len(one.value) == n for one, n in zip(observations, asked, strict=True))


def _text(observations: Sequence[Observation], alone: bool) -> dict[str, Any]:
    texts = [one.value for one in observations]
    if not texts:
        return {}
    if all(map(_is_url, texts)):
        return {"format": "uri"}
    if all(map(_is_base64, texts)):
        return {"contentEncoding": "base64"}
    exchanges = {one.exchange for one in observations}
    one_value = len({identity(text) for text in texts}) == 1
    if alone and one_value and len(exchanges) >= OFTEN and len(texts[0]) <= _LONGEST_CODE and _CODE.fullmatch(texts[0]):
        return {"enum": [texts[0]]}
    return {}


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value - time.time()) < _A_YEAR_S


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _is_base64(text: str) -> bool:
    if len(text) < _BASE64_LEAST or len(text) % 4:
        return False
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.endswith("=") or len(text) > 4 * _BASE64_LEAST or any(c in text for c in "+/")
