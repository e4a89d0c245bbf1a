"""A recorded stream against its contract: each event by its schema, then names, order, number and places.

Bytes become events in :mod:`mockserver.sse`; the relation of an event to its request is the business of
:mod:`mockserver.meaning`, as for any other answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from mockserver import media, sentences, sse
from mockserver.contract import Operation
from mockserver.explanation import VIOLATIONS_AT_MOST, Explainer
from mockserver.findings import Violation
from mockserver.media import MISSING
from mockserver.pointers import find
from mockserver.streams import EventSpec, StreamSpec

_TRAILERS: Final = ("[DONE]",)
"""Data that some servers end a stream with; SDKs pass it over."""
_ERROR: Final = "error.in-success"


def violations(
    explain: Explainer, operation: Operation, spec: StreamSpec, body: bytes, asked: Any, cut: bool
) -> Iterator[Violation]:
    """What is wrong with a stream; ``asked`` is the request's body, ``cut`` says that the transfer ended early."""
    stream = sse.read(body)
    for problem in stream.problems:
        if not (cut and problem.rule == "stream.cut"):
            documented = "a whole stream of server-sent events"
            yield explain.answer(problem.rule, operation, "/body", problem.message, documented, problem.message)
    came: list[tuple[int, EventSpec, Any]] = []
    whole, told = not cut and not stream.problems, 0
    for index, event in enumerate(stream.events):
        found, value, wrong = _judged(explain, operation, spec, index, event)
        yield from wrong
        told += len(wrong)
        if told >= VIOLATIONS_AT_MOST:
            return  # what the rest breaks would be told by nobody
        whole = whole and not any(violation.rule == _ERROR for violation in wrong)
        if found is not None:
            came.append((index, found, value))
    if came:
        yield from islice(_row(explain, operation, spec, came, asked), VIOLATIONS_AT_MOST)
    if whole:  # what ended early, also with an error, lacks events for that reason
        yield from _number(explain, operation, spec, came, asked)


def _judged(
    explain: Explainer, operation: Operation, spec: StreamSpec, index: int, event: sse.Event
) -> tuple[EventSpec | None, Any, list[Violation]]:
    """The documented event that this is (None: none), its data, and what is wrong with it by itself."""
    place = f"/body/{index}"

    def said(rule: str, message: str, documented: str, observed: str) -> Violation:
        return explain.answer(rule, operation, place, message, documented, observed)

    if event.data.strip() in _TRAILERS:
        what = f"the stream ends with {event.data.strip()}"
        return None, MISSING, [said("stream.trailer", what, "the last documented event ends it", event.data)]
    known = ", ".join(e.name for e in spec.events)
    found = next((e for e in spec.events if e.name == event.name), None)
    reading = media.read_json(event.data.encode())
    if reading.value is MISSING:
        what = f"event {index + 1} ({event.name or 'without a name'}): {reading.problems[0].message}"
        return found, MISSING, [said("stream.data", what, "JSON", sentences.show(event.data))]
    shown = sentences.show(reading.value)
    if isinstance(reading.value, Mapping) and reading.value.get("error"):
        what = f"event {index + 1} is an error: {shown}"
        return None, reading.value, [said(_ERROR, what, known, shown)]
    wrong = []
    if found is None:
        found = next((e for e in spec.events if explain.validator(e.schema).is_valid(reading.value)), None)
        if found is None:
            what = f"event {index + 1} is {event.name or 'unnamed'}; documented are {known}"
            return None, reading.value, [said("stream.event", what, known, event.name or shown)]
        what = f"event {index + 1} is named {event.name or 'nothing'} and not {found.name}"
        wrong.append(said("stream.name", what, found.name, event.name or "no name"))
    return found, reading.value, [
        *wrong,
        *explain.schema(reading.value, found.schema, operation, "response", "body", place),
    ]  # fmt: skip


def _row(
    explain: Explainer, operation: Operation, spec: StreamSpec, came: list[tuple[int, EventSpec, Any]], asked: Any
) -> Iterator[Violation]:
    """Order and places of the documented events."""
    order = {event.name: number for number, event in enumerate(spec.events)}
    bounds = {event.name: event.count.bounds(asked) for event in spec.events}
    final = spec.events[-1].name
    # who sends a whole row too often has sent too many events, and not all of them out of order
    rows = max(spec.repeat.of(asked), sum(event.name == final for _, event, _ in came) // max(1, bounds[final][1]))
    begun, last = 1, -1
    row: Counter[str] = Counter()
    for index, event, value in came:
        number = order[event.name]
        complete = all(row[name] >= least for name, (least, _) in bounds.items())
        if complete and begun < rows and (number < last or row[event.name] >= bounds[event.name][1]):
            begun, last = begun + 1, -1
            row.clear()
        if number < last:
            expected = f"{event.name} comes before {spec.events[last].name}"
            what = f"event {index + 1} is {event.name} after {spec.events[last].name}; documented is that {expected}"
            yield _about(explain, operation, event, "stream.order", f"/body/{index}", what, expected, event.name)
        last = max(last, number)
        place = find(value, event.position) if event.position else None
        if place is not None and place != row[event.name]:
            member, right = event.position.lstrip("/"), str(row[event.name])
            what = f"{member} of event {index + 1} is {sentences.show(place)}, its place is {right}"
            pointer = f"/body/{index}{event.position}"
            yield _about(explain, operation, event, "meaning.positions", pointer, what, right, str(place))
        row[event.name] += 1


def _number(
    explain: Explainer, operation: Operation, spec: StreamSpec, came: list[tuple[int, EventSpec, Any]], asked: Any
) -> Iterator[Violation]:
    """How often the documented events came in a whole stream."""
    totals = Counter(event.name for _, event, _ in came)
    rows = spec.repeat.of(asked)
    for event in spec.events:
        least, most = (rows * bound for bound in event.count.bounds(asked))
        if not least <= totals[event.name] <= most:
            wanted = f"{'at most ' if event.count.fewer else ''}{most} times"
            times = f"{totals[event.name]} times"
            what = f"{event.name} comes {times}; by the request it is {wanted}"
            yield _about(explain, operation, event, "stream.count", "/body", what, wanted, times)


def _about(
    explain: Explainer,
    operation: Operation,
    event: EventSpec,
    rule: str,
    pointer: str,
    message: str,
    documented: str,
    observed: str,
) -> Violation:
    """A breach of what the contract says about one kind of event."""
    found = explain.answer(rule, operation, pointer, message, documented, observed)
    contract = explain.contract
    return replace(found, source=contract.source(event.pointer), place=contract.document.place(event.pointer))
