"""An operation of both contracts, and how a difference between them becomes a change that says what it means to clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mockserver.branches import Side
from mockserver.contract import Contract
from mockserver.diff.change import Change, Effect
from mockserver.diff.keywords import Motion
from mockserver.diff.schemas import Moved, moved
from mockserver.media import MISSING
from mockserver.pointers import escape, find

_CONSEQUENCES: dict[tuple[Side, Motion], tuple[Effect, str]] = {
    ("request", Motion.NARROWER): (Effect.BREAKING, "requests that were valid may now be refused"),
    ("request", Motion.WIDER): (Effect.ADDITIVE, "every request that was valid still is"),
    ("request", Motion.BOTH): (Effect.BREAKING, "requests that were valid may now be refused, and others are accepted"),
    ("request", Motion.UNKNOWN): (Effect.BREAKING, "cannot be compared, so taken as breaking"),
    ("response", Motion.NARROWER): (Effect.ADDITIVE, "answers promise more than before"),
    ("response", Motion.WIDER): (Effect.BREAKING, "answers may now be what clients were never promised"),
    ("response", Motion.BOTH): (
        Effect.BREAKING,
        "answers may now be what clients were never promised, and no longer what they were",
    ),
    ("response", Motion.UNKNOWN): (Effect.BREAKING, "cannot be compared, so taken as breaking"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """An operation of both contracts and where in it a comparison stands."""

    old: Contract
    new: Contract
    name: str
    area: str = ""

    def change(self, effect: Effect, left: str, right: str, what: str, old: Any, new: Any, reason: str) -> Change:
        """A change at the place in the new contract, or in the old one where ``right`` is empty."""
        document = self.new.document if right else self.old.document
        pointer = right or left
        operations = (self.name,) if self.name else ()
        return Change(effect, operations, self.area, pointer, document.place(pointer), what, old, new, reason)

    def at(self, area: str) -> Pair:
        """The same operation, another part of it."""
        return replace(self, area=area)

    def schema(self, left: str, right: str, side: Side) -> Iterator[Change]:
        """The changes between the schemas at two pointers; "" allows everything."""
        nowhere = "/x-nowhere"
        for found in moved(self.old.document, self.new.document, left or nowhere, right or nowhere, side):
            yield self._moved(found, side)

    def notes(self, left: str, right: str, skipped: tuple[str, ...]) -> Iterator[Change]:
        """The editorial changes of two objects: descriptions, sources and whatever else no message depends on."""
        one, other = find(self.old.document.data, left, {}), find(self.new.document.data, right, {})
        for name in dict.fromkeys((*one, *other)):
            before, after = one.get(name, MISSING), other.get(name, MISSING)
            if name not in skipped and before != after:
                yield self.change(
                    Effect.EDITORIAL, f"{left}/{escape(name)}", f"{right}/{escape(name)}" if name in other else "",
                    name, before, after, said(name),
                )  # fmt: skip

    def _moved(self, found: Moved, side: Side) -> Change:
        step = found.step
        what = f"member {found.member}" if found.member else step.keyword
        if step.keyword == "required":
            what = f"required {step.new if step.old is MISSING else step.old}"
        if found.member and not step.why and step.motion is Motion.SAME and found.settled:
            reason = "new and optional" if side == "request" else "clients ignore members that they do not know"
            return self.change(Effect.ADDITIVE, found.old, found.new, what, step.old, step.new, reason)
        left, right = _within(found.old, step.keyword, step.old), _within(found.new, step.keyword, step.new)
        if found.member:
            left, right = found.old, found.new
        if step.motion is Motion.SAME:
            reason = step.why or said(step.keyword)
            return self.change(Effect.EDITORIAL, left, right, what, step.old, step.new, reason)
        effect, consequence = _CONSEQUENCES[side, step.motion]
        if step.why.startswith("the member is gone"):
            return self.change(effect, left, right, what, step.old, step.new, step.why)
        why = (
            step.why if step.why.startswith("cannot be compared") else f"{consequence}: {step.why}" if step.why else ""
        )
        return self.change(effect, left, right, what, step.old, step.new, why or consequence)


def _within(pointer: str, keyword: str, value: Any) -> str:
    """The pointer of a keyword's value; of the object itself where the value stands elsewhere, "" where nothing is."""
    if value is MISSING and keyword != "required":
        return ""
    if pointer.endswith(f"/{keyword}") or not pointer:
        return pointer
    return f"{pointer}/{escape(keyword)}" if "/" not in keyword else pointer


def said(name: str) -> str:
    """Why an editorial change is none for clients."""
    if name in ("x-source", "x-pages"):
        return "another source for the same statement"
    if name in ("x-convention", "x-contradiction", "x-severity"):
        return "how sure the statement is, not what it says"
    if name == "deprecated":
        return "nothing changes yet"
    return "no message depends on it"
