"""Whether the schemas allow any value: one that allows none makes every answer wrong, and every request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver import media
from mockserver.contract import Contract
from mockserver.findings import Side
from mockserver.lint.problem import Problem, at
from mockserver.lint.walk import Place
from mockserver.pointers import find
from mockserver.shapes import shape_of
from mockserver.synthesis import Unsatisfiable, value_of

_MEANT = ("false", "not", "$ref", "required")
"""What rules out every value of a member on purpose: it must not be there."""


def problems(contract: Contract, places: list[Place]) -> Iterator[Problem]:
    """Bodies that cannot exist, members that cannot, and bodies of which none could be made up."""
    document = contract.document
    said: set[str] = set()
    for place in places:
        if place.kind == "property" and isinstance(place.node, Mapping):
            shape = shape_of(document.data, f"#{place.pointer}")
            if not shape.branches and shape.conflict and shape.conflict not in _MEANT:
                said.add(place.pointer)
                message = f"no value fits this schema: {shape.conflict!r} rules out the last one"
                yield at(document, place.pointer, message, "at least one value must be allowed")
    for pointer, side, shown in _bodies(contract):
        shape = shape_of(document.data, f"#{pointer}", side)
        what = "answer" if side == "response" else "request"
        home = find(document.data, pointer)
        where = home["$ref"].removeprefix("#") if isinstance(home, Mapping) and set(home) == {"$ref"} else pointer
        if where in said or any(shape.accepts(value) for value in shown):
            continue
        said.add(where)
        if not shape.live:
            conflict = shape.conflict or "required"
            message = f"no {what} could ever fit this schema: {conflict!r} rules out the last one"
            yield at(document, where, message, "at least one value must be allowed")
            continue
        try:
            value_of(shape, pointer, seed=0)
        except Unsatisfiable as failure:
            message = f"no {what} could be made up for this schema: {failure.keyword!r} at {failure.path or 'its top'}"
            yield at(document, where, message, "an example that fits helps", note=True)


def _bodies(contract: Contract) -> Iterator[tuple[str, Side, list[Any]]]:
    """The schemas of JSON bodies with their examples, those of success first."""
    for operation in contract.operations:
        sides: list[tuple[Side, Any]] = [("response", answer.content) for answer in operation.responses]
        for side, options in (*sides, ("request", operation.body)):
            for option in options:
                if option.schema and media.is_json(media.media_type(option.type)):
                    yield option.schema, side, list(option.examples.values())
