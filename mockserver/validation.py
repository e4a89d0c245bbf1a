"""The judge: a message and its operation in, violations out.

``jsonschema`` decides everything about values; this module finds the operation, reads parameters and bodies, and asks.
Mock, proxy, recorded traffic and the suite all call it.  What an accepted or refused request says about the API as a
whole is left to the suite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mockserver import credentials, forms, leaks, media, sentences, sequence
from mockserver.admission import UNDECIDED, Admit, admission
from mockserver.contract import Contract, Match, Media, Operation, ResponseSpec, severity_of
from mockserver.explanation import Explainer
from mockserver.findings import Severity, Source, Violation
from mockserver.meaning import Session, judging
from mockserver.media import MISSING
from mockserver.messages import Exchange, Request, Response
from mockserver.parameters import values_of
from mockserver.pointers import descend, pointer_of
from mockserver.refusals import Refusals
from mockserver.rules import rule_for
from mockserver.streams import StreamSpec


@dataclass(frozen=True, slots=True)
class RequestJudgement:
    """What a request means to the contract: its match, its body's value (MISSING when unreadable), its violations."""

    match: Match
    body: Any
    violations: tuple[Violation, ...]

    @property
    def operation(self) -> Operation | None:
        """The operation, None for an unknown path or method."""
        return self.match.operation

    @property
    def blocking(self) -> tuple[Violation, ...]:
        """The violations for which a faithful server refuses the request (header rules alone are not among them)."""
        return tuple(v for v in self.violations if rule_for(v.rule).status and v.severity is not Severity.INFO)


class Judge:
    """Judges messages by one contract.  Immutable after construction and shared freely between threads."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.explainer = Explainer(contract)
        self.refusals = Refusals(contract, self.explainer)
        self._accelerator = self.explainer.accelerator
        self._admissions: dict[tuple[str, str], tuple[Match, Admit]] = {}
        for operation in contract.operations:
            if admit := admission(contract, operation, self._accelerator):
                self._admissions[operation.method, operation.path] = (Match(operation), admit)

    def admission(self, operation: Operation) -> Admit | None:
        """The quick yes to an operation's plainly valid requests; None where there is none."""
        found = self._admissions.get((operation.method, operation.path))
        return found[1] if found else None

    def request(self, request: Request) -> RequestJudgement:
        """Judge a request; its path is below the contract's base path."""
        quick = self._admissions.get((request.method, request.path))
        if quick:
            # UTF-8, so that no character outside ASCII can turn into one that a rule allows.
            names = tuple([name.lower().encode() for name, _ in request.headers])
            values = tuple([value.encode("utf-8", "replace") for _, value in request.headers])
            value = quick[1](names, values, request.body)
            if value is not UNDECIDED:
                return RequestJudgement(quick[0], value, ())
        return self.strictly(request)

    def strictly(self, request: Request) -> RequestJudgement:
        """The same by the whole set of rules, without the quick yes."""
        match = self.contract.match(request.method, request.path)
        operation = match.operation
        if operation is None:
            return RequestJudgement(match, MISSING, (self._unmatched(request, match),))
        found = list(credentials.violations(self.explainer, operation, request))
        if operation.parameters:
            found += self._parameters(operation, request, match)
        value, problems = self._request_body(operation, request)
        return RequestJudgement(match, value, (*found, *problems))

    def exchange(
        self, exchange: Exchange, session: Session | None = None, secrets: tuple[str, ...] = ()
    ) -> tuple[Violation, ...]:
        """Judge both sides of an exchange; ``session`` remembers what must differ between answers."""
        judged = self.request(exchange.request)
        if judged.operation is None:
            return judged.violations
        return judged.violations + self.response(judged.operation, judged.body, exchange, session, secrets)

    def response(
        self,
        operation: Operation,
        request_body: Any,
        exchange: Exchange,
        session: Session | None = None,
        secrets: tuple[str, ...] = (),
    ) -> tuple[Violation, ...]:
        """Judge the response side of an exchange, from its bytes to its meaning."""
        answer = exchange.response
        if answer is None:
            failure = exchange.failure or "the connection ended"
            rule = "wire.timeout" if "time" in failure else "wire.failure"
            message = f"no answer: {failure}"
            return (self.explainer.answer(rule, operation, "/status", message, "a documented answer", failure),)
        return (
            *self._answered(operation, request_body, exchange, answer, session or Session()),
            *leaks.violations(self.explainer, operation, answer, secrets),
        )

    def body_violations(self, operation: Operation, value: Any) -> list[Violation]:
        """The violations of a JSON request body's value alone, for those who build requests."""
        spec = next((m for m in operation.body if media.is_json(media.media_type(m.type))), None)
        if spec is None or not spec.schema:
            return []
        return list(self.explainer.schema(value, spec.schema, operation, "request", "body", "/body"))

    def _unmatched(self, request: Request, match: Match) -> Violation:
        near = match.nearest
        observed = f"{request.method} {request.path}"
        if match.allowed:
            rule, documented = "path.method", f"{request.path} takes {' and '.join(match.allowed)}"
        else:
            known = ", ".join(f"{o.method} {o.path}" for o in self.contract.operations[:5])
            rule = "path.unknown"
            documented = f"nearest is {near.method} {near.path}" if near else f"the contract has {known or 'none'}"
        return Violation(
            rule=rule,
            severity=rule_for(rule).severity,
            side="request",
            operation="",
            pointer="/path",
            message=f"{sentences.show(observed)[1:-1]} is not in the contract: {documented}",
            documented=documented,
            observed=sentences.show(observed)[1:-1],
            source=self.contract.source(near.pointer) if near else Source(),
            place=self.contract.document.place(near.pointer) if near else "",
        )

    def _parameters(self, operation: Operation, request: Request, match: Match) -> Iterator[Violation]:
        explain = self.explainer
        for parameter, value in values_of(self.contract.document.data, operation, request, match.path_values).items():
            area, name = parameter.location, parameter.name
            pointer = f"/{'headers' if area == 'header' else area}{pointer_of([name])}"
            if value is not MISSING:
                if parameter.schema and not self._accelerator.accepts(parameter.schema, value):
                    yield from explain.schema(value, parameter.schema, operation, "request", area, pointer, name)
            elif parameter.required:
                rule, place = f"{area}.required", parameter.pointer
                yield explain.statement(rule, operation, "request", pointer, place, name, "be sent", sentences.ABSENT)

    def _request_body(self, operation: Operation, request: Request) -> tuple[Any, list[Violation]]:
        content_type = request.header("content-type")
        kind = media.media_type(content_type)
        if not operation.body or not (request.body or operation.body_required):
            return MISSING, []
        spec = next((m for m in operation.body if media.covers(m.type, kind)), None)
        if spec is None and kind:
            wanted = " or ".join(m.type for m in operation.body)
            place, got = operation.body_pointer, sentences.show(content_type)
            return MISSING, [
                self.explainer.statement(
                    "media.unsupported", operation, "request", "/headers/Content-Type", place, "Content-Type",
                    f"be {wanted}", got,
                )
            ]  # fmt: skip
        spec = spec or operation.body[0]
        is_form = media.media_type(spec.type) == forms.MEDIA_TYPE
        if not is_form and not media.is_json(media.media_type(spec.type)):
            return MISSING, []
        if is_form:
            reading = forms.read(self.contract.document.data, request.body, content_type, spec.schema)
        else:
            reading = media.read_json(request.body)
        if reading.problems:
            place = operation.body_pointer
            return reading.value, [self.explainer.bytes(p, operation, "request", place) for p in reading.problems]
        if not spec.schema or (not is_form and self._accelerator.accepts(spec.schema, reading.value)):
            return reading.value, []
        return reading.value, list(
            self.explainer.schema(reading.value, spec.schema, operation, "request", "body", "/body")
        )

    def _answered(
        self, operation: Operation, request_body: Any, exchange: Exchange, answer: Response, session: Session
    ) -> Iterator[Violation]:
        explain = self.explainer
        if answer.cut:
            yield explain.answer("wire.cut", operation, "/body", answer.cut, "a complete message", answer.cut)
        spec = operation.response_for(answer.status)
        if spec is None and 200 <= answer.status < 300 and self.refusals.in_answer(operation, answer):
            message = f"status {answer.status} with an error as its body"
            yield explain.answer("error.in-success", operation, "/body", message, "a success body", "an error")
            return
        if spec is None or (300 <= answer.status < 400 and spec.status == "default"):
            rule = "status.redirect" if 300 <= answer.status < 400 else "status.undocumented"
            documented = "status " + (", ".join(r.status for r in operation.responses) or "none")
            location = answer.header("location")
            observed = f"status {answer.status}" + (f" to {sentences.show(location)}" if location else "")
            yield explain.answer(
                rule, operation, "/status", f"{observed}; documented is {documented}", documented, observed
            )
            return
        body, problem = media.decode(answer.body, answer.header("content-encoding"))
        if problem:
            documented = "a body as its headers describe it"
            yield explain.answer(problem.rule, operation, "/body", problem.message, documented, problem.message)
        if exchange.request.method != "HEAD" and spec.content:
            yield from self._response_body(operation, request_body, exchange, answer, spec, body, session)

    def _response_body(
        self,
        operation: Operation,
        request_body: Any,
        exchange: Exchange,
        answer: Response,
        spec: ResponseSpec,
        body: bytes,
        session: Session,
    ) -> Iterator[Violation]:
        severity = severity_of(descend(self.contract.document.data, spec.pointer), Severity.ERROR)
        option, wrong = self._media_of(operation, answer, self._offered(spec, request_body))
        for violation in wrong:
            yield replace(violation, severity=min(violation.severity, severity, key=lambda s: s.rank))
        if option is not None and option.stream is not None:
            yield from self._events(operation, request_body, exchange, answer, option.stream, body, session)
            return
        if option is None or (wrong and body.lstrip()[:1] not in (b"{", b"[")):
            return  # what is not JSON by its type and by its first byte needs no second complaint
        reading = media.read_json(body)
        for problem in reading.problems:
            if not (answer.cut and problem.rule in ("json.cut", "json.empty")):
                yield replace(explained := self.explainer.bytes(problem, operation, "response", spec.pointer),
                              severity=min(explained.severity, severity, key=lambda s: s.rank))  # fmt: skip
        if reading.value is not MISSING:
            yield from self._value(operation, request_body, exchange, answer, option, reading.value, session)

    def streamed(self, operation: Operation, request_body: Any) -> StreamSpec | None:
        """The stream of events that a request body asks for; None for an answer in one piece."""
        for stream in operation.streams:
            if request_body is not MISSING and self.explainer.validator(stream.when).is_valid(request_body):
                return stream
        return None

    def _offered(self, spec: ResponseSpec, request_body: Any) -> ResponseSpec:
        """The response with the media types that a request with this body is promised."""
        if request_body is MISSING or not any(option.stream for option in spec.content):
            return spec
        asked = tuple(
            option
            for option in spec.content
            if option.stream and self.explainer.validator(option.stream.when).is_valid(request_body)
        )
        return replace(spec, content=asked or tuple(option for option in spec.content if not option.stream))

    def _events(
        self,
        operation: Operation,
        request_body: Any,
        exchange: Exchange,
        answer: Response,
        stream: StreamSpec,
        body: bytes,
        session: Session,
    ) -> Iterator[Violation]:
        with judging(exchange, request_body, session):
            yield from list(
                sequence.violations(self.explainer, operation, stream, body, request_body, bool(answer.cut))
            )

    def _media_of(
        self, operation: Operation, answer: Response, spec: ResponseSpec
    ) -> tuple[Media | None, list[Violation]]:
        """The documented media type to judge by (None: not JSON), and what is wrong with the Content-Type."""
        content_type = answer.header("content-type")
        documented = next((m for m in spec.content if media.covers(m.type, media.media_type(content_type))), None)
        json_option = next((m for m in spec.content if media.is_json(media.media_type(m.type))), None)
        if documented is None:
            must = "be " + " or ".join(m.type for m in spec.content)
            got = sentences.show(content_type) if content_type else "none"
            return json_option, [
                self.explainer.statement(
                    "media.undocumented", operation, "response", "/headers/Content-Type", spec.pointer,
                    "Content-Type", must, got,
                )
            ]  # fmt: skip
        if documented.stream is not None:
            return documented, []
        is_json = media.is_json(media.media_type(documented.type)) or documented.type == "*/*"
        if is_json and media.charset(content_type) not in ("", "utf-8", "utf8", "us-ascii"):
            message = f"JSON is UTF-8; the Content-Type says {content_type}"
            return documented, [
                self.explainer.answer(
                    "media.charset", operation, "/headers/Content-Type", message, "charset utf-8", str(content_type)
                )
            ]
        return (documented if is_json else None), []

    def _value(
        self,
        operation: Operation,
        request_body: Any,
        exchange: Exchange,
        answer: Response,
        option: Media,
        value: Any,
        session: Session,
    ) -> Iterator[Violation]:
        if isinstance(value, str) and isinstance(media.read_json(value.encode("utf-8", "replace")).value, dict | list):
            message = "the body is a JSON string that holds the JSON text"
            shown = sentences.show(value)
            yield self.explainer.answer("json.double-encoded", operation, "/body", message, "the value itself", shown)
            return
        if not option.schema:
            return
        with judging(exchange, request_body, session):
            violations = list(self.explainer.schema(value, option.schema, operation, "response", "body", "/body"))
        if answer.status < 300 and any(v.severity is Severity.ERROR for v in violations):
            error = self.refusals.is_one(operation, value)
            if error:
                message = f"status {answer.status} with an error as its body: {sentences.show(value)}"
                shown = sentences.show(value)
                yield self.explainer.answer("error.in-success", operation, "/body", message, "a success body", shown)
                return
        yield from violations
        if answer.status < 300 and self.refusals.beside(option.schema, value):
            shown = sentences.show(value["error"])
            message = f"status {answer.status} with an error beside its result: {shown}"
            yield self.explainer.answer("error.beside-result", operation, "/body/error", message, "no error", shown)
