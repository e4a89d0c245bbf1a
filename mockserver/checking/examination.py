"""One exchange under judgement: what the judge says about both sides, and what the outcome says about the API.

The rules are those of :mod:`mockserver.validation`; added here is what only a finished exchange shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from mockserver import credentials, redaction
from mockserver.cassette import PROBE, secrets_of
from mockserver.checking.members import Members
from mockserver.contract import Operation
from mockserver.findings import Severity, Side, Violation
from mockserver.meaning import Session
from mockserver.media import MISSING, covers
from mockserver.messages import Exchange, Request, Response
from mockserver.ndjson import NO_REQUEST_BODY, NO_RESPONSE_BODY
from mockserver.redaction import REDACTED, Redactor
from mockserver.sentences import show
from mockserver.validation import Judge, RequestJudgement

REFUSED_AS_INVALID: Final = (400, 413, 415, 422)
"""Statuses by which a server says that the request itself is wrong."""


ABOUT_THE_REQUEST: Final = ("meaning.length", "meaning.equals", "meaning.stable")
"""Rules about an answer that cannot be judged without the body of its request."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One exchange under judgement: what is wrong on both sides, and whether and at what price it was accepted."""

    exchange: Exchange
    operation: Operation | None
    violations: tuple[Violation, ...]
    accepted: bool
    units: int
    usd: float | None


class Examiner:
    """Judges exchanges of one contract and keeps keys out of what it says.  Shared freely between threads."""

    def __init__(self, judge: Judge, redactor: Redactor) -> None:
        self.judge, self.redactor = judge, redactor
        self._members = Members(judge.contract.document.data)

    def examine(self, exchange: Exchange, session: Session, *, secondhand: bool = False) -> Judged:
        """Both sides of an exchange whose path is below the base path, and what its outcome says about the API.

        ``secondhand`` marks the record of another tool, which may have left out keys and bodies and which cannot tell a
        server's silence from its own: what it may have left out is no finding, or information at most.  What is wrong with
        a request that a test run sent on purpose says nothing about a client.
        """
        judged = self.judge.request(exchange.request)
        operation = judged.operation
        deliberate = any(note.startswith(PROBE) for note in exchange.notes)
        found = [] if deliberate else list(judged.violations)
        accepted = False
        if operation is not None:
            secret = credentials.secret_of(operation, exchange.request) or ""
            secrets = (secret,) if secret and secret != REDACTED.decode() else ()
            answered = self.judge.response(operation, judged.body, exchange, session, secrets)
            status = exchange.response.status if exchange.response else 0
            accepted = 200 <= status < 300 and not any(v.rule == "error.in-success" for v in answered)
            found += answered
            if not deliberate:
                found += self.undocumented(operation, judged.body, judged.violations)
            found += drift(operation, judged, exchange, accepted, deliberate)
        gone = [str(note) for note in (NO_REQUEST_BODY, NO_RESPONSE_BODY) if note in exchange.notes]
        found = [weighed for violation in found for weighed in _weighed(violation, gone, exchange, secondhand)]
        secrets_found = secrets_of(exchange.request, self.redactor)
        units = operation.units.of(judged.body) if accepted and operation and operation.units else 0
        usd = operation.price(judged.body) if accepted and operation else None
        return Judged(exchange, operation, redaction.violations(tuple(found), secrets_found), accepted, units, usd)

    def undocumented(self, operation: Operation, body: Any, violations: tuple[Violation, ...]) -> Iterator[Violation]:
        """Members of a request's body that the documentation does not name: information, because many APIs take more."""
        spec = next((m for m in operation.body if m.schema and covers(m.type, "application/json")), None)
        if spec is None or body is MISSING:
            return
        denied = {violation.pointer for violation in violations}
        explain = self.judge.explainer
        for pointer, value in self._members.undocumented((spec.schema,), body, "/body"):
            if pointer not in denied:
                name = pointer.removeprefix("/body/").replace("/", ".")
                found = explain.statement(
                    "body.undocumented", operation, "request", pointer, spec.schema, name, "be documented", show(value)
                )
                yield replace(
                    found,
                    severity=Severity.INFO,
                    message=f"{name} is in no table of the documentation; a server may ignore it or refuse it",
                    documented="the documentation names no such field",
                )


def drift(
    operation: Operation, judged: RequestJudgement, exchange: Exchange, accepted: bool, deliberate: bool
) -> Iterator[Violation]:
    """What the outcome says about the API: accepted although the page forbids it, refused although it allows it.

    Information only, because a record cannot be asked again; as bad as the broken rule where the request was
    ``deliberate``: a test run changes one thing at a time.
    """
    status = exchange.response.status if exchange.response else 0
    if accepted:
        for broken in judged.blocking:
            yield replace(
                broken,
                rule=f"looser.{broken.rule.split('.', 1)[1]}",
                side="response",
                severity=broken.severity if deliberate else Severity.INFO,
                message=f"the API accepted a request that breaks its documentation: {broken.message}",
                observed=f"accepted with status {status}: {broken.observed}",
            )
    elif status in REFUSED_AS_INVALID and not judged.blocking and exchange.response is not None:
        text = exchange.response.body[:200].decode("utf-8", "replace")
        yield Violation(
            rule="stricter.refused",
            severity=Severity.INFO,
            side="response",
            operation=operation.id,
            pointer="/status",
            message=f"the API refused a request that keeps every documented rule: status {status}",
            documented="a valid request is answered",
            observed=f"status {status}: {show(text)}",
            place="rule:stricter.refused",
        )


def one_message(
    judge: Judge, operation: Operation, side: Side, body: bytes, status: int, name: str
) -> tuple[Exchange, tuple[Violation, ...]]:
    """A single JSON body as the exchange it may have come from, and what is wrong with it as that side's."""
    kind = next((m.type for m in operation.body if "*" not in m.type), "application/json")
    path = re.sub(r"\{[^{}]*\}", "x", operation.path)
    request = Request(operation.method, path, "", (("Content-Type", kind),), body if side == "request" else b"")
    if side == "request":
        judged = judge.request(request)
        extra = Examiner(judge, Redactor(judge.contract)).undocumented(operation, judged.body, judged.violations)
        return Exchange(name, request, None), (*(v for v in judged.violations if v.pointer.startswith("/body")), *extra)
    spec = operation.response_for(status)
    kind = next((m.type for m in spec.content if "*" not in m.type), kind) if spec else kind
    exchange = Exchange(name, request, Response(status, (("Content-Type", kind),), body))
    found = judge.response(operation, MISSING, exchange)
    return exchange, tuple(v for v in found if v.rule not in ABOUT_THE_REQUEST)


def _weighed(violation: Violation, gone: list[str], exchange: Exchange, secondhand: bool) -> Iterator[Violation]:
    """The violation as it counts for a record with gaps: nothing, the same, or information.

    Browsers leave keys out of their exports; that none came is believed only where the server says so too.
    """
    about_body = violation.pointer.startswith("/body")
    if about_body and violation.side == "request" and NO_REQUEST_BODY in gone:
        return
    if violation.rule.startswith("looser.") and about_body and NO_REQUEST_BODY in gone:
        return
    if violation.rule in ABOUT_THE_REQUEST and NO_REQUEST_BODY in gone:
        return
    if about_body and violation.side == "response" and NO_RESPONSE_BODY in gone and "looser." not in violation.rule:
        return
    if secondhand and violation.rule == "looser.missing":
        return
    keyless = violation.rule == "security.missing" and (exchange.response is None or exchange.response.status != 401)
    doubtful = violation.rule.startswith("wire.") or keyless
    yield replace(violation, severity=Severity.INFO) if secondhand and doubtful else violation
