"""The report of a run: findings with their conditions, one cause one finding, and what was not tested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from contract_tests.bill import implied
from contract_tests.budget import Budget
from contract_tests.checks import Outcome, stricter
from contract_tests.conditions import Condition
from contract_tests.deviations import VARIATION
from contract_tests.diagnosis import Diagnosis
from contract_tests.examination import Examination, Trial
from contract_tests.features import changes
from contract_tests.likeness import likeness, one_finding
from contract_tests.plan import Plan
from mockserver.causes import SEVERAL, grouped, members_at, parent_of
from mockserver.curl import curl
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Source, Verdict, at_least, group


def findings(examination: Examination, diagnosis: Diagnosis, plan: Plan, key_variable: str) -> list[Finding]:
    """All findings of a run, the worst first."""
    by_id = {trial.exchange.id: trial for trial in examination.trials}
    raw = [(trial.exchange.id, violation) for trial in examination.trials for violation in trial.violations]
    other = likeness(examination)
    if other is not None:
        raw = one_finding(examination, other)
    found = [_with_condition(finding, by_id, examination, diagnosis) for finding in group(raw)]
    if other is None:
        found = _explained_by(found, _stricter(examination, diagnosis), by_id)
        found += _open_failures(examination)
    found = [
        replace(finding, reproduce=_reproduce(examination, plan, [by_id[x] for x in finding.exchanges], key_variable))
        for finding in grouped(found, lambda finding: _instead(finding, by_id))
    ]
    return sorted(found, key=lambda finding: -finding.violation.severity.rank)


def report(
    examination: Examination,
    found: Iterable[Finding],
    plan: Plan,
    *,
    fail_on: Severity,
    seed: int,
    duration_s: float,
    stopped: str = "",
) -> Report:
    """The report; ``stopped`` says why a run ended before its plan."""
    budget: Budget = examination.budget
    listed = tuple(found) if examination.target.answered and not examination.service_down else ()
    # where nothing was accepted nothing was seen of the answers: what a baseline or the limit lets pass clears none of them
    if not stopped and not at_least(listed, fail_on) and not examination.accepted:
        stopped = "no request was accepted within the limits" if examination.unsent else "no request was accepted"
    verdict: Verdict = "clean"
    if at_least(listed, fail_on):
        verdict = "findings"
    elif stopped:
        verdict = "inconclusive"
    open_suspicions = examination.open_suspicions() + _left_out(plan, stopped, examination)
    return Report(
        command="test",
        contract=examination.judge.contract.name,
        target=examination.target.base_url,
        verdict=verdict,
        findings=listed,
        requests=budget.requests,
        accepted=len(examination.accepted),
        images=budget.units,
        cost_usd=round(float(budget.usd), 4) if plan.priced else None,
        usage=implied(examination.trials),
        seed=seed,
        duration_s=duration_s,
        open_suspicions=tuple(open_suspicions),
        cleared=len(examination.cleared()),
        notes=tuple(dict.fromkeys(examination.notes)),
        reason=stopped,
        details={
            "fail_on": fail_on.value,
            "contract_file": str(examination.judge.contract.document.entry),
            "cleared_groups": sorted(_passed(examination)),
            "trials": list(_trials(examination)),
        },
    )


def _passed(examination: Examination) -> set[str]:
    """Names of the probes whose answers were as documented."""
    failed = {trial.probe.id for trial in examination.trials if not examination.as_documented(trial)}
    return {trial.probe.id for trial in examination.trials} - failed


def _trials(examination: Examination) -> Iterator[dict[str, Any]]:
    """What was sent, in order, what became of it, and what it cleared at which price so far."""
    cleared: set[str] = set()
    images, usd = 0, 0.0
    for number, trial in enumerate(examination.trials, 1):
        accepted = trial.outcome is Outcome.ACCEPTED
        images += trial.probe.recipe.units if accepted else 0
        usd += trial.probe.recipe.price if accepted else 0.0
        fresh = set(trial.probe.clears) - cleared if examination.as_documented(trial) else set()
        cleared |= fresh
        yield {
            "number": number,
            "exchange": trial.exchange.id,
            "name": trial.probe.name,
            "expected": trial.probe.expect,
            "outcome": trial.outcome.value,
            "status": trial.exchange.response.status if trial.exchange.response else None,
            "duration_s": round(trial.exchange.duration, 3),
            "images": images,
            "usd": round(usd, 4),
            "cleared": len(cleared),
            "clears": sorted(fresh),
        }


def _with_condition(
    finding: Finding, by_id: dict[str, Trial], examination: Examination, diagnosis: Diagnosis
) -> Finding:
    trials = [by_id[identifier] for identifier in finding.exchanges]
    violation = finding.violation
    if violation.rule.startswith("looser."):
        tried = list(dict.fromkeys(trial.probe.name.removeprefix("refuses ") for trial in trials))
        return replace(finding, also=tuple(tried[1:]), confirmation="constant")
    if violation.rule.startswith("unstable."):
        return replace(finding, confirmation="intermittent")
    if any(trial.probe.expect == "refused" for trial in trials) and not any(t in examination.accepted for t in trials):
        return replace(finding, condition=_refusals(trials, examination), confirmation="constant")
    condition = diagnosis.condition(violation.fingerprint)
    sure = "constant" if condition.constant and finding.count > 1 else "once" if finding.count == 1 else "intermittent"
    return replace(finding, condition=condition.text, confirmation=sure)


def _refusals(trials: list[Trial], examination: Examination) -> str:
    """Which refusals show something, when not all of them do."""
    statuses = {trial.exchange.response.status for trial in trials if trial.exchange.response}
    others = [
        trial
        for trial in examination.trials
        if trial.probe.expect == "refused" and trial not in trials and trial.outcome.value != "accepted"
    ]
    if not others:
        return ""
    names = list(dict.fromkeys(trial.probe.name.removeprefix("refuses ") for trial in trials))
    other_statuses = {trial.exchange.response.status for trial in others if trial.exchange.response}
    if len(names) > SEVERAL and not statuses & other_statuses:
        return f"only in answers with status {', '.join(str(status) for status in sorted(statuses))}"
    shown = "; ".join(names[:SEVERAL])
    more = f" and {len(names) - SEVERAL} more" if len(names) > SEVERAL else ""
    return f"only when refusing: {shown}{more}"


def _stricter(examination: Examination, diagnosis: Diagnosis) -> list[Finding]:
    found = []
    for cause in diagnosis.refusals():
        trial, condition = cause.trials[0], cause.condition
        what = _allowed(trial, condition)
        violation = stricter(trial.probe, trial.exchange, cause.pointer, what, cause.source, cause.place)
        if condition.facts and all(fact.pointer in trial.probe.assumes for fact in condition.facts):
            violation = replace(violation, severity=Severity.INFO)
        elif cause.source.convention:
            violation = replace(violation, severity=Severity.WARNING)
        sure = "constant" if condition.constant else "intermittent"
        ids = tuple(dict.fromkeys(trial.exchange.id for trial in cause.trials))
        found.append(Finding(examination.blotted(violation), ids, condition.text, sure))
    return found


def _explained_by(found: list[Finding], refused: list[Finding], by_id: dict[str, Trial]) -> list[Finding]:
    """What came instead of an answer says more than that none came: it takes over the condition of the refusal."""
    kept = []
    for finding in refused:
        own = {
            violation.fingerprint
            for violation in by_id[finding.exchanges[0]].violations
            if violation.rule.startswith(("wire.", "status.")) and violation.severity is Severity.ERROR
        }
        if not own:
            kept.append(finding)
        found = [
            replace(other, condition=other.condition or finding.condition)
            if other.violation.fingerprint in own
            else other
            for other in found
        ]
    return found + kept


def _open_failures(examination: Examination) -> list[Finding]:
    """What the page leaves open may be refused, but not with a failure of the server: one finding per smallest cause."""
    failed = [t for t in examination.trials if t.probe.expect == "open" and t.outcome.infrastructure]
    causes = {trial.probe.name: trial for trial in failed}
    found = []
    for trial in causes.values():
        if any(half.name in causes for half in trial.probe.halves):
            continue
        what = trial.probe.name.removeprefix("handles ")
        place = f"rule:open {what}"
        violation = stricter(trial.probe, trial.exchange, "/status", what, Source(), place)
        violation = replace(
            violation,
            severity=Severity.WARNING,
            message=f"fails on a request with {what}",
            documented="an answer or a refusal, not a failure",
        )
        found.append(Finding(examination.blotted(violation), (trial.exchange.id,), "", "constant"))
    return found


def _allowed(trial: Trial, condition: Condition) -> str:
    if condition.facts and condition.certain:
        return " and ".join(str(fact) for fact in condition.facts)
    return trial.probe.name.removeprefix("accepts ").removesuffix(" alone")


def _instead(finding: Finding, by_id: dict[str, Trial]) -> str:
    response = by_id[finding.exchanges[0]].exchange.response
    return members_at(response.body, parent_of(finding.violation.pointer)) if response else ""


def _reproduce(examination: Examination, plan: Plan, trials: list[Trial], key_variable: str) -> str:
    """A curl line of the request that shows it and is least unlike the plain one."""

    def oddness(trial: Trial) -> tuple[int, int, int]:
        recipe, breaks = trial.probe.recipe, trial.probe.breaks is not None
        return len(changes(recipe, plan.bases[recipe.basis])), breaks, len(trial.exchange.request.body)

    request = min(trials, key=oddness).exchange.request
    return curl(request, examination.target.base_url, examination.target.key, key_variable)


def _left_out(plan: Plan, stopped: str, examination: Examination) -> list[OpenSuspicion]:
    """Suspicions for which the plan had no room, or which the end of the run cut off."""
    tried = {trial.probe.id for trial in examination.trials} | set(examination.unsent)
    reason = "no room within --max-requests"
    unsent = [probe for probe in plan.left_out if probe.id not in tried and probe.rank < VARIATION]
    found = [OpenSuspicion(name, reason, 1, 0) for probe in unsent for name in probe.clears]
    if stopped:
        for probe in plan.probes:
            if probe.id not in tried:
                found += [OpenSuspicion(name, stopped, 1, probe.planned_units) for name in probe.clears]
    return found
