"""The documented schema of an answer beside what was answered: what held is kept, what did not is replaced where it stood.

The smallest statement that was broken is changed; an object that lost members it had to have is another shape, and gets
the members that came instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contract_tests.draft import Draft, below, statement
from contract_tests.evidence import Observation, exchanges
from contract_tests.inference import infer
from mockserver.branches import kind_of
from mockserver.contract import Units
from mockserver.literals import identity
from mockserver.meaning import KEYWORDS as MEANING
from mockserver.media import MISSING
from mockserver.pointers import dereference, find
from mockserver.sentences import listed
from mockserver.validation import Judge

_ALTERNATIVES = ("anyOf", "oneOf", "not", "if", "dependentSchemas", "dependentRequired", "propertyNames")
_LIMITS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "contains"),
)
_FEW = 8
"""Values up to which an enum is widened by what was observed; more are no enum any more."""


class Revision:
    """Changes the schemas of one contract to fit observed values; ``broken`` are the places of broken relations."""

    def __init__(self, judge: Judge, draft: Draft, broken: frozenset[str]) -> None:
        self._judge, self._draft, self._broken = judge, draft, broken
        self._document = judge.contract.document
        self._seen: set[str] = set()

    def revise(self, pointer: str, observations: Sequence[Observation], units: Units | None) -> None:
        """Change what stands at a pointer of the closed document as far as the observations contradict it."""
        pointer, node = dereference(self._document.data, pointer)
        pointer = pointer.removeprefix("#")
        if not isinstance(node, Mapping) or not observations or pointer in self._seen:
            return
        self._seen.add(pointer)
        if not self._types(pointer, node, observations, units):
            return
        self._values(pointer, node, observations)
        self._members(pointer, node, [one for one in observations if isinstance(one.value, dict)], units)
        self._items(pointer, node, [one for one in observations if isinstance(one.value, list)], units)
        for index in range(len(node.get("allOf", ()))):
            self.revise(below(pointer, "allOf", index), observations, units)
        self._relations(pointer, node, observations)

    def _holds(self, pointer: str, observations: Sequence[Observation]) -> bool:
        validator = self._judge.explainer.validator(pointer)
        return all(validator.is_valid(one.value) for one in observations)

    def _types(self, pointer: str, node: Mapping[str, Any], seen: Sequence[Observation], units: Units | None) -> bool:
        """Whether the documented types (or more of them, now) fit, so that what is inside is worth a look."""
        documented = [node["type"]] if isinstance(node.get("type"), str) else list(node.get("type", ()))
        if not documented:
            return True
        alike = {"fraction": "number"}
        fits = [
            one for one in seen
            if alike.get(kind_of(one.value), kind_of(one.value)) in documented
            or (kind_of(one.value) == "integer" and "number" in documented)
        ]  # fmt: skip
        if len(fits) == len(seen):
            return True
        others = [one for one in seen if one not in fits]
        made = infer(seen if not fits else others, units)
        sentence = f"{statement(node)}; observed: {statement(made)}"
        if not fits:
            kept = {name: node[name] for name in ("x-contradiction",) if name in node}
            self._replace(pointer, {**made, **kept}, exchanges(others), sentence)
            return False
        kinds = made["type"] if isinstance(made["type"], list) else [made["type"]]
        self._draft.put(below(pointer, "type"), [*documented, *kinds])
        for name, value in made.items():
            if name in ("properties", "items") and name not in node:
                self._draft.put(below(pointer, name), self._draft.sourced({name: value}, exchanges(others))[name])
        self._draft.note(pointer, exchanges(others), f"type {listed(documented)}; observed also {listed(kinds)}")
        return True

    def _replace(self, pointer: str, made: Mapping[str, Any], where: str, sentence: str) -> None:
        fresh = self._draft.sourced(made, where)
        before = self._draft.node(pointer)
        for name in [name for name in before if name not in ("$id", "$schema", "title")]:
            self._draft.put(below(pointer, name), MISSING)
        for name, value in fresh.items():
            self._draft.put(below(pointer, name), value)
        self._draft.note(pointer, where, sentence)

    def _values(self, pointer: str, node: Mapping[str, Any], seen: Sequence[Observation]) -> None:
        """Single values and limits."""
        for name in ("enum", "const", *_LIMITS, *_ALTERNATIVES):
            if name not in node:
                continue
            part = {key: node[key] for key in (name, "then", "else") if key in node and (key == name or name == "if")}
            judge = self._judge.explainer.validator(pointer).evolve(schema=part)
            against = [one for one in seen if not judge.is_valid(one.value)]
            if not against:
                continue
            values = list({identity(one.value): one.value for one in against}.values())
            self._draft.put(below(pointer, name), MISSING)
            if (
                name in ("enum", "const")
                and len(values) <= _FEW
                and not any(isinstance(v, dict | list) for v in values)
            ):
                fits = len(against) < len(seen) or name == "enum"
                known = (node["enum"] if name == "enum" else [node["const"]]) if fits else []
                self._draft.put(below(pointer, "enum"), [*known, *values])
            self._draft.note(
                pointer, exchanges(against), f"{name} {statement({name: node[name]})}; observed {listed(values[:3])}"
            )

    def _members(self, pointer: str, node: Mapping[str, Any], seen: Sequence[Observation], units: Units | None) -> None:
        if not seen:
            return
        properties, required = node.get("properties", {}), list(node.get("required", ()))
        missing = [name for name in required if not all(name in one.value for one in seen)]
        never = [name for name in missing if name in properties and not any(name in one.value for one in seen)]
        for name in properties:
            present = [one.inside(name) for one in seen if name in one.value]
            self.revise(below(pointer, "properties", name), present, units)
        known = set(properties)
        fresh = list(dict.fromkeys(name for one in seen for name in one.value if name not in known))
        forbidden = [name for name in fresh if node.get("additionalProperties") is False]
        if not missing and not forbidden:
            return
        documented = {name: node[name] for name in ("required", "properties") if name in node}
        where = exchanges([one for one in seen if any(name not in one.value for name in missing)] or seen)
        gone = "; ".join(f"{name} {statement(properties[name])}" for name in never)
        for name in never:
            self._draft.put(below(pointer, "properties", name), MISSING)
        self._draft.put(below(pointer, "required"), [name for name in required if name not in missing])
        added = [name for name in fresh if never or name in forbidden]
        if added and "properties" not in node:
            self._draft.put(below(pointer, "properties"), {})
        for name in added:
            present = [one.inside(name) for one in seen if name in one.value]
            made = self._draft.sourced(infer(present, units), exchanges(present))
            self._draft.put(below(pointer, "properties", name), made)
        always = [name for name in added if all(name in one.value for one in seen)]
        self._draft.put(below(pointer, "required"), [*(name for name in required if name not in missing), *always])
        if not self._draft.node(below(pointer, "required")):
            self._draft.put(below(pointer, "required"), MISSING)
        if forbidden:
            self._draft.put(below(pointer, "additionalProperties"), MISSING)
        said = f"Required: {', '.join(documented.get('required', ())) or 'nothing'}."
        said += f" Never there: {gone}." if never else f" Not always there: {', '.join(missing)}." if missing else ""
        said += f" There instead: {', '.join(added)}." if added else ""
        self._draft.note(pointer, where, said)

    def _items(self, pointer: str, node: Mapping[str, Any], seen: Sequence[Observation], units: Units | None) -> None:
        items = [Observation(item, one.request, one.exchange) for one in seen for item in one.value]
        if isinstance(node.get("items"), Mapping):
            self.revise(below(pointer, "items"), items, units)

    def _relations(self, pointer: str, node: Mapping[str, Any], seen: Sequence[Observation]) -> None:
        """Meaning keywords that did not hold, or whose members are gone."""
        for name in MEANING:
            if name not in node:
                continue
            rule = node[name]
            needed = [rule["total"], *rule["of"]] if name == "x-sum" else []
            idle = [at for at in needed if all(find(one.value, at, MISSING) is MISSING for one in seen)]
            broken = self._document.place(below(pointer, name)) in self._broken
            if broken or idle:
                self._draft.put(below(pointer, name), MISSING)
                self._draft.note(pointer, exchanges(seen), f"{name} {statement({name: rule})}; observed not to hold")
