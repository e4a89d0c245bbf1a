"""From a mock's journal to the report on the program that called it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from mockserver.checking.examination import Examiner, Judged
from mockserver.checking.tally import Tally
from mockserver.client.advice import fix, marked
from mockserver.contract import Contract, Operation
from mockserver.findings import Report, Severity, Violation
from mockserver.journal import Entry
from mockserver.meaning import digest_of
from mockserver.media import read_json
from mockserver.messages import Exchange
from mockserver.ndjson import NO_REQUEST_BODY

RETRY_COUNT: Final = "x-stainless-retry-count"
"""Header in which the SDKs of this style number their attempts, from 0."""
PAID_TWICE: Final = "client.paid-twice"


class Inspection:
    """Goes through what a program sent; the answers are our mock's and are not judged."""

    def __init__(self, examiner: Examiner, base_url: str) -> None:
        self._examiner, self.tally = examiner, Tally(base_url)
        self._seen: dict[str, tuple[str, int]] = {}
        self._requests: Counter[str] = Counter()
        self._broken: Counter[str] = Counter()
        self._unfinished: Counter[str] = Counter()
        self._advice: dict[str, dict[str, str]] = {}

    @property
    def contract(self) -> Contract:
        """The contract that the program is held to."""
        return self._examiner.judge.contract

    def add(self, entries: Iterable[Entry]) -> None:
        """Judge entries in the order in which they came."""
        for entry in entries:
            self._entry(entry)

    def _entry(self, entry: Entry) -> None:
        exchange = entry.exchange
        if NO_REQUEST_BODY in entry.notes:  # part of a request breaks nothing, and is no request either
            self._unfinished[entry.cut or ""] += 1
            return
        operation = self.contract.operation(entry.operation) if entry.operation else None
        found = [violation for violation in entry.violations if violation.side == "request"]
        accepted = 200 <= entry.status < 300 and operation is not None
        units, usd = 0, None
        if operation is not None:
            body = read_json(entry.body).value if operation.body else None
            found += self._examiner.undocumented(operation, body, entry.violations)
            if accepted:
                units = operation.units.of(body) if operation.units else 0
                usd = operation.price(body)
                found += self._again(operation, exchange, usd)
        name = operation.id if operation else "no known operation"
        self._requests[name] += 1
        self._broken[name] += any(violation.severity is not Severity.INFO for violation in found)
        explained = tuple(self._explained(exchange, violation) for violation in found)
        below = replace(exchange, request=replace(exchange.request, path=self._below(exchange.request.path)))
        self.tally.add(Judged(below, operation, explained, accepted, units, usd), self._examiner.redactor)

    def _again(self, operation: Operation, exchange: Exchange, usd: float | None) -> list[Violation]:
        """An accepted request that was accepted before: paid for twice, where the operation is paid for."""
        request = exchange.request
        if request.method in ("GET", "HEAD") or (operation.units is None and operation.prices is None):
            return []
        digest = digest_of(request.method, request.target, request.body)
        first, count = self._seen.get(digest, (exchange.id, 0))
        self._seen[digest] = (first, count + 1)
        if not count:
            return []
        retry = (request.header(RETRY_COUNT) or "0").strip()
        is_retry = retry.isdigit() and int(retry) > 0
        price = f", about {usd:.3f} USD each" if usd is not None else ""
        what = f"as attempt {retry} by its {RETRY_COUNT}" if is_retry else "with an equal body"
        place = self.contract.document.place(operation.pointer)
        violation = Violation(
            rule=PAID_TWICE,
            severity=Severity.WARNING if is_retry else Severity.INFO,
            side="request",
            operation=operation.id,
            pointer="/body",
            message=f"the same request as {first} was sent and accepted again {what}: it is paid for twice",
            documented="each accepted request is paid for, and none carries an idempotency key",
            observed=f"sent again {what}, accepted both times{price}",
            place=place,
        )
        return [violation]

    def _explained(self, exchange: Exchange, violation: Violation) -> Violation:
        """The violation with what was sent and how to mend it; worked out once for each kind."""
        known = self._advice.get(violation.fingerprint)
        if known is None and violation.rule != PAID_TWICE:
            sent = marked(exchange.request, violation)
            known = {"sent": sent, "fix": fix(self.contract, exchange.request, violation)}
            self._advice[violation.fingerprint] = known
            mend = f"; to mend it, {known['fix']}" if known["fix"] else ""
            return replace(
                violation,
                documented=f"{violation.documented}{mend}",
                observed=f"{violation.observed}; sent was {sent}",
            )
        return violation

    def _below(self, path: str) -> str:
        return path.removeprefix(self.contract.base_path)

    def report(self, target: str, fail_on: Severity) -> Report:
        """The report so far."""
        found = self.tally.report("client", self.contract, target, fail_on)
        rows = {
            name: {"requests": count, "breaking": self._broken[name]} for name, count in sorted(self._requests.items())
        }
        notes = tuple(
            f"{name}: {row['requests']} request{'s' if row['requests'] != 1 else ''}, {row['breaking'] or 'none'} of them"
            f" {'breaks' if row['breaking'] == 1 else 'break'} the contract"
            for name, row in rows.items()
        )
        notes += tuple(
            f"{count} request{'s' if count != 1 else ''} had no end, not counted or judged: {why}"
            for why, count in self._unfinished.items()
        )
        return replace(found, notes=notes, details={"operations": rows, "advice": self._advice})
