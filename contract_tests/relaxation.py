"""The documented rules about requests beside what was accepted and refused: limits moved to where the API has them.

Only what a schema can say is changed; whatever else was seen is noted for the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from contract_tests.checks import Outcome
from contract_tests.diagnosis import Diagnosis
from contract_tests.draft import Draft, below, statement
from contract_tests.evidence import named, sent
from contract_tests.examination import Examination, Trial
from contract_tests.places import places
from mockserver.branches import kind_of
from mockserver.contract import Contract, Operation
from mockserver.findings import Severity
from mockserver.literals import identity
from mockserver.media import MISSING, is_json, media_type
from mockserver.pointers import dereference, escape, find
from mockserver.sentences import listed, show

_SIZES: Mapping[str, tuple[Callable[[Any], float], int]] = {
    "maximum": (float, 1), "minimum": (float, -1), "exclusiveMaximum": (float, 1), "exclusiveMinimum": (float, -1),
    "maxLength": (len, 1), "minLength": (len, -1), "maxItems": (len, 1), "minItems": (len, -1),
}  # fmt: skip
"""Limit -> what it measures, and 1 where it is an upper one."""

_DROPPED = ("pattern", "format", "multipleOf", "uniqueItems", "additionalProperties", "not", "oneOf", "anyOf")


def relax(examination: Examination, contract: Contract, draft: Draft) -> None:
    """Take back or move the rules that accepted requests broke."""
    pointers: dict[str, str] = {}
    groups: dict[str, list[Trial]] = {}
    for trial in examination.trials:
        if trial.probe.breaks is not None:
            groups.setdefault(trial.probe.breaks.place + "\0" + trial.probe.breaks.rule, []).append(trial)
    for trials in groups.values():
        accepted = [t for t in trials if any(v.rule.startswith("looser.") for v in t.violations)]
        counted = [t for t in accepted if _counts(t)]
        if not counted:
            continue
        pointers = pointers or _pointers(contract)
        refused = [t for t in trials if t.outcome is Outcome.REFUSED]
        if not _relaxed(contract, draft, pointers, counted, refused):
            draft.notes.append(
                f"{_words(counted[0])} - accepted (exchange {counted[0].exchange.id}); no schema says that"
            )


def _counts(trial: Trial) -> bool:
    return any(v.rule.startswith("looser.") and v.severity is not Severity.INFO for v in trial.violations)


def _pointers(contract: Contract) -> dict[str, str]:
    """Place as violations name it -> pointer into the closed document."""
    found: dict[str, str] = {}

    def walk(node: Any, pointer: str) -> None:
        found.setdefault(contract.document.place(pointer), pointer)
        if isinstance(node, Mapping):
            for name, inner in node.items():
                walk(inner, below(pointer, name))
        elif isinstance(node, list):
            for index, inner in enumerate(node):
                walk(inner, below(pointer, index))

    walk(contract.document.data, "")
    return found


def _relaxed(
    contract: Contract, draft: Draft, pointers: Mapping[str, str], accepted: Sequence[Trial], refused: Sequence[Trial]
) -> bool:
    breaks = accepted[0].probe.breaks
    assert breaks is not None
    where = named([trial.exchange.id for trial in accepted])
    if breaks.rule == "security.missing":
        _without_credentials(contract, draft, accepted[0].probe.recipe.operation, where)
        return True
    place, _, member = breaks.place.partition("?")
    pointer = pointers.get(place)
    if not breaks.rule.startswith("body.") or pointer is None or accepted[0].probe.recipe.raw is not None:
        return False
    if member == "required":
        return _optional(contract, draft, pointer, where)
    holder, keyword = pointer.rpartition("/")[0], pointer.rpartition("/")[2]
    values = sent(accepted, breaks.pointer.removeprefix("/body"))
    node = find(contract.document.data, holder)
    if not isinstance(node, Mapping) or keyword not in node or draft.node(holder) is MISSING:
        return False
    if keyword in _SIZES:
        measure, sign = _SIZES[keyword]
        beyond = sent(refused, breaks.pointer.removeprefix("/body"))
        most = max((measure(v) * sign for v in values), default=0.0)
        stopped = any(measure(v) * sign > most for v in beyond if _measurable(measure, v))
        limit = int(most * sign) if float(most * sign).is_integer() else most * sign
        draft.put(pointer, limit if stopped else MISSING)
    elif keyword == "type":
        kinds = list(dict.fromkeys("number" if kind_of(v) == "fraction" else kind_of(v) for v in values))
        known = [node["type"]] if isinstance(node["type"], str) else list(node["type"])
        draft.put(pointer, [*known, *(kind for kind in kinds if kind not in known)])
    elif keyword in ("enum", "const"):
        known = node["enum"] if keyword == "enum" else [node["const"]]
        elsewhere = _elsewhere(contract, accepted[0], breaks.pointer.removeprefix("/body"))
        draft.put(pointer, MISSING)
        if all(identity(value) in elsewhere for value in values):
            draft.put(below(holder, "enum"), [*known, *_fresh(values, known)])
    elif keyword in _DROPPED:
        draft.put(pointer, MISSING)
    else:
        return False
    draft.note(holder, where, f"{statement({keyword: node[keyword]})}; accepted: {listed(_fresh(values, [])[:3])}")
    return True


def _measurable(measure: Callable[[Any], float], value: Any) -> bool:
    return isinstance(value, str | list) if measure is len else isinstance(value, int | float)


def _fresh(values: Sequence[Any], known: Sequence[Any]) -> list[Any]:
    old = {identity(value) for value in known}
    return list({identity(v): v for v in values if v is not MISSING and identity(v) not in old}.values())


def _elsewhere(contract: Contract, trial: Trial, pointer: str) -> set[str]:
    """Values that some branch of the schema documents at this place."""
    recipe = trial.probe.recipe
    media = recipe.media
    found = places(contract.document.data, media.schema, recipe.body) if media else []
    return {identity(value) for place in found if place.pointer == pointer for value in place.enums}


def _optional(contract: Contract, draft: Draft, pointer: str, where: str) -> bool:
    """A member that need not be there: its row is the place, the list stands two steps above it."""
    owner, name = pointer.rpartition("/properties/")[0], _last(pointer)
    required = find(contract.document.data, f"{owner}/required", ())
    if name not in required:
        return False
    left = [other for other in draft.node(f"{owner}/required") if other != name]
    draft.put(f"{owner}/required", left or MISSING)
    row = pointer if isinstance(find(contract.document.data, pointer), Mapping) else owner
    draft.note(row, where, f"{name} is required; requests without it were accepted")
    return True


def _last(pointer: str) -> str:
    """The last step of a pointer as the name it stands for."""
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _without_credentials(contract: Contract, draft: Draft, operation: Operation, where: str) -> None:
    known = find(contract.document.data, f"{operation.pointer}/security", contract.document.data.get("security", []))
    draft.put(f"{operation.pointer}/security", [*known, {}])
    draft.note(operation.pointer, where, "credentials are needed; requests without any were accepted")


def _words(trial: Trial) -> str:
    return trial.probe.name.removeprefix("refuses ")


# --------------------------------------------------------------------------------------------- refused though allowed


def tighten(examination: Examination, diagnosis: Diagnosis, contract: Contract, draft: Draft) -> None:
    """Narrow what refused valid requests show to be narrower, where numbers, lengths or listed values tell."""
    for cause in diagnosis.refusals():
        trial, condition = cause.trials[0], cause.condition
        inside = cause.pointer.removeprefix("/body")
        operation = trial.probe.recipe.operation
        valid = [
            t
            for t in examination.trials
            if t.probe.expect == "accepted" and t.probe.recipe.operation.id == operation.id
        ]
        accepted = [t for t in valid if t.outcome is Outcome.ACCEPTED]
        refused = [t for t in valid if t.outcome is not Outcome.ACCEPTED and set(condition.facts) & diagnosis.facts(t)]
        done = inside and accepted and _narrowed(contract, draft, operation, inside, accepted, refused)
        if not done:
            what = condition.text or "whatever was sent"
            draft.notes.append(f"refused although allowed, {what} (exchange {trial.exchange.id}); no limit tells why")


def _narrowed(
    contract: Contract,
    draft: Draft,
    operation: Operation,
    inside: str,
    accepted: Sequence[Trial],
    refused: Sequence[Trial],
) -> bool:
    media = next((m for m in operation.body if is_json(media_type(m.type))), None)
    schema = _property(contract, media.schema if media else "", inside)
    good, bad = sent(accepted, inside), sent(refused, inside)
    if schema is None or not bad or MISSING in bad:
        return False
    where = named([trial.exchange.id for trial in refused])
    for keyword, limit in _limits(good, bad):
        part = {keyword: limit, **draft.observed(where)}
        said = f"{show(bad[0])} is allowed; refused: {listed(_fresh(bad, [])[:3])}"
        part["x-contradiction"] = [f"Documented: {said}"]
        known = draft.node(below(schema, "allOf"))
        draft.put(below(schema, "allOf"), [*(known if isinstance(known, list) else ()), part])
        return True
    return False


def _limits(good: Sequence[Any], bad: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """The one limit that keeps what was accepted and excludes what was refused, if there is a plain one."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in (*good, *bad)):
        if min(bad) > max(good):
            yield "maximum", max(good)
        elif max(bad) < min(good):
            yield "minimum", min(good)
        else:
            yield "not", {"enum": _fresh(bad, good)}
    elif all(isinstance(v, str) for v in (*good, *bad)):
        longest = max(map(len, good))
        if min(map(len, bad)) > longest:
            yield "maxLength", longest
        elif max(map(len, bad)) <= _WORD and (values := _fresh(bad, good)):
            yield "not", {"enum": values}


_WORD = 24
"""Characters up to which a refused text is taken for a value of its own, not for one of a kind of texts."""


def _property(contract: Contract, schema: str, inside: str) -> str | None:
    """The pointer of the schema of a member at the top of a body."""
    if inside.count("/") != 1 or not schema:
        return None
    at = dereference(contract.document.data, schema)[0].removeprefix("#")
    found = f"{at}/properties/{escape(_last(inside))}"
    return found if isinstance(find(contract.document.data, found), Mapping) else None
