"""One request's way to its answer: the only place that knows the order of the steps.

Match, judge, choose the scenario, then the scenario's answer, the refusal or the responder's answer; then redact and record.
Sockets are left to :mod:`mockserver.app`, the way an answer travels to :mod:`mockserver.delivery`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple

from mockserver import redaction, sse
from mockserver.asked import Asked
from mockserver.contract import Contract, Operation
from mockserver.delivery import AT_ONCE, Delivery
from mockserver.envelope import Envelope
from mockserver.explanation import Explainer
from mockserver.findings import Violation
from mockserver.freshness import seeded
from mockserver.gallery import Gallery, UndrawnError
from mockserver.identifiers import Identifiers
from mockserver.intake import Came, Intake, RawHeaders
from mockserver.journal import Entry
from mockserver.meaning import digest_of
from mockserver.ndjson import NO_REQUEST_BODY
from mockserver.preferences import NONE, Preferences, preferences_of
from mockserver.redaction import Redactor
from mockserver.replay import Replay
from mockserver.replay import read as read_cassette
from mockserver.responders import Plan, Responder, Synthesize
from mockserver.scenarios import Scenario, Step
from mockserver.settings import Settings
from mockserver.shortcut import Shortcut
from mockserver.state import State
from mockserver.streams import StreamSpec
from mockserver.validation import Judge, RequestJudgement

_SESSION_NAME_AT_MOST: Final = 200
CLIENT_GONE: Final = 499
"""What stands in the journal for the status of no answer at all, as in the logs of nginx."""
REFUSED: Final = "mockserver.refused"
"""Key of an ASGI scope: status and sentence with which a request was refused before its end."""
_EVENTS: Final = sse.MEDIA_TYPE.encode()
_now = time.time


Outcome = tuple[int, list[tuple[bytes, bytes]], bytes, Delivery]
"""What is sent: status, all headers, body; and how."""
_Made = tuple[int, list[tuple[bytes, bytes]], bytes | Callable[[], bytes], list[str]]


class Later(NamedTuple):
    """An answer whose body takes longer than the loop has time for: ``make`` it elsewhere, then ``tell`` it."""

    make: Callable[[], bytes]
    tell: Callable[[bytes], Outcome]


class Pipeline:
    """Answers requests by one contract.  Not shared between threads: the server's loop calls it."""

    def __init__(
        self,
        contract: Contract,
        scenarios: Mapping[str, Scenario],
        settings: Settings,
        state: State,
        identifiers: Identifiers,
        gallery: Gallery,
    ) -> None:
        self.contract, self.scenarios, self.settings = contract, dict(scenarios), settings
        self.journal, self.stage = journal, stage = state.journal, state.stage
        self.judge = Judge(contract)
        self.intake = Intake(contract, self.judge, settings)
        self.redactor = Redactor(contract, settings.api_key)
        self.explainer: Explainer = self.judge.explainer
        self.envelope = Envelope(contract, self.explainer)
        self.responder: Responder = Synthesize(contract, self.explainer, self.envelope)
        self.base = contract.base_path.encode()
        self._identifiers, self._gallery = identifiers, gallery
        self._bits = Random(os.urandom(16)).getrandbits
        self._usually = Delivery(delay_s=settings.delay) if settings.delay else AT_ONCE
        self.replay: Replay | None = None
        if settings.replay is not None:
            self.replay = read_cassette(settings.replay, contract.base_path, state.store)
        self.shortcuts: dict[tuple[bytes, bytes], Shortcut] = {}
        if settings.seed is None and settings.api_key is None and self.replay is None and not settings.delay:
            for operation in contract.operations:
                admit = self.judge.admission(operation)
                plan = self.responder.plan(operation, None, None, "0")
                if admit and plan:
                    path = self.base + operation.path.encode()
                    self.shortcuts[operation.method.encode(), path] = Shortcut(
                        operation,
                        path,
                        admit,
                        plan,
                        self.redactor,
                        journal,
                        stage,
                        identifiers,
                        gallery,
                        settings,
                    )

    def answer(
        self,
        method: str,
        path: bytes,
        query: bytes,
        headers: RawHeaders,
        named: Mapping[bytes, bytes],
        body: bytes,
        started: float,
        trouble: str = "",
    ) -> Outcome | Later:
        """The answer to a request, which is in the journal when this returns, unless it takes longer.

        ``path`` is as sent, the base path included; ``named`` are the headers by name; ``trouble`` says why the body was
        not read.
        """
        short = self.shortcuts.get((method.encode(), path))
        if short is not None and not query and not trouble:
            taken = short.take(headers, body, started)
            if taken is not None:
                return short.status, list(short.headers(taken)), taken.body, AT_ONCE
        return self._carefully(Came(method, path, query, headers, named, body, started, trouble))

    def _carefully(self, came: Came) -> Outcome | Later:
        notes: list[str] = []
        session = self._session(came, notes)
        wishes = self._wishes(came, notes)
        judged = self.intake.judged(came)
        operation = judged.operation
        refused = judged.blocking
        if came.trouble:
            refused = judged.violations
        elif self.settings.on_violation != "enforce":
            refused = tuple(v for v in refused if operation is None or v.rule == "security.refused")
        scenario, step = self._step(session, wishes, operation, notes)
        made = self._made(came, judged, refused, wishes, step, notes)
        body = made[2]
        tell = partial(self._told, came, session, judged, scenario, step, wishes, notes, made)
        return tell(body) if isinstance(body, bytes) else Later(body, tell)

    def _told(
        self,
        came: Came,
        session: str,
        judged: RequestJudgement,
        scenario: Scenario | None,
        step: Step | None,
        wishes: Preferences,
        notes: list[str],
        made: _Made,
        body: bytes,
    ) -> Outcome:
        """The outcome with a body that is made, redacted and in the journal."""
        status, headers, _, applied = made
        operation = judged.operation
        way = step.delivery if step else self._usually
        if wishes.delay is not None:
            way, applied = replace(way, delay_s=wishes.delay), [*applied, f"delay={wishes.delay:g}"]
        if wishes.cut is not None:
            way, applied = replace(way, cut_after_bytes=wishes.cut), [*applied, f"cut={wishes.cut}"]
        if scenario is not None and scenario.name == wishes.scenario:
            applied = [*applied, f"scenario={scenario.name}"]
        clean, secrets = self.redactor.headers(came.headers)
        query, more = self.redactor.query(came.query)
        secrets = self.redactor.sought((*secrets, *more)) if more else secrets
        body = redaction.text(body, secrets, redaction.UNMISTAKABLE) if secrets else body
        identifier = self._identifiers.fresh()
        in_events = dict(headers).get(b"content-type", b"").startswith(_EVENTS)
        if in_events:  # of no length known in advance, as from a service that is still at work
            way = replace(way, events=True)
        sent = [
            *headers,
            *([] if in_events else [(b"content-length", b"%d" % len(body))]),
            (b"contract-violations", b"%d" % len(judged.violations)),
            (b"mock-exchange", identifier),
        ]
        if status in (204, 304):
            sent = [pair for pair in sent if pair[0] != b"content-length"]
        if applied:
            sent.append((b"preference-applied", ", ".join(applied).encode("latin-1", "replace")))
        self.journal.append(
            Entry(
                identifier.decode(), came.started, _now() - came.started, session, came.method,
                redaction.text(came.path, secrets), redaction.text(query, secrets), tuple(n for n, _ in clean),
                tuple(v for _, v in clean), redaction.text(came.body, secrets), status, tuple(n for n, _ in sent),
                tuple(redaction.text(v, secrets) for _, v in sent), redaction.text(body, secrets),
                operation.id if operation else "", redaction.violations(judged.violations, secrets),
                scenario.name if step and scenario else "", tuple(redaction.words(note, secrets) for note in notes),
                way.cut,
            )
        )  # fmt: skip
        return status, sent, body, way

    def unfinished(self, came: Came, status: int, why: str) -> None:
        """Record a request whose end did not come, and with which status it was refused; nothing is judged."""
        notes = [why, NO_REQUEST_BODY]
        session = self._session(came, notes)
        operation = self.intake.judged(came._replace(trouble=why)).match.operation
        clean, secrets = self.redactor.headers(came.headers)
        query, more = self.redactor.query(came.query)
        secrets = self.redactor.sought((*secrets, *more)) if more else secrets
        self.journal.append(
            Entry(
                self._identifiers.fresh().decode(), came.started, _now() - came.started, session, came.method,
                redaction.text(came.path, secrets), redaction.text(query, secrets), tuple(n for n, _ in clean),
                tuple(v for _, v in clean), redaction.text(came.body, secrets), status, (), (), b"",
                operation.id if operation else "", (), "", tuple(redaction.words(note, secrets) for note in notes),
                why,
            )
        )  # fmt: skip

    def _session(self, came: Came, notes: list[str]) -> str:
        name = came.named.get(b"mock-session", b"").decode("latin-1").strip()
        if len(name) > _SESSION_NAME_AT_MOST or not name.isprintable():
            notes.append("Mock-Session ignored: a name has at most 200 printable characters")
            return ""
        return name

    def _wishes(self, came: Came, notes: list[str]) -> Preferences:
        if b"prefer" not in came.named:
            return NONE
        values = [value.decode("latin-1") for name, value in came.headers if name == b"prefer"]
        wishes = preferences_of(", ".join(values))
        notes += wishes.notes
        return wishes

    def _step(
        self, session: str, wishes: Preferences, operation: Operation | None, notes: list[str]
    ) -> tuple[Scenario | None, Step | None]:
        """The scenario that applies, and its step for this request; a wish comes before what is armed."""
        if operation is None:
            return None, None
        scenario = self.stage.armed(session)
        if wishes.scenario is not None:
            wished = self.scenarios.get(wishes.scenario)
            if wished is None:
                known = ", ".join(self.scenarios) or "none"
                notes.append(f"preference ignored: there is no scenario {wishes.scenario[:40]!r}; there is {known}")
            scenario = wished or scenario
        return (scenario, self.stage.play(session, scenario)) if scenario else (None, None)

    def _made(
        self,
        came: Came,
        judged: RequestJudgement,
        refused: Sequence[Violation],
        wishes: Preferences,
        step: Step | None,
        notes: list[str],
    ) -> _Made:
        """Status, headers, body or what makes it, and the preferences that they fulfil."""
        head, limit = sum(len(name) + len(value) for name, value in came.headers), self.settings.max_headers
        if head > limit:
            notes.append(f"refused: the headers have {head} bytes")
            message = f"the headers of a request must have at most {limit} bytes; got {head} bytes"
            found = self.envelope.error(judged.operation, 431, message, "", None)
            return found.status, [(b"content-type", found.kind)], found.body, []
        if step and step.response and not came.trouble:
            fixed = step.response
            return fixed.status, list(fixed.headers), fixed.body, []
        if self.replay is not None and not came.trouble:
            path, query = came.path.decode("latin-1"), came.query.decode("latin-1")
            recorded = self.replay.answer(came.method, path, query, came.body)
            if recorded is not None:
                return *recorded, []
            notes.append("the cassette does not hold this request; answered as without one")
        operation = judged.operation
        if operation is None or refused:
            found = self.envelope.refusal(operation or judged.match.nearest, list(refused or judged.violations))
            headers = [(b"content-type", found.kind)]
            if found.status == 405:
                allowed = set(judged.match.allowed) | ({"HEAD"} if "GET" in judged.match.allowed else set())
                headers.append((b"allow", ", ".join(sorted(allowed)).encode("latin-1", "replace")))
            if found.status == 401:
                headers.append((b"www-authenticate", b"Bearer"))
            for name in ("code", "example", "seed"):
                if getattr(wishes, name) is not None:
                    notes.append(f"preference ignored: {name}= changes accepted requests, and this one was refused")
            return found.status, headers, found.body, []
        stream = self.judge.streamed(operation, judged.body)
        plan, applied = self._planned(operation, wishes, notes, stream)
        body: bytes | Callable[[], bytes]
        try:
            body = plan.body(self._asked(came, judged.body, wishes))
        except UndrawnError:
            body = partial(plan.body, self._asked(came, judged.body, wishes, patient=True))
        return plan.status, list(plan.headers), body, applied

    def _planned(
        self, operation: Operation, wishes: Preferences, notes: list[str], stream: StreamSpec | None
    ) -> tuple[Plan, list[str]]:
        seed = wishes.seed or ("0" if self.settings.seed is None else str(self.settings.seed))
        applied = ["seed=" + _quoted(wishes.seed)] if wishes.seed is not None else []
        if wishes.code is not None or wishes.example is not None:
            plan = self.responder.plan(operation, wishes.code, wishes.example, seed)
            if plan is not None:
                met = [f"code={wishes.code}"] if wishes.code is not None else []
                met += ["example=" + _quoted(wishes.example)] if wishes.example is not None else []
                return plan, [*met, *applied]
            wish = " and ".join(
                f"{n}={getattr(wishes, n)}" for n in ("code", "example") if getattr(wishes, n) is not None
            )
            notes.append(f"preference ignored: {operation.id} documents no answer with {wish}")
        plan = self.responder.plan(operation, None, None, seed, stream)
        if plan is None:  # the responder always has a success; said for the type checker's sake
            raise LookupError(operation.id)
        return plan, applied

    def _asked(self, came: Came, value: Any, wishes: Preferences, patient: bool = False) -> Asked:
        text = came.body or b"%b %b" % (came.method.encode(), came.path)
        seed = wishes.seed if wishes.seed is not None else self.settings.seed
        if seed is None:
            return Asked(value, text, came.started, self._bits, came.headers, self._gallery, patient=patient)
        target = f"{came.path.decode('latin-1')}?{came.query.decode('latin-1')}"
        bits = seeded(seed, digest_of(came.method, target, came.body))
        return Asked(value, text, None, bits, came.headers, self._gallery, str(seed), patient)


def _quoted(text: str) -> str:
    if text and all(c.isascii() and (c.isalnum() or c in "!#$%&'*+.^_`|~-") for c in text):
        return text
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text) + '"'
