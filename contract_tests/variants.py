"""Valid requests that carry many suspicions at once: when one passes, all that it carries are cleared for one price.

Every field has a row of levels (documented values, bounds, kinds of text); the rows are laid side by side, so that each
level is carried by at least one request.  The judge has the last word on what is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from contract_tests import texts
from contract_tests.places import Branch, Place, branches, places
from contract_tests.probes import Probe
from contract_tests.recipes import Layout, Recipe, body_violations, changed
from mockserver.media import MISSING
from mockserver.pointers import find
from mockserver.sentences import show
from mockserver.validation import Judge

_WHOLE_FIRST = ("a slash at its beginning", "digits alone")
"""Classes of whole texts that get a request of their own; the longest text and the open requests carry others."""

_FIRST_ROWS = 3
"""Rank of the last row of a form: what its members mean is tried as JSON."""

_LAYOUTS: tuple[Layout, ...] = ("escaped", "pretty", "sorted")


@dataclass(frozen=True, slots=True)
class Level:
    """One value worth trying at one place, in words; ``cost`` is what it buys when it counts units."""

    pointer: str
    what: str
    value: Any


def variants(judge: Judge, base: Recipe, thorough: bool = True) -> list[Probe]:
    """The probes for one operation that must be accepted, in the order in which they are sent.

    Without ``thorough`` only the example and the first rows, each buying little: for what another base tries as well.
    """
    operation = base.operation
    plain = Probe("accepts the documented example", base, "accepted", (f"{base.basis} refuses its own example",), 1)
    media = base.media
    if media is None or not media.schema or base.body is MISSING:
        return [plain, *_session(plain)]
    document = judge.contract.document.data
    found = [place for place in places(document, media.schema, base.body) if place.pointer]
    if base.kind or not thorough:
        found = [place for place in found if not (operation.units and operation.units.request == place.pointer)]
    if base.kind:
        rows = [probe for probe in _side_by_side(judge, base, found) if probe.rank <= _FIRST_ROWS]
        return [plain, *_examples(media.examples, base), *rows]
    return [
        plain,
        *_examples(media.examples, base),
        *_side_by_side(judge, base, found),
        *_absences(judge, base, found),
        *_session(plain),
        *_branches(judge, base, found, branches(document, media.schema)),
        *_open(base, found),
    ]


def _examples(examples: Mapping[str, Any], base: Recipe) -> Iterator[Probe]:
    """Every further documented example, as it stands."""
    for name, body in examples.items():
        if body != base.body:
            suspicion = f"{base.basis} refuses its own example {name}"
            yield Probe(f"accepts the documented example {name}", base.with_body(body), "accepted", (suspicion,), 1)


def _levels(judge: Judge, base: Recipe, place: Place) -> list[Level]:
    """What is worth trying at a place while everything else stays as in the base."""
    present = find(base.body, place.pointer, MISSING)
    candidates: list[tuple[str, Any]] = []
    units = base.operation.units
    numeric = place.types & {"integer", "number"}
    if place.types - {"null"} == {"boolean"}:
        candidates = [("true", True), ("false", False)]
    elif place.enums and not (numeric and place.first("maximum") is not None):
        candidates = [(show(value), value) for value in place.enums if value is not None or len(place.enums) == 1]
    elif place.free_text and present is not MISSING and place.required:
        limit = place.first("maxLength")
        candidates = [("text of every kind", texts.mixed(limit))]
        if isinstance(limit, int) and limit <= 100_000:
            candidates.append((f"{limit} characters, the most", texts.longest(limit)))
        candidates.append(("a single character", "a" * max(1, int(place.first("minLength") or 1))))
        candidates += [(item.name, item.sample) for item in texts.WHOLE if item.name in _WHOLE_FIRST]
    elif numeric:
        low, high = place.first("minimum"), place.first("maximum")
        whole = [value for value in (low, high) if isinstance(value, int)]
        if units and units.request == place.pointer and len(whole) == 2:
            low, high = whole
            candidates = [(str(v), v) for v in (high, low + 1, low + 2) if low < v <= high]
        else:
            candidates = [(str(value), value) for value in (low, high) if value is not None]
    levels = []
    for what, value in candidates:
        body = changed(base.body, place.pointer, value)
        if value != present and not body_violations(judge, base.with_body(body)):
            levels.append(Level(place.pointer, f"{place.name} {what}", value))
    return levels


def _side_by_side(judge: Judge, base: Recipe, found: list[Place]) -> Iterator[Probe]:
    rows = [row for place in found if (row := _levels(judge, base, place))]
    if not rows:
        return
    units = base.operation.units
    for turn in range(1 + max(len(row) for row in rows)):
        body, carried = base.body, []
        for offset, row in enumerate(rows):
            counts = units is not None and row[0].pointer == units.request
            # the dearest count goes with a turn of its own; other short rows come round again only while it is cheap
            index = (turn - 1) if counts else turn - (offset if len(row) == 1 else 0)
            if not 0 <= index < len(row):
                continue
            level = row[index]
            trial = changed(body, level.pointer, level.value)
            if not body_violations(judge, base.with_body(trial)):
                body = trial
                carried.append(level.what)
        layout = _LAYOUTS[turn % len(_LAYOUTS)]
        if not carried:
            continue
        lower = turn == len(_LAYOUTS)
        recipe = replace(base, body=body, layout=layout, lower_names=lower)
        carried_too = [f"{layout} JSON", *(["header names in lower case"] if lower else [])]
        clears = tuple(f"{base.basis} refuses or mishandles {what}" for what in (*carried, *carried_too))
        yield Probe("accepts " + ", ".join(carried), recipe, "accepted", clears, 2 + turn)


def _absences(judge: Judge, base: Recipe, found: list[Place]) -> Iterator[Probe]:
    """Without each member that the schema does not require and the example has."""
    for place in found:
        if place.required or find(base.body, place.pointer, MISSING) is MISSING:
            continue
        body = changed(base.body, place.pointer, MISSING)
        for other in found:  # the last documented value of each closed field, and a text that looks like nothing
            inside = f"{other.pointer}/".startswith(f"{place.pointer}/")
            if not inside and (extra := _extra(other)) is not None:
                trial = changed(body, other.pointer, extra)
                body = body if body_violations(judge, base.with_body(trial)) else trial
        if not body_violations(judge, base.with_body(body)):
            what = f"no {place.name}"
            suspicion = f"{base.basis} demands {place.name}"
            yield Probe(f"accepts {what}", base.with_body(body), "accepted", (suspicion,), 6)


def _extra(place: Place) -> str | None:
    """A value to carry along where a request is made anyway."""
    if place.free_text and place.required:
        return next(item.sample for item in texts.WHOLE if item.sample == "null")
    own = place.first("enum")
    return str(own[-1]) if own and isinstance(own[-1], str) else None


def _branches(judge: Judge, base: Recipe, found: list[Place], known: list[Branch]) -> Iterator[Probe]:
    """Every documented value of a field whose values depend on another field, once per branch."""
    units = base.operation.units
    for branch in known:
        assignment = branch.assignment
        label = " and ".join(f"{pointer.lstrip('/')} {show(value)}" for pointer, value in assignment.items())
        ranks = count(9)
        for place in found:
            if place.pointer not in branch.speaks_of or len(place.all("enum")) < 2:
                continue
            for value in place.enums:
                body = base.body
                for pointer, fixed in {**assignment, place.pointer: value}.items():
                    body = changed(body, pointer, fixed)
                if units and units.request and value == place.enums[-1] and branch is known[-1]:
                    body = changed(body, units.request, units.default + 1)
                if not body_violations(judge, base.with_body(body)):
                    what = f"{place.name} {show(value)} with {label}"
                    suspicion = f"{base.basis} refuses or mishandles {what}"
                    recipe = base.with_body(body)
                    rank, chosen = next(ranks), tuple(assignment)
                    yield Probe(f"accepts {what}", recipe, "accepted", (suspicion,), rank, assumes=chosen)


def _session(plain: Probe) -> Iterator[Probe]:
    """The same bytes again: whatever is cached, counted or kept between requests shows here."""
    suspicion = f"{plain.recipe.basis} answers an equal request from memory, or differently"
    yield replace(plain, name="answers the same request afresh", clears=(suspicion,), rank=7, repeats=plain.id)


Part = tuple[str, Callable[[Recipe], Recipe]]
"""One thing that the documentation leaves open: its words and how a request comes to have it."""


def _open(base: Recipe, found: list[Place]) -> Iterator[Probe]:
    """What the documentation leaves open, several things in one request: any clean answer will do."""
    if base.body is MISSING or not isinstance(base.body, dict):
        return
    kind = base.operation.body[0].type
    units = base.operation.units
    text = next((place.pointer for place in found if place.free_text and place.required), "")
    first: list[Part] = [
        ("charset in Content-Type", lambda r: _header(r, "Content-Type", f"{kind}; charset=utf-8")),
        ("Accept */*", lambda r: _header(r, "Accept", "*/*")),
        ("an undocumented member", lambda r: r.with_body({**r.body, "undocumented": "value"})),
    ]
    if text:
        first.append(("white space alone as text", lambda r: r.with_body(changed(r.body, text, "   "))))
    second: list[Part] = [
        ("no Accept", lambda r: _header(r, "Accept", None)),
        ("no User-Agent", lambda r: _header(r, "User-Agent", "")),
        ("a scheme in lower case", lambda r: replace(r, lower_scheme=True)),
        ("a chunked body", lambda r: replace(r, chunked=True)),
    ]
    if units and units.request:
        count = float(units.of(base.body))
        second.append((f"{units.request.lstrip('/')} as {count}", lambda r: _counted(r, units.request, count)))
    for parts in (first, second):
        yield _open_probe(base, parts)


def _open_probe(base: Recipe, parts: Sequence[Part]) -> Probe:
    recipe = base
    for _, make in parts:
        recipe = make(recipe)
    what = ", ".join(words for words, _ in parts)
    middle = (len(parts) + 1) // 2
    halves = (_open_probe(base, parts[:middle]), _open_probe(base, parts[middle:])) if len(parts) > 1 else ()
    clears = tuple(f"{base.basis} fails on {words}" for words, _ in parts)
    return Probe(f"handles {what}", recipe, "open", clears, 8, halves=halves)


def _header(recipe: Recipe, name: str, value: str | None) -> Recipe:
    return replace(recipe, headers=(*recipe.headers, (name, value)))


def _counted(recipe: Recipe, pointer: str, count: float) -> Recipe:
    return recipe.with_body(changed(recipe.body, pointer, count))
