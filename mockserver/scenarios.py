"""Scenarios: what to answer instead of the normal answer, as data; their reading and how far each has come.

``scenarios/*.json`` beside a contract's entry file::

    {"description": "...", "x-source": {...} or "x-convention": "...",
     "steps": [{"times": 1, "response": {"status": 429, "headers": {}, "body": {} or "text": ""},
                "delivery": {"delay_s": 0, "cut_after_bytes": 10, "reset": false}}],
     "then": "normal" or "repeat"}

A step without ``response`` is a normal answer that travels in the step's way.  After the last step answers are normal
again, or the first step follows.  When a scenario applies is left to the pipeline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver import library
from mockserver.delivery import Delivery
from mockserver.errors import ContractError
from mockserver.library import Document

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")
SESSIONS_AT_MOST = 1000
"""Sessions that are remembered; the oldest make room."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """An answer that a scenario prescribes: ``headers`` with its Content-Type, ``body`` as it is sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """The answer to ``times`` requests in a row; ``response`` None stands for the normal answer."""

    times: int
    response: Fixed | None
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named sequence of steps; ``repeats`` says that it starts again after the last one."""

    name: str
    description: str
    steps: tuple[Step, ...]
    repeats: bool

    def step(self, turn: int) -> Step | None:
        """The step for the request with that number, counted from 0; None when answers are normal again."""
        whole = sum(step.times for step in self.steps)
        if turn >= whole:
            if not self.repeats:
                return None
            turn %= whole
        for step in self.steps:
            if turn < step.times:
                return step
            turn -= step.times
        return None


class MalformedScenarioError(ValueError):
    """A scenario's data is wrong: the sentence says what, ``pointer`` where in it."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def read_scenarios(document: Document) -> dict[str, Scenario]:
    """The scenarios beside a contract, by name; raises ContractError with file and line."""
    found: dict[str, Scenario] = {}
    for file in sorted((document.folder / "scenarios").glob("*.json")):
        try:
            found[file.stem] = scenario_of(file.stem, library.parse(file))
        except MalformedScenarioError as wrong:
            line = library.line_of(file, wrong.pointer)
            raise ContractError(str(wrong), file=str(file), line=line, pointer=wrong.pointer) from None
    return found


def scenario_of(name: str, data: Any) -> Scenario:
    """A scenario from its data; raises MalformedScenarioError."""
    if not _NAME.fullmatch(name):
        raise MalformedScenarioError("a scenario's name has letters, digits, dots, dashes and underscores", "")
    known = ("name", "description", "x-source", "x-convention", "steps", "then")
    _members(data, known, "a scenario", "")
    steps = data.get("steps")
    if not isinstance(steps, list) or not steps:
        raise MalformedScenarioError("steps must be a list with at least one step", "/steps")
    then = data.get("then", "normal")
    if then not in ("normal", "repeat"):
        raise MalformedScenarioError(f'then must be "normal" or "repeat"; got {then!r}', "/then")
    read = tuple(_step(step, f"/steps/{index}") for index, step in enumerate(steps))
    return Scenario(name, str(data.get("description", "")), read, then == "repeat")


def _step(data: Any, at: str) -> Step:
    _members(data, ("times", "response", "delivery"), "a step", at)
    times = _number(data, "times", 1, 1, 1e9, at)
    response = data.get("response")
    way = data.get("delivery", {})
    _members(way, ("delay_s", "cut_after_bytes", "reset"), "a delivery", f"{at}/delivery")
    cut = way.get("cut_after_bytes")
    if cut is not None:
        cut = int(_number(way, "cut_after_bytes", 0, 0, 1e12, f"{at}/delivery"))
    reset = way.get("reset", False)
    if not isinstance(reset, bool):
        raise MalformedScenarioError("reset must be true or false", f"{at}/delivery/reset")
    delay = _number(way, "delay_s", 0, 0, 3600, f"{at}/delivery")
    fixed = None if response is None else _response(response, f"{at}/response")
    return Step(int(times), fixed, Delivery(delay, cut, reset))


def _response(data: Any, at: str) -> Fixed:
    _members(data, ("status", "headers", "body", "text"), "a response", at)
    if "body" in data and "text" in data:
        raise MalformedScenarioError("a response has a body (JSON) or a text, not both", at)
    status = int(_number(data, "status", 200, 200, 599, at))
    headers = data.get("headers", {})
    if not isinstance(headers, Mapping):
        raise MalformedScenarioError("headers must be an object of names and texts", f"{at}/headers")
    pairs = []
    for name, value in headers.items():
        if not (isinstance(value, str) and _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise MalformedScenarioError(f"the header {name!r} cannot be sent like this", f"{at}/headers")
        if name.lower() in ("content-length", "transfer-encoding", "connection"):
            raise MalformedScenarioError(f"the header {name!r} is the server's own; see delivery", f"{at}/headers")
        pairs.append((name.lower().encode(), value.encode("latin-1")))
    kind, body = b"text/plain; charset=utf-8", str(data.get("text", "")).encode("utf-8", "replace")
    if "body" in data:
        kind, body = b"application/json", json.dumps(data["body"], ensure_ascii=False).encode("utf-8", "replace")
    if body and not any(name == b"content-type" for name, _ in pairs):
        pairs.insert(0, (b"content-type", kind))
    return Fixed(status, tuple(pairs), body)


def _members(data: Any, known: tuple[str, ...], what: str, at: str) -> None:
    if not isinstance(data, Mapping):
        raise MalformedScenarioError(f"{what} must be an object", at)
    for name in data:
        if name not in known:
            raise MalformedScenarioError(
                f"{what} has no member {name!r}; it may have {', '.join(known)}", f"{at}/{name}"
            )


def _number(data: Mapping[str, Any], name: str, default: float, low: float, high: float, at: str) -> float:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise MalformedScenarioError(f"{name} must be a number from {low:g} to {high:g}", f"{at}/{name}")
    if name != "delay_s" and value != int(value):
        raise MalformedScenarioError(f"{name} must be a whole number", f"{at}/{name}")
    return value


class Stage:
    """Which scenario each session plays, and how many requests each scenario has answered there."""

    def __init__(self, first: Scenario | None = None) -> None:
        self._first = first
        self._armed: dict[str, Scenario | None] = {}
        self._turns: dict[tuple[str, str], int] = {}

    def armed(self, session: str) -> Scenario | None:
        """The scenario that a session plays; a session nobody armed plays the one the mock was started with."""
        return self._armed.get(session, self._first)

    @property
    def idle(self) -> bool:
        """Whether no session plays anything."""
        return self._first is None and not self._armed

    def arm(self, session: str, scenario: Scenario | None) -> None:
        """Play a scenario from its first step; None for none."""
        self._forget_turns(session)
        self._armed.pop(session, None)
        while len(self._armed) >= SESSIONS_AT_MOST:
            self._armed.pop(next(iter(self._armed)))
        if scenario is not None or self._first is not None:
            self._armed[session] = scenario

    def reset(self, session: str | None) -> None:
        """As at the start: for one session, or for all."""
        if session is None:
            self._armed.clear()
            self._turns.clear()
        else:
            self._armed.pop(session, None)
            self._forget_turns(session)

    def turn(self, session: str, scenario: Scenario) -> int:
        """How many requests the scenario has answered in the session."""
        return self._turns.get((session, scenario.name), 0)

    def play(self, session: str, scenario: Scenario) -> Step | None:
        """The step for the session's next request, which then counts as answered."""
        turn = self.turn(session, scenario)
        if (session, scenario.name) not in self._turns:
            while len(self._turns) >= SESSIONS_AT_MOST:
                self._turns.pop(next(iter(self._turns)))
        self._turns[session, scenario.name] = turn + 1
        return scenario.step(turn)

    def _forget_turns(self, session: str) -> None:
        for key in [key for key in self._turns if key[0] == session]:
            del self._turns[key]
