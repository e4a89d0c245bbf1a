"""Which other known contract a server follows, when no accepted answer fits the one that it is tested by.

A whole run of findings about one wrong choice says less than one sentence.  The other contracts are the shipped ones; they
judge the exchanges that were bought anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from contract_tests.checks import Outcome
from contract_tests.examination import Examination, Trial
from mockserver import library, openapi
from mockserver.contract import Contract, Operation
from mockserver.findings import Severity, Violation
from mockserver.meaning import Session
from mockserver.messages import Request
from mockserver.rules import rule_for
from mockserver.validation import Judge

RULE = "contract.other"

_ABOUT_SHAPE = ("body.", "media.", "stream.", "json.")


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another contract that explains what came: its name and title, and the ids of the exchanges that it explains."""

    name: str
    title: str
    explained: frozenset[str]

    def finding(self, trial: Trial, accepted: int) -> Violation:
        """The one sentence; ``trial`` is the first that shows it."""
        known = rule_for(RULE)
        observed = f"{accepted} of {accepted} accepted answers are as {self.name} ({self.title}) has them"
        return Violation(
            rule=RULE,
            severity=known.severity,
            side="response",
            operation=trial.probe.recipe.operation.id,
            pointer="/body",
            message=f"the server follows another known contract: {observed}; test it with --contract {self.name}",
            documented="answers as this contract documents them",
            observed=observed,
            place=f"rule:{RULE}",
        )


def likeness(examination: Examination) -> Likeness | None:
    """The shipped contract that the server follows instead; None where the tested one fits at least once, or none does."""
    accepted = examination.accepted
    if not accepted or not all(map(_misshapen, accepted)):
        return None
    own = examination.judge.contract
    best: Likeness | None = None
    for other in _others(own):
        judge = Judge(other)
        explained = frozenset(trial.exchange.id for trial in examination.trials if _explains(judge, own, trial))
        fits = all(trial.exchange.id in explained for trial in accepted)
        if fits and (best is None or len(explained) > len(best.explained)):
            best = Likeness(other.name, other.title, explained)
    return best


def one_finding(examination: Examination, found: Likeness) -> list[tuple[str, Violation]]:
    """What is left to report: the sentence for every accepted exchange, and what the other contract does not explain."""
    accepted = examination.accepted
    kept = [(t.exchange.id, found.finding(accepted[0], len(accepted))) for t in accepted]
    for trial in examination.trials:
        if trial.exchange.id not in found.explained:
            kept += [(trial.exchange.id, violation) for violation in trial.violations]
    return kept


def _misshapen(trial: Trial) -> bool:
    """Whether an answer lacks the documented shape."""
    return any(v.severity is Severity.ERROR and v.rule.startswith(_ABOUT_SHAPE) for v in trial.violations)


def _others(own: Contract) -> Iterator[Contract]:
    for name in library.bundled_names():
        if library.locate(name).resolve() != own.document.entry.resolve():
            yield openapi.load(name)


def _explains(judge: Judge, own: Contract, trial: Trial) -> bool:
    """Whether the other contract expects just what became of a request."""
    request = _below(judge.contract, own, trial.exchange.request)
    exchange = replace(trial.exchange, request=request)
    judged = judge.request(request)
    operation: Operation | None = judged.operation
    if operation is None:
        return trial.outcome is Outcome.REFUSED
    if trial.outcome is Outcome.REFUSED:
        return bool(judged.blocking) or trial.probe.expect == "refused"
    if trial.outcome is not Outcome.ACCEPTED or judged.blocking:
        return False
    found = judge.response(operation, judged.body, exchange, Session())
    return all(violation.severity is not Severity.ERROR for violation in found)


def _below(other: Contract, own: Contract, request: Request) -> Request:
    """The request with its path below the other contract's base path."""
    return replace(request, path=f"{own.base_path}{request.path}".removeprefix(other.base_path))
