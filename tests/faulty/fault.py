"""What a named fault is, and the small pieces that the catalogue is put together from."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.faulty.faithful import Call, Hooks
from tests.faulty.rules import PATH, Breach, Breaches
from tests.faulty.wire import Answer, Headers, chunks

Weight = Literal["error", "warning", "info"]
Condition = Callable[[Call], bool]

EXAMPLE: dict[str, Any] = {"size": "1024x1536", "prompt": "a man walks", "model": "gpt-image-1.5", "n": 1}
HEADERS: dict[str, str] = {
    "Accept": "application/json",
    "Authorization": "Bearer sk-caller-0123456789",
    "Content-Type": "application/json",
}


@dataclass(frozen=True)
class Ask:
    """One request of a witness, able to hold bytes that no client library would send."""

    method: str
    path: str
    headers: Headers
    body: bytes
    chunked: bool = False

    def render(self, host: str) -> bytes:
        """The request on the wire, on a connection of its own."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        payload = chunks(self.body) if self.chunked else self.body
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + payload


def ask(
    *,
    drop: tuple[str, ...] = (),
    body: bytes | None = None,
    method: str = "POST",
    path: str = PATH,
    headers: dict[str, str | None] | None = None,
    chunked: bool = False,
    **fields: Any,
) -> Ask:
    """The documented example with fields replaced or dropped; ``body`` replaces the whole of it."""
    if body is None:
        document = {name: value for name, value in (EXAMPLE | fields).items() if name not in drop}
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    merged: dict[str, str | None] = {**HEADERS, **(headers or {})}
    return Ask(method, path, tuple((n, v) for n, v in merged.items() if v is not None), body, chunked)


@dataclass(frozen=True)
class Fault:
    """One named way to break the documentation.

    ``wrong`` says what the server does, ``breaks`` quotes or names the statement that it breaks. ``witness`` are
    requests of which at least one is answered differently than by the faithful server.
    """

    name: str
    category: str
    weight: Weight
    wrong: str
    breaks: str
    hooks: Hooks
    witness: tuple[Ask, ...]

    @property
    def held_out(self) -> bool:
        """Whether the fault is kept for the final measurement: by its name alone, so it never moves."""
        return zlib.crc32(self.name.encode()) % 2 == 1


@dataclass(frozen=True)
class Chapter:
    """Collects the faults of one category."""

    category: str
    faults: list[Fault]

    def add(self, name: str, weight: Weight, wrong: str, breaks: str, hooks: Hooks, *witness: Ask) -> None:
        """Adds a fault; without a witness the documented example is one."""
        self.faults.append(Fault(name, self.category, weight, wrong, breaks, hooks, witness or (ask(),)))

    def add_if(
        self,
        name: str,
        wrong: str,
        breaks: str,
        condition: Condition,
        effect: Hooks | Breach,
        *witness: Ask,
        weight: Weight = "error",
    ) -> None:
        """Adds a fault that shows only under a condition: an effect on successes, or a refusal."""
        hooks = refuse(condition, effect) if isinstance(effect, Breach) else when(condition, effect)
        self.add(name, weight, wrong, breaks, hooks, *witness)

    def accepts(
        self, name: str, wrong: str, breaks: str, rules: tuple[str, ...], *witness: Ask, weight: Weight = "error"
    ) -> None:
        """Adds a fault of laxness: the breach of some rules is forgiven."""
        self.add(name, weight, f"accepts {wrong}", breaks, forgive(*rules), *witness)

    def accepts_if(
        self,
        name: str,
        wrong: str,
        breaks: str,
        rule: str,
        condition: Condition,
        *witness: Ask,
        weight: Weight = "error",
    ) -> None:
        """The same for some requests only."""
        self.add(name, weight, f"accepts {wrong}", breaks, forgive_if(condition, rule), *witness)


def document(change: Callable[[Call, dict[str, Any]], Any]) -> Hooks:
    """Changes the document of a success; the function may edit it in place and return it."""
    return Hooks(document=change)


def put(path: str, value: Any) -> Hooks:
    """Replaces the value at a dotted path of a success; ``*`` stands for every item of a list."""
    return document(lambda call, doc: _at(doc, path.split("."), lambda holder, key: _set(holder, key, value)))


def drop(path: str) -> Hooks:
    """Removes what is at a dotted path of a success."""
    return document(lambda call, doc: _at(doc, path.split("."), lambda holder, key: holder.pop(key, None)))


def turn(path: str, change: Callable[[Any], Any]) -> Hooks:
    """Replaces the value at a dotted path of a success by a function of it."""

    def apply(holder: Any, key: Any) -> None:
        if isinstance(holder, list) or key in holder:
            holder[key] = change(holder[key])

    return document(lambda call, doc: _at(doc, path.split("."), apply))


def _set(holder: Any, key: Any, value: Any) -> None:
    holder[key] = value


def _at(doc: Any, path: list[str], act: Callable[[Any, Any], Any]) -> Any:
    """Calls ``act`` with the holder and key of each place that the path names; absent places are passed over."""
    head, rest = path[0], path[1:]
    keys: list[Any] = [head]
    if isinstance(doc, list):
        keys = list(range(len(doc))) if head == "*" else [int(head)] if int(head) < len(doc) else []
    for key in keys:
        if not rest:
            act(doc, key)
        elif isinstance(doc, list) or key in doc:
            _at(doc[key], rest, act)
    return doc


def on_success(change: Callable[[Call, Answer], Answer]) -> Hooks:
    """Changes the answer of an accepted request."""
    return Hooks(answer=lambda call, answer: answer if call.refused else change(call, answer))


def on_refusal(change: Callable[[Call, Answer], Answer]) -> Hooks:
    """Changes the answer of a refused request."""
    return Hooks(answer=lambda call, answer: change(call, answer) if call.refused else answer)


def body(change: Callable[[bytes], bytes]) -> Hooks:
    """Changes the bytes of a success."""
    return on_success(lambda call, answer: replace(answer, body=change(answer.body)))


def overlook(call: Call, *prefixes: str) -> Breaches:
    """The breaches of a call without those of the named rules or groups of rules."""
    return tuple(breach for breach in call.breaches if not any(breach.within(prefix) for prefix in prefixes))


def forgive(*prefixes: str) -> Hooks:
    """Overlooks breaches of the named rules or groups of rules, in every request."""
    return Hooks(judge=lambda call: overlook(call, *prefixes))


def forgive_if(condition: Condition, rule: str) -> Hooks:
    """Overlooks breaches of a rule or group of rules in requests that meet the condition."""

    def judge(call: Call) -> Breaches:
        concerned = any(breach.within(rule) for breach in call.breaches)
        return overlook(call, rule) if concerned and condition(call) else call.breaches

    return Hooks(judge=judge)


def refuse(condition: Condition, breach: Breach) -> Hooks:
    """Refuses valid requests that meet a condition."""
    return Hooks(judge=lambda call: (breach,) if not call.breaches and condition(call) else call.breaches)


def when(condition: Condition, effect: Hooks) -> Hooks:
    """An effect on successes, only for requests that meet the condition."""
    change, spoil = effect.document, effect.answer
    return Hooks(
        document=None if change is None else lambda call, doc: change(call, doc) if condition(call) else doc,
        answer=None
        if spoil is None
        else lambda call, answer: spoil(call, answer) if not call.refused and condition(call) else answer,
    )
