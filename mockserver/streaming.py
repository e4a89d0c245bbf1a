"""Answers in events, compiled: the events that a request asked for, in their order, each made like any other answer.

Which requests get a stream is left to the judge, how it travels to :mod:`mockserver.delivery`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from mockserver import sse
from mockserver.answers import compiled
from mockserver.asked import Asked, Count, Slot
from mockserver.contract import Contract, Operation
from mockserver.explanation import Explainer
from mockserver.pointers import parts_of
from mockserver.streams import EventSpec, StreamSpec
from mockserver.synthesis import Unsatisfiable, synthesize


def compiled_stream(
    contract: Contract, explainer: Explainer, operation: Operation, spec: StreamSpec, seed: str
) -> Slot:
    """A function that makes the whole stream for a request."""
    kinds = []
    for event in spec.events:
        overrides = {tuple(parts_of(event.position)): Count(attrgetter("part"))} if event.position else {}
        base = _base(contract, explainer, event, seed)
        kinds.append((event, compiled(contract, explainer, operation, event.schema, base, overrides)))

    def make(asked: Asked) -> bytes:
        pieces = []
        asked.count, rounds = 1, spec.repeat.of(asked.body)
        for row in range(rounds):
            asked.index = row
            for event, data in kinds:
                asked.parts = event.count.of(asked.body)
                for part in range(asked.parts):
                    asked.part = part
                    pieces.append(sse.written(event.name, data(asked)))
        return b"".join(pieces)

    return make


def _base(contract: Contract, explainer: Explainer, event: EventSpec, seed: str) -> Any:
    """The first valid example of an event, else a synthesised value."""
    valid = explainer.validator(event.schema).is_valid
    for value in event.examples.values():
        if valid(value):
            return value
    try:
        return synthesize(contract.document.data, f"#{event.schema}", seed=seed)
    except (Unsatisfiable, KeyError):
        return next(iter(event.examples.values()), {})
