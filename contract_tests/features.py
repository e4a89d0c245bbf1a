"""What can be said about a request, as small facts: the words in which the condition of a finding is told.

A feature is a fact that a request has; a change is the step from the plain request that gives it that fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from contract_tests import texts
from contract_tests.recipes import Recipe, changed
from mockserver.media import MISSING
from mockserver.pointers import escape
from mockserver.sentences import show

_LONG = 60
_THRESHOLDS = (100, 255, 512, 999)


@dataclass(frozen=True, slots=True, order=True)
class Feature:
    """One fact: ``rank`` orders explanations (simple ones first), ``pointer`` is the place it speaks of.

    ``sample`` is a text that has this fact and hardly another, ``joins`` whether samples can stand side by side.
    """

    rank: int
    text: str
    pointer: str = ""
    sample: str = field(default="", compare=False)
    joins: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return self.text


def features(recipe: Recipe) -> frozenset[Feature]:
    """Everything that is said about a request."""
    return frozenset(_features(recipe))


def _features(recipe: Recipe) -> Iterator[Feature]:
    yield from _value(recipe.body, "")
    blanks = recipe.layout in ("pretty", "escaped")
    yield Feature(6, f"the JSON body is written {'with' if blanks else 'without'} blanks between its tokens")
    if recipe.layout != "compact":
        yield Feature(4, f"the JSON body is written {recipe.layout}")
    if recipe.lower_scheme:
        yield Feature(3, "the authorization scheme is in lower case")
    if recipe.chunked:
        yield Feature(3, "the body is sent in chunks")
    for name, value in recipe.headers:
        yield Feature(3, f"the header {name} is {value}" if value else f"there is no header {name}")
    if recipe.lower_names:
        yield Feature(4, "header names are in lower case")
    yield Feature(5, f"the operation is {recipe.operation.id}")


def _value(value: Any, pointer: str) -> Iterator[Feature]:
    name = pointer.lstrip("/").replace("/", ".")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _value(inner, f"{pointer}/{escape(key)}")
    elif isinstance(value, str):
        kinds = texts.classes_of(value)
        if len(value) <= _LONG:
            yield Feature(5 if kinds else 1, f"{name} is {show(value)}", pointer)
        for item in kinds:
            yield Feature(2, f"{name} has {item.name}", pointer, item.sample, item in texts.CLASSES)
        for limit in _THRESHOLDS:
            if len(value) > limit:
                sample = texts.filled(limit + 1, "painted-")
                yield Feature(2, f"{name} is longer than {limit} characters", pointer, sample)
        if len(value) == 1:
            yield Feature(2, f"{name} is a single character", pointer)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        whole = int(value) if float(value).is_integer() else value
        yield Feature(1, f"{name} is {show(whole)}", pointer)
        if isinstance(value, float) and isinstance(whole, int):
            yield Feature(3, f"{name} is written {value}", pointer)
        if isinstance(whole, int):
            for limit in range(1, min(whole, 50)):
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
    """One step away from the plain request: its words, the place it is about, and how to make it."""

    text: str
    pointer: str
    make: Callable[[Recipe], Recipe] = field(compare=False)


def changes(recipe: Recipe, base: Recipe) -> list[Change]:
    """The steps from the plain request to this one, each of which can be made alone."""
    found: list[Change] = []
    if isinstance(recipe.body, Mapping) and isinstance(base.body, Mapping):
        for key in dict.fromkeys([*base.body, *recipe.body]):
            pointer = f"/{escape(key)}"
            value, plain = recipe.body.get(key, MISSING), base.body.get(key, MISSING)
            if value is not plain and (value != plain or type(value) is not type(plain)):
                words = f"{key} {'absent' if value is MISSING else show(value)}"
                found.append(Change(words, pointer, partial(_with_value, pointer, value)))
    for name, value in recipe.headers[len(base.headers) :]:
        found.append(Change(f"header {name}: {value}", "", partial(_with_header, name, value)))
    for name in ("layout", "lower_names", "lower_scheme", "chunked"):
        if getattr(recipe, name) != getattr(base, name):
            found.append(
                Change(f"{name} {getattr(recipe, name)}", "", partial(_with_option, name, getattr(recipe, name)))
            )
    return found


def without(recipe: Recipe, base: Recipe, pointer: str) -> Recipe:
    """The request with every change but those at one place."""
    made = base
    for change in changes(recipe, base):
        if change.pointer != pointer:
            made = change.make(made)
    return made


def _with_value(pointer: str, value: Any, recipe: Recipe) -> Recipe:
    return recipe.with_body(changed(recipe.body, pointer, value))


def _with_header(name: str, value: str | None, recipe: Recipe) -> Recipe:
    return replace(recipe, headers=(*recipe.headers, (name, value)))


def _with_option(name: str, value: Any, recipe: Recipe) -> Recipe:
    return replace(recipe, **{name: value})


def samples(suspects: Sequence[Feature]) -> list[Change]:
    """Changes that show some of the suspected facts about one text: half of those that can stand together, else each."""
    shown = [fact for fact in suspects if fact.sample]
    together = [fact for fact in shown if fact.joins]
    if len(together) > 1:
        half = together[: (len(together) + 1) // 2]
        return [_sampled(half[0].pointer, " ".join(fact.sample for fact in half))]
    return [_sampled(fact.pointer, fact.sample) for fact in shown]


def _sampled(pointer: str, text: str) -> Change:
    return Change(f"{pointer.lstrip('/')} {show(text)}", pointer, partial(_with_value, pointer, text))
