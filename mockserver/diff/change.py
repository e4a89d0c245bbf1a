"""What changed between two contracts, as values: one change, what it means to clients, and all changes together.

How changes are found is left to the other modules of this package, how they look to :mod:`mockserver.diff.writing`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from mockserver.media import MISSING


class Effect(StrEnum):
    """What a change does to clients that keep the old contract: it breaks them, adds to what they have, or neither."""

    BREAKING = "breaking"
    ADDITIVE = "additive"
    EDITORIAL = "editorial"

    @property
    def rank(self) -> int:
        """3 for breaking, 2 for additive, 1 for editorial: compare these."""
        return {"breaking": 3, "additive": 2, "editorial": 1}[self.value]


FailOn = Literal["breaking", "any", "never"]
"""Which changes make the exit code 1."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    ``operations`` are the methods and paths that it concerns (none: the contract as a whole), ``area`` is the part of
    them (``request``, ``response 200``, ``parameter query page``, ``security``, ...), ``pointer`` the place in the new
    contract as one document, in the old one for what is gone, and ``place`` the same as file and pointer. ``what`` names
    the changed statement; ``old`` and ``new`` are JSON values, MISSING where there is none.
    """

    effect: Effect
    operations: tuple[str, ...]
    area: str
    pointer: str
    place: str
    what: str
    old: Any
    new: Any
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the JSON form; a side that has no value has no member."""
        values = {name: value for name, value in (("old", self.old), ("new", self.new)) if value is not MISSING}
        return {
            "effect": self.effect.value,
            "operations": list(self.operations),
            "area": self.area,
            "pointer": self.pointer,
            "place": self.place,
            "what": self.what,
            **values,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes from one contract to another, the worst first; ``old`` and ``new`` are the contracts' names."""

    old: str
    new: str
    changes: tuple[Change, ...]

    def of(self, effect: Effect) -> tuple[Change, ...]:
        """The changes with one effect, in order."""
        return tuple(change for change in self.changes if change.effect is effect)

    def fails(self, on: FailOn) -> bool:
        """Whether there is a change of the kind that the user does not want."""
        least = {"breaking": Effect.BREAKING.rank, "any": Effect.EDITORIAL.rank, "never": 9}[on]
        return any(change.effect.rank >= least for change in self.changes)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, version 1."""
        return {
            "version": 1,
            "old": self.old,
            "new": self.new,
            "counts": {effect.value: len(self.of(effect)) for effect in Effect},
            "changes": [change.as_dict() for change in self.changes],
        }


def gathered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes, the worst first; the same change of a shared schema stands once and names all its operations."""
    found: dict[tuple[Any, ...], Change] = {}
    for change in changes:
        key = (change.effect, change.area, change.place, change.what, repr(change.old), repr(change.new), change.reason)
        known = found.get(key)
        if known is not None:
            change = replace(known, operations=tuple(dict.fromkeys((*known.operations, *change.operations))))
        found[key] = change
    return tuple(sorted(found.values(), key=lambda change: -change.effect.rank))
