"""The dialect in which values are judged: JSON Schema 2020-12 with regular expressions of :mod:`mockserver.expressions`.

``jsonschema`` searches with Python's ``re``, which knows no bound in time and reads another language than schemas are
written in, compares each item with each other, and fails for a few numbers.  The keywords concerned are replaced here, by the
library's own way to do it, with the same messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from fractions import Fraction
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from mockserver.expressions import matches
from mockserver.literals import identity
from mockserver.overlap import overlapping
from mockserver.pointers import descend

ERRORS_AT_MOST: Final = 1000
"""Errors of one value that are looked for; a value with more is invalid and needs no more reasons."""

_usual: Any = Draft202012Validator.VALIDATORS["additionalProperties"]
_in_place = ("allOf", "anyOf", "oneOf")


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, schema in patterns.items():
            for name, value in instance.items():
                if matches(pattern, name):
                    yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, rest: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if "patternProperties" not in schema or not validator.is_type(instance, "object"):
        yield from _usual(validator, rest, instance, schema)
        return
    named, patterns = schema.get("properties", {}), schema["patternProperties"]
    extra = [name for name in instance if name not in named and not any(matches(p, name) for p in patterns)]
    if isinstance(rest, Mapping):
        for name in extra:
            yield from validator.descend(instance[name], rest, path=name)
    elif not rest and extra:
        names, listed = ", ".join(map(repr, sorted(extra))), ", ".join(map(repr, sorted(patterns)))
        yield ValidationError(f"{names} {'does' if len(extra) == 1 else 'do'} not match any of the regexes: {listed}")


def _multiple_of(validator: Any, step: float, instance: Any, _: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "number"):
        return
    try:
        if isinstance(step, float):
            quotient = instance / step
            failed = int(quotient) != quotient
        else:
            failed = bool(instance % step)
    except (OverflowError, ValueError, ZeroDivisionError):  # beyond the range of a double
        failed = not _divides(step, instance)
    if failed:
        yield ValidationError(f"{instance!r} is not a multiple of {step}")


def _divides(step: float, value: float) -> bool:
    try:
        return Fraction(value) % Fraction(step) == 0
    except (OverflowError, ValueError, ZeroDivisionError):  # by nothing, or what is no number
        return False


def _unique_items(validator: Any, unique: bool, instance: Any, _: Any) -> Iterator[ValidationError]:
    if unique and validator.is_type(instance, "array"):
        names = {item if isinstance(item, str) else (identity(item),) for item in instance}
        if len(names) < len(instance):
            yield ValidationError(f"{instance!r} has non-unique elements")


def _any_of(validator: Any, options: list[Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    reasons: list[ValidationError] = []
    for index, option in enumerate(options):
        found = list(islice(validator.descend(instance, option, schema_path=index), ERRORS_AT_MOST))
        if not found:
            return
        reasons += found
    yield ValidationError(f"{instance!r} is not valid under any of the given schemas", context=reasons)


def _one_of(validator: Any, options: list[Any], instance: Any, _: Any) -> Iterator[ValidationError]:
    reasons: list[ValidationError] = []
    fitting: list[Any] = []
    for index, option in enumerate(options):
        if fitting:
            fitting += [option] if validator.evolve(schema=option).is_valid(instance) else []
            continue
        found = list(islice(validator.descend(instance, option, schema_path=index), ERRORS_AT_MOST))
        reasons += found
        fitting += [] if found else [option]
    if not fitting:
        yield ValidationError(f"{instance!r} is not valid under any of the given schemas", context=reasons)
    elif len(fitting) > 1:
        listed = ", ".join(map(repr, [*fitting[1:], fitting[0]]))
        yield ValidationError(f"{instance!r} is valid under each of {listed}")


_extend: Any = extend
Dialect: Any = _extend(
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "multipleOf": _multiple_of,
        "uniqueItems": _unique_items,
        "anyOf": _any_of,
        "oneOf": _one_of,
    },
)
"""JSON Schema 2020-12 where ``unevaluatedProperties`` and ``patternProperties`` do not meet; see :func:`dialect_of`."""


def dialect_of(document: Mapping[str, Any], base: Any = Dialect) -> Any:
    """The class of validators for the schemas of a document: :data:`Dialect`, or another one that extends it."""
    more = {}
    if _mentions(document, "unevaluatedProperties") and _mentions(document, "patternProperties"):
        more["unevaluatedProperties"] = _unevaluated(document)
    if overlapping(document):
        more["$ref"] = _remembered(document)
    return _extend(base, more) if more else base


_verdicts: ContextVar[dict[tuple[str, int], ValidationError | None] | None] = ContextVar("verdicts", default=None)
"""While a value is judged: by reference and identity of a part of it, what was first wrong with it, None for nothing."""


def _remembered(document: Mapping[str, Any]) -> Any:
    """``$ref`` that holds each object and list against each schema once; what was wrong the first time is said in short then."""

    def reference(validator: Any, pointer: str, instance: Any, _: Any) -> Iterator[ValidationError]:
        known = _verdicts.get()
        if known is not None:
            yield from _judged(validator, document, pointer, instance, known)
            return
        known = {}
        token = _verdicts.set(known)
        try:
            found = list(_judged(validator, document, pointer, instance, known))
        finally:
            _verdicts.reset(token)
        yield from found

    return reference


def _judged(
    validator: Any,
    document: Mapping[str, Any],
    pointer: str,
    instance: Any,
    known: dict[tuple[str, int], ValidationError | None],
) -> Iterator[ValidationError]:
    place = (pointer, id(instance))
    if place in known:
        if (first := known[place]) is not None:
            yield _short(first)
        return
    found = list(islice(validator.descend(instance, descend(document, pointer)), ERRORS_AT_MOST))
    if isinstance(instance, dict | list):
        known[place] = _short(found[0]) if found else None
    yield from found


def _short(error: ValidationError) -> ValidationError:
    """The same error without the reasons of its alternatives."""
    return ValidationError(
        error.message,
        validator=error.validator,
        validator_value=error.validator_value,
        instance=error.instance,
        schema=error.schema,
        path=tuple(error.relative_path),
        schema_path=tuple(error.relative_schema_path),
    )


def _unevaluated(document: Mapping[str, Any]) -> Any:
    def unevaluated_properties(
        validator: Any, rest: Any, instance: Any, schema: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        if not validator.is_type(instance, "object"):
            return
        others = {name: value for name, value in schema.items() if name != "unevaluatedProperties"}
        known = _evaluated(validator, document, others, instance)
        extra = [name for name in instance if name not in known]
        if rest is False and extra:
            listed = ", ".join(map(repr, sorted(extra)))
            verb = "was" if len(extra) == 1 else "were"
            yield ValidationError(f"Unevaluated properties are not allowed ({listed} {verb} unexpected)")
        elif rest is not False:
            for name in extra:
                yield from validator.descend(instance[name], rest, path=name)

    return unevaluated_properties


def _evaluated(validator: Any, document: Mapping[str, Any], schema: Any, instance: Mapping[str, Any]) -> set[str]:
    """The names that a schema speaks of, and those that its parts speak of for the same value where they hold."""
    if not isinstance(schema, Mapping):
        return set()
    if "additionalProperties" in schema or "unevaluatedProperties" in schema:
        return set(instance)
    found_here = {name for name in instance if name in schema.get("properties", {})}
    patterns = schema.get("patternProperties", {})
    found_here |= {name for name in instance if any(matches(pattern, name) for pattern in patterns)}
    for part in _parts(validator, document, schema, instance):
        if validator.evolve(schema=part).is_valid(instance):
            found_here |= _evaluated(validator, document, part, instance)
    return found_here


def _parts(
    validator: Any, document: Mapping[str, Any], schema: Mapping[str, Any], instance: Mapping[str, Any]
) -> Iterable[Any]:
    for word in _in_place:
        yield from schema.get(word, ())
    yield from (part for name, part in schema.get("dependentSchemas", {}).items() if name in instance)
    if isinstance(schema.get("$ref"), str):
        yield descend(document, schema["$ref"])
    if "if" in schema:
        holds = validator.evolve(schema=schema["if"]).is_valid(instance)
        if holds:
            yield schema["if"]
        yield schema.get("then" if holds else "else", True)


def _mentions(node: Any, name: str) -> bool:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            if name in here:
                return True
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)
    return False
