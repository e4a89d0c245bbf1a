"""One run of the suite from options to report: what the pytest items share.

pytest decides the order of items and which are selected; here their results come together.
"""

from __future__ import annotations

import datetime
import os
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from contract_tests.baseline import Baseline
from contract_tests.baseline import read as read_baseline
from contract_tests.baseline import write as write_baseline
from contract_tests.budget import Budget
from contract_tests.diagnosis import Diagnosis
from contract_tests.examination import Examination
from contract_tests.likeness import Likeness, likeness
from contract_tests.plan import Plan, make_plan
from contract_tests.recording import Head, Recording, head
from contract_tests.target import Target, checked_url, is_loopback
from contract_tests.verdict import findings, report
from mockserver import openapi
from mockserver.errors import UsageError
from mockserver.findings import Report, Severity
from mockserver.validation import Judge

DEFAULT_KEY_VARIABLE = "QUICKROUTER_API_KEY"
DEFAULT_REQUESTS = 60
DEFAULT_UNITS = 30
IN_CLEAR = "the key goes over http, where whoever stands on the way can read it; https would hide it"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for; None where he said nothing."""

    base_url: str
    contract: str | None = None
    max_requests: int | None = None
    max_images: int | None = None
    budget_usd: Decimal | None = None
    dry_run: bool = False
    seed: int | None = None
    fail_on: Severity = Severity.ERROR
    interval_s: float = 0.0
    timeout_s: float = 300.0
    key_variable: str = DEFAULT_KEY_VARIABLE
    reports: tuple[tuple[str, str], ...] = ()
    baseline: str | None = None
    update_baseline: bool = False
    propose: str | None = None
    record: str | None = None
    replay: str | None = None


@dataclass
class Run:
    """A prepared run: contract, plan, target and everything learnt."""

    options: Options
    seed: int
    plan: Plan
    examination: Examination
    diagnosis: Diagnosis
    baseline: Baseline = field(default_factory=Baseline)
    priced_only: str = ""
    stopped: str = ""
    broken: Exception | None = None
    started: float = field(default_factory=time.perf_counter)
    _other: tuple[int, Likeness | None] | None = None

    @property
    def loopback(self) -> bool:
        """Whether the target is on this machine."""
        return is_loopback(self.examination.target.base_url)

    @property
    def other(self) -> Likeness | None:
        """The known contract that the server follows instead, as far as was seen."""
        seen = len(self.examination.trials)
        if self._other is None or self._other[0] != seen:
            self._other = seen, likeness(self.examination)
        return self._other[1]

    def report(self) -> Report:
        """The report of what is known now."""
        found = findings(self.examination, self.diagnosis, self.plan, self.options.key_variable)
        today = datetime.datetime.now(datetime.UTC).date()
        path = self.options.baseline
        if path and self.options.update_baseline and not self.stopped:
            self.baseline = self.baseline.updated(found, today)
            write_baseline(path, self.baseline, self.examination.judge.contract.name)
        found, notes = self.baseline.apply(found, today)
        self.examination.notes += notes
        return report(
            self.examination,
            found,
            self.plan,
            fail_on=self.options.fail_on,
            seed=self.seed,
            duration_s=time.perf_counter() - self.started,
            stopped="the suite itself failed" if self.broken else self.stopped,
        )


def write_proposal(run: Run, report: Report) -> str:
    """Write what the user wants proposed and return a line about it; raises ContractToolError."""
    if not run.options.propose:
        return ""
    if run.stopped or report.verdict == "inconclusive":
        return "no proposal: the run ended before it had seen enough"
    from contract_tests.proposal import propose  # it brings what proves contracts, which few runs need

    made = propose(run.examination, run.diagnosis, run.options.propose)
    wrong = f"; {len(made.problems)} statements need a hand before lint is content" if made.problems else ""
    return made.summary + wrong


def prepare(options: Options, environment: Mapping[str, str] = os.environ) -> Run:
    """Read the contract, find the key and make the plan; raises ContractToolError, sends nothing."""
    if options.record and options.replay:
        raise UsageError("--record and --replay exclude each other: a replay writes nothing")
    tape = options.replay or options.record
    earlier = head(tape) if tape else Head()
    base_url = checked_url((earlier.target if options.replay else "") or options.base_url)
    contract = openapi.load(options.contract)
    judge = Judge(contract)
    own_key = environment.get(options.key_variable, "")
    loopback = is_loopback(base_url)
    if any(character in own_key for character in "\r\n\0"):
        raise UsageError(f"the key in {options.key_variable} holds a line break or NUL")
    sends = not options.dry_run and not options.replay
    if not own_key and not loopback and sends:
        needs_key = any(operation.security and () not in operation.security for operation in contract.operations)
        if needs_key:
            raise UsageError(f"no key: set the environment variable {options.key_variable}")
    seed = options.seed if options.seed is not None else earlier.seed
    seed = seed if seed is not None else secrets.randbelow(2**32)
    limits = Head() if not options.replay else earlier
    max_requests = first_given(options.max_requests, limits.max_requests, DEFAULT_REQUESTS)
    units = options.max_images
    if units is None and options.budget_usd is None:
        units = limits.max_units if limits.max_requests is not None else DEFAULT_UNITS
    if options.update_baseline and not options.baseline:
        raise UsageError("--update-baseline needs --baseline FILE")
    if options.propose:
        from contract_tests.proposal import check_folder

        check_folder(options.propose)
    baseline = Baseline()
    if options.baseline:
        baseline = read_baseline(options.baseline, missing_is_empty=options.update_baseline)
    key_is_known = bool(own_key) if earlier.key_is_known is None else earlier.key_is_known
    plan = make_plan(judge, seed, max_requests, key_is_known, loopback)
    if options.budget_usd is not None and not plan.priced:
        raise UsageError("the contract has no prices, so --budget cannot be kept; use --max-images")
    unlimited = not loopback and not options.replay and options.max_images is None and options.budget_usd is None
    target = Target(base_url, contract, own_key.strip() or "sk-contract-test", options.timeout_s, options.interval_s)
    budget = Budget(max_requests, units, options.budget_usd)
    examination = Examination(judge, target, budget, _Progress(len(plan.probes), budget))
    if tape and not options.dry_run and not unlimited:
        about = Head(seed, base_url, key_is_known, contract.name, max_requests, units)
        recording = Recording(tape, contract, target.key, about, replay_only=bool(options.replay))
        examination.recording = recording
        examination.notes += recording.remarks
        if recording.held and options.record:
            examination.notes.append(
                f"{recording.held} exchanges of an earlier run stand in {tape} and are not repeated"
            )
    if own_key and not loopback and base_url.startswith("http:") and not options.replay:
        examination.notes.append(IN_CLEAR)
    examination.plain = plan.valid[0] if plan.valid else None
    reason = ""
    if unlimited:
        reason = "the target is not on this machine: say what may be spent with --max-images N or --budget 0.50usd"
    return Run(options, seed, plan, examination, Diagnosis(examination, plan.bases), baseline, reason)


def first_given(*values: int | None) -> int:
    """The first value that is there."""
    return next(value for value in values if value is not None)


class _Progress:
    """One line on standard error that says what is going on, on a terminal only."""

    def __init__(self, planned: int, budget: Budget) -> None:
        self._planned, self._budget = planned, budget
        self._shown = sys.stderr.isatty()

    def __call__(self, line: str) -> None:
        if self._shown:
            head = f"[{self._budget.requests}/{self._planned}, {self._budget.units} images] "
            text = (head + line)[:100]
            sys.stderr.write("\r\x1b[2K" + "".join(c if c.isprintable() else "?" for c in text))
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
