"""Rows and scenarios as bytes and back: JSON for what is said about messages, the messages as they are.

Nothing that is read from a store can run anything.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from mockserver.delivery import Delivery
from mockserver.findings import Severity, Source, Violation
from mockserver.journal import OVERHEAD, Entry, Kind, Plain, unpacked
from mockserver.scenarios import Fixed, Scenario, Step
from mockserver.state.store import Row

_PLAIN: Final = b"p"
_ENTRY: Final = b"e"
_SHAPES_AT_MOST: Final = 1000


class Packer:
    """Makes rows; remembers what many of them have in common."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[Kind, tuple[bytes, ...]], bytes] = {}

    def row(self, row: Entry | Plain) -> Row:
        """An exchange as a store keeps it."""
        if isinstance(row, Entry):
            return Row(row.id, row.session, OVERHEAD + row.size, _entry(row))
        record, name, started, duration, kind, names, length = row
        shape = self._shapes.get((kind, names)) or self._shape(kind, names)
        data = b"%b%b\n%b %r %r %d\n%b" % (_PLAIN, shape, name, started, duration, length, record)
        return Row(name.decode(), "", OVERHEAD + len(record), data)

    def _shape(self, kind: Kind, names: tuple[bytes, ...]) -> bytes:
        if len(self._shapes) >= _SHAPES_AT_MOST:
            self._shapes.clear()
        told = [kind.method, kind.path, kind.status, kind.operation, kind.answer_names, kind.answer_values, names]
        self._shapes[kind, names] = shape = _json(told)
        return shape


def entry_of(data: bytes) -> Entry:
    """The exchange in a row."""
    shape, _, rest = data[1:].partition(b"\n")
    read = json.loads(shape)
    if data[:1] == _PLAIN:
        method, path, status, operation, answer_names, answer_values, names = read
        kind = Kind(method, _bytes(path), status, operation, _many(answer_names), _many(answer_values))
        line, _, record = rest.partition(b"\n")
        identifier, started, duration, length = line.split(b" ")
        return unpacked((record, identifier, float(started), float(duration), kind, _many(names), int(length)))
    size: int = read.pop("size")
    for name in ("path", "query"):
        read[name] = _bytes(read[name])
    for name in ("names", "values", "answer_names", "answer_values"):
        read[name] = _many(read[name])
    read["violations"] = tuple(_violation(one) for one in read["violations"])
    read["notes"] = tuple(read["notes"])
    return Entry(**read, body=rest[:size], answer_body=rest[size:])


def _entry(entry: Entry) -> bytes:
    told = entry._asdict()
    told["violations"] = [asdict(violation) for violation in entry.violations]
    told["size"] = len(told.pop("body"))
    del told["answer_body"]
    return b"%b%b\n%b%b" % (_ENTRY, _json(told), entry.body, entry.answer_body)


def _violation(told: dict[str, Any]) -> Violation:
    spoken = tuple((name, value) for name, value in told["spoken"])
    severity, source = Severity(told["severity"]), Source(**told["source"])
    return Violation(**{**told, "severity": severity, "source": source, "spoken": spoken})


def packed_scenario(scenario: Scenario | None) -> bytes:
    """A scenario as bytes; None stands for normal answers."""
    if scenario is None:
        return b"null"
    steps = [
        {"times": s.times, "response": _response(s.response), "delivery": asdict(s.delivery)} for s in scenario.steps
    ]
    told = {"name": scenario.name, "description": scenario.description, "steps": steps, "repeats": scenario.repeats}
    return _json(told)


def _response(fixed: Fixed | None) -> list[Any] | None:
    return None if fixed is None else [fixed.status, fixed.headers, fixed.body]


def scenario_in(data: bytes) -> Scenario | None:
    """The scenario in what :func:`packed_scenario` gave."""
    told = json.loads(data)
    if told is None:
        return None
    steps = []
    for step in told["steps"]:
        fixed = None
        if step["response"] is not None:
            status, headers, body = step["response"]
            fixed = Fixed(status, tuple((_bytes(name), _bytes(value)) for name, value in headers), _bytes(body))
        steps.append(Step(step["times"], fixed, Delivery(**step["delivery"])))
    return Scenario(told["name"], told["description"], tuple(steps), told["repeats"])


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_text, separators=(",", ":")).encode()


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _many(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(map(_bytes, texts))
