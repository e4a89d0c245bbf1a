"""Refusals in one branch of a schema: what only another branch allows, and a bound that holds in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from contract_tests.breaking import breaking
from contract_tests.deviations import beyond
from contract_tests.places import Branch, Place
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe, body_violations, changed
from mockserver.media import MISSING
from mockserver.pointers import find
from mockserver.sentences import show
from mockserver.validation import Judge


def in_branch(judge: Judge, base: Recipe, found: Sequence[Place], branch: Branch, number: int) -> Iterator[Probe]:
    """The probes of one branch; ``number`` counts branches."""
    assignment = branch.assignment
    label = " and ".join(f"{pointer.lstrip('/')} {show(value)}" for pointer, value in assignment.items())
    body = base.body
    for pointer, fixed in assignment.items():
        body = changed(body, pointer, fixed)
    assumes = tuple(assignment)
    for place in found:
        if place.pointer not in branch.speaks_of or len(place.all("enum")) < 2:
            continue
        body = _settled(judge, base, body, place)
        for probe in _of_other_branches(judge, base.with_body(body), place, label, number):
            yield replace(probe, assumes=assumes)
    bounds = [bound for place in found for bound in beyond(place)]
    if bounds:  # another bound in every branch: a limit that depends on the branch shows without trying all with all
        pointer, what, value, rank = bounds[-1 - number % len(bounds)]
        recipe = base.with_body(changed(body, pointer, value))
        if found_one := breaking(judge, recipe, f"{what} with {label}", pointer, rank):
            yield replace(found_one, assumes=assumes)


def _of_other_branches(judge: Judge, settled: Recipe, place: Place, label: str, number: int) -> Iterator[Probe]:
    """Values that other branches allow: one first, a word such as ``auto`` and one of each list of values next."""
    lists = place.all("enum")[:-1]
    values = [value for group in place.all("enum") for value in (reversed(group) if number % 2 else group)]
    told: set[int] = set()
    words = number  # in a later branch a word is a variation of what an earlier one has tried
    for value in dict.fromkeys(value for value in values if isinstance(value, str)):
        word = not any(character.isdigit() for character in value)
        own = {index for index, group in enumerate(lists) if value in group}
        rank = 4 + min(words, 2) if word else 3 if not told else 6 if told & own else 4
        what = f"{place.name} {show(value)} with {label}"
        probe = breaking(
            judge, settled.with_body(changed(settled.body, place.pointer, value)), what, place.pointer, rank
        )
        if probe is None:
            continue
        words += word
        told |= set() if word else own
        yield probe


def _settled(judge: Judge, base: Recipe, body: Any, place: Place) -> Any:
    """The body with a value at a place that makes it valid; unchanged where it is, or where none does."""
    for value in [find(body, place.pointer, MISSING), *place.enums]:
        trial = changed(body, place.pointer, value)
        if not body_violations(judge, base.with_body(trial)):
            return trial
    return body
