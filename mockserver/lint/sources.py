"""Where the contract's statements come from: each has a source of its own, and each source a known page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.library import Document
from mockserver.lint.problem import Problem, at, did_you_mean
from mockserver.lint.walk import Place
from mockserver.pointers import dereference, escape

STATEMENTS = ("operation", "parameter", "property", "response", "security scheme", "server", "example")
"""The kinds of places that state something about the API."""
_HOLDERS = ("media", "parameter")
"""The kinds whose ``example`` is a bare value, which cannot name a source, so that they have to."""


def problems(document: Document, places: list[Place]) -> Iterator[Problem]:
    """Statements without a source (if the contract has ``x-pages``) and sources on unknown pages."""
    pages = document.data.get("x-pages")
    known = list(pages) if isinstance(pages, Mapping) else []
    for pointer, source in sources(places):
        page = source.get("page")
        if isinstance(page, str) and page not in known:
            meant = did_you_mean(page, known, likeness=0.6)
            right = f"did you mean {meant!r}?" if meant else "it must be a key of x-pages"
            yield at(document, f"{pointer}/page", f"there is no page {page!r} in x-pages", right)
    if known:
        for place in places:
            if states(place) and not _sourced(document, place.node):
                yield at(
                    document,
                    place.pointer,
                    f"this {place.kind} does not say where it comes from",
                    "x-source (page, at, quote, confidence) or x-convention belongs here",
                )


def states(place: Place) -> bool:
    """Whether a place states something about the API."""
    if place.kind in STATEMENTS:
        return True
    return place.kind in _HOLDERS and isinstance(place.node, Mapping) and "example" in place.node


def sources(places: list[Place]) -> list[tuple[str, Mapping[str, Any]]]:
    """Every ``x-source`` of the document with its pointer."""
    return [
        (f"{place.pointer}/x-source", place.node["x-source"])
        for place in places
        if isinstance(place.node, Mapping) and isinstance(place.node.get("x-source"), Mapping)
    ]


def contradictions(document: Document, places: list[Place]) -> Iterator[Problem]:
    """What the contract marks as contradictory, as notes."""
    for place in places:
        said = place.node.get("x-contradiction") if isinstance(place.node, Mapping) else None
        for index, sentence in enumerate(said if isinstance(said, list) else ()):
            pointer = f"{place.pointer}/x-contradiction/{escape(index)}"
            yield at(document, pointer, f"contradiction in the documentation: {sentence}", note=True)


def _sourced(document: Document, node: Any) -> bool:
    if not isinstance(node, Mapping):
        return False
    if "x-source" in node or "x-convention" in node:
        return True
    if isinstance(node.get("$ref"), str):
        try:
            return _sourced(document, dereference(document.data, node["$ref"])[1])
        except KeyError:
            return True  # that it does not resolve is said elsewhere
    return False
