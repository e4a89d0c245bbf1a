"""What changed between two contracts, and which changes break clients: requests became stricter, or answers looser.

A client is taken to send what the old contract speaks of and to ignore members of answers that it does not know.  What
cannot be decided is said to be so and counts as breaking.
"""

from __future__ import annotations

from mockserver import openapi
from mockserver.contract import Contract
from mockserver.diff.change import Change, Difference, Effect, FailOn, gathered
from mockserver.diff.operations import operations, whole

__all__ = ["Change", "Difference", "Effect", "FailOn", "between", "compare"]


def compare(old: str, new: str) -> Difference:
    """Compare two contracts by shipped name, folder or file; raises ContractError."""
    return between(openapi.load(old), openapi.load(new), (old, new))


def between(old: Contract, new: Contract, names: tuple[str, str] | None = None) -> Difference:
    """Compare two contracts; ``names`` is what they are called in the result."""
    shown = names or (old.name, new.name)
    return Difference(*shown, gathered((*operations(old, new), *whole(old, new))))
