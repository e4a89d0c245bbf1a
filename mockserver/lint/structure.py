"""The structure of the document: the published JSON Schema of OpenAPI 3.1, and the few rules that it cannot say.

The schema is the file that the OpenAPI Initiative published on 2022-10-07, shipped as data and read when ``lint`` runs.
The packages that wrap it bring a dozen dependencies for this one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from mockserver import library, sentences
from mockserver.library import Document
from mockserver.lint.problem import Problem, at, did_you_mean
from mockserver.lint.walk import METHODS, Place
from mockserver.messages import HEADER_NAME
from mockserver.pointers import dereference, find, pointer_of

_FILE = "openapi-3.1.schema.json"


_GRAVE = ("type", "enum", "const")
"""What makes a reader take one thing for another; what is missing or unknown only states nothing."""


def problems(document: Document, places: list[Place]) -> Iterator[Problem]:
    """What breaks OpenAPI 3.1."""
    yield from (problem for _, problem in _against_schema(document))
    yield from _operation_ids(document, places)
    yield from _path_parameters(document)
    yield from _header_names(document, places)


def grave(document: Document) -> Iterator[Problem]:
    """What of it would make every reader of the document go wrong."""
    yield from (problem for keyword, problem in _against_schema(document) if keyword in _GRAVE)


def _against_schema(document: Document) -> Iterator[tuple[str, Problem]]:
    """Each problem with the keyword that it breaks."""
    schema = library.parse(library.bundled_root() / _FILE)
    if jsonschema_rs.is_valid(schema, document.data):
        return  # in a hundredth of the time
    errors = [_deepest(error) for error in Draft202012Validator(schema).iter_errors(document.data)]
    touched = {tuple(error.absolute_path) for error in errors if error.validator != "unevaluatedProperties"}
    seen: set[tuple[str, str]] = set()
    for error in errors:
        unknown = _unknown(error, touched) if error.validator == "unevaluatedProperties" else [""]
        for name in unknown:
            pointer = pointer_of([*error.absolute_path, *([name] if name else [])])
            message, right = _said(error, name)
            if (pointer, message) not in seen:
                seen.add((pointer, message))
                yield str(error.validator), at(document, pointer, message, right)


def _deepest(error: ValidationError) -> ValidationError:
    """For alternatives the error in the branch that was probably meant."""
    return best_match([error]) or error if error.context else error


def _unknown(error: ValidationError, touched: set[tuple[str | int, ...]]) -> list[str]:
    """The members that OpenAPI does not know; one with an error inside or beside it only counts as unknown because of it."""
    here = tuple(error.absolute_path)
    if here in touched or not isinstance(error.instance, Mapping):
        return []
    inside = {path[len(here)] for path in touched if path[: len(here)] == here and len(path) > len(here)}
    return [name for name in error.instance if repr(name) in error.message and name not in inside]


def _said(error: ValidationError, name: str) -> tuple[str, str]:
    keyword = str(error.validator)
    limit: Any = error.validator_value
    if name:
        known = [key for key in _siblings(error) if not key.startswith("x-")]
        meant = did_you_mean(name, known, likeness=0.7)
        hint = f"did you mean {meant!r}?" if meant else f"known here are {', '.join(known)}" if known else ""
        return f"OpenAPI 3.1 does not know {name!r} here", hint
    if keyword == "required":
        missing = [key for key in limit if not isinstance(error.instance, Mapping) or key not in error.instance]
        return f"{' and '.join(map(repr, missing))} is required here and absent", "OpenAPI 3.1 demands it"
    if keyword in ("anyOf", "oneOf", "not", "if"):
        return "this is not what OpenAPI 3.1 allows here", error.message[:200]
    return f"got {sentences.show(error.instance)}", f"it must {sentences.documented(keyword, limit)}"


def _siblings(error: ValidationError) -> list[str]:
    parent: Any = error.schema
    found = list(parent.get("properties", ())) if isinstance(parent, Mapping) else []
    return [key for key in found if key != "$ref"]


def _header_names(document: Document, places: list[Place]) -> Iterator[Problem]:
    for place in places:
        headers = place.node.get("headers") if place.kind == "response" else None
        for name in headers if isinstance(headers, Mapping) else ():
            if not HEADER_NAME.fullmatch(str(name)):
                where = f"{place.pointer}/headers{pointer_of([name])}"
                message = f"no header can be called {sentences.show(name)}"
                yield at(document, where, message, "letters, digits and hyphens are usual")


def _operation_ids(document: Document, places: list[Place]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for place in places:
        identifier = place.node.get("operationId") if place.kind == "operation" else None
        if not isinstance(identifier, str):
            continue
        if identifier in seen:
            message = f"the operationId {identifier!r} stands here a second time"
            first = document.origin(seen[identifier])
            yield at(document, f"{place.pointer}/operationId", message, f"it is unique; the first stands at {first}")
        seen.setdefault(identifier, place.pointer)


def _path_parameters(document: Document) -> Iterator[Problem]:
    paths = document.data.get("paths")
    for path, item in paths.items() if isinstance(paths, Mapping) else ():
        wanted = set(re.findall(r"\{([^{}]+)\}", str(path)))
        home = f"/paths{pointer_of([path])}"
        shared = _named(document, f"{home}/parameters") if isinstance(item, Mapping) else {}
        for method in METHODS:
            if not isinstance(find(item, f"/{method}"), Mapping):
                continue
            pointer = f"{home}/{method}"
            named = shared | _named(document, f"{pointer}/parameters")
            for name in sorted(wanted - set(named)):
                yield at(document, pointer, f"the path has {{{name}}} and no parameter describes it",
                         f'a parameter {{"name": "{name}", "in": "path", "required": true}} is needed')  # fmt: skip
            for name in sorted(set(named) - wanted):
                message = f"the path parameter {name!r} does not stand in the path {path}"
                meant = did_you_mean(name, wanted, likeness=0.6)
                yield at(document, named[name], message, f"did you mean {meant!r}?" if meant else "")


def _named(document: Document, pointer: str) -> dict[str, str]:
    """Name -> pointer of the path parameters in a list."""
    found = {}
    parameters = find(document.data, pointer, [])
    for index in range(len(parameters) if isinstance(parameters, list) else 0):
        try:
            where, node = dereference(document.data, f"{pointer}/{index}")
        except KeyError:
            continue
        if isinstance(node, Mapping) and node.get("in") == "path":
            found[str(node.get("name"))] = where.removeprefix("#")
    return found
