"""The JSON report, version 1: one object with the binding fields, for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def text(data: Mapping[str, Any]) -> str:
    """The whole report as one indented JSON object."""
    return json.dumps(data, ensure_ascii=False, indent=2)
