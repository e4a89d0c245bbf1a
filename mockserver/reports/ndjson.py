"""The report as one JSON object per line: findings, then open suspicions, then the summary; for streams and ``jq``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_LISTS = ("findings", "suspicions")


def text(data: Mapping[str, Any]) -> str:
    """The lines; each object's ``kind`` says what it is: ``finding``, ``suspicion`` or ``summary``."""
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in _lines(data))


def _lines(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for finding in data["findings"]:
        yield {"kind": "finding", **finding}
    for suspicion in data["suspicions"]["open"]:
        yield {"kind": "suspicion", **suspicion}
    summary = {key: value for key, value in data.items() if key not in _LISTS}
    yield {"kind": "summary", **summary, "cleared": data["suspicions"]["cleared"]}
