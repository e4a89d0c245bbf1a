"""Questions to the journal: criteria that entries meet or not, and what came nearest when none did."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver import sentences
from mockserver.gaps import filling
from mockserver.journal import Entry
from mockserver.media import MISSING
from mockserver.pointers import find
from mockserver.records import body_value, path_of

_COUNTS = ("times", "at_least", "at_most")


class MalformedQueryError(ValueError):
    """A question that cannot be understood; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition: its name, the value asked for, and what tells whether an entry meets it."""

    name: str
    wanted: Any
    met: Callable[[Entry], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions that must all be met, and how many entries are expected to (None: no bound)."""

    criteria: tuple[Criterion, ...]
    at_least: int | None
    at_most: int | None

    def matches(self, entry: Entry) -> bool:
        """Whether an entry meets every condition."""
        return all(criterion.met(entry) for criterion in self.criteria)

    def find(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries that meet every condition, in their order."""
        return [entry for entry in entries if self.matches(entry)]

    def nearest(self, entries: Sequence[Entry], most: int = 3) -> list[tuple[Entry, list[str]]]:
        """Entries that miss the fewest conditions, with the names of those they miss; the newest first."""
        missed = [(entry, [c.name for c in self.criteria if not c.met(entry)]) for entry in reversed(entries)]
        return sorted((pair for pair in missed if pair[1]), key=lambda pair: len(pair[1]))[:most]

    @property
    def expected(self) -> str:
        """The bounds in words."""
        if self.at_least == self.at_most and self.at_least is not None:
            return f"exactly {self.at_least}"
        parts = [f"at least {self.at_least}"] if self.at_least is not None else []
        parts += [f"at most {self.at_most}"] if self.at_most is not None else []
        return " and ".join(parts) or "any number"


def query_of(data: Any, *, counted: bool) -> Query:
    """A query from its JSON value; with ``counted`` it may have bounds, at least 1 when it names none.

    Members: ``method``, ``path`` (with or without query; ``*`` stands for anything), ``status``, ``operation``,
    ``violated`` (true, false or a rule's name, which may end in ``.*``) and ``body`` (JSON Pointer -> value).
    Raises MalformedQueryError.
    """
    if not isinstance(data, Mapping):
        raise MalformedQueryError("an object of conditions is expected")
    known = (*_MAKERS, *(_COUNTS if counted else ()))
    for name in data:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise MalformedQueryError(f"there is no condition {name!r}; there are {', '.join(known)}{hint}")
    criteria = [_MAKERS[name](value) for name, value in data.items() if name in _MAKERS]
    times, low, high = (_bound(data, name) for name in _COUNTS)
    if times is not None:
        low = high = times
    elif counted and low is None and high is None:
        low = 1
    return Query(tuple(criteria), low, high)


def _bound(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise MalformedQueryError(f"{name} must be a whole number that is not negative; got {sentences.show(value)}")
    return value


def _text(name: str, wanted: Any) -> str:
    if not isinstance(wanted, str):
        raise MalformedQueryError(f"{name} must be a string; got {sentences.show(wanted)}")
    return wanted


def _method(wanted: Any) -> Criterion:
    name = _text("method", wanted).upper()
    return Criterion("method", wanted, lambda entry: entry.method == name)


def _path(wanted: Any) -> Criterion:
    pieces = _text("path", wanted).split("*")

    def met(entry: Entry) -> bool:
        return any(filling(pieces, path) is not None for path in (entry.path.decode("latin-1"), path_of(entry)))

    return Criterion("path", wanted, met)


def _status(wanted: Any) -> Criterion:
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise MalformedQueryError(f"status must be a number; got {sentences.show(wanted)}")
    return Criterion("status", wanted, lambda entry: entry.status == wanted)


def _operation(wanted: Any) -> Criterion:
    name = _text("operation", wanted)
    return Criterion("operation", wanted, lambda entry: entry.operation == name)


def _violated(wanted: Any) -> Criterion:
    if isinstance(wanted, bool):
        return Criterion("violated", wanted, lambda entry: bool(entry.violations) == wanted)
    rule = _text("violated", wanted)
    family = rule[:-1] if rule.endswith(".*") else None

    def met(entry: Entry) -> bool:
        return any(v.rule == rule or (family is not None and v.rule.startswith(family)) for v in entry.violations)

    return Criterion("violated", wanted, met)


def _body(wanted: Any) -> Criterion:
    if not isinstance(wanted, Mapping) or any(p and not p.startswith("/") for p in wanted):
        raise MalformedQueryError('body must be an object of JSON Pointers and values, such as {"/name": "value"}')

    def met(entry: Entry) -> bool:
        value = body_value(entry)
        return all(_same(find(value, pointer, MISSING) if pointer else value, one) for pointer, one in wanted.items())

    return Criterion("body", wanted, met)


def _same(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


_MAKERS: dict[str, Callable[[Any], Criterion]] = {
    "method": _method,
    "path": _path,
    "status": _status,
    "operation": _operation,
    "violated": _violated,
    "body": _body,
}
