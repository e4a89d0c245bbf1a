"""Our own ``x-`` keywords: their form by ``schemas/contract.schema.json``, where they stand, what they point at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from mockserver import library, sentences
from mockserver.library import Document
from mockserver.lint.problem import Problem, at, did_you_mean
from mockserver.lint.vocabulary import KEYWORDS
from mockserver.lint.walk import SCHEMAS, Place
from mockserver.pointers import pointer_of
from mockserver.rules import RULES


def definitions() -> dict[str, Any]:
    """The keywords of ``contract.schema.json`` and the definitions that they share, by name."""
    content = library.parse(library.bundled_root() / "contract.schema.json")
    return {**content["$defs"], **content["properties"]}


def validator(known: Mapping[str, Any], name: str) -> Any:
    """The compiled validator of one definition."""
    return Draft202012Validator({"$defs": known, "$ref": f"#/$defs/{name}"})


def problems(document: Document, places: list[Place]) -> Iterator[Problem]:
    """What is wrong with any ``x-`` keyword of the document."""
    shared = definitions()
    known = {name: definition for name, definition in shared.items() if name.startswith("x-")}
    ours = any(name in known for place in places if isinstance(place.node, Mapping) for name in place.node)
    for place in places:
        for name in place.node if isinstance(place.node, Mapping) else ():
            pointer = place.pointer + pointer_of([name])
            if name in known:
                yield from _misplaced(document, place, pointer, name, known[name])
                yield from _malformed(document, validator(shared, name), place.node[name], pointer)
            elif str(name).startswith("x-") and (meant := did_you_mean(str(name), known)):
                # a document that uses none of our keywords may well have a vendor's one of a similar name
                message = f"{name!r} is no keyword of a contract"
                yield at(document, pointer, message, f"did you mean {meant!r}?", note=not ours)
    yield from _rule_names(document)
    yield from _unspoken(document)


def _malformed(document: Document, checker: Any, value: Any, pointer: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for error in checker.iter_errors(value):
        keyword, limit = str(error.validator), error.validator_value
        inside = pointer + pointer_of(error.absolute_path)
        name = next(part for part in reversed(inside.split("/")) if part.startswith("x-"))
        if keyword == "required":
            text = f"{', '.join(repr(m) for m in limit if m not in error.instance)} is required and absent"
        elif keyword in ("additionalProperties", "unevaluatedProperties"):
            unknown = [m for m in error.instance if repr(m) in error.message]
            text = f"{', '.join(map(repr, unknown))} is not known here"
        elif keyword in ("anyOf", "not"):
            text = error.message[:200]
        else:
            text = f"got {sentences.show(error.instance)}; it must {sentences.documented(keyword, limit)}"
        if inside + text not in seen:
            seen.add(inside + text)
            yield at(document, inside, f"{name}: {text}", "schemas/contract.schema.json describes it")


def _misplaced(
    document: Document, place: Place, pointer: str, name: str, definition: Mapping[str, Any]
) -> Iterator[Problem]:
    kind = "schema" if place.kind in SCHEMAS else place.kind
    allowed = definition["x-where"]
    if "anything" not in allowed and kind not in allowed:
        message = f"{name} has no effect in a place of the kind {place.kind!r}"
        yield at(document, pointer, message, f"it belongs in a place of the kind {' or '.join(map(repr, allowed))}")


def _rule_names(document: Document) -> Iterator[Problem]:
    envelope = document.data.get("x-envelope")
    rules = envelope.get("rules") if isinstance(envelope, Mapping) else None
    for name in rules if isinstance(rules, Mapping) else ():
        family, _, member = name.partition(".")
        families = {rule.partition(".")[0] for rule in RULES}
        if (
            name not in RULES
            and not (member == "*" and family in families)
            and not (f"{family}.*" in RULES and member in KEYWORDS)
        ):
            meant = did_you_mean(name, [rule for rule in RULES if not rule.endswith("*")], likeness=0.6)
            hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(sorted(RULES))}"
            yield at(document, f"/x-envelope/rules{pointer_of([name])}", f"there is no rule {name!r}", hint)


def _unspoken(document: Document) -> Iterator[Problem]:
    envelope = document.data.get("x-envelope")
    if isinstance(envelope, Mapping) and "body" in envelope and "{message}" not in json.dumps(envelope["body"]):
        yield at(document, "/x-envelope/body", "no refusal would say what is wrong", "{message} must stand in a text")
