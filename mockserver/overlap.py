"""How often one value deep inside another is judged: schemas that overlap judge it once each, and so again on every level.

``allOf`` of two schemas that both describe the member ``a`` by the schema itself doubles the work with every ``a`` inside an
``a``: a body of a hundred bytes could take hours.  How many schemas hold for one value is left to :mod:`mockserver.unfolding`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from mockserver.pointers import find

TIMES_AT_MOST: Final = 1000
"""How often one value may be judged before the verdicts about it are remembered."""
_LEVELS: Final = 200
"""As deep as values nest that are judged at all."""

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("not", "if", "then", "else")
_REST: Final = ""
"""What stands for all members, or items, that no other name stands for."""

Targets: TypeAlias = "Counter[int]"
Family: TypeAlias = dict[str, Targets]
"""Which schemas hold for a member, by its name: each as often as it does."""
Families: TypeAlias = tuple[Family, Family]
"""Members of objects, items of lists."""


_REPEATING: Final = frozenset({*_LISTS, "if", "dependentSchemas", "patternProperties", "contains", "x-given", "$ref"})
"""Keywords that hold several schemas against the same value; where there is none of them nothing is judged twice."""
_SPEAKING: Final = frozenset(
    {*_REPEATING, *_SINGLE, "properties", "additionalProperties", "unevaluatedProperties", "prefixItems", "items",
     "unevaluatedItems"}
)  # fmt: skip
_asked: deque[tuple[Mapping[str, Any], bool]] = deque(maxlen=4)
"""The answers for the newest documents: each has several readers."""


def overlapping(document: Mapping[str, Any]) -> bool:
    """Whether some schema of a closed document makes one value inside another be judged too often."""
    for known, answer in _asked:
        if known is document:
            return answer
    objects = [node for node in _objects(document) if not _SPEAKING.isdisjoint(node)]
    answer = any(not _REPEATING.isdisjoint(node) for node in objects)
    if answer:
        walk = _Walk(document)
        for node in objects:
            walk.families(node, ())
        answer = walk.grows()
    _asked.append((document, answer))
    return answer


class _Walk:
    """What the schemas of one document say about the parts of values, worked out once for each."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._known: dict[int, Families] = {}

    def families(self, node: Mapping[str, Any], above: tuple[int, ...]) -> Families:
        """Which schemas hold for the parts of a value for which a schema holds."""
        if id(node) in self._known:
            return self._known[id(node)]
        if _SPEAKING.isdisjoint(node) or id(node) in above or len(above) > _LEVELS:
            return {}, {}
        families = _own(node)
        # Whoever asks what of a value was spoken of judges the parts of the schema once more.
        times = 2 if "unevaluatedProperties" in node or "unevaluatedItems" in node else 1
        for part in self._parts(node):
            more = self.families(part, (*above, id(node)))
            for _ in range(times):
                families = _together(families[0], more[0]), _together(families[1], more[1])
        self._known[id(node)] = families
        return families

    def _parts(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        found = [part for word in _LISTS if isinstance(node.get(word), list) for part in node[word]]
        found += [node[word] for word in _SINGLE if word in node]
        if isinstance(dependent := node.get("dependentSchemas"), Mapping):
            found += dependent.values()
        if isinstance(reference := node.get("$ref"), str):
            found.append(find(self._document, reference))
        if isinstance(given := node.get("x-given"), list):
            found += [rule.get("then") for rule in given if isinstance(rule, Mapping)]
        yield from (part for part in found if isinstance(part, Mapping))

    def grows(self) -> bool:
        """Whether the number of verdicts on one value, level by level, goes beyond the limit."""
        slots = {
            name: [
                targets
                for family in families
                for targets in family.values()
                if not self._known.keys().isdisjoint(targets)
            ]
            for name, families in self._known.items()
        }
        askers: dict[int, set[int]] = {}
        for name, all_targets in slots.items():
            for targets in all_targets:
                for target in targets:
                    askers.setdefault(target, set()).add(name)
        times = dict.fromkeys(slots, 1)
        waiting = set(slots)
        for _ in range(_LEVELS):
            changed = {}
            for name in waiting:
                sums = (sum(n * times.get(target, 1) for target, n in targets.items()) for targets in slots[name])
                if (most := max(sums, default=1)) > times[name]:
                    changed[name] = most
            if any(most > TIMES_AT_MOST for most in changed.values()):
                return True
            times |= changed
            waiting = set().union(*(askers.get(name, set()) for name in changed))
            if not waiting:
                break
        return False


def _own(node: Mapping[str, Any]) -> Families:
    """What a schema says itself, without its parts."""
    named, patterns = node.get("properties"), node.get("patternProperties")
    always = _targets(*(patterns.values() if isinstance(patterns, Mapping) else ()))
    members = {
        str(name): _targets(schema) + always if always else _targets(schema)
        for name, schema in (named.items() if isinstance(named, Mapping) else ())
    }
    if rest := _targets(node.get("additionalProperties"), node.get("unevaluatedProperties")) + always:
        members[_REST] = rest
    prefix, held = node.get("prefixItems"), _targets(node.get("contains"))
    items = {
        str(index): _targets(schema) + held for index, schema in enumerate(prefix if isinstance(prefix, list) else ())
    }
    if rest := _targets(node.get("items"), node.get("unevaluatedItems")) + held:
        items[_REST] = rest
    return members, items


def _targets(*schemas: Any) -> Targets:
    found: Targets = Counter()
    for schema in schemas:
        if isinstance(schema, Mapping):
            found[id(schema)] += 1
    return found


def _together(one: Family, other: Family) -> Family:
    """Two families of which both hold."""
    if not one or not other:
        return one or other
    rest, more = one.get(_REST), other.get(_REST)
    both = {}
    for name in one.keys() | other.keys():
        mine, theirs = one.get(name, rest), other.get(name, more)
        both[name] = mine + theirs if mine and theirs else mine or theirs or Counter()
    return both


def _objects(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
