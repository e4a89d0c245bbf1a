"""Every example of the contract, judged by the judge that judges real messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver import forms, media
from mockserver.contract import Contract, Media, Operation
from mockserver.explanation import Explainer
from mockserver.findings import Severity, Side, Violation
from mockserver.library import Document
from mockserver.lint.problem import Problem, at
from mockserver.lint.walk import SCHEMAS, Place
from mockserver.parts import with_files
from mockserver.pointers import dereference, escape


@dataclass(frozen=True, slots=True)
class Example:
    """One example: the pointer of its value, the schema it is held against, the operation and side it belongs to."""

    pointer: str
    value: Any
    schema: str
    operation: Operation
    side: Side


def of(contract: Contract) -> Iterator[Example]:
    """The examples of parameters, requests and responses, operation by operation."""
    for operation in contract.operations:
        for parameter in operation.parameters:
            if parameter.example is not None and parameter.schema:
                pointer = f"{parameter.pointer}/example"
                yield Example(pointer, parameter.example, parameter.schema, operation, "request")
        for option in operation.body:
            yield from _of_media(contract, option, operation, "request")
        for response in operation.responses:
            for option in response.content:
                yield from _of_media(contract, option, operation, "response")


def empty(document: Document, places: list[Place]) -> Iterator[Problem]:
    """Example Objects that show nothing."""
    for place in places:
        shows = place.kind != "example" or {"value", "externalValue", "$ref"} & set(place.node)
        if not shows:
            yield at(document, place.pointer, "this example shows nothing", "it needs a value")


def problems(contract: Contract, examples: list[Example]) -> Iterator[Problem]:
    """Examples that break their schema; one that breaks only what is no promise is a note."""
    explain = Explainer(contract)
    seen: set[tuple[str, str, str]] = set()
    for example in examples:
        for violation in _violations(explain, example):
            inside = violation.pointer.removeprefix("/body")
            identity = (example.pointer + inside, violation.rule, violation.place)
            if identity not in seen:
                seen.add(identity)
                yield at(
                    contract.document,
                    example.pointer + inside,
                    f"the example breaks its schema: {violation.message}",
                    f"{violation.place} says so",
                    note=violation.severity is Severity.INFO,
                )


def in_schemas(contract: Contract, places: list[Place]) -> Iterator[Problem]:
    """Values of ``examples``, ``example`` and ``default`` inside schemas that break them."""
    explain = Explainer(contract)
    for place in places:
        if place.kind not in SCHEMAS or not isinstance(place.node, Mapping):
            continue
        listed = place.node.get("examples")
        values = {f"/examples/{index}": value for index, value in enumerate(listed if isinstance(listed, list) else ())}
        values |= {f"/{name}": place.node[name] for name in ("example", "default") if name in place.node}
        for where, value in values.items():
            error = next(explain.validator(place.pointer).iter_errors(value), None)
            if error is not None:
                yield at(
                    contract.document,
                    place.pointer + where,
                    f"the value breaks the schema it stands in: {error.message[:200]}",
                    "a value that fits is needed",
                )


def _of_media(contract: Contract, option: Media, operation: Operation, side: Side) -> Iterator[Example]:
    for event in option.stream.events if option.stream else ():
        for name, value in event.examples.items():
            pointer = dereference(contract.document.data, f"{event.pointer}/examples/{escape(name)}")[0] + "/value"
            yield Example(pointer.removeprefix("#"), value, event.schema, operation, side)
    is_form = media.media_type(option.type) == forms.MEDIA_TYPE
    if not option.schema or not (is_form or media.is_json(media.media_type(option.type))):
        return
    home = option.schema.removesuffix("/schema")
    for name, value in option.examples.items():
        pointer = f"{home}/example"
        if name != "example" or value is not _bare(contract.document, home):
            pointer = dereference(contract.document.data, f"{home}/examples/{escape(name)}")[0] + "/value"
        shown = with_files(value) if is_form else value
        yield Example(pointer.removeprefix("#"), shown, option.schema, operation, side)


def _bare(document: Document, home: str) -> Any:
    return dereference(document.data, home)[1].get("example", media.MISSING)


def _violations(explain: Explainer, example: Example) -> Iterator[Violation]:
    return explain.schema(example.value, example.schema, example.operation, example.side, "body", "/body")
