"""Requests that break exactly one documented rule and are valid otherwise, so that no rule can hide behind another.

Candidates come from a table of deviations per keyword; the judge decides which of them break one rule and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from contract_tests import malformed
from contract_tests.branching import in_branch
from contract_tests.breaking import breaking, contradicted, refused
from contract_tests.credentials import Credentials
from contract_tests.deviations import deviations
from contract_tests.places import Place, branches, places
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe, build, changed
from mockserver.findings import Severity, Violation
from mockserver.media import MISSING, is_json, media_type
from mockserver.messages import Request
from mockserver.pointers import find
from mockserver.rules import rule_for
from mockserver.sentences import show
from mockserver.validation import Judge

_UNSETTLED = ("path.method", "path.unknown", "media.unsupported", "json.trailing", "json.malformed", "json.constant")
"""What a lenient server may let pass without breaking a documented promise: worth a warning, not an error."""

_HARMLESS = ("json.encoding",)
"""What common parsers let pass by design (Go's and Node's replace bytes, Python's knows UTF-16): worth a note."""


def mutants(judge: Judge, base: Recipe) -> list[Probe]:
    """All probes for one operation that must be refused, the most telling first."""
    if base.kind:  # what is no matter of the form is tried without it
        return sorted(_bodies(judge, base), key=lambda probe: probe.rank)
    found = [*_credentials(judge, base), *_bodies(judge, base), *_bytes(judge, base), *_routes(judge, base)]
    found += _parameters(judge, base)
    return sorted(found, key=lambda probe: probe.rank)


# ------------------------------------------------------------------------------------------------ values


def _bodies(judge: Judge, base: Recipe) -> Iterator[Probe]:
    media = base.media
    if media is None or not media.schema or base.body is MISSING:
        return
    document = judge.contract.document.data
    found = places(document, media.schema, base.body)
    seen: set[str] = set()
    for place in found:
        if not place.pointer:
            continue
        for what, value, rank in deviations(place, find(base.body, place.pointer, MISSING)):
            probe = _mutant(judge, base, place, what, value, rank)
            if probe and show(value) + place.pointer not in seen:
                seen.add(show(value) + place.pointer)
                yield probe
    for number, branch in enumerate(branches(document, media.schema)):
        yield from in_branch(judge, base, found, branch, number)


def _mutant(judge: Judge, base: Recipe, place: Place, what: str, value: Any, rank: int) -> Probe | None:
    if value is MISSING and find(base.body, place.pointer, MISSING) is MISSING:
        return None
    return breaking(judge, base.with_body(changed(base.body, place.pointer, value)), what, place.pointer, rank)


# ------------------------------------------------------------------------------------ credentials and parameters


def _judged(judge: Judge, recipe: Recipe, what: str, rank: int) -> Iterator[Probe]:
    """The probe if the judge would block the request for exactly one reason."""
    violations = judge.request(_trial(recipe)).blocking
    if len(violations) == 1:
        yield refused(recipe, what, contradicted(judge, violations[0]), rank)


def _trial(recipe: Recipe) -> Request:
    return build(recipe, "sk-trial-key")


def _credentials(judge: Judge, base: Recipe) -> Iterator[Probe]:
    if not base.operation.security or () in base.operation.security:
        return
    none = next(_judged(judge, replace(base, credentials=Credentials.NONE), "a request without credentials", 1), None)
    others = " and ".join(name for name, _ in Credentials.ELSEWHERE.headers(base.operation, "key"))
    what = f"the key in {others} instead of where it belongs"
    for probe in _judged(judge, replace(base, credentials=Credentials.ELSEWHERE), what, 1):
        # whoever takes a request without any key takes this one too
        yield replace(probe, halves=(none,)) if none else probe
    yield from _judged(judge, replace(base, credentials=Credentials.BARE), "a key without its scheme", 2)
    yield from _judged(judge, replace(base, credentials=Credentials.EMPTY), "an empty token", 2)
    yield from _judged(judge, replace(base, credentials=Credentials.SCHEME), "another authorization scheme", 4)


def wrong_key(judge: Judge, base: Recipe, stand_in: bool) -> Probe | None:
    """The probe with a key that nobody issued; None where the operation needs no credentials.

    A ``stand_in`` (a server on this machine) often takes any key, by design; that is worth a note and no more.
    """
    if not base.operation.security or () in base.operation.security:
        return None
    trial = judge.request(_trial(replace(base, credentials=Credentials.NONE)))
    if not trial.blocking:
        return None
    violation = replace(
        trial.blocking[0],
        rule="security.refused",
        severity=Severity.INFO if stand_in else Severity.WARNING,
        message="a key that nobody issued must be refused",
        documented="the key must be a valid one",
        observed="a key that nobody issued",
    )
    return refused(replace(base, credentials=Credentials.WRONG), "a key that nobody issued", violation, 3)


def _parameters(judge: Judge, base: Recipe) -> Iterator[Probe]:
    for parameter in base.operation.parameters:
        if parameter.location != "query":
            continue
        others = tuple(pair for pair in base.query if pair[0] != parameter.name)
        if parameter.required:
            yield from _judged(judge, replace(base, query=others), f"no query parameter {parameter.name}", 1)
        if parameter.schema:
            for value in ("not-a-value", "-1", "99999999"):
                recipe = replace(base, query=(*others, (parameter.name, value)))
                yield from _judged(judge, recipe, f"query parameter {parameter.name}={value}", 3)


# ------------------------------------------------------------------------------------------ bytes and routes


def _bytes(judge: Judge, base: Recipe) -> Iterator[Probe]:
    media = next((m for m in base.operation.body if is_json(media_type(m.type))), None)
    if base.body is MISSING or media is None:
        return
    known = places(judge.contract.document.data, media.schema, base.body) if media.schema else []
    text = next((place.pointer for place in known if place.free_text and place.required and place.pointer), "")
    numbers = (p.pointer for p in known if p.types & {"integer", "number"} and p.required and p.pointer)
    for what, rule, raw, rank in malformed.bodies(base, text, next(numbers, "")):
        yield refused(replace(base, raw=raw), what, _about(base, rule, what, "/body"), rank)
    for what, kind, other, rank in malformed.other_types(base):
        recipe = replace(base, headers=(*base.headers, ("Content-Type", kind)), raw=other)
        told = f"{what} where {media.type} is documented"
        yield refused(recipe, what, _about(base, "media.unsupported", told, "/headers"), rank)


def _routes(judge: Judge, base: Recipe) -> Iterator[Probe]:
    path = build(base, "").path
    allowed = {operation.method for operation in judge.contract.operations if operation.path == base.operation.path}
    method = next((name for name in ("GET", "PUT", "DELETE") if name not in allowed), None)
    if method:
        recipe = replace(base, method=method, body=MISSING, headers=(("Content-Type", None),))
        what = f"the method {method}"
        yield refused(recipe, what, _about(base, "path.method", f"{method} on a path that takes others", "/path"), 2)
    if base.path_values:
        return  # whatever stands below a template may be a value of it
    unknown = replace(base, path=path.rstrip("/") + "-unknown")
    yield refused(unknown, "an unknown path", _about(base, "path.unknown", "a path that nobody documents", "/path"), 3)


def _about(base: Recipe, rule: str, what: str, pointer: str) -> Violation:
    known = rule_for(rule)
    severity = Severity.WARNING if rule in _UNSETTLED else Severity.INFO if rule in _HARMLESS else known.severity
    return Violation(
        rule, severity, "request", base.operation.id, pointer, what, known.explanation, what, place=f"rule:{rule}"
    )
