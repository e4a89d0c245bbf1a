"""Sizes in pixels written ``WIDTHxHEIGHT``: reading them, and what a contract's ``x-dimensions`` demands of them.

Both validators ask here.  Pictures themselves are looked at elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SIZE = re.compile(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})")


def size_of(text: str) -> tuple[int, int] | None:
    """Width and height in pixels; None where the text is no size."""
    found = _SIZE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def wrong(rule: Mapping[str, Any], text: str) -> str:
    """What is wrong with a size by an ``x-dimensions``, in words; "" for nothing."""
    size = size_of(text)
    if size is None:
        return f"{text[:40]!r} is not WIDTHxHEIGHT"
    short, long = sorted(size)
    step = rule.get("multipleOf", 1)
    if short % step or long % step:
        return f"{text} is not divisible by {step}"
    if long > rule.get("side", long):
        return f"{long} is longer than {rule['side']}"
    if short < rule.get("least", short):
        return f"{short} is shorter than {rule['least']}"
    if short * long > rule.get("pixels", short * long):
        return f"{text} has more than {rule['pixels']} pixels"
    if long > rule.get("ratio", long) * short:
        return f"{text} is longer than {rule['ratio']} times its width or height"
    return ""


class FastDimensions:
    """``x-dimensions`` for jsonschema-rs, which calls :meth:`validate` and takes ValueError for no."""

    def __init__(self, _parent: Mapping[str, Any], rule: Mapping[str, Any], _path: list[str | int]) -> None:
        self._rule = rule

    def validate(self, instance: Any) -> None:
        """Raise ValueError for a string that is no such size."""
        if isinstance(instance, str) and wrong(self._rule, instance):
            raise ValueError("no such size")
