"""The judging proxy: what :mod:`mockserver.forward` passes on is judged beside its way, recorded, and summed up.

Judging happens on a thread of its own, one exchange after the other, so that a large body holds nobody up; recording on
another, so that it never waits for judging, and ahead of the next answers.  Listening and the life of a command are left to
the command line.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from mockserver.cassette import Cassette
from mockserver.checking.examination import Examiner, Judged
from mockserver.checking.places import place
from mockserver.checking.tally import Tally
from mockserver.contract import Contract
from mockserver.errors import ContractToolError, RecordError, UsageError
from mockserver.findings import Report, Severity, Violation
from mockserver.forward.flow import CLIENT_GONE, HELD_BACK, UNREACHED, Problem
from mockserver.forward.forwarding import Forward
from mockserver.meaning import Session
from mockserver.messages import Exchange
from mockserver.ndjson import NO_REQUEST_BODY, NO_RESPONSE_BODY
from mockserver.rules import rule_for
from mockserver.server import START_TIMEOUT_S, at_home, configuration, listener_on, url_of
from mockserver.settings import OnViolation

SILENCE_S: Final = 600.0
"""Seconds for which an API may say nothing; an image that takes a minute is normal."""

_NOTES_AT_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens to a breach of the contract on each side."""

    request: OnViolation = "report"
    response: OnViolation = "report"


class Inspector:
    """Sees every exchange: holds back what the policy says, judges, counts, records.

    ``say`` gets a line about each new kind of violation.
    """

    def __init__(
        self, examiner: Examiner, upstream: str, policy: Policy, records: Sequence[Cassette], say: Callable[[str], None]
    ) -> None:
        self._examiner, self._policy, self._say = examiner, policy, say
        self._records = list(records)
        self.holds_requests, self.holds_responses = policy.request == "enforce", policy.response == "enforce"
        self.tally = Tally(upstream)
        self._origin = "/".join(upstream.split("/")[:3])
        self._session = Session()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self._recorder = ThreadPoolExecutor(1, thread_name_prefix="record")
        self._recording: Future[None] | None = None
        self._said: set[str] = set()
        self._notes: dict[str, None] = {}
        self._unreached = 0

    @property
    def contract(self) -> Contract:
        """The contract by which both sides are judged."""
        return self._examiner.judge.contract

    async def refuse_request(self, exchange: Exchange) -> Problem | None:
        """A request that breaks the contract goes no further."""
        if NO_REQUEST_BODY in exchange.notes:
            detail = (
                "the request is too large to be judged, and --on-request-violation enforce lets nothing pass unjudged"
            )
            return Problem(413, "Too large to be judged", "http_request_denied", detail)
        below = self._below(exchange)
        judged = await self._elsewhere(lambda: self._examiner.judge.request(below.request))
        found = judged.violations if judged.operation is None else judged.blocking
        if not found:
            return None
        status = rule_for(found[0].rule).status or 400
        return Problem(status, "The request breaks the contract", "http_request_denied", _sentences(found))

    async def refuse_response(self, exchange: Exchange) -> Problem | None:
        """An answer that breaks the contract is not passed on."""
        title = "The answer breaks the contract"
        if NO_RESPONSE_BODY in exchange.notes:
            return Problem(502, title, "http_response_body_size", "the answer is too large to be judged")
        below = self._below(exchange)
        judged = await self._elsewhere(lambda: self._examiner.examine(below, Session()))
        found = [v for v in judged.violations if v.side == "response" and v.severity is Severity.ERROR]
        return Problem(502, title, "http_response_incomplete", _sentences(tuple(found))) if found else None

    def done(self, exchange: Exchange) -> None:
        """Judge and record, later and elsewhere."""
        if self._records:
            self._recording = self._recorder.submit(self._record, exchange)
        self._worker.submit(self._judge, exchange)

    async def kept(self) -> None:
        """Wait until all that is over is recorded."""
        if self._recording is not None and not self._recording.done():
            await asyncio.wait([asyncio.wrap_future(self._recording)])

    def report(self, target: str, fail_on: Severity) -> Report:
        """The report on everything that went by; waits until all of it is judged."""
        self._recorder.shutdown(wait=True)
        self._worker.shutdown(wait=True)
        found = self.tally.report("proxy", self.contract, target, fail_on)
        reason = ""
        if not self.tally.requests:
            found, reason = replace(found, verdict="inconclusive"), "no request came"
        elif self._unreached and found.verdict == "clean":
            found = replace(found, verdict="inconclusive")
            reason = f"{self._unreached} of {self.tally.requests} requests did not reach the API"
        return replace(found, reason=reason, notes=tuple(self._notes))

    async def _elsewhere(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _judge(self, exchange: Exchange) -> None:
        try:
            judged = self._examiner.examine(self._below(exchange), self._session)
            self._count(replace(judged, violations=tuple(v for v in judged.violations if self._counts(v, exchange))))
        except Exception as error:  # noqa: BLE001
            self._note(f"{exchange.id} could not be judged: {type(error).__name__}")

    def _record(self, exchange: Exchange) -> None:
        for record in tuple(self._records):
            try:
                record.write(exchange, self._origin)
            except RecordError as error:
                self._records.remove(record)
                self._note(f"the record ends before {exchange.id}: {error}")

    def _counts(self, violation: Violation, exchange: Exchange) -> bool:
        """Whether a violation is for the report: by the policy, and because the answer says something about the API."""
        if violation.side == "request":
            return self._policy.request != "ignore"
        return self._policy.response != "ignore" and not {CLIENT_GONE, UNREACHED, HELD_BACK} & set(exchange.notes)

    def _count(self, judged: Judged) -> None:
        exchange = judged.exchange
        self.tally.add(judged, self._examiner.redactor)
        self._unreached += UNREACHED in exchange.notes
        for note in exchange.notes:
            text = f"{note}: {exchange.failure}" if note == UNREACHED and exchange.failure else note
            self._note(f"{exchange.id}: {text}" if note != UNREACHED else text)
        for violation in judged.violations:
            if violation.fingerprint not in self._said:
                self._said.add(violation.fingerprint)
                self._say(f"{exchange.id} {violation.severity} {violation.side} [{violation.rule}] {violation.message}")

    def _note(self, text: str) -> None:
        if text not in self._notes and len(self._notes) < _NOTES_AT_MOST:
            self._notes[text] = None
            self._say(text)

    def _below(self, exchange: Exchange) -> Exchange:
        host = (exchange.request.header("host") or "").lower()
        placed = place(self.contract, exchange, frozenset({host}))
        return placed.exchange if placed else exchange


def _sentences(found: tuple[Violation, ...]) -> str:
    return "; ".join(violation.message for violation in found[:10])


@contextmanager
def proxying(inspector: Inspector, upstream: str, host: str, port: int, silence_s: float = SILENCE_S) -> Iterator[str]:
    """A proxy in a thread, stopped on leaving; the base URL below which the contract's paths are forwarded.

    Raises ContractToolError when the address cannot be bound, UsageError when the upstream is the proxy itself.
    """
    import uvicorn

    base_path, host = inspector.contract.base_path, at_home(host)
    forward = Forward(upstream, base_path, inspector, silence_s)
    listener = listener_on(host, port)
    bound = listener.getsockname()[1]
    url = url_of(host, bound, base_path)
    own = {f"{name}:{bound}" for name in (host, "127.0.0.1", "localhost", "[::1]")}
    if upstream.split("/")[2].lower() in own:
        listener.close()
        raise UsageError(f"{upstream} is the address of this proxy itself")
    protocol = "mockserver.forward.protocol:DecliningProtocol"
    server = uvicorn.Server(configuration(forward, protocol, date_header=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="proxy", daemon=True)
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield url
    finally:
        server.should_exit = True
        thread.join(START_TIMEOUT_S)
        listener.close()


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    for _ in range(int(START_TIMEOUT_S * 100)):
        if server.started:
            return
        thread.join(0.01)
        if not thread.is_alive():
            break
    raise ContractToolError("the proxy did not start")
