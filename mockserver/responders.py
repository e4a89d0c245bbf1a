"""Where a normal answer comes from.  ``Synthesize`` makes it from the contract; others may replay or forward.

An answer is planned once per operation, status, example and seed, and then made for each request.
What was wrong with the request, and how the answer travels, is left to the pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from mockserver import media, sse
from mockserver.answers import compiled
from mockserver.asked import Asked, Slot
from mockserver.contract import Contract, Media, Operation, ResponseSpec
from mockserver.encoding import encoded
from mockserver.envelope import Envelope
from mockserver.explanation import Explainer
from mockserver.messages import HEADER_NAME
from mockserver.pointers import dereference, escape, find
from mockserver.streaming import compiled_stream
from mockserver.streams import StreamSpec
from mockserver.synthesis import Unsatisfiable, synthesize

_PLANS_KEPT: Final = 256
_WITHOUT_BODY: Final = (204, 205, 304)
_HEADERS_OF_THE_SERVER: Final = ("content-type", "content-length", "transfer-encoding", "connection", "date")


@dataclass(frozen=True, slots=True)
class Plan:
    """How one kind of answer is made: status, headers without Content-Length, and a body for each request."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: Callable[[Asked], bytes]


class Responder(Protocol):
    """What the pipeline asks for answers."""

    def plan(
        self,
        operation: Operation,
        status: int | None,
        example: str | None,
        seed: str,
        stream: StreamSpec | None = None,
    ) -> Plan | None:
        """How to answer with a status (None: success) and a named example (None: any).

        None for an example that is not documented; a status that is not is given all the same, as far as one can.
        With ``stream`` the success is answered in events.
        """


class Synthesize:
    """Answers from documented examples and schemas."""

    def __init__(self, contract: Contract, explainer: Explainer, envelope: Envelope) -> None:
        self._contract, self._explainer, self._envelope = contract, explainer, envelope
        self._plans: dict[tuple[str, int | None, str | None, str, str], Plan | None] = {}

    def plan(
        self,
        operation: Operation,
        status: int | None,
        example: str | None,
        seed: str,
        stream: StreamSpec | None = None,
    ) -> Plan | None:
        """See :class:`Responder`."""
        key = (operation.id, status, example, seed, stream.pointer if stream else "")
        if key not in self._plans:
            while len(self._plans) >= _PLANS_KEPT:
                self._plans.pop(next(iter(self._plans)))
            if stream is not None and status is None and example is None:
                self._plans[key] = self._streamed(operation, stream, seed)
            else:
                self._plans[key] = self._planned(operation, status, example, seed)
        return self._plans[key]

    def _streamed(self, operation: Operation, stream: StreamSpec, seed: str) -> Plan:
        spec = operation.success
        headers = ((b"content-type", f"{sse.MEDIA_TYPE}; charset=utf-8".encode()), (b"cache-control", b"no-cache"))
        own = self._headers(spec, seed) if spec else ()
        body = compiled_stream(self._contract, self._explainer, operation, stream, seed)
        return Plan(operation.success_status, (*headers, *own), body)

    def _planned(self, operation: Operation, status: int | None, example: str | None, seed: str) -> Plan | None:
        if status is None and example is not None:
            spec = next((s for s in operation.responses if any(example in m.examples for m in s.content)), None)
            code = _code(spec) if spec else 0
        elif status is None:
            spec, code = operation.success, operation.success_status
        else:
            spec, code = operation.response_for(status), status
        if spec is None:
            return None if example is not None else self._undocumented(operation, status or 200, seed)
        if example is not None and not any(example in option.examples for option in spec.content):
            return None
        headers = self._headers(spec, seed)
        option = _chosen(spec, example)
        if option is None or code in _WITHOUT_BODY:
            return Plan(code, headers, lambda _: b"")
        kind = media.media_type(option.type)
        kind = "application/json" if kind in ("*/*", "application/*", "") else kind
        if not media.is_json(kind):
            return self._text(kind, option, example, code, headers, seed)
        sent = option.type if "*" not in option.type else kind
        headers = ((b"content-type", sent.encode("latin-1", "replace")), *headers)
        if code >= 400 and example is None and not option.examples and self._contract.envelope is not None:
            message = f"An answer with status {code}, as preferred by the request"
            error = self._envelope.error(operation, code, message, "", None).body
            return Plan(code, headers, lambda _: error)
        return Plan(code, headers, self._chosen_by_request(operation, option, example, seed))

    def _chosen_by_request(self, operation: Operation, option: Media, example: str | None, seed: str) -> Slot:
        """What makes a JSON body: from the example asked for, else from the one that is for the request."""

        def made(base: Any) -> Slot:
            return compiled(self._contract, self._explainer, operation, option.schema, base)

        usual = made(self._base(option, example, seed))
        if example is not None or not option.meant:
            return usual
        choices = [(self._fits(pointer), made(option.examples[name])) for name, pointer in option.meant.items()]

        def make(asked: Asked) -> bytes:
            return next((slot for fits, slot in choices if fits(asked.body)), usual)(asked)

        return make

    def _fits(self, pointer: str) -> Callable[[Any], bool]:
        """Whether a request body fits the schema at a pointer."""
        quick, slow = self._explainer.accelerator, self._explainer.validator(pointer).is_valid
        if quick.check(pointer) is None:
            return lambda body: body is not media.MISSING and bool(slow(body))
        return lambda body: body is not media.MISSING and quick.accepts(pointer, body)

    def _undocumented(self, operation: Operation, status: int, seed: str) -> Plan:
        """A status of which the contract says nothing: the success or the error that it has, else no body."""
        if status >= 400:
            message = f"An answer with status {status}, as preferred by the request"
            error = self._envelope.error(operation, status, message, "", None)
            return Plan(status, ((b"content-type", error.kind),), lambda _: error.body)
        success = self._planned(operation, None, None, seed) if operation.success else None
        if success is None or status >= 300 or status in _WITHOUT_BODY:
            return _bare(status)
        return replace(success, status=status)

    def _base(self, option: Media, example: str | None, seed: str) -> Any:
        """The example asked for, else the first valid one, else a synthesised value, else any example."""
        if example is not None:
            return option.examples[example]
        valid = self._explainer.validator(option.schema).is_valid if option.schema else lambda _: True
        for name, value in option.examples.items():
            if name not in option.meant and valid(value):
                return value
        if option.schema:
            try:
                return synthesize(self._contract.document.data, f"#{option.schema}", seed=seed)
            except (Unsatisfiable, KeyError):
                pass
        return next(iter(option.examples.values()), {})

    def _text(
        self,
        kind: str,
        option: Media,
        example: str | None,
        code: int,
        headers: tuple[tuple[bytes, bytes], ...],
        seed: str,
    ) -> Plan:
        value = self._base(option, example, seed) if option.examples or option.schema else ""
        content = value.encode("utf-8", "replace") if isinstance(value, str) else encoded(value)
        kind = kind.replace("*", "plain" if kind.startswith("text/") else "octet-stream")
        return Plan(code, ((b"content-type", kind.encode("latin-1", "replace")), *headers), lambda _: content)

    def _headers(self, spec: ResponseSpec, seed: str) -> tuple[tuple[bytes, bytes], ...]:
        """The documented headers of an answer, from their examples or schemas."""
        found = []
        document = self._contract.document.data
        for name in find(document, f"{spec.pointer}/headers", {}):
            at, node = dereference(document, f"{spec.pointer}/headers/{escape(name)}")
            if not isinstance(node, Mapping) or str(name).lower() in _HEADERS_OF_THE_SERVER:
                continue
            if not HEADER_NAME.fullmatch(str(name)):
                continue  # lint says so
            value: Any = node.get("example")
            if value is None and "schema" in node:
                try:
                    value = synthesize(document, f"{at}/schema", seed=seed)
                except (Unsatisfiable, KeyError):
                    continue
            text = value if isinstance(value, str) else encoded(value).decode()
            if text.isprintable() and text.isascii():
                found.append((str(name).lower().encode("ascii", "replace"), text.encode()))
        return tuple(found)


def _bare(status: int) -> Plan:
    return Plan(status, (), lambda _: b"")


def _code(spec: ResponseSpec) -> int:
    """A status code that a documented response covers."""
    if spec.status.isdigit():
        return int(spec.status)
    return int(spec.status[0]) * 100 if spec.status[:1].isdigit() else 500


def _chosen(spec: ResponseSpec, example: str | None) -> Media | None:
    """The media type to answer in: the one with the example asked for, else JSON, else the first."""
    if example is not None:
        return next(option for option in spec.content if example in option.examples)
    options = [option for option in spec.content if media.is_json(media.media_type(option.type))]
    return next(iter(options or spec.content), None)
