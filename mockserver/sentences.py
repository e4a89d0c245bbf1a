"""One sentence per broken JSON Schema keyword: field, rule, limit, and what was got instead."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockserver.parts import Part

ABSENT, PRESENT = "it is absent", "it is present"
"""What is observed of what should be there or should not: whole sentences."""
SHOWN = 80
"""Characters of a value that are shown; the rest is counted."""

_MUCH, _MANY, _DEEP = 4000, 50, 12
"""Characters of a text, members of a container and levels that are looked at at most."""

_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
    "file": "a file",
}


def show(value: Any) -> str:
    """A value as JSON, cut to a readable length; a file by its name, type and size."""
    if isinstance(value, Part):
        return show(repr(value))[1:-1]
    try:
        text = json.dumps(_cut(value, 0), ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to show"
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


def _cut(value: Any, depth: int) -> Any:
    """Enough of a large value to be shown, so that showing it costs nothing."""
    if isinstance(value, Part):
        return repr(value)
    if isinstance(value, str):
        return value if len(value) <= _MUCH else value[:_MUCH] + "..."
    if depth > _DEEP:
        return "..."
    if isinstance(value, Mapping):
        return {_cut(str(key), depth): _cut(value[key], depth + 1) for key in list(value)[:_MANY]}
    if isinstance(value, list):
        return [_cut(item, depth + 1) for item in value[:_MANY]]
    return value


def kind(value: Any) -> str:
    """The JSON type of a value, with its article."""
    if isinstance(value, bool):
        return "a boolean"
    if value is None:
        return "null"
    if isinstance(value, Part):
        return "a file"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "an integer" if value.is_integer() else "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, Sequence) else "an object"


def listed(values: Sequence[Any], joiner: str = "or") -> str:
    """``a, b or c`` of shown values."""
    texts = [show(value) for value in values]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {joiner} {texts[-1]}"


def types(wanted: Any) -> str:
    """``a string or null`` from the value of ``type``."""
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    return " or ".join(_TYPES.get(name, str(name)) for name in names)


def documented(keyword: str, limit: Any, missing: str = "") -> str:
    """What the schema demands, as words that follow "must"."""
    simple: dict[str, Callable[[], str]] = {
        "type": lambda: f"be {types(limit)}",
        "enum": lambda: f"be {'one of ' if len(limit) > 1 else ''}{listed(limit)}",
        "const": lambda: f"be {show(limit)}",
        "maximum": lambda: f"be at most {limit}",
        "minimum": lambda: f"be at least {limit}",
        "exclusiveMaximum": lambda: f"be below {limit}",
        "exclusiveMinimum": lambda: f"be above {limit}",
        "multipleOf": lambda: f"be a multiple of {limit}",
        "maxLength": lambda: f"have at most {limit} characters",
        "minLength": lambda: f"have at least {limit} character{'' if limit == 1 else 's'}",
        "pattern": lambda: f"match the pattern {limit}",
        "format": lambda: f"have the format {limit}",
        "maxItems": lambda: f"have at most {limit} items",
        "minItems": lambda: f"have at least {limit} item{'' if limit == 1 else 's'}",
        "uniqueItems": lambda: "have no item twice",
        "maxProperties": lambda: f"have at most {limit} members",
        "minProperties": lambda: f"have at least {limit} members",
        "required": lambda: "be present",
        "dependentRequired": lambda: "be present here",
        "additionalProperties": lambda: "not be present" if limit is False else "have members of the documented kind",
        "unevaluatedProperties": lambda: "not be present",
        "anyOf": lambda: "fit one of the documented alternatives",
        "oneOf": lambda: "fit exactly one of the documented alternatives",
        "not": lambda: "not be of the excluded kind",
        "contains": lambda: "contain an item of the documented kind",
        "x-length": lambda: f"have as many items as the request's {limit['request'].lstrip('/')} says",
        "x-positions": lambda: "carry the positions 0, 1, 2, ...",
        "x-sum": lambda: "have a total that is the sum of its parts",
        "x-equals": lambda: f"equal the request's {limit['request'].lstrip('/')}",
        "x-time": lambda: "be the present time in Unix seconds",
        "x-unique": lambda: "be different in every answer",
        "x-image-base64": lambda: "be the base64 of a picture's file, and nothing else",
        "x-image-undecodable": lambda: "be a picture that decodes",
        "x-image-format": lambda: f"have the format {_choice(limit, 'format')}",
        "x-image-size": lambda: f"have the size {_choice(limit, 'size')}",
        "x-image-background": lambda: f"have the background {_choice(limit, 'background')}",
        "x-image-same": lambda: "differ from the other pictures of its answer",
        "x-image-repeated": lambda: "show what was asked for",
        "x-image-url": lambda: "be the absolute address of a picture",
        "x-stable": lambda: "be the same for the same request",
        "x-dimensions": lambda: f"be WIDTHxHEIGHT within {show(limit)}",
        "x-file": lambda: f"be a file of the type {' or '.join(limit)}",
    }
    return simple[keyword]() if keyword in simple else f"keep the keyword {keyword}: {show(limit)}"


def _choice(rule: Any, name: str) -> str:
    """Which member of a request decides about a property of a picture."""
    choice = rule.get(name, {})
    return f"that the request's {choice['request'].lstrip('/')} says" if "request" in choice else str(choice["default"])


def instead(found: str) -> str:
    """What came instead, as the second half of a message."""
    return found if found in (ABSENT, PRESENT) else f"got {found}"


def observed(keyword: str, value: Any, detail: str) -> str:
    """What came instead."""
    if keyword in ("required", "dependentRequired"):
        return ABSENT
    if keyword.startswith("x-"):
        return detail
    if keyword in ("maxLength", "minLength") and isinstance(value, str):
        return show(value) if isinstance(value, Part) else f"{len(value)} characters: {show(value)}"
    if keyword in ("maxItems", "minItems") and isinstance(value, Sequence):
        return f"{len(value)} items"
    if keyword == "type":
        return f"{kind(value)}: {show(value)}" if value is not None else "null"
    if keyword in ("additionalProperties", "unevaluatedProperties") and isinstance(value, Mapping):
        return PRESENT
    return show(value)
