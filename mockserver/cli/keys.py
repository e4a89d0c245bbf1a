"""API keys: read from the environment only, checked before they are used, never shown."""

from __future__ import annotations

import os
import re

from mockserver.errors import UsageError
from mockserver.reports.clean import MASK

DEFAULT = "QUICKROUTER_API_KEY"
"""The variable that holds the key unless another one is named."""

_NAMED = {DEFAULT}
_SHORTEST = 4
"""A shorter value could be a part of any word and is not masked."""


def check(variable: str) -> str:
    """The key in a variable, "" when there is none; raises UsageError for one that no header can carry."""
    _NAMED.add(variable)
    key = os.environ.get(variable, "")
    if key and not re.fullmatch(r"[!-~]+", key):
        raise UsageError(f"the value of {variable} holds blanks, line breaks or letters that no header can carry")
    return key


def required(variable: str) -> str:
    """The key in a variable; raises UsageError when there is none."""
    key = check(variable)
    if not key:
        raise UsageError(f"--api-key-env names {variable}, which is not set or empty")
    return key


def masked(text: str) -> str:
    """A text in which no key of this run stands."""
    for key in sorted((os.environ.get(name, "") for name in _NAMED), key=len, reverse=True):
        if len(key.strip()) >= _SHORTEST:
            text = text.replace(key, MASK).replace(key.strip(), MASK)
    return text
