"""Two schemas walked side by side: every statement that differs, where it stands, and which way it has moved.

Parts that were rewritten (other alternatives, other conditions) are put to the proof of :mod:`mockserver.diff.inclusion`;
what neither the walk nor the proof can settle is reported as not comparable, and counts as breaking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.branches import Side
from mockserver.diff.inclusion import included
from mockserver.diff.keywords import Motion, Step, limits, notes, stating
from mockserver.diff.sameness import Sameness
from mockserver.diff.speakers import Speakers, item_schema, member_schemas, settled
from mockserver.library import Document
from mockserver.meaning import KEYWORDS as MEANING
from mockserver.media import MISSING
from mockserver.pointers import escape, find
from mockserver.shapes import shape_of

_REWRITTEN = "cannot be compared: {}"
_NOTES = ("x-source", "x-contradiction", "x-convention", "description", "title")


@dataclass(frozen=True, slots=True)
class Moved:
    """One difference: the step, its pointers in both documents ("" for none), and whether a member as such came or went.

    ``settled`` is set where no proof about values can change what it means to clients.
    """

    old: str
    new: str
    step: Step
    member: str = ""
    settled: bool = False


def moved(old: Document, new: Document, old_pointer: str, new_pointer: str, side: Side) -> list[Moved]:
    """All differences between the schemas at two pointers, read for one side of an exchange."""
    walk = _Walk(old, new, side)
    left, right = Speakers(old.data, (old_pointer,)), Speakers(new.data, (new_pointer,))
    walk.pair(old_pointer, new_pointer, left, right)
    return walk.found


@dataclass(frozen=True)
class _Walk:
    old: Document
    new: Document
    side: Side
    found: list[Moved] = field(default_factory=list)
    seen: set[tuple[Any, ...]] = field(default_factory=set)

    def pair(self, left: str, right: str, before: Speakers, after: Speakers) -> None:
        """Compare the schemas at two pointers; a pointer to nothing is the schema that allows everything."""
        left, right = settled(self.old.data, left), settled(self.new.data, right)
        key = (left, right, before.tops, after.tops)
        if key in self.seen:
            return
        self.seen.add(key)
        absent = find(self.old.data, left, MISSING) is MISSING, find(self.new.data, right, MISSING) is MISSING
        if all(absent):
            return
        one, other = find(self.old.data, left, True), find(self.new.data, right, True)
        if one is False or other is False:
            if one is not other:
                motion = Motion.WIDER if one is False else Motion.NARROWER
                name = (left if one is False else right).rpartition("/")[2]
                before_it, after_it = MISSING if absent[0] else _shown(one), MISSING if absent[1] else _shown(other)
                self._note(left, right, Step(name, before_it, after_it, motion))
            return
        start = len(self.found)
        node_before: Mapping[str, Any] = one if isinstance(one, Mapping) else {}
        node_after: Mapping[str, Any] = other if isinstance(other, Mapping) else {}
        for step in limits(node_before, node_after):
            self._note(left, right, step)
        self._alternatives(left, right, node_before, node_after, before, after)
        own = len(self.found)
        self._members(left, right, node_before, node_after, before, after)
        self._items(left, right, node_before, node_after, before, after)
        self._proved(start, own, left, right, before, after)
        for step in notes(node_before, node_after, self.side):
            fixed = step.keyword in MEANING or step.motion is not Motion.SAME
            self.found.append(Moved(left, right, step, settled=fixed))

    # ---------------------------------------------------------------------------- schemas of the same value

    def _alternatives(
        self, left: str, right: str, one: Mapping[str, Any], other: Mapping[str, Any], before: Speakers, after: Speakers
    ) -> None:
        self._listed("allOf", _all_of(left, one), _all_of(right, other), before, after, (Motion.WIDER, Motion.NARROWER))
        self._listed(
            "anyOf", _of("anyOf", left, one), _of("anyOf", right, other), before, after,
            (Motion.NARROWER, Motion.WIDER), both=("anyOf" in one) == ("anyOf" in other),
        )  # fmt: skip
        self._one_of(left, right, one, other, before, after)
        self._unlike(left, right, one, other, "not")
        if "then" in one or "else" in one or "then" in other or "else" in other:
            if self._alike(f"{left}/if", f"{right}/if"):
                for word in ("then", "else"):
                    self.pair(f"{left}/{word}", f"{right}/{word}", before, after)
            else:
                shown = (_shown(one.get("if", MISSING)), _shown(other.get("if", MISSING)))
                why = _REWRITTEN.format("the condition is another one")
                self._note(f"{left}/if", f"{right}/if", Step("if", *shown, Motion.UNKNOWN, why))
        for name in dict.fromkeys((*one.get("dependentSchemas", ()), *other.get("dependentSchemas", ()))):
            at = f"dependentSchemas/{escape(name)}"
            self.pair(f"{left}/{at}", f"{right}/{at}", before, after)
        for word in ("unevaluatedProperties", "unevaluatedItems"):
            if (word in one or word in other) and not self._alike(left, right):
                shown = (_shown(one.get(word, MISSING)), _shown(other.get(word, MISSING)))
                why = _REWRITTEN.format("what counts as evaluated may have changed")
                self._note(left, right, Step(word, *shown, Motion.UNKNOWN, why))

    def _listed(
        self,
        keyword: str,
        left: list[str],
        right: list[str],
        before: Speakers,
        after: Speakers,
        gone_and_come: tuple[Motion, Motion],
        both: bool = True,
    ) -> None:
        """Pair what is alike, then what is left in order; the rest has gone or come."""
        if not both:  # with no list at all every value was allowed, with one only what it lists
            motion = Motion.NARROWER if right else Motion.WIDER
            here, there = ("", right[0]) if right else (left[0], "")
            at = here.rpartition("/")[0], there.rpartition("/")[0]
            shown = (
                f"{len(left)} alternatives" if left else MISSING,
                f"{len(right)} alternatives" if right else MISSING,
            )
            self._note(*at, Step(keyword, *shown, motion))
            return
        left, right = self._unpaired(left, right)
        for one, other in zip(left, right, strict=False):
            self.pair(one, other, before, after)
        for one in left[len(right) :]:
            self._note(one, "", Step(keyword, _shown(find(self.old.data, one)), MISSING, gone_and_come[0]))
        for other in right[len(left) :]:
            self._note("", other, Step(keyword, MISSING, _shown(find(self.new.data, other)), gone_and_come[1]))

    def _one_of(
        self, left: str, right: str, one: Mapping[str, Any], other: Mapping[str, Any], before: Speakers, after: Speakers
    ) -> None:
        gone, come = self._unpaired(_of("oneOf", left, one), _of("oneOf", right, other))
        if not gone and not come:
            return
        both = "oneOf" in one and "oneOf" in other
        if both and _disjoint(self.old, one, left, self.side) and _disjoint(self.new, other, right, self.side):
            self._listed("oneOf", gone, come, before, after, (Motion.NARROWER, Motion.WIDER))
            return
        was, now = (f"{len(n['oneOf'])} alternatives" if "oneOf" in n else MISSING for n in (one, other))
        why = _REWRITTEN.format("a value must fit exactly one of the alternatives")
        self._note(f"{left}/oneOf", f"{right}/oneOf", Step("oneOf", was, now, Motion.UNKNOWN, why))

    def _unlike(self, left: str, right: str, one: Mapping[str, Any], other: Mapping[str, Any], word: str) -> None:
        if (word in one or word in other) and not (
            word in one and word in other and self._alike(f"{left}/{word}", f"{right}/{word}")
        ):
            if word in one and word in other:
                motion, why = Motion.UNKNOWN, _REWRITTEN.format(f"two values of {word}")
            else:
                motion, why = (Motion.NARROWER if word in other else Motion.WIDER), ""
            shown = (_shown(one.get(word, MISSING)), _shown(other.get(word, MISSING)))
            self._note(f"{left}/{word}", f"{right}/{word}", Step(word, *shown, motion, why))

    # ----------------------------------------------------------------------------- schemas of inner values

    def _members(
        self, left: str, right: str, one: Mapping[str, Any], other: Mapping[str, Any], before: Speakers, after: Speakers
    ) -> None:
        names = dict.fromkeys((*one.get("properties", ()), *other.get("properties", ())))
        for name in names:
            was, now = member_schemas(one, left, name), member_schemas(other, right, name)
            speak_before, speak_after = before.member(name), after.member(name)
            known = f"{left}/properties/{escape(name)}" in was
            stays = f"{right}/properties/{escape(name)}" in now
            if was and now and ((known and stays) or self.side == "request" or not known):
                if self._allowed(was[0], self.old) and self._allowed(now[0], self.new):
                    self.pair(was[0], now[0], speak_before, speak_after)
                else:
                    self._came_or_went(was[0], now[0], name, known)
            elif not stays:
                self._gone(was[0], left, name, after.names(name))
            else:
                self._come(now[0], name, before.names(name))
        for word in ("patternProperties",):
            for pattern in dict.fromkeys((*one.get(word, ()), *other.get(word, ()))):
                at = f"{word}/{escape(pattern)}"
                nothing = Speakers(self.old.data, ()), Speakers(self.new.data, ())
                self.pair(f"{left}/{at}", f"{right}/{at}", *nothing)
        nothing = Speakers(self.old.data, ()), Speakers(self.new.data, ())
        self.pair(f"{left}/additionalProperties", f"{right}/additionalProperties", *nothing)
        self.pair(f"{left}/propertyNames", f"{right}/propertyNames", *nothing)

    def _allowed(self, pointer: str, document: Document) -> bool:
        return find(document.data, pointer, True) is not False

    def _came_or_went(self, left: str, right: str, name: str, known: bool) -> None:
        """One side forbids the member: it stands among what additionalProperties refuses."""
        if not self._allowed(left, self.old) and not self._allowed(right, self.new):
            return
        if known:
            step = Step("properties", _shown(find(self.old.data, left)), MISSING, Motion.NARROWER)
            self._note(left, "", step, member=name)
        else:
            step = Step("properties", MISSING, _shown(find(self.new.data, right)), Motion.WIDER)
            self._note("", right, step, member=name)

    def _gone(self, left: str, home: str, name: str, still_spoken_of: bool) -> None:
        node = find(self.old.data, left)
        motion = Motion.WIDER if still_spoken_of else Motion.UNKNOWN
        if still_spoken_of and not (isinstance(node, Mapping) and stating(node)):
            motion = Motion.SAME
        why = "" if still_spoken_of else "the member is gone: nobody promises what becomes of it"
        step = Step("properties", _shown(node), MISSING, motion, why)
        self.found.append(Moved(left, "", step, member=name, settled=not still_spoken_of))

    def _come(self, right: str, name: str, spoken_of_before: bool) -> None:
        node = find(self.new.data, right)
        motion = Motion.NARROWER if spoken_of_before else Motion.SAME
        if spoken_of_before and not (isinstance(node, Mapping) and stating(node)):
            return
        step = Step("properties", MISSING, _shown(node), motion)
        self.found.append(Moved("", right, step, member=name, settled=not spoken_of_before))

    def _items(
        self, left: str, right: str, one: Mapping[str, Any], other: Mapping[str, Any], before: Speakers, after: Speakers
    ) -> None:
        fixed = max(len(one.get("prefixItems", ())), len(other.get("prefixItems", ())))
        for index in range(fixed + 1):
            was = item_schema(one, left, index) or f"{left}/items"
            now = item_schema(other, right, index) or f"{right}/items"
            self.pair(was, now, before.items(index), after.items(index))
        if "contains" in one or "contains" in other:
            counted = "maxContains" in one or "maxContains" in other
            if counted and not self._alike(f"{left}/contains", f"{right}/contains"):
                shown = (_shown(one.get("contains", MISSING)), _shown(other.get("contains", MISSING)))
                why = _REWRITTEN.format("contains with an upper limit")
                self._note(f"{left}/contains", f"{right}/contains", Step("contains", *shown, Motion.UNKNOWN, why))
            elif ("contains" in one) != ("contains" in other):
                motion = Motion.NARROWER if "contains" in other else Motion.WIDER
                shown = (_shown(one.get("contains", MISSING)), _shown(other.get("contains", MISSING)))
                self._note(f"{left}/contains", f"{right}/contains", Step("contains", *shown, motion))
            else:
                nothing = Speakers(self.old.data, ()), Speakers(self.new.data, ())
                self.pair(f"{left}/contains", f"{right}/contains", *nothing)

    # ------------------------------------------------------------------------------------------- the proof

    def _proved(self, start: int, own: int, left: str, right: str, before: Speakers, after: Speakers) -> None:
        """Put what differs at this very schema to the proof, where nobody else speaks of the same value."""
        bad = {Motion.UNKNOWN, Motion.BOTH, Motion.NARROWER if self.side == "request" else Motion.WIDER}
        if not any(m.step.motion in bad for m in self.found[start:own]):
            return
        if not (before.alone(left) and after.alone(right)):
            return
        one, other = shape_of(self.old.data, left, self.side), shape_of(self.new.data, right, self.side)
        kept, grows = included(one, other), included(other, one)
        if not kept and not grows:
            return
        motion = Motion.SAME if kept and grows else Motion.WIDER if kept else Motion.NARROWER
        why = "" if motion is not Motion.SAME else "written differently, the same values are valid"
        for index in range(start, len(self.found)):
            known = self.found[index]
            if not known.settled and known.step.motion is not Motion.SAME:
                self.found[index] = replace(known, step=replace(known.step, motion=motion, why=why))

    def _alike(self, left: str, right: str) -> bool:
        """Whether two schemas say the same, whatever else is written beside it."""
        return Sameness(self.old.data, self.new.data).same(
            find(self.old.data, left, True), find(self.new.data, right, True)
        )

    def _unpaired(self, left: list[str], right: list[str]) -> tuple[list[str], list[str]]:
        rest = list(right)
        gone = []
        for one in left:
            twin = next((other for other in rest if self._alike(one, other)), None)
            if twin is None:
                gone.append(one)
            else:
                rest.remove(twin)
        return gone, rest

    def _note(self, left: str, right: str, step: Step, member: str = "") -> None:
        self.found.append(Moved(left, right, step, member))


def _all_of(pointer: str, node: Mapping[str, Any]) -> list[str]:
    """The parts that hold together with a schema object; what it refers to is one of them."""
    target = [node["$ref"].removeprefix("#")] if isinstance(node.get("$ref"), str) else []
    return [*_of("allOf", pointer, node), *target]


def _of(word: str, pointer: str, node: Mapping[str, Any]) -> list[str]:
    return [f"{pointer}/{word}/{index}" for index in range(len(node.get(word, ())))]


def _disjoint(document: Document, node: Mapping[str, Any], pointer: str, side: Side) -> bool:
    """Whether no value fits two of the alternatives, as far as their normal forms tell."""
    shapes = [shape_of(document.data, at, side) for at in _of("oneOf", pointer, node)]
    return not any(
        shape_of({**document.data, "x-both": {"allOf": [*one.schemas, *other.schemas]}}, "#/x-both", side).live
        for index, one in enumerate(shapes)
        for other in shapes[index + 1 :]
    )


def _shown(value: Any) -> Any:
    """A schema as far as a reader needs it: without the notes on where it comes from."""
    if isinstance(value, Mapping):
        return {name: _shown(member) for name, member in value.items() if name not in _NOTES}
    return [_shown(item) for item in value] if isinstance(value, list) else value
