"""Records as ``check`` goes through them: every exchange judged, a verdict per file and one for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final

from mockserver import cassette
from mockserver.cassette import Cassette
from mockserver.checking.examination import Examiner, one_message
from mockserver.checking.places import host_of, place
from mockserver.checking.tally import Tally
from mockserver.contract import Operation
from mockserver.findings import Report, Severity, Side, Verdict
from mockserver.meaning import Session
from mockserver.messages import Exchange
from mockserver.ndjson import NO_REQUEST_BODY, NO_RESPONSE_BODY
from mockserver.validation import Judge

_HOSTS_NAMED: Final = 5


@dataclass(slots=True)
class Counted:
    """What one file held: exchanges that were judged, others that were not the contract's, and its verdict so far.

    ``without_request`` and ``without_answer`` count judged exchanges whose body was not recorded; ``bodies`` those that
    had one.
    """

    file: str
    judged: int = 0
    skipped: int = 0
    without_request: int = 0
    without_answer: int = 0
    bodies: int = 0
    findings: int = 0
    verdict: Verdict = "inconclusive"
    hosts: dict[str, int] = field(default_factory=dict)
    prefixes: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return {
            "file": self.file,
            "verdict": self.verdict,
            "judged": self.judged,
            "skipped": self.skipped,
            "findings": self.findings,
        }

    def __str__(self) -> str:
        text = f"{self.file}: {self.verdict}; {self.judged} judged, {self.skipped} skipped as not the contract's"
        if not self.judged and self.hosts:
            most = sorted(self.hosts, key=lambda host: -self.hosts[host])[:_HOSTS_NAMED]
            return f"{text} (their hosts: {', '.join(most)}; --host says that one is the API's)"
        gaps = ((self.without_request, "request"), (self.without_answer, "answer"))
        told = ", ".join(f"{count} without the {side}'s body" for count, side in gaps if count)
        return f"{text}; not recorded, so not judged: {told}" if told else text

    def see(self, exchange: Exchange) -> None:
        """Count an exchange that is judged."""
        self.judged += 1
        self.without_request += NO_REQUEST_BODY in exchange.notes
        self.without_answer += NO_RESPONSE_BODY in exchange.notes
        self.bodies += bool(exchange.request.body or (exchange.response and exchange.response.body))

    @property
    def bare(self) -> bool:
        """Whether there were bodies and none of them was recorded."""
        return not self.bodies and bool(self.without_request or self.without_answer)


class Check:
    """Goes through records and keeps count; ``several`` says that ids need the name of their file.

    ``kept`` is a cassette for what was judged.
    """

    def __init__(
        self, examiner: Examiner, hosts: frozenset[str], fail_on: Severity, several: bool, kept: Cassette | None
    ) -> None:
        self._examiner, self._fail_on, self._several, self._kept = examiner, fail_on, several, kept
        contract = examiner.judge.contract
        self._hosts = hosts | {host_of(contract.server_url)} - {""}
        self._tally = Tally(contract.server_url or "http://localhost")
        self._files: list[Counted] = []
        self._empty: list[str] = []
        self._notes: list[str] = []
        self._judged_before = 0

    def begin(self, argument: str) -> None:
        """An argument of the command line comes next: a file, a folder, stdin."""
        self._judged_before = self._tally.requests

    def end(self, argument: str) -> None:
        """It is read; one that held nothing for the contract leaves the whole without a verdict."""
        if self._tally.requests == self._judged_before:
            self._empty.append(argument)

    def record(self, name: str, stream: BinaryIO) -> None:
        """Judge every exchange of one file; raises RecordError where it cannot be read."""
        form = cassette.form_of(stream, name)
        counted = Counted(name)
        self._files.append(counted)
        own = Tally(self._tally.base_url)
        sessions: dict[str, Session] = {}
        for exchange in cassette.exchanges(stream, name, form, self._notes):
            self._exchange(exchange, counted, own, sessions, secondhand=form == "har")
        counted.verdict, counted.findings = own.verdict(self._fail_on), len(own.findings)
        if counted.bare and counted.verdict == "clean":
            counted.verdict = "inconclusive"
        self._notes += [
            f"{name}: {_counted(count, 'request')} judged below the unknown prefix {prefix}"
            for prefix, count in counted.prefixes.items()
        ]

    def _exchange(
        self, exchange: Exchange, counted: Counted, own: Tally, sessions: dict[str, Session], *, secondhand: bool
    ) -> None:
        placed = place(self._examiner.judge.contract, exchange, self._hosts)
        host = exchange.request.header("host") or "unknown"
        if placed is None:
            counted.skipped += 1
            counted.hosts[host] = counted.hosts.get(host, 0) + 1
            return
        counted.see(exchange)
        if placed.prefix:
            counted.prefixes[placed.prefix] = counted.prefixes.get(placed.prefix, 0) + 1
        named = f"{counted.file}:{exchange.id}" if self._several and not secondhand else exchange.id
        named_exchange = replace(placed.exchange, id=named)
        session = sessions.setdefault(f"{host} {exchange.session}", Session())
        judged = self._examiner.examine(named_exchange, session, secondhand=secondhand)
        own.add(judged, self._examiner.redactor)
        self._tally.add(judged, self._examiner.redactor)
        if self._kept:
            self._kept.write(exchange)

    def report(self, target: str) -> Report:
        """The report on everything that was read."""
        found = self._tally.report("check", self._examiner.judge.contract, target, self._fail_on)
        bare = [counted.file for counted in self._files if counted.bare]
        reasons = (
            f"nothing for the contract in {', '.join(self._empty)}" if self._empty else "",
            f"no body was recorded in {', '.join(bare)}" if bare else "",
        )
        reason = "" if found.verdict == "findings" else "; ".join(filter(None, reasons))
        if reason:
            found = replace(found, verdict="inconclusive")
        notes = (*(str(counted) for counted in self._files), *dict.fromkeys(self._notes))
        return replace(found, reason=reason, notes=notes, details={"files": [c.as_dict() for c in self._files]})


def check_bodies(
    judge: Judge,
    operation: Operation,
    side: Side,
    status: int | None,
    bodies: Iterable[tuple[str, bytes]],
    fail_on: Severity,
    target: str,
) -> Report:
    """The report on single JSON bodies, each with its name; an answer has the documented success status unless given."""
    tally = Tally(judge.contract.server_url or "http://localhost")
    for name, body in bodies:
        exchange, violations = one_message(judge, operation, side, body, status or operation.success_status, name)
        tally.requests += 1
        for violation in violations:
            tally.note(violation, exchange, None)
    found = tally.report("check", judge.contract, target, fail_on)
    return (
        found if side == "request" else replace(found, findings=tuple(replace(f, reproduce="") for f in found.findings))
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
