"""What can be said about a request, as small facts: the words in which the condition of a finding is told.

A feature is a fact that a request has; a change is the step from the plain request that gives it that fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_tests import texts
from contract_tests.recipes import Recipe, changed
from mockserver.media import MISSING
from mockserver.pointers import escape, find
from mockserver.sentences import show

_LONG = 60
_THRESHOLDS = (100, 255, 512, 999)


@dataclass(frozen=True, slots=True, order=True)
class Feature:
    """One fact: ``rank`` orders explanations (simple ones first), ``pointer`` is the place it speaks of."""

    rank: int
    text: str
    pointer: str = ""

    def __str__(self) -> str:
        return self.text


def features(recipe: Recipe) -> frozenset[Feature]:
    """Everything that is said about a request."""
    return frozenset(_features(recipe))


def _features(recipe: Recipe) -> Iterator[Feature]:
    yield from _value(recipe.body, "")
    if recipe.layout != "compact":
        yield Feature(4, f"the JSON body is written {recipe.layout}")
    for name, value in recipe.headers:
        yield Feature(3, f"the header {name} is {value}" if value is not None else f"there is no header {name}")
    if recipe.lower_names:
        yield Feature(4, "header names are in lower case")
    yield Feature(5, f"the operation is {recipe.operation.id}")


def _value(value: Any, pointer: str) -> Iterator[Feature]:
    name = pointer.lstrip("/").replace("/", ".")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _value(inner, f"{pointer}/{escape(key)}")
    elif isinstance(value, str):
        if len(value) <= _LONG:
            yield Feature(1, f"{name} is {show(value)}", pointer)
        for item in texts.classes_of(value):
            yield Feature(2, f"{name} has {item.name}", pointer)
        for limit in _THRESHOLDS:
            if len(value) > limit:
                yield Feature(2, f"{name} is longer than {limit} characters", pointer)
        if len(value) == 1:
            yield Feature(2, f"{name} is a single character", pointer)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield Feature(1, f"{name} is {show(value)}", pointer)
        if isinstance(value, int):
            for limit in range(1, min(value, 50)):
                yield Feature(2, f"{name} is above {limit}", pointer)
    elif value is not MISSING:
        yield Feature(1, f"{name} is {show(value)}", pointer)


def absent(recipe: Recipe, base: Recipe) -> frozenset[Feature]:
    """Members that the plain request has and this one lacks, as facts."""
    if not isinstance(base.body, Mapping) or not isinstance(recipe.body, Mapping):
        return frozenset()
    gone = [key for key in base.body if key not in recipe.body]
    return frozenset(Feature(1, f"{key} is absent", f"/{escape(key)}") for key in gone)


@dataclass(frozen=True, slots=True)
class Change:
    """One step away from the plain request: its words and how to make it."""

    text: str
    pointer: str
    value: Any = MISSING
    layout: str = ""
    headers: tuple[tuple[str, str | None], ...] = ()
    lower_names: bool = False

    def applied(self, base: Recipe) -> Recipe:
        """The plain request with only this change."""
        if self.layout:
            return replace(base, layout=self.layout)  # type: ignore[arg-type]
        if self.headers:
            return replace(base, headers=self.headers)
        if self.lower_names:
            return replace(base, lower_names=True)
        return base.with_body(changed(base.body, self.pointer, self.value))


def changes(recipe: Recipe, base: Recipe) -> list[Change]:
    """The steps from the plain request to this one, each of which can be made alone."""
    found: list[Change] = []
    if isinstance(recipe.body, Mapping) and isinstance(base.body, Mapping):
        for key in dict.fromkeys([*base.body, *recipe.body]):
            pointer = f"/{escape(key)}"
            value, plain = recipe.body.get(key, MISSING), find(base.body, pointer, MISSING)
            if value is MISSING or plain is MISSING or value != plain:
                if value is MISSING and plain is MISSING:
                    continue
                found.append(Change(f"{key} {'absent' if value is MISSING else show(value)}", pointer, value))
    if recipe.layout != base.layout:
        found.append(Change(f"{recipe.layout} JSON", "", layout=recipe.layout))
    if recipe.headers != base.headers:
        found.append(Change("other headers", "", headers=recipe.headers))
    if recipe.lower_names:
        found.append(Change("header names in lower case", "", lower_names=True))
    return found


def halves(change: Change) -> list[Change]:
    """A change that carries several classes of text, as two changes that carry half of them each; else nothing."""
    if not isinstance(change.value, str):
        return []
    carried = [item for item in texts.CLASSES if item.holds(change.value) and item.sample in change.value]
    padded = texts.PADDING.holds(change.value)
    if len(carried) + padded < 2:
        return []
    middle = (len(carried) + 1) // 2
    parts = [carried[:middle], carried[middle:]]
    made = []
    for index, part in enumerate(parts):
        text = " ".join(item.sample for item in part)
        if padded and index == 1:
            text = f"  {text}  "
        made.append(Change(f"{change.pointer.lstrip('/')} {show(text)}", change.pointer, text or "plain text"))
    return made
