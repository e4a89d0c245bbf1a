"""What a run has seen, as evidence for a contract: values of answers, and what was accepted or refused at a place.

Only facts; which statements they contradict and what should stand instead is left to :mod:`contract_tests.proposal`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract_tests.examination import Examination, Trial
from mockserver.contract import Operation
from mockserver.media import MISSING, decode, media_type, read_json
from mockserver.pointers import find


@dataclass(frozen=True, slots=True)
class Observation:
    """One value that was observed, with the body of the request that it answers and the exchange's id."""

    value: Any
    request: Any
    exchange: str

    def inside(self, name: str) -> Observation:
        """The observation of a member."""
        return Observation(self.value[name], self.request, self.exchange)


def answers(examination: Examination, operation: Operation, status: int) -> list[Observation]:
    """The JSON values of all answers of an operation with one status, in order."""
    found = []
    for trial in examination.trials:
        response = trial.exchange.response
        if trial.probe.recipe.operation.id != operation.id or response is None or response.status != status:
            continue
        reading = read_json(decode(response.body, response.header("content-encoding"))[0])
        readable = reading.value is not MISSING and not any(p.rule == "json.constant" for p in reading.problems)
        if readable and not response.cut:  # NaN and Infinity are no JSON values, and no schema speaks of them
            found.append(Observation(reading.value, trial.probe.recipe.body, trial.exchange.id))
    return found


def kinds_of_answers(examination: Examination, operation: Operation, status: int) -> list[str]:
    """The media types of all answers with one status, each once; "" where an answer named none."""
    trials = [t for t in examination.trials if t.probe.recipe.operation.id == operation.id]
    heads = [t.exchange.response for t in trials if t.exchange.response and t.exchange.response.status == status]
    return list(dict.fromkeys(media_type(response.header("content-type")) for response in heads))


def sent(trials: Sequence[Trial], pointer: str) -> list[Any]:
    """The values at a place of the request bodies of some trials; MISSING where a body has none."""
    return [find(trial.probe.recipe.body, pointer, MISSING) for trial in trials]


def exchanges(observations: Sequence[Observation]) -> str:
    """The exchanges of some observations as words, the first few by name."""
    return named(list(dict.fromkeys(one.exchange for one in observations)))


def named(ids: Sequence[str]) -> str:
    """Exchanges by name: all where they are few."""
    shown = ", ".join(ids[:4])
    return shown if len(ids) <= 4 else f"{shown} and {len(ids) - 4} more"
