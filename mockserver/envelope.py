"""Refusals in the API's own words: violations in, status and body out.

The body's form comes from the contract: its ``x-envelope``, else the answer that the operation documents for a client's
mistake, else a problem document (RFC 9457).  What is refused is left to the judge.
"""

from __future__ import annotations

import copy
import http.client
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mockserver import media
from mockserver.contract import Contract, Operation, ResponseSpec
from mockserver.encoding import encoded
from mockserver.explanation import Explainer
from mockserver.findings import Violation
from mockserver.pointers import descend, find, pointer_of
from mockserver.rules import rule_for
from mockserver.synthesis import Unsatisfiable, synthesize
from mockserver.wording import rule_of

_SENTENCES_AT_MOST = 20
_PLACEHOLDER = re.compile(r"\{(message|type|param|code)\}")
_TELLING = ("messag", "detail", "descr", "reason", "title", "error", "text", "msg")
"""Stems of member names under which an error says in words what is wrong, the best first."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Status, media type and body of a refusal."""

    status: int
    kind: bytes
    body: bytes


class Envelope:
    """Makes the refusals of one contract."""

    def __init__(self, contract: Contract, explainer: Explainer) -> None:
        self._contract, self._explainer = contract, explainer
        self._bases: dict[tuple[str, int], tuple[str, Any, str] | None] = {}

    def refusal(self, operation: Operation | None, violations: Sequence[Violation]) -> Refusal:
        """The answer to a request that breaks these rules; the first one decides status, code and param."""
        first = violations[0]
        status = self.status(operation, rule_for(first.rule).status or 400)
        said = dict(first.spoken)
        if "message" in said:
            return self.error(operation, status, said["message"], first.rule, first.param or None, said)
        sentences = [violation.message for violation in violations[:_SENTENCES_AT_MOST]]
        if len(violations) > _SENTENCES_AT_MOST:
            sentences.append(f"and {len(violations) - _SENTENCES_AT_MOST} more")
        return self.error(operation, status, ". ".join(sentences), first.rule, first.param or None, said)

    def status(self, operation: Operation | None, wanted: int) -> int:
        """The status for a refusal: 422 where that is documented and 400 is not."""
        if wanted == 400 and operation and not operation.response_for(400) and operation.response_for(422):
            return 422
        return wanted

    def error(
        self,
        operation: Operation | None,
        status: int,
        message: str,
        rule: str,
        param: str | None,
        said: Mapping[str, Any] = MappingProxyType({}),
    ) -> Refusal:
        """An error with that status and text in the API's form; ``said`` is what the contract says of this breach."""
        envelope = self._contract.envelope
        if envelope is not None:
            kind = str(envelope.get("media", "application/json"))
            return Refusal(status, kind.encode(), encoded(_filled(envelope, status, message, rule, param, said)))
        base = self._documented(operation, status)
        if base is None:
            phrase = http.client.responses.get(status, "Error")
            problem = {"type": "about:blank", "title": phrase, "status": status, "detail": message}
            return Refusal(status, b"application/problem+json", encoded(problem))
        kind, value, schema = base
        return Refusal(status, kind.encode(), encoded(self._spoken(value, schema, status, message)))

    def _documented(self, operation: Operation | None, status: int) -> tuple[str, Any, str] | None:
        """Media type, a valid value and schema of the documented error that fits best."""
        key = (operation.id if operation else "", status)
        if key not in self._bases:
            self._bases[key] = self._base(operation, status)
        return self._bases[key]

    def _base(self, operation: Operation | None, status: int) -> tuple[str, Any, str] | None:
        operations = [operation] if operation else list(self._contract.operations)
        for spec in _errors(operations, status):
            option = next((m for m in spec.content if media.is_json(media.media_type(m.type))), None)
            if option is None:
                continue
            if option.examples:
                return option.type, next(iter(option.examples.values())), option.schema
            if option.schema:
                try:
                    return option.type, synthesize(self._contract.document.data, option.schema, seed=0), option.schema
                except (Unsatisfiable, KeyError):
                    continue
        return None

    def _spoken(self, value: Any, schema: str, status: int, message: str) -> Any:
        """The value with the message in the member that is meant for it, as far as its schema allows."""
        valid = self._explainer.validator(schema).is_valid if schema else lambda _: True
        if isinstance(value, str):
            return message if valid(message) else value
        for text in (message, message[:200], message[:60]):
            for path in _places(value):
                candidate = _replaced(value, path, text)
                if valid(candidate):
                    value = candidate
                    break
            else:
                continue
            break
        for path, old in _walk(value):
            if path and str(path[-1]).lower().startswith("status") and isinstance(old, int) and old != status:
                candidate = _replaced(value, path, status)
                value = candidate if valid(candidate) else value
        return value


def _filled(
    envelope: Mapping[str, Any], status: int, message: str, rule: str, param: str | None, said: Mapping[str, Any]
) -> Any:
    server = envelope.get("server", {}) if status >= 500 else {}
    kinds = {"param": param, **envelope.get("default", {}), **server, **rule_of(envelope, rule), **said}
    values = {"message": message, **{name: kinds.get(name) for name in ("type", "param", "code")}}

    def fill(node: Any) -> Any:
        if isinstance(node, Mapping):
            return {key: fill(value) for key, value in node.items()}
        if isinstance(node, list):
            return [fill(value) for value in node]
        if isinstance(node, str):
            whole = _PLACEHOLDER.fullmatch(node)
            if whole:
                return values[whole[1]]
            return _PLACEHOLDER.sub(lambda found: str(values[found[1]] or ""), node)
        return node

    return fill(envelope.get("body", {}))


def _errors(operations: Sequence[Operation], status: int) -> Iterator[ResponseSpec]:
    """Documented errors from the most fitting to the least."""
    for operation in operations:
        if spec := operation.response_for(status):
            yield spec
    for operation in operations:
        yield from (r for r in operation.responses if r.status[:1] == "4")
    for operation in operations:
        yield from (r for r in operation.responses if r.status == "default" or r.status[:1] == "5")


def _places(value: Any) -> list[tuple[str | int, ...]]:
    """Paths of the string members that could hold the message, the best first."""
    found = []
    for path, old in _walk(value):
        if isinstance(old, str) and path:
            names = [str(part).lower() for part in path]
            rank = next((i for i, stem in enumerate(_TELLING) if stem in names[-1]), None)
            if rank is not None:
                found.append((rank, len(path), path))
    others = [(len(_TELLING), len(path), path) for path, old in _walk(value) if isinstance(old, str) and path]
    return [path for _, _, path in sorted(found, key=lambda f: f[:2]) + others]


def _walk(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _walk(member, (*path, key))


def _replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    result = copy.deepcopy(value)
    parent = descend(result, pointer_of(path[:-1]))
    if find(result, pointer_of(path)) is not None or path:
        parent[path[-1]] = new
    return result
