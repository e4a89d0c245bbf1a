"""Requests that break exactly one documented rule and are valid otherwise, so that no rule can hide behind another.

Candidates come from a table of deviations per keyword; the judge decides which of them break one rule and no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_tests import texts
from contract_tests.credentials import Credentials
from contract_tests.places import Branch, Place, branches, places
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe, body_violations, build, changed
from mockserver.findings import Severity, Violation
from mockserver.media import MISSING, is_json, media_type
from mockserver.messages import Request
from mockserver.pointers import find
from mockserver.rules import rule_for
from mockserver.sentences import show
from mockserver.validation import Judge

Deviation = tuple[str, Any, int]
"""What is tried, the value that stands instead (MISSING: nothing), and its rank: 1 first, 5 last."""

_UNSETTLED = ("path.method", "path.unknown", "media.unsupported", "json.trailing", "json.encoding", "json.malformed")
"""What a lenient server may let pass without breaking a documented promise: worth a warning, not an error."""

_OTHER_TYPES: tuple[tuple[str, str, Any], ...] = (
    ("null", "null", None),
    ("number", "a number", 42),
    ("string", "a string", "text"),
    ("array", "an array", []),
)


VARIATION = 5
"""Rank from which a probe only varies a rule that another probe has tried already: sent when there is room."""


def mutants(judge: Judge, base: Recipe) -> list[Probe]:
    """All probes for one operation that must be refused, the most telling first."""
    if base.kind:  # what is no matter of the form is tried without it
        return sorted(_bodies(judge, base), key=lambda probe: probe.rank)
    found = [*_credentials(judge, base), *_bodies(judge, base), *_bytes(base), *_routes(judge, base)]
    found += _parameters(judge, base)
    return sorted(found, key=lambda probe: probe.rank)


# ------------------------------------------------------------------------------------------------ values


def _bodies(judge: Judge, base: Recipe) -> Iterator[Probe]:
    media = base.media
    if media is None or not media.schema or base.body is MISSING:
        return
    document = judge.contract.document.data
    found = places(document, media.schema, base.body)
    seen: set[str] = set()
    for place in found:
        if not place.pointer:
            continue
        for what, value, rank in _deviations(place, find(base.body, place.pointer, MISSING)):
            probe = _mutant(judge, base, place, what, value, rank)
            if probe and show(value) + place.pointer not in seen:
                seen.add(show(value) + place.pointer)
                yield probe
    for number, branch in enumerate(branches(document, media.schema)):
        yield from _in_branch(judge, base, found, branch, backwards=bool(number % 2))


def _in_branch(judge: Judge, base: Recipe, found: Sequence[Place], branch: Branch, backwards: bool) -> Iterator[Probe]:
    """Values that are valid in another branch of the schema and must be refused in this one.

    Every other branch takes the values ``backwards``, so that different ones come first.
    """
    assignment = branch.assignment
    label = " and ".join(f"{pointer.lstrip('/')} {show(value)}" for pointer, value in assignment.items())
    for place in found:
        if place.pointer not in branch.speaks_of or len(place.all("enum")) < 2:
            continue
        rank = 3
        own = place.first("enum")
        for value in [*reversed(own), *place.enums] if backwards else place.enums:
            body = base.body
            for pointer, fixed in assignment.items():
                body = changed(body, pointer, fixed)
            recipe = base.with_body(changed(body, place.pointer, value))
            probe = _probe(judge, recipe, f"{place.name} {show(value)} with {label}", place.pointer, rank)
            if probe:
                yield probe
                if rank == VARIATION:
                    break
                rank = VARIATION


def _deviations(place: Place, present: Any) -> Iterator[Deviation]:
    if place.required:
        yield f"{place.name} absent", MISSING, 1
    yield from _files(place)
    if {} in place.all("not"):  # a member that a branch of the schema excludes altogether
        yield f"{place.name} where it does not belong", _typical(place), 1
    yield from _types(place, present)
    yield from _bounds(place)
    yield from _lengths(place)
    yield from _choices(place)
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


def _types(place: Place, present: Any) -> Iterator[Deviation]:
    allowed = place.types
    if not allowed:
        return
    if "integer" in allowed and "number" not in allowed:
        yield f"{place.name} with a fraction", 1.5, 1
        yield f"{place.name} as a boolean", True, 3
    if allowed & {"integer", "number"} and "string" not in allowed:
        digits = str(present) if isinstance(present, int | float) else "1"
        yield f"{place.name} as a string of digits", digits, 1
    ranks = {
        "null": 2 if place.required else VARIATION,
        "number": 2,
        "array": 4 if place.required else VARIATION,
        "string": 3,
    }
    for kind, words, value in _OTHER_TYPES:
        same = kind in allowed or (kind == "number" and "integer" in allowed)
        covered = allowed & {"integer", "number"} and kind in ("string", "boolean")
        if not same and not covered:
            yield f"{place.name} as {words}", value, ranks[kind]


def _bounds(place: Place) -> Iterator[Deviation]:
    step = 1 if "integer" in place.types else 0.5
    low, high = place.first("minimum"), place.first("maximum")
    if isinstance(high, int | float):
        yield f"{place.name} {high + step} (above {high})", high + step, 1
    if isinstance(low, int | float):
        yield f"{place.name} {low - step} (below {low})", low - step, 1
        if low - step >= 0:
            yield f"{place.name} -1", -1, 2
    for keyword, factor in (("exclusiveMaximum", 0), ("exclusiveMinimum", 0)):
        limit = place.first(keyword)
        if isinstance(limit, int | float):
            yield f"{place.name} {limit} ({keyword})", limit + factor, 1
    if isinstance(divisor := place.first("multipleOf"), int | float):
        yield f"{place.name} no multiple of {divisor}", divisor * 1.5, 2


def _lengths(place: Place) -> Iterator[Deviation]:
    high, low = place.first("maxLength"), place.first("minLength")
    if isinstance(high, int) and high < 1_000_000:
        yield f"{place.name} of {high + 1} characters", texts.filled(high + 1, "a painted fox "), 1
        yield f"{place.name} of {high + 1} Chinese characters", texts.filled(high + 1, "画一只狐狸"), 2
        yield f"{place.name} of {4 * high + 1} characters", texts.filled(4 * high + 1, "a painted fox "), 4
    if isinstance(low, int) and low > 0:
        yield f"{place.name} of {low - 1} characters", texts.filled(low - 1, "a"), 1


def _choices(place: Place) -> Iterator[Deviation]:
    values = [value for value in place.enums if isinstance(value, str)]
    if not values:
        return
    told: set[str] = set()
    for branch in place.all("enum"):  # valid in another branch of the schema, perhaps: one of each says most
        fresh = [value for value in branch if isinstance(value, str) and value not in told]
        told.update(fresh)
        for index, value in enumerate(fresh):
            yield f"{place.name} {show(value)}", value, 2 if index == 0 else 4
    yield f"{place.name} with a value that nobody documents", _unlike(values), 1
    upper = next((v.swapcase() for v in reversed(values) if v.swapcase() != v and v.swapcase() not in values), None)
    if upper:
        yield f"{place.name} {show(upper)} (other case)", upper, 4
    yield f"{place.name} with a blank after it", f"{values[0]} ", 3
    yield f"{place.name} as an empty string", "", 3


def _unlike(values: Sequence[str]) -> str:
    """A value of the same look as the documented ones and not among them."""
    for pick in values:
        swapped = pick.translate(str.maketrans("0123456789", "7391846520"))
        if swapped != pick and swapped not in values:
            return swapped
    return f"{values[0]}-unknown"


def _mutant(judge: Judge, base: Recipe, place: Place, what: str, value: Any, rank: int) -> Probe | None:
    if value is MISSING and find(base.body, place.pointer, MISSING) is MISSING:
        return None
    return _probe(judge, base.with_body(changed(base.body, place.pointer, value)), what, place.pointer, rank)


def _probe(judge: Judge, recipe: Recipe, what: str, pointer: str, rank: int) -> Probe | None:
    """The probe if the judge finds exactly one broken rule, at the place that was meant."""
    violations = body_violations(judge, recipe)
    if len(violations) != 1 or violations[0].pointer != f"/body{pointer}":
        return None
    return _refused(recipe, what, _contradicted(judge, violations[0]), rank)


def _contradicted(judge: Judge, violation: Violation) -> Violation:
    """A rule that the page itself contradicts is no error to break: that it is required, or that a key is needed."""
    keyword = violation.rule.partition(".")[2]
    if violation.rule.startswith("security.") or keyword == "required":
        node = judge.contract.document.at(violation.place.partition("?")[0])
        if isinstance(node, Mapping) and "x-contradiction" in node:
            return replace(violation, severity=Severity.WARNING)
    return violation


def _refused(recipe: Recipe, what: str, violation: Violation, rank: int) -> Probe:
    suspicion = f"{recipe.basis} accepts {what}"
    return Probe(f"refuses {what}", recipe, "refused", (suspicion,), rank, violation)


# ------------------------------------------------------------------------------------ credentials and parameters


def _judged(judge: Judge, recipe: Recipe, what: str, rank: int) -> Iterator[Probe]:
    """The probe if the judge would block the request for exactly one reason."""
    violations = judge.request(_trial(recipe)).blocking
    if len(violations) == 1:
        yield _refused(recipe, what, _contradicted(judge, violations[0]), rank)


def _trial(recipe: Recipe) -> Request:
    return build(recipe, "sk-trial-key")


def _credentials(judge: Judge, base: Recipe) -> Iterator[Probe]:
    if not base.operation.security or () in base.operation.security:
        return
    yield from _judged(judge, replace(base, credentials=Credentials.NONE), "a request without credentials", 1)
    yield from _judged(judge, replace(base, credentials=Credentials.SCHEME), "another authorization scheme", 2)
    yield from _judged(judge, replace(base, credentials=Credentials.EMPTY), "an empty token", 2)


def wrong_key(judge: Judge, base: Recipe, stand_in: bool) -> Probe | None:
    """The probe with a key that nobody issued; None where the operation needs no credentials.

    A ``stand_in`` (a server on this machine) often takes any key, by design; that is worth a note and no more.
    """
    if not base.operation.security or () in base.operation.security:
        return None
    trial = judge.request(_trial(replace(base, credentials=Credentials.NONE)))
    if not trial.blocking:
        return None
    violation = replace(
        trial.blocking[0],
        rule="security.refused",
        severity=Severity.INFO if stand_in else Severity.WARNING,
        message="a key that nobody issued must be refused",
        documented="the key must be a valid one",
        observed="a key that nobody issued",
    )
    return _refused(replace(base, credentials=Credentials.WRONG), "a key that nobody issued", violation, 3)


def _parameters(judge: Judge, base: Recipe) -> Iterator[Probe]:
    for parameter in base.operation.parameters:
        if parameter.location != "query":
            continue
        others = tuple(pair for pair in base.query if pair[0] != parameter.name)
        if parameter.required:
            yield from _judged(judge, replace(base, query=others), f"no query parameter {parameter.name}", 1)
        if parameter.schema:
            for value in ("not-a-value", "-1", "99999999"):
                recipe = replace(base, query=(*others, (parameter.name, value)))
                yield from _judged(judge, recipe, f"query parameter {parameter.name}={value}", 3)


# ------------------------------------------------------------------------------------------ bytes and routes


def _bytes(base: Recipe) -> Iterator[Probe]:
    if base.body is MISSING or not any(is_json(media_type(m.type)) for m in base.operation.body):
        return
    good = build(base, "sk-trial-key").body
    table: tuple[tuple[str, str, bytes, int], ...] = (
        ("a body that is cut in the middle", "json.cut", good[: len(good) * 2 // 3], 1),
        ("an empty body", "json.empty", b"", 2),
        ("a list as body", "body.type", b"[" + good + b"]", 2),
        ("a string as body", "body.type", b'"text"', 5),
        ("null as body", "body.type", b"null", 5),
        ("text after the JSON body", "json.trailing", good + b" trailing", 3),
        ("a body in single quotes", "json.malformed", good.replace(b'"', b"'"), 5),
        ("a trailing comma", "json.malformed", good[:-1] + b",}", 3),
        ("two JSON texts", "json.trailing", good + good, 5),
        ("a comment in the JSON text", "json.malformed", b"/* x */" + good, 5),
        ("a number as body", "body.type", b"7", 5),
        ("UTF-16", "json.encoding", good.decode("utf-8", "replace").encode("utf-16"), 5),
        ("invalid UTF-8", "json.encoding", good[:-1] + b',"x":"\xff\xfe"}', 5),
    )
    for what, rule, raw, rank in table:
        if not raw and not base.operation.body_required:
            continue
        yield _refused(replace(base, raw=raw), what, _about(base, rule, what, "/body"), rank)
    kind = base.operation.body[0].type
    text = replace(base, headers=(*base.headers, ("Content-Type", "text/plain")))
    violation = _about(base, "media.unsupported", f"Content-Type text/plain where {kind} is documented", "/headers")
    yield _refused(text, "another media type (text/plain)", violation, 2)


def _routes(judge: Judge, base: Recipe) -> Iterator[Probe]:
    path = build(base, "").path
    allowed = {operation.method for operation in judge.contract.operations if operation.path == base.operation.path}
    method = next((name for name in ("GET", "PUT", "DELETE") if name not in allowed), None)
    if method:
        recipe = replace(base, method=method, body=MISSING, headers=(("Content-Type", None),))
        what = f"the method {method}"
        yield _refused(recipe, what, _about(base, "path.method", f"{method} on a path that takes others", "/path"), 2)
    if base.path_values:
        return  # whatever stands below a template may be a value of it
    unknown = replace(base, path=path.rstrip("/") + "-unknown")
    yield _refused(unknown, "an unknown path", _about(base, "path.unknown", "a path that nobody documents", "/path"), 3)


def _about(base: Recipe, rule: str, what: str, pointer: str) -> Violation:
    known = rule_for(rule)
    severity = Severity.WARNING if rule in _UNSETTLED else known.severity
    return Violation(
        rule, severity, "request", base.operation.id, pointer, what, known.explanation, what, place=f"rule:{rule}"
    )
