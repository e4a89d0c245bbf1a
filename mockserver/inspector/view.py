"""One exchange made ready to be read: a line of the list, and everything that is shown when it is opened.

All texts have passed :mod:`mockserver.inspector.visible`; the places that violations point at are marked by their number.
"""

from __future__ import annotations

import re
import shlex
from typing import Any, Final, NamedTuple

from mockserver import media
from mockserver.curl import curl
from mockserver.findings import Side, Violation
from mockserver.inspector import outline, pictures
from mockserver.inspector.pictures import Picture
from mockserver.inspector.visible import on_one_line, visible
from mockserver.journal import Entry, RawHeaders
from mockserver.messages import Request, Response
from mockserver.pointers import parent_pointers, unescape
from mockserver.records import path_of
from mockserver.redaction import REDACTED

KEY_VARIABLE: Final = "QUICKROUTER_API_KEY"
"""The variable that curl lines read the key from, as the commands do."""

_LONGEST: Final = 4000
"""Characters of a sentence or of a header's value that are shown."""
_SHORT: Final = 300
_LISTED: Final = 20
"""Rules that stand in a line, to be found by."""
_TYPED: Final = 8 * 1024
"""Bytes of a body that stand in the curl line itself; a larger one comes from the journal."""
_LINE_OF: Final = re.compile(r"at line (\d+), column \d+")

Marks = list[tuple[int, Violation]]


class Place(NamedTuple):
    """Where the page is served: scheme and host as the browser named them, and the mock's port (None: unknown)."""

    origin: str
    port: int | None


def line(entry: Entry) -> dict[str, Any]:
    """One line of the list: what was asked, what became of it, and the first and worst thing that is wrong with it."""
    found = entry.violations
    worst = max(found, key=lambda violation: violation.severity.rank, default=None)
    return {
        "id": entry.id,
        "started": entry.started,
        "duration_s": round(entry.duration, 6),
        "session": entry.session,
        "method": on_one_line(entry.method, 40),
        "path": on_one_line(path_of(entry), _SHORT),
        "operation": on_one_line(entry.operation, _SHORT),
        "status": entry.status,
        "scenario": entry.scenario,
        "violations": len(found),
        "rules": [violation.rule for violation in found[:_LISTED]],
        "severity": worst.severity.value if worst else "",
        "cut": bool(entry.cut),
        "message": on_one_line(worst.message if worst else entry.cut or "", _SHORT),
    }


def opened(entry: Entry, place: Place) -> dict[str, Any]:
    """Everything that the page shows of an opened exchange."""
    numbered = list(enumerate(entry.violations, start=1))
    asked, answered = entry.exchange.request, entry.exchange.response
    return {
        **line(entry),
        "found": [_violation(number, violation) for number, violation in numbered],
        "notes": [visible(note, _LONGEST) for note in entry.notes],
        "request": {
            "target": on_one_line(path_of(entry), _LONGEST),
            "marks": [n for n, v in numbered if v.side == "request" and v.pointer.startswith(("/path", "/query"))],
            **_message("request", entry, entry.headers, entry.body, asked, numbered, place),
        },
        "response": {
            "status": entry.status,
            "cut": entry.cut,
            "marks": [n for n, v in numbered if v.side == "response" and v.pointer.startswith("/status")],
            **_message("response", entry, entry.answer_headers, entry.answer_body, answered, numbered, place),
        },
        "curl": visible(repeat(entry, place.origin), 4 * _TYPED),
    }


def body_path(entry: Entry, side: Side) -> str:
    """Where the whole body of one side is downloaded."""
    return f"/__admin/requests/{entry.id}/{side}"


def pictures_of(entry: Entry, side: Side, port: int | None) -> list[Picture]:
    """The pictures of one side."""
    message = entry.exchange.request if side == "request" else entry.exchange.response
    return pictures.found(_plain(message), (message.header("content-type") if message else "") or "", port)


def repeat(entry: Entry, origin: str) -> str:
    """A curl line that sends the request again; the key is read from the environment."""
    request = entry.exchange.request
    if len(request.body) <= _TYPED:
        return curl(request, origin, REDACTED.decode(), KEY_VARIABLE)
    bare = Request(request.method, request.path, request.query, request.headers)
    fetched = shlex.quote(f"{origin}{body_path(entry, 'request')}")
    return f"curl -sS {fetched} | {curl(bare, origin, REDACTED.decode(), KEY_VARIABLE)} --data-binary @-"


def _message(
    side: Side,
    entry: Entry,
    headers: RawHeaders,
    body: bytes,
    message: Request | Response | None,
    numbered: Marks,
    place: Place,
) -> dict[str, Any]:
    own = [(number, violation) for number, violation in numbered if violation.side == side]
    kind = (message.header("content-type") if message else "") or ""
    form, lines = outline.lines(_plain(message), kind)
    _mark(lines, [pair for pair in own if pair[1].pointer.startswith("/body")], form)
    shown = [_picture(entry, side, index, one, place) for index, one in enumerate(pictures_of(entry, side, place.port))]
    return {
        "headers": _headers(headers, own),
        "body": {
            "form": form,
            "bytes": len(body),
            "type": on_one_line(kind, _SHORT),
            "lines": lines,
            "download": body_path(entry, side) if body else "",
        },
        "pictures": shown,
    }


def _headers(headers: RawHeaders, own: Marks) -> list[dict[str, Any]]:
    """Names and values in their order, and after them the absent ones that a violation is about."""
    wanted: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for number, violation in own:
        if violation.pointer.startswith("/headers/"):
            name = unescape(violation.pointer.split("/")[2])
            wanted.setdefault(name.lower(), []).append(number)
            names.setdefault(name.lower(), name)
    rows = [
        {
            "name": on_one_line(name.decode("latin-1"), _SHORT),
            "value": on_one_line(value.decode("latin-1"), _LONGEST),
            "marks": wanted.get(name.decode("latin-1").lower(), []),
        }
        for name, value in headers
    ]
    sent = {name.decode("latin-1").lower() for name, _ in headers}
    absent = [name for name in wanted if name not in sent]
    return rows + [{"name": on_one_line(names[n], _SHORT), "value": None, "marks": wanted[n]} for n in absent]


def _mark(lines: list[outline.Line], own: Marks, form: str) -> None:
    """Put each violation's number to the line that it is about: the nearest one shown around its place."""
    first: dict[str, int] = {}
    for row, one in enumerate(lines):
        if one["kind"] not in ("end", "note"):
            first.setdefault(one["at"], row)
    for number, violation in own:
        index: int | None = next((first[at] for at in parent_pointers(violation.pointer) if at in first), None)
        told = _LINE_OF.search(violation.message) if form == "text" else None
        if told and int(told[1]) <= len(lines):
            index = int(told[1]) - 1
        if index is not None:
            lines[index].setdefault("marks", []).append(number)
    for one in lines:
        one["at"] = on_one_line(one["at"], _SHORT)


def _plain(message: Request | Response | None) -> bytes:
    """The body without its content coding, where that can be undone."""
    return media.decode(message.body, message.header("content-encoding"))[0] if message else b""


def _violation(number: int, violation: Violation) -> dict[str, Any]:
    source = violation.source.as_dict()
    return {
        "number": number,
        "rule": violation.rule,
        "severity": violation.severity.value,
        "side": violation.side,
        "pointer": on_one_line(violation.pointer, _SHORT),
        "message": visible(violation.message, _LONGEST),
        "documented": visible(violation.documented, _LONGEST),
        "observed": visible(violation.observed, _LONGEST),
        "source": {name: visible(text, _LONGEST) for name, text in source.items()},
        "schema": on_one_line(violation.place, _SHORT),
    }


def _picture(entry: Entry, side: Side, index: int, picture: Picture, place: Place) -> dict[str, Any]:
    if not picture.url:
        source = f"{body_path(entry, side)}/pictures/{index}"
        return {"type": picture.type, "bytes": picture.size, "src": source, "load": True}
    path = pictures.own_path(picture.url, place.port)
    # only what the mock itself serves is loaded: the page asks no other host
    source = f"{place.origin}{path}" if path else ""
    return {
        "url": on_one_line(picture.url, _LONGEST),
        "src": source,
        "load": bool(path) and pictures.looks_like_one(picture.url),
    }
