"""One run: sends probes within the budget, judges every answer, and keeps what was learnt.

What is asked is the plan's business, what it means the diagnosis'.  Nothing is sent without being charged first.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from contract_tests.budget import Budget
from contract_tests.checks import Outcome, drift, outcome, unstable
from contract_tests.credentials import Credentials
from contract_tests.deviations import VARIATION
from contract_tests.probes import Probe
from contract_tests.recipes import build
from contract_tests.recording import Recording
from contract_tests.target import LATE, Target
from mockserver.credentials import secret_of
from mockserver.errors import BudgetSpent, ContractToolError, Inconclusive, NotRecorded
from mockserver.findings import OpenSuspicion, Severity, Violation
from mockserver.meaning import Session
from mockserver.media import read_json
from mockserver.messages import Exchange, Request
from mockserver.reports.masks import masked
from mockserver.sentences import show
from mockserver.validation import Judge
from mockserver.viewing import UnfollowedError

_SHUT_AFTER = 2
"""Refused requests after which a branch of the schema counts as not on offer: the page says what would follow from it."""

_LOST = frozenset({502, 504, *range(520, 525)})
"""Statuses by which something on the way says that it lost the answer: the server may have worked, and is paid then."""

LONGEST_WAIT_S = 60.0
"""Seconds that a Retry-After is waited for at most."""

_GIVE_UP_AFTER = 4
"""Failures of the service in a row, none of them explained by a request, after which the run ends.

So many answers in a row that are not complete in time end it too, whatever their status: each costs a whole time-out.
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """A probe that was sent: its exchange, what became of it, and every violation in it, the key blotted out."""

    probe: Probe
    exchange: Exchange
    outcome: Outcome
    violations: tuple[Violation, ...]


class Examination:
    """The state of one run against one target."""

    def __init__(
        self, judge: Judge, target: Target, budget: Budget, report: Callable[[str], None] = lambda line: None
    ) -> None:
        self.judge, self.target, self.budget, self._report = judge, target, budget, report
        self.trials: list[Trial] = []
        self.unsent: dict[str, tuple[Probe, str]] = {}
        self.notes: list[str] = []
        self._session = Session()
        self._failures = 0
        self._late = 0
        self._key_works: bool | None = None
        self.key_refused = False
        self.service_down = False
        self.plain: Probe | None = None
        self._early: dict[str, Trial] = {}
        self.recording: Recording | None = None

    # ---------------------------------------------------------------------------------------------- sending

    def send(self, probe: Probe, confirm: bool = True) -> Trial | None:
        """Send a probe and whatever its surprise calls for; None when a limit forbids it (then it stays open).

        Without ``confirm`` a surprise is not repeated: for requests that only tell known surprises apart.
        """
        if probe.id in self._early:
            return self._early.pop(probe.id)
        branch = self._of_branch(probe)
        if len({trial.probe.id for trial in branch}) >= _SHUT_AFTER and not _any_accepted(branch):
            chosen = ", ".join(f"{at.lstrip('/')} {show(value)}" for at, value in probe.branch)
            self.unsent[probe.id] = (probe, f"the API refuses every request with {chosen}")
            for half in probe.halves:
                if not half.assumes:
                    self.send(half)
            return None
        confirm = confirm and (not branch or _any_accepted(branch))
        try:
            trial = self._sent(probe)
        except (BudgetSpent, NotRecorded) as spent:
            self.unsent[probe.id] = (probe, str(spent))
            return None
        self.unsent.pop(probe.id, None)
        if trial.outcome is Outcome.LIMITED:
            trial = self._after_waiting(probe, trial)
        if confirm and self._unexpected(trial):
            trial = self._confirmed(trial)
        self._watch(trial)
        if (trial.outcome is Outcome.ACCEPTED) == (probe.expect == "refused"):
            told = [self.send(half) for half in probe.halves]
            if probe.expect == "refused" and any(half and half.outcome is Outcome.ACCEPTED for half in told):
                trial = self._told_otherwise(trial)
        return trial

    def _of_branch(self, probe: Probe) -> list[Trial]:
        """Earlier valid requests that chose the same branch of the schema; none where the probe chooses none."""
        if not probe.assumes:
            return []
        return [t for t in self.trials if t.probe.expect != "refused" and t.probe.branch == probe.branch]

    def _told_otherwise(self, trial: Trial) -> Trial:
        """The trial without the acceptance of what was forbidden: a plainer request shows the same."""
        kept = tuple(violation for violation in trial.violations if not violation.rule.startswith("looser."))
        plainer = replace(trial, violations=kept)
        self.trials[self.trials.index(trial)] = plainer
        return plainer

    def _sent(self, probe: Probe) -> Trial:
        """One request, charged and judged."""
        request = build(probe.recipe, self.target.key)
        if self.recording is not None:
            self.recording.require(probe.id, request)
        self.budget.reserve(probe.recipe)
        if probe.repeats and (self.recording is None or not self.recording.replaying):
            time.sleep(max(0.0, self._session.until_still(time.time())))
        try:
            exchange, replayed = self._exchanged(probe, request)
        except ContractToolError:
            self.budget.settle(
                probe.recipe, accepted=False
            )  # it never left; after Ctrl-C it may have, and stays charged
            raise
        operation = probe.recipe.operation
        sent = secret_of(operation, request) or self.target.key
        secrets = self.recording.secrets if replayed and self.recording else (self.target.key, sent)
        self._session.follow = None if replayed else self._followed
        judged = self.judge.response(operation, probe.recipe.body, exchange, self._session, secrets)
        result = outcome(exchange, judged)
        if result is not Outcome.SILENT:
            lost = exchange.response is not None and exchange.response.status in _LOST
            charged = lost or result in (Outcome.ACCEPTED, Outcome.ODD) or self._delivered(probe, exchange)
            self.budget.settle(probe.recipe, accepted=charged)
        found = tuple(self.blotted(violation) for violation in drift(probe, exchange, result, judged))
        trial = Trial(probe, exchange, result, found)
        self._late = self._late + 1 if _late(exchange) else 0
        self.trials.append(trial)
        self._report(f"{probe.name} -> {result.value}")
        return trial

    def _followed(self, url: str) -> bytes:
        """The file at an address; where it is not asked for, that is noted."""
        try:
            return self.target.followed(url)
        except UnfollowedError as why:
            self.notes.append(f"not every picture was looked at: {why}")
            raise

    def _exchanged(self, probe: Probe, request: Request) -> tuple[Exchange, bool]:
        """The exchange of a request, from the cassette if that holds it, else from the target; and which of them."""
        if self.recording is None:
            return self.target.send(request), False
        known = self.recording.take(probe.id, request)
        if known is not None:
            self.target.answered = self.target.answered or known.response is not None
            return replace(known, id=self.target.next_id(), request=request), True
        exchange = self.target.send(request)
        self.recording.add(probe.id, exchange)
        return exchange, False

    def _delivered(self, probe: Probe, exchange: Exchange) -> bool:
        """Whether an answer that is no success by its status carries what was asked for all the same: it was paid for."""
        success = probe.recipe.operation.success
        body = exchange.response.body if exchange.response else b""
        for media in success.content if success and probe.units else ():
            value = read_json(body).value
            if (
                media.schema
                and isinstance(value, dict)
                and self.judge.explainer.validator(media.schema).is_valid(value)
            ):
                return True
        return False

    def _unexpected(self, trial: Trial) -> bool:
        if trial.outcome in (Outcome.FAILED, Outcome.SILENT):
            return True
        return trial.probe.expect == "accepted" and trial.outcome is Outcome.REFUSED

    def _confirmed(self, trial: Trial) -> Trial:
        """Repeat an unexpected outcome once; what does not come again is unstable, not a refusal."""
        try:
            again = self._sent(trial.probe)
        except BudgetSpent:
            return trial
        if again.outcome is Outcome.ACCEPTED and trial.probe.expect == "accepted":
            rule = "unstable.refused" if trial.outcome is Outcome.REFUSED else "unstable.failed"
            found = unstable(trial.probe, trial.exchange, rule)
            index = self.trials.index(trial)
            self.trials[index] = replace(trial, violations=(*trial.violations, self.blotted(found)))
        return again

    def _after_waiting(self, probe: Probe, trial: Trial) -> Trial:
        """Wait as told and try again, twice at most; then the run has no verdict."""
        for _ in range(2):
            wait = _retry_after(trial.exchange)
            if wait > LONGEST_WAIT_S:
                raise Inconclusive(f"the rate limit asks to wait {wait:.0f} s (Retry-After); try again later")
            if self.recording is None or not self.recording.replaying:
                self._report(f"rate limited, waiting {wait:.0f} s")
                time.sleep(wait)
            trial = self._sent(probe)
            if trial.outcome is not Outcome.LIMITED:
                return trial
        raise Inconclusive("the rate limit ended the run: 429 three times in a row for one request")

    def _watch(self, trial: Trial) -> None:
        """End the run when the service, not the contract, is the reason for what is seen."""
        own = trial.probe.recipe.credentials is Credentials.OWN
        status = trial.exchange.response.status if trial.exchange.response else 0
        if self._late >= _GIVE_UP_AFTER:
            seconds = f"{self.target.timeout_s:g} s"
            raise Inconclusive(
                f"no answer was complete within {seconds}, {self._late} times in a row (--request-timeout)"
            )
        if trial.outcome is Outcome.ACCEPTED and own:
            self._key_works, self._failures = True, 0
        elif status in (401, 403) and own and self._key_works is None:
            self._doubt_key(trial, status)
        elif trial.outcome in (Outcome.FAILED, Outcome.SILENT):
            self._failures += 1
            if not self.target.answered and self._plain_first(trial) and not self.target.answered:
                raise Inconclusive(f"{self.target.base_url} does not answer as an HTTP server: {_words(trial)}")
            if self._failures >= _GIVE_UP_AFTER and not self.accepted:
                self._plain_first(trial)
                if self.accepted:
                    self._failures = 0
                    return
                # where nothing was ever answered properly, what came says nothing about the contract
                self.service_down = not self.outcomes(Outcome.REFUSED)
                raise Inconclusive(f"the service fails whatever is sent: {_words(trial)}")
        else:
            self._failures = 0

    def _doubt_key(self, trial: Trial, status: int) -> None:
        """A refusal for want of rights before anything was accepted: only a plain request tells what it means."""
        if trial.probe.expect == "accepted":
            self.key_refused = True
            raise Inconclusive(f"the key was refused with status {status}; set a valid one in the environment")
        self._plain_first(trial)

    def _plain_first(self, trial: Trial) -> bool:
        """Send the plain request out of turn, to tell a server that fails from one that refuses badly."""
        plain = self.plain
        if plain is not None and plain.id not in self._early and trial.probe.id != plain.id:
            told = self.send(plain)
            if told is not None:
                self._early[plain.id] = told
        return True

    def blotted(self, violation: Violation) -> Violation:
        """A violation without the key, wherever it stood and however it was written: baselines are kept and committed."""
        key = self.target.key
        if len(key) < 4:
            return violation

        def clean(text: str) -> str:
            return masked(text.replace(key, "[key]"), (key,))

        return replace(
            violation,
            pointer=clean(violation.pointer),
            message=clean(violation.message),
            documented=clean(violation.documented),
            observed=clean(violation.observed),
        )

    # --------------------------------------------------------------------------------------------- learning

    def outcomes(self, *wanted: Outcome) -> list[Trial]:
        """Trials with one of these outcomes, in order."""
        return [trial for trial in self.trials if trial.outcome in wanted]

    @property
    def accepted(self) -> list[Trial]:
        """Trials that were accepted, in order."""
        return self.outcomes(Outcome.ACCEPTED)

    def worst(self, trial: Trial, level: Severity) -> list[Violation]:
        """The violations of a trial at or above a severity."""
        return [violation for violation in trial.violations if violation.severity.rank >= level.rank]

    def open_suspicions(self) -> list[OpenSuspicion]:
        """What could not be tried, why, and what it would cost."""
        cleared = self.cleared()
        return [
            OpenSuspicion(name, reason, 1, probe.planned_units)
            for probe, reason in self.unsent.values()
            if probe.expect != "refused" or probe.rank < VARIATION
            for name in probe.clears
            if name not in cleared
        ]

    def as_documented(self, trial: Trial) -> bool:
        """Whether a probe went as the contract says."""
        expected = trial.probe.expect == "open" or trial.outcome.value == trial.probe.expect
        return expected and not self.worst(trial, Severity.WARNING)

    def cleared(self) -> set[str]:
        """Suspicions whose probe went as the contract says."""
        return {name for trial in self.trials if self.as_documented(trial) for name in trial.probe.clears}


def _retry_after(exchange: Exchange) -> float:
    """Seconds of a Retry-After (number or date, RFC 9110, 10.2.3); 2 when there is none."""
    value = exchange.response.header("retry-after") if exchange.response else None
    if not value:
        return 2.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return 2.0


def _any_accepted(trials: list[Trial]) -> bool:
    return any(trial.outcome is Outcome.ACCEPTED for trial in trials)


def _late(exchange: Exchange) -> bool:
    """Whether only time explains that there is no complete answer."""
    told = exchange.failure if exchange.response is None else exchange.response.cut
    return bool(told) and LATE in str(told)


def _words(trial: Trial) -> str:
    response = trial.exchange.response
    return f"status {response.status}" if response else str(trial.exchange.failure)
