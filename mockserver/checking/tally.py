"""What a command saw so far: findings with their exchanges, requests, what was accepted and at what price."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mockserver.cassette import redacted
from mockserver.causes import grouped, members_at, parent_of
from mockserver.checking.examination import Judged
from mockserver.contract import Contract, Operation
from mockserver.curl import curl, without_browser
from mockserver.findings import Finding, Report, Severity, Verdict, Violation, at_least
from mockserver.messages import Exchange, Request
from mockserver.ndjson import NO_REQUEST_BODY
from mockserver.redaction import REDACTED, Redactor

LONGEST_REPRODUCED: Final = 64 * 1024
"""Bytes of a body that a curl line repeats."""

PATHS_NAMED: Final = 10
"""Other unknown paths that a finding about the first one names."""


@dataclass(slots=True)
class Tally:
    """What was judged so far: findings with the ids of their exchanges, requests, what was accepted and what it cost."""

    base_url: str
    variable: str = "QUICKROUTER_API_KEY"
    requests: int = 0
    accepted: int = 0
    units: int = 0
    usd: float = 0.0
    priced: bool = False
    _found: dict[str, tuple[Violation, list[str], str]] = field(default_factory=dict)
    _instead: dict[str, str] = field(default_factory=dict)
    _paths: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, judged: Judged, redactor: Redactor) -> None:
        """Count one exchange."""
        self.requests += 1
        self.accepted += judged.accepted
        self.units += judged.units
        if judged.usd is not None:
            self.usd, self.priced = self.usd + judged.usd, True
        for violation in judged.violations:
            self.note(violation, judged.exchange, redactor, judged.operation)

    def note(
        self, violation: Violation, exchange: Exchange, redactor: Redactor | None, operation: Operation | None = None
    ) -> None:
        """Count one violation of an exchange; without a redactor, the exchange has no key in it."""
        if violation.pointer == "/path":
            self._paths.setdefault(violation.fingerprint, {})[violation.observed] = None
        known_before = self._found.get(violation.fingerprint)
        if known_before is None:
            clean = redacted(exchange, redactor) if redactor else exchange
            line = "" if NO_REQUEST_BODY in exchange.notes else self._reproduce(clean.request, operation)
            self._found[violation.fingerprint] = (violation, [exchange.id], line)
            if violation.rule == "body.required" and violation.side == "response" and clean.response:
                self._instead[violation.fingerprint] = members_at(clean.response.body, parent_of(violation.pointer))
            return
        first, ids, reproduce = known_before
        if ids[-1] != exchange.id:
            ids.append(exchange.id)
        if violation.severity.rank > first.severity.rank:
            self._found[violation.fingerprint] = (violation, ids, reproduce)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The worst first, else in the order of first sight."""
        found = [
            Finding(
                violation,
                tuple(ids),
                confirmation="once" if len(ids) == 1 else "",
                reproduce=reproduce,
                also=tuple(list(self._paths.get(fingerprint, ()))[1 : PATHS_NAMED + 1]),
            )
            for fingerprint, (violation, ids, reproduce) in self._found.items()
        ]
        found = grouped(found, lambda finding: self._instead.get(finding.violation.fingerprint, ""))
        return tuple(sorted(found, key=lambda finding: -finding.violation.severity.rank))

    def verdict(self, fail_on: Severity) -> Verdict:
        """Findings from that severity on, else clean; inconclusive where nothing was judged."""
        if at_least(self.findings, fail_on):
            return "findings"
        return "clean" if self.requests else "inconclusive"

    def report(self, command: str, contract: Contract, target: str, fail_on: Severity) -> Report:
        """The report so far; the caller adds what only it knows."""
        return Report(
            command=command,
            contract=contract.name,
            target=target,
            verdict=self.verdict(fail_on),
            findings=self.findings,
            requests=self.requests,
            accepted=self.accepted,
            images=self.units,
            cost_usd=round(self.usd, 4) if self.priced else None,
        )

    def _reproduce(self, request: Request, operation: Operation | None) -> str:
        if len(request.body) > LONGEST_REPRODUCED:
            return ""
        schemes = [scheme for alternative in operation.security for scheme in alternative] if operation else []
        shown = without_browser(request, cookie=any(scheme.location == "cookie" for scheme in schemes))
        return curl(shown, self.base_url, REDACTED.decode(), self.variable)
