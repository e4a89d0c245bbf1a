"""Counts that fit the request, and their totals (``x-sum``): those that are the same for equal requests follow its text.

Totals may be parts of other totals.  Where the numbers stand in an answer is left to :mod:`mockserver.answers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from mockserver.asked import Asked, Count, Slot
from mockserver.encoding import encoded
from mockserver.pointers import find, parts_of, pointer_of

Path = tuple[str, ...]
Says = Callable[[Path, str], bool]
"""Whether a schema that applies at a path has a keyword."""

_LIMITED: Final = ("maximum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf", "enum", "const")


def counts(rules: Sequence[Mapping[str, Any]], base: Any, says: Says) -> dict[Path, Slot | Count]:
    """What makes each number that the rules of one object name, by its path; a rule without its numbers is passed over."""
    totals: dict[Path, list[Path]] = {}
    for rule in rules:
        total, parts = tuple(parts_of(rule["total"])), [tuple(parts_of(pointer)) for pointer in rule["of"]]
        if all(_is_number(find(base, pointer_of(path))) for path in (total, *parts)):
            totals.setdefault(total, parts)
    slots: dict[Path, Slot | Count] = {}
    for total, parts in totals.items():
        whole = all(isinstance(find(base, pointer_of(part)), int) for part in parts)
        for path in (total, *parts):
            number = _number(path, totals, base, says, frozenset())
            slots[path] = Count(number) if whole else _written(number)
    return slots


def _number(
    path: Path, totals: Mapping[Path, list[Path]], base: Any, says: Says, above: frozenset[Path]
) -> Callable[[Asked], Any]:
    if path in totals and path not in above:
        numbers = [_number(part, totals, base, says, above | {path}) for part in totals[path]]
        return lambda asked: sum([number(asked) for number in numbers])
    usual = find(base, pointer_of(path))
    if any(says(path, keyword) for keyword in _LIMITED):
        return lambda _: usual
    if says(path, "x-stable"):
        return attrgetter("tokens")
    return lambda asked: usual * (asked.count or 1)


def _written(value: Callable[[Asked], Any]) -> Slot:
    return lambda asked: encoded(value(asked))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
