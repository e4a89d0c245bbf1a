"""From a request that is wrong on purpose to the probe that must be refused: for exactly one reason, with its weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contract_tests.probes import Probe
from contract_tests.recipes import Recipe, body_violations
from mockserver.findings import Severity, Violation
from mockserver.validation import Judge


def breaking(judge: Judge, recipe: Recipe, what: str, pointer: str, rank: int) -> Probe | None:
    """The probe if the judge finds exactly one broken rule, at the place that was meant."""
    violations = body_violations(judge, recipe)
    if len(violations) != 1 or violations[0].pointer != f"/body{pointer}":
        return None
    return refused(recipe, what, contradicted(judge, violations[0]), rank)


def contradicted(judge: Judge, violation: Violation) -> Violation:
    """A rule that the page itself contradicts is no error to break: that it is required, or that a key is needed.

    Of a mere convention about a field that the page contradicts itself on, a breach is worth a note.
    """
    place = violation.place.partition("?")[0]
    holder = judge.contract.document.at(place.rpartition("/")[0]) if "/" in place else None
    if violation.source.convention and isinstance(holder, Mapping) and "x-contradiction" in holder:
        return replace(violation, severity=Severity.INFO)
    keyword = violation.rule.partition(".")[2]
    if violation.rule.startswith("security.") or keyword == "required":
        node = judge.contract.document.at(violation.place.partition("?")[0])
        if isinstance(node, Mapping) and "x-contradiction" in node:
            return replace(violation, severity=Severity.WARNING)
    return violation


def refused(recipe: Recipe, what: str, violation: Violation, rank: int) -> Probe:
    """The probe that must be refused for a violation."""
    suspicion = f"{recipe.basis} accepts {what}"
    return Probe(f"refuses {what}", recipe, "refused", (suspicion,), rank, violation)
