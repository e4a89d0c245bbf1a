"""When something happens: the simplest fact, or pair of facts, that all requests with it have and all others lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from contract_tests.features import Feature

Facts = frozenset[Feature]
_FAINT = 6
"""Rank from which a fact is only a side of others."""

_SHOWN = 4
"""Explanations at most that are listed where several fit."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An explanation: its words, the facts it is made of, and how many other explanations fit as well."""

    text: str
    facts: tuple[Feature, ...] = ()
    rivals: tuple[Feature, ...] = ()
    constant: bool = True

    @property
    def certain(self) -> bool:
        """Whether nothing simpler or equally simple explains the same."""
        return not self.rivals


ALWAYS = Condition("")


def explain(with_it: Sequence[Facts], without: Sequence[Facts], order: Sequence[bool] = ()) -> Condition:
    """The condition under which something happens.

    ``with_it`` and ``without`` are the facts of the requests that show it and of those that do not; ``order`` says for all
    of them, in the order sent, which showed it.
    """
    if not without or not with_it:
        return ALWAYS
    common = frozenset.intersection(*with_it)
    single = sorted(fact for fact in common if not any(fact in other for other in without))
    if single:
        return _best(single)
    pair = next(
        (
            (one, two)
            for one, two in combinations(sorted(common), 2)
            if not any(one in other and two in other for other in without)
        ),
        None,
    )
    if pair and len(with_it) + len(without) > 3:
        return Condition(f"only when {pair[0]} and {pair[1]}", pair)
    return _by_order(order) or Condition("now and then, whatever the request", constant=False)


def _best(single: list[Feature]) -> Condition:
    """The plainest fact; facts about the same place often say the same in other words and are then no rivals."""
    chosen = single[0]
    above = [fact for fact in single if fact.pointer == chosen.pointer and " is above " in fact.text]
    if above and (chosen.rank > 1 or len(above) > 1):
        chosen = min(above, key=lambda fact: int(fact.text.rsplit(" ", 1)[1]))
    elif chosen.rank > 1:
        longer = [fact for fact in single if fact.pointer == chosen.pointer and " is longer than " in fact.text]
        if len(longer) == len(single):
            chosen = min(longer, key=lambda fact: int(fact.text.split()[-2]))
    rivals = tuple(fact for fact in single if fact.pointer != chosen.pointer or _distinct(fact, chosen))
    if not rivals:
        return Condition(f"only when {chosen}", (chosen,))
    shown = [str(fact) for fact in (chosen, *rivals)][:_SHOWN]
    more = f", or one of {len(rivals) + 1 - _SHOWN} more" if len(rivals) >= _SHOWN else ""
    return Condition(f"only with one of these, not told apart: {'; '.join(shown)}{more}", (chosen,), rivals)


def _distinct(fact: Feature, chosen: Feature) -> bool:
    """Whether two facts about one place are different explanations: two kinds of text are."""
    if fact == chosen:
        return False
    if not chosen.pointer:
        return max(fact.rank, chosen.rank) < _FAINT
    if not (fact.sample and chosen.sample):
        return False
    return not (" is longer than " in fact.text and " is longer than " in chosen.text)


def _by_order(order: Sequence[bool]) -> Condition | None:
    """Explanations by number alone: the first only, from the k-th on, every k-th."""
    hits = [index for index, hit in enumerate(order, 1) if hit]
    if not hits:
        return None
    if hits == [1]:
        return Condition("only for the first accepted request", constant=False)
    if len(hits) > 1 and hits == list(range(hits[0], len(order) + 1)):
        return Condition(f"from accepted request number {hits[0]} on", constant=False)
    step = hits[0]
    if len(hits) > 1 and step > 1 and hits == list(range(step, len(order) + 1, step)):
        return Condition(f"for every {_nth(step)} accepted request", constant=False)
    gaps = {b - a for a, b in pairwise(hits)}
    if len(hits) > 2 and len(gaps) == 1 and gaps != {1}:
        return Condition(f"for every {_nth(gaps.pop())} accepted request", constant=False)
    return None


def _nth(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
