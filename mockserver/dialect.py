"""The dialect in which values are judged: JSON Schema 2020-12 with regular expressions of :mod:`mockserver.expressions`.

``jsonschema`` searches with Python's ``re``, which knows no bound in time and reads another language than schemas are
written in.  The four keywords with patterns are replaced here, by the library's own way to do it, with the same messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from mockserver.expressions import matches
from mockserver.pointers import descend

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


_extend: Any = extend
Dialect: Any = _extend(
    Draft202012Validator,
    {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional_properties},
)
"""JSON Schema 2020-12 where ``unevaluatedProperties`` and ``patternProperties`` do not meet; see :func:`dialect_of`."""


def dialect_of(document: Mapping[str, Any], base: Any = Dialect) -> Any:
    """The class of validators for the schemas of a document: :data:`Dialect`, or another one that extends it."""
    if _mentions(document, "unevaluatedProperties") and _mentions(document, "patternProperties"):
        return _extend(base, {"unevaluatedProperties": _unevaluated(document)})
    return base


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
