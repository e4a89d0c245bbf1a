"""A request as it came off the wire, and its judgement: base path, HEAD, the one valid key, bodies that are too large.

What a contract says about a request is left to :mod:`mockserver.validation`, what is answered to the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mockserver import credentials, sentences
from mockserver.contract import Contract, Match, Operation
from mockserver.findings import Severity, Violation
from mockserver.media import MISSING
from mockserver.messages import Request
from mockserver.settings import Settings
from mockserver.validation import Judge, RequestJudgement

RawHeaders = Sequence[tuple[bytes, bytes]]


class Came(NamedTuple):
    """One request as it came: ``path`` as sent, the base path included; ``named`` the headers by name."""

    method: str
    path: bytes
    query: bytes
    headers: RawHeaders
    named: Mapping[bytes, bytes]
    body: bytes
    started: float
    trouble: str = ""


class Intake:
    """Judges what comes in for one contract, as the settings want it."""

    def __init__(self, contract: Contract, judge: Judge, settings: Settings) -> None:
        self._contract, self._judge, self._settings = contract, judge, settings
        self._base = contract.base_path.encode()

    def judged(self, came: Came) -> RequestJudgement:
        """What the contract and the settings have to say about a request."""
        method, path = came.method, came.path
        if self._base:
            if not path.startswith(self._base + b"/"):
                return RequestJudgement(Match(None), MISSING, (self._outside(came),))
            path = path[len(self._base) :]
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in came.headers)
        request = Request(method, path.decode("latin-1"), came.query.decode("latin-1"), headers, came.body)
        match = self._contract.match(method, request.path)
        if match.operation is None and method == "HEAD" and "GET" in match.allowed:
            request = replace(request, method="GET")
            match = self._contract.match("GET", request.path)
        if came.trouble:
            return RequestJudgement(match, MISSING, (self._trouble(came, match.operation),))
        if self._settings.on_violation == "ignore" and match.operation:
            value = self._judge.request(request).body
            return RequestJudgement(match, value, self._refused_key(match.operation, request))
        judged = self._judge.request(request)
        if judged.operation is not None and not any(v.rule.startswith("security.") for v in judged.violations):
            wrong = self._refused_key(judged.operation, request)
            judged = replace(judged, violations=(*wrong, *judged.violations)) if wrong else judged
        return judged

    def _refused_key(self, operation: Operation, request: Request) -> tuple[Violation, ...]:
        """The complaint about a key that is not the one this mock was told to accept."""
        key = self._settings.api_key
        if key is None or not operation.security or any(not alternative for alternative in operation.security):
            return ()
        if credentials.same(credentials.secret_of(operation, request), key):
            return ()
        scheme = operation.security[0][0]
        pointer = f"/{'headers' if scheme.location == 'header' else scheme.location}/{scheme.name}"
        must, got = "carry the key that this mock was started with", "another key"
        statement = self._judge.explainer.statement(
            "security.refused", operation, "request", pointer, scheme.pointer, scheme.name, must, got
        )
        return (statement,)

    def _outside(self, came: Came) -> Violation:
        """A path that is not below the base path of the contract's server."""
        asked = sentences.show(f"{came.method} {came.path.decode('latin-1')}")[1:-1]
        below = f"every path is below {self._base.decode('latin-1')}"
        return Violation(
            rule="path.unknown",
            severity=Severity.ERROR,
            side="request",
            operation="",
            pointer="/path",
            message=f"{asked} is not in the contract: {below}",
            documented=below,
            observed=asked,
        )

    def _trouble(self, came: Came, operation: Operation | None) -> Violation:
        """A request that was not read to its end because it is too large."""
        return Violation(
            rule="limit.body",
            severity=Severity.ERROR,
            side="request",
            operation=operation.id if operation else "",
            pointer="/body",
            message=came.trouble,
            documented=f"at most {self._settings.max_body} bytes",
            observed="more",
        )
