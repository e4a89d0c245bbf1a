"""What an outcome says about the API: accepted although forbidden, refused although allowed, refused in a wrong way.

Pure functions from a probe and its exchange to violations; messages themselves are judged by ``mockserver.validation``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from contract_tests.credentials import Credentials
from contract_tests.probes import Probe
from mockserver.findings import Severity, Source, Violation
from mockserver.messages import Exchange, Response
from mockserver.rules import rule_for


class Outcome(StrEnum):
    """What became of a request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LIMITED = "limited"
    FAILED = "failed"
    SILENT = "no answer"
    ODD = "neither accepted nor refused"

    @property
    def infrastructure(self) -> bool:
        """Whether the request may not be the reason."""
        return self in (Outcome.LIMITED, Outcome.FAILED, Outcome.SILENT)


_SHOWN = 160
"""Bytes of an answer that are shown."""

_NEUTRAL = ("path.", "media.")
"""Rules about requests that the documentation does not speak of: what answers them is outside the contract."""


def outcome(exchange: Exchange, violations: tuple[Violation, ...]) -> Outcome:
    """Classify an exchange by its status and by what the judge found."""
    response = exchange.response
    if response is None:
        return Outcome.SILENT
    if any(violation.rule == "error.in-success" for violation in violations):
        return Outcome.REFUSED
    if response.status == 429:
        return Outcome.LIMITED
    if 200 <= response.status < 300:
        return Outcome.ACCEPTED
    if 400 <= response.status < 500:
        return Outcome.REFUSED
    return Outcome.FAILED if response.status >= 500 else Outcome.ODD


def drift(probe: Probe, exchange: Exchange, result: Outcome, judged: tuple[Violation, ...]) -> Iterator[Violation]:
    """The judge's violations as they count for this probe, and what the outcome itself breaks."""
    for violation in judged:
        yield _weighed(probe, violation, result)
    if probe.breaks is not None and result is Outcome.ACCEPTED:
        yield looser(probe, exchange)
    if exchange.response is not None and probe.expect == "refused":
        yield from _refusal(probe, exchange.response, result)


def looser(probe: Probe, exchange: Exchange) -> Violation:
    """A request that breaks a documented rule was accepted."""
    broken = probe.breaks
    assert broken is not None
    status = exchange.response.status if exchange.response else 0
    what = probe.name.removeprefix("refuses ")
    return replace(
        broken,
        rule=f"looser.{broken.rule.split('.', 1)[1]}",
        side="response",
        message=f"accepts {what}: {broken.documented}",
        observed=f"status {status} for {what}",
    )


def stricter(probe: Probe, exchange: Exchange, pointer: str, what: str, source: Source, place: str) -> Violation:
    """A request that keeps every documented rule was refused or failed; ``what`` says in which way it was special."""
    response = exchange.response
    rule = "stricter.refused" if response is not None and response.status < 500 else "stricter.failed"
    return Violation(
        rule=rule,
        severity=Severity.ERROR,
        side="response",
        operation=probe.recipe.operation.id,
        pointer=pointer,
        message=f"{'refuses' if rule.endswith('refused') else 'fails on'} a valid request: {what}",
        documented=f"the page allows it: {what}",
        observed=answer_in_words(exchange),
        source=source,
        place=place,
    )


def unstable(probe: Probe, exchange: Exchange, rule: str) -> Violation:
    """A valid request was accepted once and not another time."""
    refused = rule == "unstable.refused"
    return Violation(
        rule=rule,
        severity=Severity.ERROR if refused else Severity.WARNING,
        side="response",
        operation=probe.recipe.operation.id,
        pointer="/status",
        message="the same valid request is accepted one time and not the other",
        documented="a valid request is answered, each time",
        observed=answer_in_words(exchange),
        place=f"rule:{rule}",
    )


def answer_in_words(exchange: Exchange) -> str:
    """Status and the beginning of the body, or why there is no answer."""
    response = exchange.response
    if response is None:
        return exchange.failure or "no answer"
    text = " ".join(response.body[:_SHOWN].decode("utf-8", "replace").split())
    more = f"... ({len(response.body)} bytes)" if len(response.body) > _SHOWN else ""
    return f"status {response.status}: {text}{more}" if text else f"status {response.status} and an empty body"


def _weighed(probe: Probe, violation: Violation, result: Outcome) -> Violation:
    """An answer to a request that the page does not speak of is outside the contract: information at most."""
    broken = probe.breaks.rule if probe.breaks else ""
    if violation.rule == "status.undocumented" and result is Outcome.REFUSED and probe.expect == "refused":
        return replace(violation, severity=Severity.INFO)  # which 4xx a refusal has is nobody's promise
    neutral = broken.startswith(_NEUTRAL[0]) or (probe.expect == "open" and result is not Outcome.ACCEPTED)
    about_shape = violation.rule.split(".", 1)[0] in ("body", "json", "media", "status")
    if neutral and about_shape and result is not Outcome.ACCEPTED:
        return replace(violation, severity=Severity.INFO)
    return violation


def _refusal(probe: Probe, response: Response, result: Outcome) -> Iterator[Violation]:
    broken = probe.breaks
    assert broken is not None
    if result is Outcome.FAILED:
        yield _about(probe, "error.server-fault", f"status {response.status} for {probe.name.removeprefix('refuses ')}")
        return
    if result is not Outcome.REFUSED or response.status < 300:
        return
    usual = rule_for(broken.rule).status or 400
    alike = {usual, 400, 422} if usual == 400 else {usual}
    if probe.recipe.credentials is not Credentials.OWN:
        alike = {401, 403}
    if response.status not in alike:
        usual_words = " or ".join(str(status) for status in sorted(alike))
        found = _about(probe, "error.status", f"status {response.status} where {usual_words} is usual")
        yield replace(found, severity=Severity.INFO)
    if response.status == 405 and not response.header("allow"):
        yield _about(probe, "error.allow", "405 without the header Allow")


def _about(probe: Probe, rule: str, observed: str) -> Violation:
    known = rule_for(rule)
    return Violation(
        rule=rule,
        severity=known.severity,
        side="response",
        operation=probe.recipe.operation.id,
        pointer="/status",
        message=observed,
        documented=known.explanation,
        observed=observed,
        source=Source(convention="Such APIs answer a client's mistake this way; the page is silent."),
        place=f"rule:{rule}",
    )
