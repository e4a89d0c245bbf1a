"""A fast first opinion: a compiled validator that may say yes, so that ``jsonschema`` is asked only about the rest.

It is used where its yes is known to imply the judge's yes; whatever it does not accept, the judge decides and explains.  It
forgets what it judged already, and is not asked where schemas overlap.
``tests/test_mock_admission.py`` and ``tests/test_expressions.py`` hold both against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from mockserver.dimensions import FastDimensions
from mockserver.overlap import overlapping
from mockserver.pointers import dereference, find

_UNSURE_PATTERN = re.compile(r"\\[DWSsBbpPkuxc0-9]|\[\^|\[\]|\(\?|\.")
"""Where the two regular-expression dialects could accept different strings."""

_LARGEST_PATTERN = 32 * 1024
"""Bytes of a compiled pattern: what a search costs per character grows with them."""

_UNSURE_KEYWORDS = (
    "$dynamicRef",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
    "x-file",
    "x-positions",
    "x-sum",
)
"""Keywords that are not compiled, and ours that hold for any value, whoever sent it."""

_KEYWORDS: Any = {"x-dimensions": FastDimensions}
"""Our keyword that is compiled; all others are silent for the judge as well where no answer is judged."""


class Accelerator:
    """Compiled validators by schema pointer, made when first asked for."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._compiled: dict[str, Any] = {}

    def _validator(self, schema: str) -> Any:
        if schema not in self._compiled:
            self._compiled[schema] = self._compile(schema)
        return self._compiled[schema]

    def check(self, schema: str) -> Callable[[Any], bool] | None:
        """:meth:`accepts` of one schema for values read as plain JSON; None where nothing can be said in advance."""
        validator = self._validator(schema)
        return validator.is_valid if validator is not None else None

    def accepts(self, schema: str, value: Any) -> bool:
        """True only if the judge would accept the value as well."""
        validator = self._validator(schema)
        if validator is None:
            return False
        try:
            return bool(validator.is_valid(value))
        except (ValueError, OverflowError):
            return False  # numbers and texts it cannot hold: the judge can

    def _compile(self, schema: str) -> Any:
        if overlapping(self._document) or any(_unsure(node) for node in _reachable(self._document, schema)):
            return None
        try:
            return jsonschema_rs.Draft202012Validator(
                {**self._document, "$ref": f"#{schema}"},
                validate_formats=False,
                keywords=_KEYWORDS,
                pattern_options=jsonschema_rs.RegexOptions(size_limit=_LARGEST_PATTERN),
            )
        except (ValueError, jsonschema_rs.ValidationError):
            return None


def _unsure(node: Mapping[str, Any]) -> bool:
    if any(name in node for name in _UNSURE_KEYWORDS):
        return True
    patterns = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
    patterns += list(node["patternProperties"]) if isinstance(node.get("patternProperties"), Mapping) else []
    if any(_UNSURE_PATTERN.search(pattern) for pattern in patterns):
        return True
    return isinstance(node.get("multipleOf"), float)


def _reachable(document: Mapping[str, Any], pointer: str) -> Iterator[Mapping[str, Any]]:
    """Every object below a schema, references followed once each."""
    done: set[str] = set()
    waiting: list[Any] = [find(document, pointer)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, Mapping):
            yield node
            waiting.extend(node.values())
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in done:
                done.add(reference)
                waiting.append(dereference(document, reference)[1])
