"""Wrong values for one place of a request body: what is tried there, and how telling it is.

Where one value can be wrong in the eyes of many lax readers at once, it is: a text one character too long that is short
enough once trimmed, composed or counted otherwise finds every one of them.  Whether a value breaks exactly one rule is
decided by the judge, not here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from contract_tests import texts
from contract_tests.places import Place
from mockserver.media import MISSING
from mockserver.sentences import show

Deviation = tuple[str, Any, int]
"""What is tried, the value that stands instead (MISSING: nothing), and its rank: the lower, the more telling."""

VARIATION = 5
"""Rank from which a probe only varies a rule that another probe has tried already: sent when there is room."""

_DIMENSIONS = re.compile(r"(\d+)x(\d+)")


def deviations(place: Place, present: Any) -> Iterator[Deviation]:
    """Everything worth trying at a place; ``present`` is the valid value that stands there (MISSING: none)."""
    if place.required:
        yield f"{place.name} absent", MISSING, 1
    yield from _files(place)
    if {} in place.all("not"):  # a member that a branch of the schema excludes altogether
        yield f"{place.name} where it does not belong", _typical(place), 1
    yield from _types(place, present)
    yield from _bounds(place)
    yield from _lengths(place)
    yield from _choices(place, present)
    if pattern := place.first("pattern"):
        yield f"{place.name} that does not match {pattern}", "\u2603 !", 2
    maximum_items = place.first("maxItems")
    if isinstance(maximum_items, int) and isinstance(present, list) and present:
        yield f"{place.name} with {maximum_items + 1} items", (present * (maximum_items + 1))[: maximum_items + 1], 2
    if place.first("minItems"):
        yield f"{place.name} empty", [], 2
    if place.first("uniqueItems") and isinstance(present, list) and present:
        yield f"{place.name} with an item twice", [*present, present[0]], 3


def _typical(place: Place) -> Any:
    """A value that would do where the place is allowed."""
    if place.enums:
        return place.enums[0]
    low = place.first("minimum")
    return low if low is not None else True if "boolean" in place.types else "text"


def _files(place: Place) -> Iterator[Deviation]:
    if place.first("x-file"):
        yield f"{place.name} as a file of another type", "data:text/plain;base64,dGV4dA==", 1
        yield f"{place.name} as a file without a type", "data:application/octet-stream;base64,iVBORw0KGgo=", 2
        yield f"{place.name} as a text where a file belongs", "text", 2


# Ranks of wrong kinds by what the place is.  Kinds that clients really send by mistake come first (digits in quotes from
# forms, null from unset variables, a list of parts as chat messages have them), and neighbours get different kinds first.
_NUMBER = {"fraction": 1, "digits": 1, "null": 2, "boolean": 3, "empty": 3, "array": 5, "object": 5}
_TEXT = {"null": 2, "number": 2, "array": 3, "boolean": 4, "object": 4}
_CHOICE = {"null": 2, "number": 2, "array": 5, "object": 6, "boolean": 6}
_OPTIONAL = {"number": 5, "null": 6, "array": 7, "object": 7, "boolean": 7}
_OTHER = {"null": 2, "number": 2, "string": 3, "array": 4, "object": 4, "boolean": 4}


def _types(place: Place, present: Any) -> Iterator[Deviation]:
    allowed = place.types
    if not allowed:
        return
    numeric = bool(allowed & {"integer", "number"})
    textual = allowed == {"string"}
    if not place.required:
        ranks = _OPTIONAL if textual else {kind: rank + 2 for kind, rank in _OTHER.items()}
    elif textual:
        ranks = _CHOICE if place.enums else _TEXT
    else:
        ranks = _OTHER
    if numeric:
        ranks = {kind: rank + (0 if place.required else 1) for kind, rank in _NUMBER.items()}
    valid = present if present is not MISSING else "text" if textual else 1
    digits = str(present) if isinstance(present, int | float) and not isinstance(present, bool) else "1"
    kinds: tuple[tuple[str, str, str, Any], ...] = (
        ("fraction", "with a fraction", "number", 1.5),
        ("digits", "as a string of digits", "string", digits),
        ("empty", "as an empty string", "string", ""),
        ("null", "as null", "null", None),
        ("number", "as a number", "number", 42),
        ("string", "as a string", "string", "text"),
        ("boolean", "as a boolean", "boolean", True),
        ("array", "as an array", "array", [valid]),
        ("object", "as an object", "object", {"value": valid}),
    )
    for kind, words, needs, value in kinds:
        same = needs in allowed or (kind == "number" and "integer" in allowed)
        if kind in ranks and not same:
            yield f"{place.name} {words}", value, ranks[kind]


def _bounds(place: Place) -> Iterator[Deviation]:
    step = 1 if "integer" in place.types else 0.5
    low, high = place.first("minimum"), place.first("maximum")
    if isinstance(high, int | float):
        yield f"{place.name} {high + step} (above {high})", high + step, 1
    if isinstance(low, int | float):
        yield f"{place.name} {low - step} (below {low})", low - step, 1
        if low - step >= 0:
            yield f"{place.name} -1", -1, 2
    for keyword in ("exclusiveMaximum", "exclusiveMinimum"):
        limit = place.first(keyword)
        if isinstance(limit, int | float):
            yield f"{place.name} {limit} ({keyword})", limit, 1
    if isinstance(divisor := place.first("multipleOf"), int | float):
        yield f"{place.name} no multiple of {divisor}", divisor * 1.5, 2


def _lengths(place: Place) -> Iterator[Deviation]:
    high, low = place.first("maxLength"), place.first("minLength")
    if isinstance(high, int) and high < 1_000_000:
        yield f"{place.name} of {high + 1} characters", texts.beyond(high), 1
        yield f"{place.name} of {high + 1} Chinese characters", texts.filled(high + 1, "画一只狐狸"), 6
        yield f"{place.name} of {4 * high + 1} characters", texts.filled(4 * high + 1, "a painted fox "), 6
    if isinstance(low, int) and low > 0:
        yield f"{place.name} of {low - 1} characters", texts.filled(low - 1, "a"), 1


def beyond(place: Place) -> Iterator[tuple[str, str, Any, int]]:
    """Bounds to be passed while a branch of the schema is chosen: pointer, what is tried, value and rank."""
    high, longest = place.first("maximum"), place.first("maxLength")
    if isinstance(high, int) and not isinstance(high, bool):
        yield place.pointer, f"{place.name} {high + 1} (above {high})", high + 1, 3
    if isinstance(longest, int) and longest < 1_000_000:  # as much as services that count more generously take
        what = f"{place.name} of {4 * longest} Chinese characters"
        yield place.pointer, what, texts.filled(4 * longest, "画一只狐狸"), 4


def _choices(place: Place, present: Any) -> Iterator[Deviation]:
    values = [value for value in place.enums if isinstance(value, str)]
    if not values:
        return
    told: set[str] = set()
    for branch in place.all("enum"):  # valid in another branch of the schema, perhaps: one of each says most
        fresh = [value for value in branch if isinstance(value, str) and value not in told]
        told.update(fresh)
        for index, value in enumerate(fresh):
            yield f"{place.name} {show(value)}", value, 2 if index == 0 else 6
    valid = present if isinstance(present, str) and present else values[0]
    yield f"{place.name} with a value that nobody documents", _unlike(values), 1
    yield f"{place.name} with a blank after it", f"{valid} ", 3
    yield f"{place.name} as an empty string", "", 3
    upper = next((v.swapcase() for v in (valid, *values) if v.swapcase() != v and v.swapcase() not in values), None)
    if upper:
        yield f"{place.name} {show(upper)} (other case)", upper, 3
    if found := _DIMENSIONS.fullmatch(valid):
        width, height = found.groups()
        yield f"{place.name} with a multiplication sign", f"{width}×{height}", 3
        yield f"{place.name} with an asterisk", f"{width}*{height}", 5
        yield f"{place.name} as an aspect ratio", "16:9", 5


def _unlike(values: Sequence[str]) -> str:
    """A value of the same look as the documented ones and not among them."""
    for pick in values:
        if found := _DIMENSIONS.fullmatch(pick):
            larger = f"{4 * int(found[1])}x{4 * int(found[2])}"
            if larger not in values:
                return larger
        swapped = pick.translate(str.maketrans("0123456789", "7391846520"))
        if swapped != pick and swapped not in values:
            return swapped
    return f"{values[0]}-unknown"
