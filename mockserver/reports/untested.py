"""Suspicions that a run left open, grouped by the reason: hundreds of lines become two or three."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mockserver.reports import summary

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Group:
    """Open suspicions with one reason; ``names`` without ``operation`` where all begin with the same one."""

    reason: str
    operation: str
    names: tuple[str, ...]
    suspicions: tuple[Mapping[str, Any], ...]

    @property
    def price(self) -> str:
        """At most: one request clears several suspicions, and each names the price of the whole request."""
        requests = sum(one["requests"] for one in self.suspicions)
        most = "at most " if len(self.suspicions) > 1 else ""
        return most + summary.cost(requests, sum(one["images"] for one in self.suspicions))


def groups(suspicions: Sequence[Mapping[str, Any]]) -> list[Group]:
    """The largest group first; reasons that differ in numbers alone are one."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for suspicion in suspicions:
        found.setdefault(_NUMBER.sub("0", suspicion["reason"]), []).append(suspicion)
    made = [_group(members) for members in found.values()]
    return sorted(made, key=lambda group: -len(group.names))


def _group(members: list[Mapping[str, Any]]) -> Group:
    names = list(dict.fromkeys(one["name"] for one in members))
    firsts = {name.partition(" ")[0] for name in names}
    operation = firsts.pop() if len(names) > 1 and len(firsts) == 1 else ""
    shown = tuple(name.removeprefix(f"{operation} ") for name in names) if operation else tuple(names)
    return Group(_merged([one["reason"] for one in members]), operation, shown, tuple(members))


def _merged(reasons: list[str]) -> str:
    """One sentence for reasons that differ in numbers: the numbers that differ become ``3 to 10``."""
    columns = list(zip(*(_NUMBER.findall(reason) for reason in reasons), strict=True))
    words = _NUMBER.split(reasons[0])
    ranges = []
    for column in columns:
        ordered = sorted(set(column), key=float)
        ranges.append(ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}")
    return words[0] + "".join(number + word for number, word in zip(ranges, words[1:], strict=True))


def steps(trials: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What each request bought by itself, where a trial's numbers are running totals."""
    before: Mapping[str, Any] = {"images": 0, "usd": 0.0, "cleared": 0}
    return [
        {key: round(after[key] - earlier[key], 4) for key in ("images", "usd", "cleared")}
        for earlier, after in pairwise((before, *trials))
    ]
