"""Writing JSON bodies: fast where the value allows it, and never failing on a value that a request could hold."""

from __future__ import annotations

import json
from typing import Any

import orjson


def encoded(value: Any) -> bytes:
    """A value as JSON bytes; numbers beyond 64 bits and lone surrogates are written as well."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()
