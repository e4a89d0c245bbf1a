"""What a contract says about answers in events (``x-stream``): which events, in which order, how often.

Frozen values and one reader; whether a stream keeps them is left to :mod:`mockserver.sequence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.pointers import dereference, escape, find

TIMES_AT_MOST = 100
"""Events of one kind that are made at most, whatever a request that was not refused asks for."""


@dataclass(frozen=True, slots=True)
class Times:
    """How often something comes: by a member of the request body, ``default`` without it; ``fewer`` allows less."""

    request: str = ""
    default: int = 1
    fewer: bool = False

    def of(self, body: Any) -> int:
        """The number for a request body, TIMES_AT_MOST at most."""
        count = find(body, self.request) if self.request else None
        if isinstance(count, bool) or not isinstance(count, int | float) or not 0 <= count <= TIMES_AT_MOST:
            return self.default
        return int(count)

    def bounds(self, body: Any) -> tuple[int, int]:
        """The least and the greatest number for a request body."""
        most = self.of(body)
        return 0 if self.fewer else most, most


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One kind of event: name, pointer of its data's schema, examples, how often, where its place stands, own pointer."""

    name: str
    schema: str
    examples: Mapping[str, Any]
    count: Times
    position: str
    pointer: str


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """The row of events that requests get that fit the schema at ``when``, and how often the whole row comes."""

    when: str
    events: tuple[EventSpec, ...]
    repeat: Times
    pointer: str


def stream_of(document: Mapping[str, Any], pointer: str) -> StreamSpec | None:
    """The ``x-stream`` of the media type at a pointer; None where there is none."""
    node = find(document, f"{pointer}/x-stream")
    if not isinstance(node, Mapping):
        return None
    here = f"{pointer}/x-stream"
    events = []
    for index, event in enumerate(node.get("events", ())):
        at = f"{here}/events/{index}"
        shown = {name: dereference(document, f"{at}/examples/{escape(name)}")[1] for name in event.get("examples", {})}
        examples = {name: example["value"] for name, example in shown.items() if "value" in example}
        count, position = _times(event.get("count")), str(event.get("position", ""))
        events.append(EventSpec(str(event.get("name", "")), f"{at}/schema", examples, count, position, at))
    return StreamSpec(f"{here}/when", tuple(events), _times(node.get("repeat")), here)


def _times(node: Any) -> Times:
    if not isinstance(node, Mapping):
        return Times()
    return Times(str(node.get("request", "")), int(node.get("default", 1)), bool(node.get("fewer")))
