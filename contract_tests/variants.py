"""Valid requests that carry many suspicions at once: when one passes, all that it carries are cleared for one price.

Every field has a row of levels (documented values, bounds, kinds of text); the rows are laid side by side, so that each
level is carried by at least one request.  The judge has the last word on what is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from contract_tests import texts
from contract_tests.places import Branch, Place, branches, places
from contract_tests.probes import Probe
from contract_tests.recipes import Layout, Recipe, body_violations, changed
from mockserver.media import MISSING
from mockserver.pointers import find
from mockserver.sentences import show
from mockserver.validation import Judge

_RIDERS = ("digits alone", "a slash at its beginning", "the word null alone")
"""Classes of whole texts that ride on requests that are made anyway; the longest text carries others."""

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
        return [plain, _again(plain)]
    document = judge.contract.document.data
    found = [place for place in places(document, media.schema, base.body) if place.pointer]
    if base.kind or not thorough:
        found = [place for place in found if not (operation.units and operation.units.request == place.pointer)]
    examples = _examples(media.examples, base)
    if base.kind:
        rows = [probe for probe in _side_by_side(judge, base, found) if probe.rank <= _FIRST_ROWS]
        return [plain, *examples, *rows]
    riders = _riders(judge, base, found)
    turns = _absences(judge, base, found, _side_by_side(judge, base, found), riders)
    carriers = _branches(judge, base, found, branches(document, media.schema))
    groups = _open(base, found)
    for index, parts in zip(_FOR_OPEN, groups, strict=False):
        if len(carriers) > len(_FOR_OPEN) + len(groups):
            carriers[index] = _carrying_open(carriers[index], base, parts)
            groups = [group for group in groups if group is not parts]
    carriers = [probe if probe.expect == "open" else _carrying(judge, base, probe, riders) for probe in carriers]
    alone = [_alone(base, level, 6) for level in riders]
    return [plain, *examples, *turns, *alone, *(_open_probe(base, parts) for parts in groups), *carriers, _again(plain)]


_FOR_OPEN = (2, 3)
"""Requests for values of branches that also carry what the documentation leaves open; the first ones stay plain."""


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
    elif numeric:
        low, high = place.first("minimum"), place.first("maximum")
        whole = [value for value in (low, high) if isinstance(value, int)]
        if units and units.request == place.pointer and len(whole) == 2:
            low, high = whole
            candidates = [(str(v), v) for v in dict.fromkeys((high, low + 2)) if low < v <= high]
        else:
            candidates = [(str(value), value) for value in (low, high) if value is not None]
    return _valid(judge, base, place, candidates)


def _valid(judge: Judge, base: Recipe, place: Place, candidates: Sequence[tuple[str, Any]]) -> list[Level]:
    """The levels among candidates (words, value): what the judge takes and the base has not."""
    present = find(base.body, place.pointer, MISSING)
    return [
        Level(place.pointer, f"{place.name} {what}", value)
        for what, value in candidates
        if value != present and not body_violations(judge, base.with_body(changed(base.body, place.pointer, value)))
    ]


def _riders(judge: Judge, base: Recipe, found: Sequence[Place]) -> list[Level]:
    """Kinds of text that need no request of their own: any that is made anyway can carry one of them."""
    levels: list[Level] = []
    for place in found:
        if place.free_text and place.required and find(base.body, place.pointer, MISSING) is not MISSING:
            candidates = [(item.name, item.sample) for item in texts.WHOLE if item.name in _RIDERS]
            candidates.append(("a single character", "a" * max(1, int(place.first("minLength") or 1))))
            levels += _valid(judge, base, place, candidates)
    return levels


def _alone(base: Recipe, level: Level, rank: int) -> Probe:
    clears = (f"{base.basis} refuses or mishandles {level.what}",)
    return Probe(
        f"accepts {level.what}",
        base.with_body(changed(base.body, level.pointer, level.value)),
        "accepted",
        clears,
        rank,
    )


def _carrying(judge: Judge, base: Recipe, probe: Probe, riders: list[Level]) -> Probe:
    """The probe with a rider, taken from the list; should it be refused, the rider is tried without it."""
    if not riders:
        return probe
    level = riders[0]
    body = changed(probe.recipe.body, level.pointer, level.value)
    if body_violations(judge, base.with_body(body)):
        return probe
    alone = _alone(base, riders.pop(0), probe.rank)
    return replace(
        probe,
        name=f"{probe.name}, {level.what}",
        recipe=probe.recipe.with_body(body),
        clears=probe.clears + alone.clears,
        halves=(*probe.halves, alone),
    )


def _side_by_side(judge: Judge, base: Recipe, found: list[Place]) -> list[Probe]:
    rows = [row for place in found if (row := _levels(judge, base, place))]
    probes: list[Probe] = []
    units = base.operation.units
    turns = 1 + max((len(row) for row in rows), default=0)
    for turn in range(turns):
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
        lower = turn == min(turns, len(_LAYOUTS)) - 1
        recipe = replace(base, body=body, layout=layout, lower_names=lower)
        carried_too = [f"{layout} JSON", *(["header names in lower case"] if lower else [])]
        clears = tuple(f"{base.basis} refuses or mishandles {what}" for what in (*carried, *carried_too))
        probes.append(Probe("accepts " + ", ".join(carried), recipe, "accepted", clears, 2 + turn))
    return probes


def _absences(
    judge: Judge, base: Recipe, found: Sequence[Place], turns: list[Probe], riders: list[Level]
) -> list[Probe]:
    """The turns, the later ones without a member that the schema does not require and the example has.

    Should such a request be refused, the turn is tried with the member.  Members for which there is no turn have a request
    of their own.
    """
    probes = list(turns)
    free = [index for index in range(len(turns)) if index >= _HEAVY]
    for place in found:
        if place.required or find(base.body, place.pointer, MISSING) is MISSING:
            continue
        suspicion = f"{base.basis} demands {place.name}"
        plain = find(base.body, place.pointer)
        # a turn that carries a value of that member cannot also go without it
        at = next((i for i in free if find(probes[i].recipe.body, place.pointer) == plain), None)
        turn = Probe("accepts", base, "accepted", (), 6) if at is None else probes[at]
        body = changed(turn.recipe.body, place.pointer, MISSING)
        if body_violations(judge, base.with_body(body)):
            continue
        probe = replace(
            turn,
            name=f"accepts no {place.name}" if at is None else f"{turn.name}, no {place.name}",
            recipe=turn.recipe.with_body(body),
            clears=(*turn.clears, suspicion),
            halves=() if at is None else (turn,),
        )
        if at is None:
            probes.append(_carrying(judge, base, probe, riders))
        else:
            probes[at] = _carrying(judge, base, probe, riders)
            free.remove(at)
    for index in free:
        probes[index] = _carrying(judge, base, probes[index], riders)
    return probes


_HEAVY = 2
"""Turns that carry so much already that nothing is left out of them."""


def _branches(judge: Judge, base: Recipe, found: Sequence[Place], known: Sequence[Branch]) -> list[Probe]:
    """Every documented value of a field whose values depend on another field, the branches by turns.

    By turns, so that what depends on the number of requests is not taken for something that depends on a branch.
    """
    rows: list[list[Probe]] = []
    for branch in known:
        assignment = branch.assignment
        label = " and ".join(f"{pointer.lstrip('/')} {show(value)}" for pointer, value in assignment.items())
        row: list[Probe] = []
        for place in found:
            if place.pointer not in branch.speaks_of or len(place.all("enum")) < 2:
                continue
            for value in place.enums:
                body = base.body
                for pointer, fixed in {**assignment, place.pointer: value}.items():
                    body = changed(body, pointer, fixed)
                if body_violations(judge, base.with_body(body)):
                    continue
                what = f"{place.name} {show(value)} with {label}"
                suspicion = f"{base.basis} refuses or mishandles {what}"
                recipe = base.with_body(body)
                row.append(Probe(f"accepts {what}", recipe, "accepted", (suspicion,), 9, assumes=tuple(assignment)))
        rows.append(row)
    units = base.operation.units
    for row in rows:
        if row and units and units.request:  # more than one in each branch too
            count = units.default + 1
            body = changed(row[-1].recipe.body, units.request, count)
            if not body_violations(judge, base.with_body(body)):
                name = f"{row[-1].name}, {units.request.lstrip('/')} {count}"
                row[-1] = replace(row[-1], name=name, recipe=row[-1].recipe.with_body(body))
    by_turns = [row[index] for index in range(max(map(len, rows), default=0)) for row in rows if index < len(row)]
    return [replace(probe, rank=9 + index) for index, probe in enumerate(by_turns)]


def _again(plain: Probe) -> Probe:
    """The same bytes again, as the last one: whatever is cached, counted or kept between requests shows here."""
    suspicion = f"{plain.recipe.basis} answers an equal request from memory, or differently"
    return replace(plain, name="answers the same request afresh", clears=(suspicion,), rank=50, repeats=plain.id)


Part = tuple[str, Callable[[Recipe], Recipe]]
"""One thing that the documentation leaves open: its words and how a request comes to have it."""


def _open(base: Recipe, found: Sequence[Place]) -> list[list[Part]]:
    """What the documentation leaves open, several things for one request: any clean answer will do."""
    if base.body is MISSING or not isinstance(base.body, dict):
        return []
    kind = base.operation.body[0].type
    units = base.operation.units
    text = next((place.pointer for place in found if place.free_text and place.required), "")
    success = base.operation.success
    more = [*(media.type for media in (success.content if success else ())), *_ALSO]
    first: list[Part] = [
        ("charset in Content-Type", lambda r: _header(r, "Content-Type", f"{kind}; charset=utf-8")),
        ("an Accept that names more", lambda r: _header(r, "Accept", ", ".join(dict.fromkeys(more)))),
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
        counted = partial(_counted, units.request, count)
        first.append(
            (f"{units.request.lstrip('/')} as {count:.0f}e0", lambda r: replace(counted(r), layout="exponents"))
        )
        second.append((f"{units.request.lstrip('/')} as {count}", counted))
    return [first, second]


_ALSO = ("text/event-stream", "text/html;q=0.5", "*/*;q=0.1")
"""What clients name in Accept beside the documented type: streaming ones, browsers, and those that take anything."""


def _carrying_open(probe: Probe, base: Recipe, parts: Sequence[Part]) -> Probe:
    """The probe of a branch that carries open parts too; should it be refused, each of both is tried for itself."""
    alone = _open_probe(base, parts)
    both = _open_probe(probe.recipe, parts)
    name = f"{probe.name}, and handles{both.name.removeprefix('handles')}"
    return replace(
        both,
        name=name,
        clears=probe.clears + both.clears,
        rank=probe.rank,
        assumes=probe.assumes,
        halves=(probe, alone),
    )


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


def _counted(pointer: str, count: float, recipe: Recipe) -> Recipe:
    return recipe.with_body(changed(recipe.body, pointer, count))
