"""Random valid requests at the lowest price: what is drawn, what may still be bought, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property

from hypothesis.strategies import SearchStrategy

from contract_tests.examination import Trial
from contract_tests.places import places
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe, changed
from contract_tests.run import Run
from contract_tests.strategies import values
from mockserver.media import MISSING, is_json, media_type
from mockserver.pointers import find

MOST = 10
"""Requests at most that a search buys for one operation."""


def searchable(run: Run) -> Iterator[Recipe]:
    """Plain requests of operations with a JSON body that were accepted as documented."""
    for base in run.plan.bases.values():
        media = base.media if not base.kind else None
        worked = any(trial.probe.recipe.operation is base.operation for trial in run.examination.accepted)
        if media is not None and media.schema and base.body is not MISSING and worked:
            yield base


class Search:
    """A search on one operation; every body is bought once, and after a failure nothing more is bought."""

    def __init__(self, run: Run, base: Recipe) -> None:
        self._run, self._base = run, base
        self._known: dict[str, Trial | None] = {}
        self._failed = False

    @property
    def affordable(self) -> int:
        """Requests that may still be bought: the search comes last and takes what is left over."""
        budget = self._run.examination.budget
        room = MOST
        if budget.max_requests is not None:
            room = min(room, budget.max_requests - budget.requests)
        if budget.max_units is not None and self._base.operation.units:
            room = min(room, budget.max_units - budget.units)
        return max(0, room)

    @property
    def bodies(self) -> SearchStrategy[object]:
        """Valid bodies that buy as little as possible."""
        document = self._run.examination.judge.contract.document.data
        return values(document, f"#{self._schema}", side="request").map(self._cheap)

    def _cheap(self, body: object) -> object:
        """The body with the base's count of units, and the base's value wherever the page does not say what is on offer.

        An optional member that takes any text (a name of something, say) and a text of nothing but white space are such.
        """
        plain = self._base.body
        if not isinstance(body, dict) or not isinstance(plain, dict):
            return plain
        drawn = {name: value for name, value in body.items() if name in self._told and not _blank(value)}
        trial = {**plain, **drawn}
        units = self._base.operation.units
        if units and units.request:
            trial = changed(trial, units.request, find(plain, units.request, units.default))
        valid = not self._run.examination.judge.body_violations(self._base.operation, trial)
        return trial if valid else plain

    @cached_property
    def _told(self) -> frozenset[str]:
        """Members of the base whose values the contract names or bounds."""
        document = self._run.examination.judge.contract.document.data
        found = places(document, self._schema, self._base.body)
        named = {place.pointer[1:] for place in found if place.required or place.enums}
        return frozenset(named & set(self._base.body))

    @property
    def _schema(self) -> str:
        return next(m.schema for m in self._base.operation.body if is_json(media_type(m.type)))

    def buy(self, body: object) -> Trial | None:
        """The trial of a body: remembered, or bought while that is allowed; None where it is not."""
        name = json.dumps(body, sort_keys=True)
        if name in self._known:
            return self._known[name]
        recipe = self._base.with_body(body)
        if self._failed or not self._run.examination.budget.affords(recipe):
            return None
        probe = Probe(f"accepts a drawn request {len(self._known) + 1}", recipe, "accepted", (), 98)
        trial = self._run.examination.send(probe)
        self._known[name] = trial
        bad = trial is not None and bool(self._run.examination.worst(trial, self._run.options.fail_on))
        self._failed = self._failed or bad or (trial is not None and trial.outcome.value != "accepted")
        return trial


def _blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
