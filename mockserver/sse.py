"""Server-sent events (HTML Living Standard, 9.2): reading a stream into events, writing one, and where its events end.

What the events mean is left to :mod:`mockserver.sequence`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mockserver.media import Problem

MEDIA_TYPE: Final = "text/event-stream"

_LINE_END = re.compile(r"\r\n|\n|\r")
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name ("" where none was sent) and its data, lines joined by line feeds."""

    name: str
    data: str


@dataclass(frozen=True, slots=True)
class Stream:
    """The whole events of a stream, and what is wrong with its bytes."""

    events: tuple[Event, ...]
    problems: tuple[Problem, ...] = ()


def read(body: bytes) -> Stream:
    """Read a stream; what follows its last empty line is no event any more."""
    problems: list[Problem] = []
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":  # that is a cut, which is told below
            what = f"the stream is not UTF-8: {error.reason} at byte {error.start}"
            problems.append(Problem("stream.malformed", what))
        text = body.decode("utf-8", "replace")
    events: list[Event] = []
    name = ""
    data: list[str] = []
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    for line in lines[:-1]:
        if not line:
            if data:
                events.append(Event(name, "\n".join(data)))
            name, data = "", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif key not in ("", "id", "retry"):
            problems.append(Problem("stream.malformed", f"a line is no field of an event: {line[:60]!r}"))
    if name or data or lines[-1]:
        problems.append(Problem("stream.cut", "the stream ends inside an event: no empty line follows it"))
    return Stream(tuple(events), tuple(dict.fromkeys(problems)))


def written(name: str, data: bytes) -> bytes:
    """One event; ``data`` is JSON, which has no line ends."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def pieces(body: bytes) -> list[bytes]:
    """A stream cut after each event; together they are the stream."""
    found, start = [], 0
    for end in _EVENT_END.finditer(body):
        found.append(body[start : end.end()])
        start = end.end()
    return [*found, body[start:]] if start < len(body) else found
