"""A breach in the API's own words: code, param and message of a refusal, as ``x-envelope`` and ``x-refusal`` say them.

What is broken is found by the explainer; the body that these words go into is made by :mod:`mockserver.envelope`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mockserver import sentences

Spoken = tuple[tuple[str, Any], ...]
"""What a contract says about one refusal: pairs of ``type``, ``code``, ``param`` or ``message`` and a value."""

_SAID = ("type", "code", "param", "message")
_PLACEHOLDER = re.compile(r"\{(param|value|limit|supported|wanted|got|length)\}")


def rule_of(envelope: Mapping[str, Any] | None, rule: str) -> Mapping[str, Any]:
    """What an ``x-envelope`` says about a rule: its own entry, else that of its family."""
    rules = (envelope or {}).get("rules", {})
    found = rules.get(rule) or rules.get(f"{rule.split('.', 1)[0]}.*") or {}
    return found if isinstance(found, Mapping) else {}


def spoken(
    envelope: Mapping[str, Any] | None, rule: str, trail: Iterable[Any], param: str, limit: Any, value: Any
) -> Spoken:
    """The words for one breach; ``trail`` are the schema nodes on the way to the broken keyword, the nearest last."""
    said: dict[str, Any] = {key: value for key, value in rule_of(envelope, rule).items() if key in _SAID}
    for node in trail:
        own = node.get("x-refusal") if isinstance(node, Mapping) else None
        if isinstance(own, Mapping):
            said |= {key: value for key, value in own.items() if key in _SAID}
    if isinstance(said.get("message"), str):
        said["message"] = _filled(said["message"], param, limit, value)
    return tuple(said.items())


def _filled(message: str, param: str, limit: Any, value: Any) -> str:
    def put(found: re.Match[str]) -> str:
        name = found[1]
        if name == "param":
            return param
        if name == "value":
            return _plain(value)
        if name == "limit":
            return _plain(limit)
        if name == "supported":
            return _supported(limit)
        if name == "wanted":
            return sentences.types(limit) if isinstance(limit, str | list) else _plain(limit)
        if name == "got":
            return sentences.kind(value)
        return str(len(value)) if isinstance(value, str | Sequence | Mapping) else "0"

    return _PLACEHOLDER.sub(put, message)


def _plain(value: Any) -> str:
    """A value without quotes of its own, cut to a readable length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: sentences.SHOWN + 1])
    return text if len(text) <= sentences.SHOWN else f"{text[: sentences.SHOWN]}..."


def _supported(limit: Any) -> str:
    """``'a', 'b', and 'c'``; null is no choice that is worth a word."""
    values = [f"'{_plain(v)}'" for v in (limit if isinstance(limit, list) else [limit]) if v is not None]
    if len(values) < 3:
        return " and ".join(values)
    return f"{', '.join(values[:-1])}, and {values[-1]}"
