"""Which requests are sent, in which order, at what price: made from the contract before the first request.

Refusals come first, since they are free; of valid requests the most telling.  Where a limit is near, the least telling
refusals are left out, and they are named as open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from contract_tests.budget import Budget
from contract_tests.mutants import mutants, wrong_key
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe, base_recipe, other_kinds
from contract_tests.variants import variants
from mockserver.errors import BudgetSpent
from mockserver.validation import Judge

RESERVE = 12
"""Requests kept back for taking surprises apart; what they do not need goes to the refusals that were left out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The probes in order of sending, those for which there is no room, and the plain request of every operation."""

    refusals: tuple[Probe, ...]
    valid: tuple[Probe, ...]
    breadth: tuple[Probe, ...]
    left_out: tuple[Probe, ...]
    bases: dict[str, Recipe]

    @property
    def probes(self) -> tuple[Probe, ...]:
        """All probes in order of sending."""
        return self.refusals + self.valid + self.breadth

    @property
    def units(self) -> int:
        """Units that the plan buys when the API keeps its contract."""
        return sum(probe.planned_units for probe in self.probes)

    @property
    def usd(self) -> float:
        """What that costs, by estimate."""
        return sum(probe.planned_price for probe in self.probes)

    @property
    def priced(self) -> bool:
        """Whether prices are known for every operation that sells units."""
        sold = [probe.recipe.operation for probe in self.probes if probe.units]
        return bool(sold) and all(operation.prices is not None for operation in sold)


def make_plan(judge: Judge, seed: int, max_requests: int | None, key_is_known: bool, stand_in: bool) -> Plan:
    """The plan for every operation of a contract; ``key_is_known`` says that a wrong key can be told from the right one,
    ``stand_in`` that the target is on this machine."""
    bases = {operation.id: base_recipe(judge.contract, operation, seed) for operation in judge.contract.operations}
    valid: list[Probe] = []
    refusals: list[Probe] = []
    turn: dict[str, int] = {}  # the bases take turns within a rank
    for base in list(bases.values()):
        bases |= {further.basis: further for further in other_kinds(base)}
    for number, base in enumerate(bases.values()):
        valid += variants(judge, base, thorough=number == 0)
        own = mutants(judge, base)
        turn |= {probe.id: index for index, probe in enumerate(own)}
        refusals += own
        if key_is_known and not base.kind and (probe := wrong_key(judge, base, stand_in)):
            refusals.append(probe)
    refusals.sort(key=lambda probe: (probe.rank, turn.get(probe.id, len(turn))))
    if len(bases) > 1:  # where a limit ends the run, every operation has had its most telling requests
        valid.sort(key=lambda probe: probe.rank)
    room = len(refusals)
    if max_requests is not None:  # half of few requests go to refusals, which are free
        room = max(max_requests // 2, max_requests - len(valid) - RESERVE)
    core = tuple(probe for probe in valid if probe.rank < 9)
    breadth = tuple(probe for probe in valid if probe.rank >= 9)
    return Plan(tuple(refusals[:room]), core, breadth, tuple(refusals[room:]), bases)


def affordable(plan: Plan, limits: Budget) -> list[Probe]:
    """The probes that are sent when the API keeps its contract: in order, without those that would pass a limit."""
    spent = replace(limits, requests=0, units=0, usd=Decimal(0))
    found = []
    for probe in plan.probes:
        try:
            spent.reserve(probe.recipe)
        except BudgetSpent:
            continue
        spent.settle(probe.recipe, accepted=probe.expect != "refused")
        found.append(probe)
    return found


def table(plan: Plan, limits: Budget) -> str:
    """The plan as text: number, what is sent, what it costs, and running totals."""
    rows = []
    probes = affordable(plan, limits)
    units, usd = 0, 0.0
    unit = next((p.recipe.operation.units.name for p in plan.probes if p.recipe.operation.units), "unit")
    names = {probe.id: probe.id if len(plan.bases) > 1 else probe.name for probe in probes}
    width = max(map(len, names.values()), default=0)
    width = min(width, 62)
    rows.append(f"{'':>4}  {'request':<{width}}  {unit + 's':>7}  {'USD':>7}  {'total':>12}")
    for number, probe in enumerate(probes, 1):
        units += probe.planned_units
        usd += probe.planned_price
        name = names[probe.id]
        name = name if len(name) <= width else name[: width - 3] + "..."
        cost = (
            f"{probe.planned_units:>7}  {probe.planned_price:>7.3f}" if probe.expect != "refused" else f"{'free':>16}"
        )
        rows.append(f"{number:>4}  {name:<{width}}  {cost}  {units:>3} {usd:>8.3f}")
    price = f"about {usd:.2f} USD" if plan.priced else "price unknown"
    rows.append(f"{len(probes)} requests, {units} {unit}s, {price}; what is left takes surprises apart.")
    if more := len(plan.probes) - len(probes):
        rows.append(f"The limits leave no room for {more} more requests; the report names what they would have tried.")
    if plan.left_out:
        rows.append(
            f"If nothing surprises, up to {min(RESERVE, len(plan.left_out))} of {len(plan.left_out)} more refusals."
        )
    return "\n".join(rows)
