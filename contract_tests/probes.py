"""A probe: one request of the plan, what is expected of it, and which suspicions it clears when that comes true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from contract_tests.recipes import Recipe
from mockserver.findings import Violation
from mockserver.pointers import find

Expectation = Literal["accepted", "refused", "open"]
"""``open`` is for what the documentation does not settle: only the quality of the answer is judged then."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One planned request.

    ``breaks`` is the one documented rule that a request to be refused breaks; ``clears`` names the suspicions; ``rank``
    orders probes, lower first, and is what is dropped last when a limit is near; ``repeats`` names the probe of which it
    is a deliberate repeat; ``assumes`` are the places whose values choose a branch of the schema: the page says what
    follows from them, not that they are on offer; ``halves`` are sent when the probe goes wrong, to learn which of the things
    that it carries is the reason and to clear the others.
    """

    name: str
    recipe: Recipe
    expect: Expectation
    clears: tuple[str, ...]
    rank: int
    breaks: Violation | None = None
    repeats: str = ""
    assumes: tuple[str, ...] = ()
    halves: tuple[Probe, ...] = ()

    @property
    def id(self) -> str:
        """Name for people and for pytest: operation and what is tried."""
        return f"{self.recipe.basis}: {self.name}"

    @property
    def branch(self) -> tuple[tuple[str, Any], ...]:
        """The branch of the schema that the request chooses: places and values of ``assumes``."""
        return tuple((pointer, find(self.recipe.body, pointer)) for pointer in self.assumes)

    @property
    def units(self) -> int:
        """Units that are spent if the request is accepted; one at least where the operation sells units."""
        return max(1, self.recipe.units) if self.recipe.operation.units else 0

    @property
    def planned_units(self) -> int:
        """Units that the probe costs when the API keeps its contract."""
        return 0 if self.expect == "refused" else self.units

    @property
    def planned_price(self) -> float:
        """US dollars that the probe costs when the API keeps its contract, by estimate."""
        return 0.0 if self.expect == "refused" else self.recipe.price
