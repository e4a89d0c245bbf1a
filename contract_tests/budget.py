"""The ceiling on requests, units and money, checked before a request is sent and never exceeded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from contract_tests.recipes import Recipe
from mockserver.errors import BudgetSpent


@dataclass(slots=True)
class Budget:
    """Limits (None: none) and what is spent; ``units`` are what an operation sells, images as a rule.

    A request reserves what it would cost if it were accepted; what turns out not to be accepted is given back.  A request
    without an answer stays charged, since the server may have worked on it, and so does one whose answer a gateway lost.
    """

    max_requests: int | None = None
    max_units: int | None = None
    max_usd: Decimal | None = None
    requests: int = 0
    units: int = 0
    usd: Decimal = Decimal(0)

    def reserve(self, recipe: Recipe) -> None:
        """Charge a request before it is sent; raises BudgetSpent, charging nothing, when a limit would be passed."""
        units = max(1, recipe.units) if recipe.operation.units else 0
        price = Decimal(str(recipe.price))
        if self.max_requests is not None and self.requests + 1 > self.max_requests:
            raise BudgetSpent(f"the limit of {self.max_requests} requests is reached")
        if self.max_units is not None and self.units + units > self.max_units:
            raise BudgetSpent(f"{units} more would pass the limit of {self.max_units} images ({self.units} used)")
        if self.max_usd is not None and self.usd + price > self.max_usd:
            raise BudgetSpent(f"{price} USD more would pass the budget of {self.max_usd} USD ({self.usd} used)")
        self.requests += 1
        self.units += units
        self.usd += price

    def settle(self, recipe: Recipe, accepted: bool) -> None:
        """Give back what a request did not cost; an accepted one costs what it asked for."""
        reserved = max(1, recipe.units) if recipe.operation.units else 0
        self.units -= reserved - (recipe.units if accepted else 0)
        if not accepted:
            self.usd -= Decimal(str(recipe.price))

    def affords(self, recipe: Recipe, reserve_units: int = 0) -> bool:
        """Whether the request could be sent now and still leave ``reserve_units``."""
        units = max(1, recipe.units) if recipe.operation.units else 0
        if self.max_requests is not None and self.requests + 1 > self.max_requests:
            return False
        if self.max_units is not None and self.units + units + reserve_units > self.max_units:
            return False
        return self.max_usd is None or self.usd + Decimal(str(recipe.price)) <= self.max_usd

    def has_room(self, requests: int) -> bool:
        """Whether so many more requests may be sent."""
        return self.max_requests is None or self.requests + requests <= self.max_requests
