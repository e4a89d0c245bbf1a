"""The report as one JSON object per line, for streams and ``jq``: findings, open suspicions, trials, and last the summary."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_LISTS = ("findings", "suspicions", "trials")


def text(data: Mapping[str, Any]) -> str:
    """The lines; each object's ``type`` says what it is: ``finding``, ``suspicion``, ``trial`` or ``summary``."""
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in _lines(data))


def _lines(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for finding in data["findings"]:
        yield {"type": "finding", **finding}
    for suspicion in data["suspicions"]["open"]:
        yield {"type": "suspicion", **suspicion}
    for trial in data.get("trials") or ():
        yield {"type": "trial", **trial}
    rest = {key: value for key, value in data.items() if key not in _LISTS}
    counts = {"cleared": data["suspicions"]["cleared"], "open": len(data["suspicions"]["open"])}
    yield {"type": "summary", **rest, **counts, "findings": len(data["findings"])}
