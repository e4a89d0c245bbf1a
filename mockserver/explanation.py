"""From a broken statement to a violation: schema errors and other breaches get pointer, place, severity and source.

The judge decides what is wrong; here it is put into words and tied to the line of the contract that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from jsonschema.exceptions import ValidationError, best_match

from mockserver import media, sentences
from mockserver.accelerator import Accelerator
from mockserver.contract import Contract, Operation, severity_of
from mockserver.dialect import ERRORS_AT_MOST, dialect_of
from mockserver.findings import Severity, Side, Source, Violation
from mockserver.meaning import MeaningValidator
from mockserver.media import MISSING
from mockserver.pointers import find, pointer_of
from mockserver.rules import rule_for
from mockserver.wording import Spoken, spoken

VIOLATIONS_AT_MOST: Final = ERRORS_AT_MOST
"""Violations of one value that are told: a body of a megabyte may hold a hundred thousand."""
_NAMES_AT_MOST: Final = 2000
"""Names of one object that are looked for among those which must not be there."""
_ABSENT = ("required", "dependentRequired")
_UNKNOWN = ("additionalProperties", "unevaluatedProperties")


class Explainer:
    """Explains breaches of one contract.  Holds the compiled validators; shared freely between threads."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._document = contract.document.data
        self._dialect = dialect_of(self._document, MeaningValidator)
        self._validators: dict[str, Any] = {}
        self.accelerator = Accelerator(self._document)

    def validator(self, schema: str) -> Any:
        """The compiled validator of the schema at a pointer."""
        if schema not in self._validators:
            self._validators[schema] = self._dialect({**self._document, "$ref": f"#{schema}"})
        return self._validators[schema]

    def fits(self, schema: str, value: Any) -> bool:
        """Whether the judge has nothing against a value; for schemas that many values are held against."""
        return self.accelerator.accepts(schema, value) or bool(self.validator(schema).is_valid(value))

    def schema(
        self, value: Any, schema: str, operation: Operation, side: Side, area: str, base: str, name: str = ""
    ) -> Iterator[Violation]:
        """The violations of a value against the schema at a pointer.

        ``area`` is the first part of the rule names, ``base`` the pointer of the value in its message; a wrong type hides
        whatever else is wrong at the same place.
        """
        try:
            found = islice(self.validator(schema).iter_errors(value), ERRORS_AT_MOST)
            errors = [leaf for error in found for leaf in _leaves(error)]
        except RecursionError:
            deep = media.Problem("json.depth", "the value is nested too deeply to be held against its schema")
            yield self.bytes(deep, operation, side, schema)
            return
        except OverflowError:
            large = media.Problem("json.number", "a number is too large to be held against its schema")
            yield self.bytes(large, operation, side, schema)
            return
        wrong_type = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
        seen: set[tuple[str, str, str]] = set()
        for error in errors:
            if error.validator != "type" and tuple(error.absolute_path) in wrong_type:
                continue
            for member in _members(error):
                violation = self._from_error(error, member, schema, operation, side, area, base, name)
                identity = (violation.rule, violation.pointer, violation.severity.value)
                if identity not in seen:
                    seen.add(identity)
                    yield violation
                    if len(seen) >= VIOLATIONS_AT_MOST:
                        return

    def _from_error(
        self,
        error: ValidationError,
        member: str,
        schema: str,
        operation: Operation,
        side: Side,
        area: str,
        base: str,
        name: str,
    ) -> Violation:
        keyword = str(error.validator or "not")
        path = [*error.absolute_path, *([member] if member else [])]
        rule = f"meaning.{keyword[2:]}" if keyword.startswith("x-") else f"{area}.{keyword}"
        param = _param(path) or name
        place, severity, source, trail = self._trace(error, member, schema, rule_for(rule).severity)
        words: Spoken = ()
        if side == "request":
            words = spoken(self.contract.envelope, rule, trail, param, error.validator_value, error.instance)
        field = param or "the body"
        demanded = sentences.documented(keyword, error.validator_value)
        got = sentences.observed(keyword, error.instance, error.message)
        message = (
            f"{field} is required and absent"
            if keyword in _ABSENT
            else f"{field} must {demanded}; {sentences.instead(got)}"
        )
        return Violation(
            rule=rule,
            severity=severity,
            side=side,
            operation=operation.id,
            pointer=base + pointer_of(path),
            message=message,
            documented=f"{field} must {demanded}",
            observed=got,
            source=source,
            place=place,
            param=param,
            spoken=words,
        )

    def _trace(
        self, error: ValidationError, member: str, schema: str, severity: Severity
    ) -> tuple[str, Severity, Source, list[Any]]:
        """Walk to the broken keyword, through references: place, severity and source, and the nodes on the way."""
        keyword = str(error.validator or "")
        steps: list[str | int] = list(error.absolute_schema_path)
        if member:
            steps = [*steps[:-1], "properties", member]
        trail = self._trail(schema, steps) or self._trail(schema, steps[:-2]) or [(schema, {})]
        pointer, convention = trail[-1][0], ""
        source: Mapping[str, Any] = {}
        for _, node in trail:
            if isinstance(node, Mapping):
                severity = severity_of(node, severity)
                if isinstance(node.get("x-source"), Mapping):
                    source, convention = node["x-source"], ""
                convention = str(node.get("x-convention", convention))
        if member:
            pointer += (
                f"?{keyword}"  # the field's own row is the statement; what is broken is that it must (not) be there
            )
        found = self.contract.source_from(source, convention, pointer)
        return self.contract.document.place(pointer), severity, found, [node for _, node in trail]

    def _trail(self, pointer: str, steps: list[str | int]) -> list[tuple[str, Any]]:
        """The nodes from the schema at a pointer to the end of a schema path; jsonschema's paths leave out ``$ref``."""
        node = find(self._document, pointer)
        here = [(pointer, node)]
        if not steps:
            return here
        following = find(node, pointer_of(steps[:1]), MISSING)
        if following is not MISSING and (rest := self._trail(pointer + pointer_of(steps[:1]), steps[1:])):
            return here + rest
        if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            rest = self._trail(node["$ref"].removeprefix("#"), steps)
            return here + rest if rest else []
        return []

    def statement(
        self, rule: str, operation: Operation, side: Side, pointer: str, statement: str, name: str, must: str, got: str
    ) -> Violation:
        """A breach of the statement at a pointer that no schema expresses: ``name`` must ``must``; it was ``got``."""
        source = self.contract.source(statement)
        severity = rule_for(rule).severity
        if source.convention and severity is Severity.ERROR:
            severity = Severity.WARNING
        return Violation(
            rule=rule,
            severity=severity,
            side=side,
            operation=operation.id,
            pointer=pointer,
            message=f"{name} must {must}; {sentences.instead(got)}",
            documented=f"{name} must {must}",
            observed=got,
            source=source,
            place=self.contract.document.place(statement),
            param=name,
            spoken=spoken(self.contract.envelope, rule, (), name, must, got) if side == "request" else (),
        )

    def bytes(self, problem: media.Problem, operation: Operation, side: Side, statement: str) -> Violation:
        """A body whose bytes are wrong before anything can be said of its value."""
        return Violation(
            rule=problem.rule,
            severity=rule_for(problem.rule).severity,
            side=side,
            operation=operation.id,
            pointer="/body",
            message=problem.message,
            documented="a form (RFC 7578)" if problem.rule.startswith("form.") else "a JSON text (RFC 8259)",
            observed=problem.message,
            source=self.contract.source(statement),
            place=self.contract.document.place(statement),
            spoken=spoken(self.contract.envelope, problem.rule, (), "", None, None) if side == "request" else (),
        )

    def answer(
        self, rule: str, operation: Operation, pointer: str, message: str, documented: str, observed: str
    ) -> Violation:
        """A breach by the answer as a whole, tied to the operation's documented responses."""
        responses = f"{operation.pointer}/responses"
        return Violation(
            rule=rule,
            severity=rule_for(rule).severity,
            side="response",
            operation=operation.id,
            pointer=pointer,
            message=message,
            documented=documented,
            observed=observed,
            source=self.contract.source(responses),
            place=self.contract.document.place(responses),
        )


def _param(path: Iterable[str | int]) -> str:
    """The place in the body as refusals name it: ``images[0].url``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _leaves(error: ValidationError) -> Iterable[ValidationError]:
    """The error itself, or for alternatives the error in the branch that was clearly meant."""
    if error.validator in ("anyOf", "oneOf") and error.context:
        best = best_match([error])
        if best is not None and len(best.absolute_path) > len(error.absolute_path):
            return (best,)
    return (error,)


def _members(error: ValidationError) -> list[str]:
    """For keywords about absent or unknown members: the names concerned; else one empty name."""
    if not isinstance(error.instance, Mapping):
        return [""]
    if error.validator == "required":
        names: Any = error.validator_value
        return [name for name in names if error.message.startswith(f"{name!r} is a required")]
    if error.validator == "dependentRequired":
        table: Any = error.validator_value
        pairs = [(key, name) for key, names in table.items() for name in names]
        return [name for key, name in pairs if key in error.instance and name not in error.instance]
    if error.validator in _UNKNOWN and error.validator_value is False:
        looked_at = islice(error.instance, _NAMES_AT_MOST)
        return list(islice((name for name in looked_at if repr(name) in error.message), VIOLATIONS_AT_MOST)) or [""]
    return [""]
