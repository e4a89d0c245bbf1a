"""Violations, findings and reports: what a judgement says, before anybody formats it.

A violation is one message breaking one rule; violations with the same fingerprint are one finding.
How they are found is left to :mod:`mockserver.validation` and the suite, how they look to ``mockserver.reports``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Side = Literal["request", "response"]


class Severity(StrEnum):
    """How bad a violation is: ``error`` breaks a documented promise, ``warning`` a convention, ``info`` neither."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """3 for error, 2 for warning, 1 for info: compare these."""
        return {"error": 3, "warning": 2, "info": 1}[self.value]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement stands: ``page`` (URL), ``at`` (table and row), ``quote``, ``confidence`` (high, medium, low).

    ``convention`` is set when the page is silent and the statement is only what such APIs usually do.
    ``place`` is file and pointer of the statement in the contract.
    """

    page: str = ""
    at: str = ""
    quote: str = ""
    confidence: str = ""
    convention: str = ""
    place: str = ""

    def as_dict(self) -> dict[str, str]:
        """The fields that say something."""
        pairs = {
            "page": self.page,
            "at": self.at,
            "quote": self.quote,
            "confidence": self.confidence,
            "convention": self.convention,
            "place": self.place,
        }
        return {key: value for key, value in pairs.items() if value}


@dataclass(frozen=True, slots=True)
class Violation:
    """One message breaks one rule.

    ``rule`` is a stable name from :mod:`mockserver.rules`; ``pointer`` is a JSON Pointer into the message, which has the
    members ``body``, ``headers``, ``query``, ``path`` and ``status``; ``param`` is the short name of the offending field
    as an error envelope would give it; ``documented`` and ``observed`` are sentences for a person.
    """

    rule: str
    severity: Severity
    side: Side
    operation: str
    pointer: str
    message: str
    documented: str = ""
    observed: str = ""
    source: Source = field(default_factory=Source)
    place: str = ""
    param: str = ""
    spoken: tuple[tuple[str, Any], ...] = ()

    @property
    def normalised(self) -> str:
        """The pointer with every array index replaced by ``*``."""
        return re.sub(r"/\d+(?=/|$)", "/*", self.pointer)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that stay the same for the same rule at the same place, whatever the values."""
        parts = (self.rule, self.side, self.operation, self.normalised, self.place)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Finding:
    """Violations that share a fingerprint.

    ``violation`` is the first example; ``condition`` says when it happens ("" for always), ``confirmation`` how sure that
    is (``constant``, ``intermittent``, ``once``); ``reproduce`` is a curl line; ``exchanges`` are the ids in order;
    ``accepted`` is the reason for which a baseline accepts it, "" for a finding that counts.
    """

    violation: Violation
    exchanges: tuple[str, ...]
    condition: str = ""
    confirmation: str = ""
    reproduce: str = ""
    also: tuple[str, ...] = ()
    accepted: str = ""

    @property
    def count(self) -> int:
        """How many exchanges show it."""
        return len(self.exchanges)

    def as_dict(self) -> dict[str, Any]:
        """The fields that the JSON report promises, and a few more."""
        v = self.violation
        return {
            "rule": v.rule,
            "severity": v.severity.value,
            "side": v.side,
            "operation": v.operation,
            "pointer": v.pointer,
            "documented": v.documented,
            "observed": v.observed,
            "message": v.message,
            "source": v.source.as_dict(),
            "schema": v.place,
            "count": self.count,
            "fingerprint": v.fingerprint,
            "first_exchange": self.exchanges[0] if self.exchanges else None,
            "last_exchange": self.exchanges[-1] if self.exchanges else None,
            "condition": self.condition,
            "confirmation": self.confirmation,
            "also": list(self.also),
            "accepted": self.accepted or None,
            "reproduce": self.reproduce,
        }


@dataclass(frozen=True, slots=True)
class OpenSuspicion:
    """A suspicion that the run could not clear: its name, why it is open, what clearing it would cost."""

    name: str
    reason: str
    requests: int = 1
    images: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return {"name": self.name, "reason": self.reason, "requests": self.requests, "images": self.images}


Verdict = Literal["clean", "findings", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What the usage stated in so many answers comes to in US dollars, and what was estimated for the same answers."""

    answers: int
    usd: float
    estimated_usd: float

    def as_dict(self) -> dict[str, Any]:
        """The form of the JSON report."""
        return {"answers": self.answers, "usd": self.usd, "estimated_usd": self.estimated_usd}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one command; the binding fields of the JSON report and what people want beside them."""

    command: str
    contract: str
    target: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    requests: int = 0
    accepted: int = 0
    images: int = 0
    cost_usd: float | None = None
    usage: Usage | None = None
    seed: int | None = None
    duration_s: float = 0.0
    open_suspicions: tuple[OpenSuspicion, ...] = ()
    cleared: int = 0
    notes: tuple[str, ...] = ()
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The JSON report, version 1."""
        return {
            "version": 1,
            "command": self.command,
            "contract": self.contract,
            "target": self.target,
            "verdict": self.verdict,
            "reason": self.reason,
            "requests": self.requests,
            "accepted": self.accepted,
            "images": self.images,
            "cost_usd": self.cost_usd,
            "usage": self.usage.as_dict() if self.usage else None,
            "seed": self.seed,
            "duration_s": round(self.duration_s, 3),
            "findings": [finding.as_dict() for finding in self.findings],
            "suspicions": {
                "cleared": self.cleared,
                "open": [suspicion.as_dict() for suspicion in self.open_suspicions],
            },
            "notes": list(self.notes),
            **self.details,
        }


def group(violations: Iterable[tuple[str, Violation]]) -> list[Finding]:
    """Findings from ``(exchange id, violation)`` pairs, in order of first sight; the worst severity of a group wins."""
    worst: dict[str, Violation] = {}
    exchanges: dict[str, dict[str, None]] = {}
    for exchange, violation in violations:
        name = violation.fingerprint
        known = worst.get(name)
        if known is None or violation.severity.rank > known.severity.rank:
            worst[name] = violation
        exchanges.setdefault(name, {})[exchange] = None
    return [Finding(worst[name], tuple(ids)) for name, ids in exchanges.items()]


def at_least(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    """The findings of that severity or worse that no baseline accepts."""
    return [f for f in findings if f.violation.severity.rank >= severity.rank and not f.accepted]
