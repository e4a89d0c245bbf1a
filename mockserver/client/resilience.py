"""What a program makes of an API that fails: one run per scenario, what it sent, how long it waited, how it ended.

Scenarios are data of the contract.  Where there is a right answer, a rule has a verdict; the rest is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Final

from mockserver.client.environment import dummy_key, environment
from mockserver.client.process import Ended, run
from mockserver.contract import Contract
from mockserver.findings import Finding, Severity, Violation
from mockserver.journal import Entry
from mockserver.meaning import digest_of
from mockserver.messages import header
from mockserver.redaction import REDACTED
from mockserver.scenarios import Scenario, read_scenarios, scenario_of
from mockserver.server import background
from mockserver.settings import Settings

MAY_BE_REPEATED: Final = (408, 409, 425, 429)
"""Refusals that may be other at the next attempt; every other 4xx answers the same request the same way."""
ENDLESS: Final = 10
"""Attempts at one request from which on nobody is served by another."""
EARLY_S: Final = 0.05
"""Seconds before the end of Retry-After that are put down to clocks."""
REDIRECTED: Final = "redirected"
NORMAL: Final = "normal"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: ``attempts`` at the request that was sent most, ``waits`` between them in seconds, ``accepted`` of them."""

    scenario: str
    entries: tuple[Entry, ...]
    elsewhere: tuple[Entry, ...]
    ended: Ended
    seconds: float

    @property
    def attempts(self) -> tuple[Entry, ...]:
        """The entries of the request that was sent most often, in order."""
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(_digest(entry), []).append(entry)
        most = sorted(groups.values(), key=lambda group: -len(group))
        return tuple(most[0]) if most else ()

    @property
    def waits(self) -> tuple[float, ...]:
        """Seconds from each answer to the next attempt."""
        attempts = self.attempts
        ends = [entry.started + entry.duration for entry in attempts]
        return tuple(max(0.0, later.started - end) for end, later in zip(ends, attempts[1:], strict=False))

    @property
    def paid(self) -> int:
        """Attempts that the API took and would ask money for, whatever became of their answers."""
        return sum(200 <= entry.status < 300 and bool(entry.operation) for entry in self.attempts)

    def row(self) -> dict[str, Any]:
        """One line of the table."""
        attempts = self.attempts
        first = attempts[0] if attempts else None
        hung = self.ended.timeout_s is not None
        return {
            "scenario": self.scenario,
            "answer": "none" if first is None else _in_words(first),
            "requests": len(self.entries),
            "attempts": len(attempts),
            "waits_s": [round(wait, 2) for wait in self.waits],
            "paid": self.paid,
            "exit": "hung" if hung else self.ended.status,
            "seconds": round(self.seconds, 1),
        }


def runs(
    contract: Contract, command: Sequence[str], settings: Settings, given: dict[str, str], timeout_s: float
) -> list[Callable[[], Outcome]]:
    """One run for normal answers, one per scenario, one for a redirect to another host; each when it is called."""
    scenarios = sorted(read_scenarios(contract.document))

    def plain(name: str | None) -> Callable[[], Outcome]:
        return lambda: _run(replace(settings, scenario=name), command, given, timeout_s)

    return [plain(None), *map(plain, scenarios), lambda: _redirected(settings, command, given, timeout_s)]


def _run(settings: Settings, command: Sequence[str], given: dict[str, str], timeout_s: float) -> Outcome:
    with background(settings) as running:
        variables = environment(given, running.mock.contract, running.url, dummy_key())
        ended, seconds = _timed(command, variables, timeout_s)
    return Outcome(settings.scenario or NORMAL, tuple(running.journal.entries()), (), ended, seconds)


def _redirected(settings: Settings, command: Sequence[str], given: dict[str, str], timeout_s: float) -> Outcome:
    """Every request is sent on to another host by 307, which keeps method and body; does the key go along?"""
    with background(settings) as elsewhere, background(settings) as running:
        url = f"http://localhost:{elsewhere.port}{elsewhere.mock.base_path}"
        running.mock.stage.arm("", _to(url, running.mock.contract))
        variables = environment(given, running.mock.contract, running.url, dummy_key())
        ended, seconds = _timed(command, variables, timeout_s)
    there = tuple(elsewhere.journal.entries())
    return Outcome(REDIRECTED, tuple(running.journal.entries()), there, ended, seconds)


def _to(url: str, contract: Contract) -> Scenario:
    path = contract.operations[0].path if contract.operations else "/"
    answer = {"status": 307, "headers": {"Location": f"{url}{path}"}}
    return scenario_of(REDIRECTED, {"steps": [{"response": answer}], "then": "repeat"})


def _timed(command: Sequence[str], variables: dict[str, str], timeout_s: float) -> tuple[Ended, float]:
    clock = time.perf_counter()
    ended = run(command, variables, timeout_s)
    return ended, time.perf_counter() - clock


def judged(outcome: Outcome) -> list[Finding]:
    """What the program did that is wrong by any reading, or costs money."""
    found: list[Finding] = []
    attempts = outcome.attempts

    def tell(rule: str, severity: Severity, message: str, documented: str, entries: Sequence[Entry]) -> None:
        operation = entries[0].operation if entries else ""
        violation = Violation(
            rule=f"client.{rule}",
            severity=severity,
            side="request",
            operation=operation,
            pointer="/headers" if rule == "key-elsewhere" else "",
            message=f"{outcome.scenario}: {message}",
            documented=documented,
            observed=message,
            place=f"scenario:{outcome.scenario}",
        )
        ids = tuple(entry.id for entry in entries)
        found.append(Finding(violation, ids, f"in the scenario {outcome.scenario}"))

    for before, wait in zip(attempts, outcome.waits, strict=False):
        if 400 <= before.status < 500 and before.status not in MAY_BE_REPEATED and not before.cut:
            what = f"the same request was sent again after status {before.status}, {wait:.1f} s later"
            tell("retried-refusal", Severity.ERROR, what, "an equal request is refused again", (before,))
            break
    for before, wait in zip(attempts, outcome.waits, strict=False):
        wanted = _retry_after(before)
        if wanted is not None and wait < wanted - EARLY_S:
            what = f"the next attempt came after {wait:.2f} s, and Retry-After said {wanted:g} s"
            tell(
                "early-retry",
                Severity.ERROR,
                what,
                "Retry-After is the least time to wait (RFC 9110, 10.2.3)",
                (before,),
            )
            break
    if len(attempts) >= ENDLESS:
        what = f"{len(attempts)} attempts at one request"
        tell("endless-retry", Severity.ERROR, what, "a client gives up", attempts)
    if outcome.ended.timeout_s is not None:
        what = f"the program had not ended after {outcome.ended.timeout_s:g} s"
        tell("hung", Severity.ERROR, what, "a program ends, whatever the API does", attempts)
    if outcome.paid > 1:
        what = f"the same request was accepted {outcome.paid} times, and paid for each time"
        tell("paid-twice", Severity.WARNING, what, "each accepted request is paid for", attempts)
    carrying = [entry for entry in outcome.elsewhere if _has_key(entry)]
    if carrying:
        what = "the key was sent to another host, to which a redirect led"
        tell("key-elsewhere", Severity.ERROR, what, "a key is for the host that it was made for", carrying)
    if outcome.ended.status == 0 and attempts and not outcome.elsewhere and attempts[-1].status >= 400:
        what = f"the program ended with 0 although the last answer was status {attempts[-1].status}"
        tell(
            "silent-failure", Severity.INFO, what, "whoever runs it learns of a failure by its exit code", attempts[-1:]
        )
    return found


def _digest(entry: Entry) -> str:
    return digest_of(entry.method, entry.path.decode("latin-1"), entry.body)


def _has_key(entry: Entry) -> bool:
    """Whether a key came along; the journal shows that there was one, never which."""
    return any(REDACTED in value for value in entry.values)


def _retry_after(entry: Entry) -> float | None:
    value = header(tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in entry.answer_headers), "retry-after")
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - entry.started - entry.duration)
    except (ValueError, TypeError):
        return None


def _in_words(entry: Entry) -> str:
    if entry.cut:
        return entry.cut.removeprefix("connection ")
    late = f" after {entry.duration:.0f} s" if entry.duration >= 1 else ""
    wanted = _retry_after(entry)
    return f"{entry.status}{late}" + (f", Retry-After {wanted:g}" if wanted is not None else "")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows for a person, one line each, at most 80 columns where names allow it."""
    heads = ("scenario", "first answer", "tries", "waits (s)", "paid", "exit")
    lines = [
        (
            row["scenario"],
            row["answer"],
            str(row["attempts"]),
            " ".join(f"{wait:g}" for wait in row["waits_s"][:4]) + (" ..." if len(row["waits_s"]) > 4 else ""),
            str(row["paid"]),
            str(row["exit"]),
        )
        for row in rows
    ]
    widths = [max(len(line[place]) for line in (heads, *lines)) for place in range(len(heads))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in (heads, *lines)
    )
