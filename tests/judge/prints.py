"""Messages of the operation that takes forms and answers with events or pictures: cases for the judge's whole verdict."""

from __future__ import annotations

import base64
import io
import json
import zlib
from functools import cache
from typing import Any

from PIL import Image

from mockserver.messages import Request, Response
from tests.judge.messages import request, response

PATH = "/prints"
FORM = "multipart/form-data; boundary=cut"
EVENTS = "text/event-stream; charset=utf-8"
PNG = b"\x89PNG\r\n\x1a\n..."


def part(name: str, content: str | bytes, kind: str = "", filename: str = "") -> bytes:
    """One part of a form; ``filename`` makes it a file."""
    head = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    lines = [head, *([f"Content-Type: {kind}"] if kind else []), "", ""]
    return "\r\n".join(lines).encode() + (content if isinstance(content, bytes) else content.encode())


def multipart(*parts: bytes, end: bytes = b"--cut--\r\n") -> bytes:
    """A form of these parts."""
    return b"".join(b"--cut\r\n" + one + b"\r\n" for one in parts) + end


PLAN = part("plan", PNG, "image/png", "plan.png")


def form(*parts: bytes, end: bytes = b"--cut--\r\n", kind: str = FORM) -> Request:
    """A request with a form."""
    return request(multipart(*parts, end=end), path=PATH, kind=kind)


def roll(**wishes: Any) -> Request:
    """A request for events, one sheet unless it says otherwise."""
    return request({"live": True, "sheets": 1, **wishes}, path=PATH)


def event(name: str, data: Any) -> bytes:
    """One event; ``name`` may be empty, ``data`` may be bytes."""
    shown = data if isinstance(data, bytes) else json.dumps(data).encode()
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + shown + b"\n\n"


def events(*came: bytes, kind: str = EVENTS, cut: str | None = None) -> Response:
    """An answer in events."""
    return response(b"".join(came), 200, kind, cut)


@cache
def picture(kind: str = "PNG", size: tuple[int, int] = (3, 2), mode: str = "RGB", colour: Any = 0) -> str:
    """A picture of one colour, in base64."""
    stream = io.BytesIO()
    Image.new(mode, size, colour).save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


def sheets(*listed: dict[str, str]) -> Response:
    """An answer with pictures."""
    return response({"sheets": listed})


DRAFT, SHEET, DONE = event("draft", {"ink": 1, "place": 0}), event("sheet", {"paper": "a"}), event("done", {"total": 1})
SECOND = event("draft", {"ink": 1, "place": 1})
ERROR = {"error": {"code": 5}}

REQUESTS: dict[str, Request] = {
    "form: right": form(PLAN, part("copies", "2"), part("more[]", b"%PDF-1", "application/pdf", "a")),
    "form: no boundary": form(PLAN, kind="multipart/form-data"),
    "form: cut": form(PLAN, end=b""),
    "form: no form": form(end=b"{}"),
    "form: a part without a name": form(PLAN, b"A: b\r\n\r\nc"),
    "form: nothing": form(),
    "form: empty": request(b"", path=PATH, kind=FORM),
    "form: a text for a file": form(part("plan", "x")),
    "form: another file": form(part("plan", "GIF89a", "image/gif", "p.gif")),
    "form: a file of no type": form(part("plan", PNG, filename="p")),
    "form: a file that is another": form(part("plan", b"\xff\xd8\xff", "image/png", "p.png")),
    "form: too large a file": form(part("plan", PNG + b"\xff" * 30, "image/png", "p.png")),
    "form: wrong values": form(
        PLAN, part("copies", "0"), part("title", "x"), part("live", "yes"), part("paper[grams]", "thick")
    ),
    "form: a member of a member": form(PLAN, part("paper[colour]", "red")),
    "form: too many, and one too short": form(
        PLAN, *(part("more", content, "application/pdf", "a.pdf") for content in ("%PDF-1", "%PDF-", "%PDF-2"))
    ),
    "form: a file for a text": form(PLAN, part("title", "long", "text/plain", "title.txt")),
}

ANSWERS: dict[str, tuple[Request, Response | None]] = {
    "events: right": (roll(), events(SHEET, DONE)),
    "events: right, with all drafts": (roll(drafts=2), events(DRAFT, SECOND, SHEET, DONE)),
    "events: right, with fewer drafts": (roll(drafts=2), events(DRAFT, SHEET, DONE)),
    "events: right, twice": (roll(drafts=1, rolls=2), events(DRAFT, SHEET, DONE, DRAFT, SHEET, DONE)),
    "events: two sheets unless said": (
        request({"live": True}, path=PATH),
        events(SHEET, event("sheet", {"paper": "a", "at": {"/": 0}}), DONE),
    ),
    "events: once instead of twice": (roll(rolls=2), events(SHEET, DONE)),
    "events: too many drafts": (roll(drafts=1), events(DRAFT, SECOND, SHEET, DONE)),
    "events: none": (roll(), events()),
    "events: a sheet too much": (roll(), events(SHEET, SHEET, DONE)),
    "events: a sheet before a draft": (roll(drafts=1), events(SHEET, DRAFT, DONE)),
    "events: the end first": (roll(), events(DONE, SHEET)),
    "events: a sheet after the end": (
        request({"live": True}, path=PATH), events(SHEET, DONE, event("sheet", {"paper": "a", "at": {"/": 1}})),
    ),
    "events: a draft after the end": (roll(drafts=2), events(DRAFT, SHEET, DONE, SECOND)),
    "events: a draft after the end of the second row": (
        roll(drafts=2, rolls=2), events(DRAFT, SHEET, DONE, DRAFT, SHEET, DONE, SECOND),
    ),
    "events: the whole row too often": (roll(drafts=1), events(DRAFT, SHEET, DONE, DRAFT, SHEET, DONE)),
    "events: the second row not whole": (roll(drafts=1, rolls=2), events(DRAFT, SHEET, DONE, DRAFT, SHEET)),
    "events: the first row not whole": (roll(rolls=2), events(DONE, SHEET, DONE, SHEET)),
    "events: two out of order": (roll(drafts=2), events(SHEET, DRAFT, SECOND, DONE)),
    "events: wrong places": (
        roll(drafts=2),
        events(SECOND, event("draft", {"ink": 1, "place": "x"}), event("sheet", {"paper": "a", "at": {"/": 1}}), DONE),
    ),
    "events: places in the second row": (roll(drafts=2, rolls=2), events(DRAFT, SHEET, DONE, SECOND, SHEET, DONE)),
    "events: no name": (roll(drafts=1), events(event("", {"ink": 1, "place": 0}), SHEET, DONE)),
    "events: another name": (roll(), events(event("page", {"paper": "a"}), event("finish", {"total": 1}))),
    "events: an unknown one": (roll(), events(event("page", {"a": 1}), SHEET, DONE)),
    "events: an unknown one without a name": (roll(), events(event("", [1]), SHEET, DONE)),
    "events: wrong data": (roll(drafts=1), events(event("draft", {"ink": "red"}), event("sheet", {}), DONE)),
    "events: another paper": (roll(paper="b"), events(SHEET, DONE)),
    "events: not JSON": (roll(), events(event("sheet", b"{"), event("", b"done"))),
    "events: a trailer": (roll(), events(SHEET, DONE, event("", b" [DONE] "))),
    "events: an error": (roll(), events(event("error", ERROR))),
    "events: an error without a name": (roll(), events(SHEET, event("", ERROR))),
    "events: an error under another name": (roll(), events(SHEET, event("done", {"total": 1, **ERROR}))),
    "events: no error": (roll(), events(SHEET, event("done", {"total": 1, "error": None}))),
    "events: no UTF-8": (roll(), events(SHEET, b": \xff\n", DONE)),
    "events: a line that is no field": (roll(), events(b"{}\n", SHEET, DONE)),
    "events: cut": (roll(), events(SHEET, DONE[:-1])),
    "events: cut on the way": (roll(), events(SHEET, DONE[:-3], cut="20 of 40 bytes came")),
    "events: cut on the way after an event": (roll(), events(SHEET, cut="20 of 40 bytes came")),
    "events: cut on the way, and malformed": (roll(), events(b"{}\n", SHEET, DONE[:-3], cut="20 of 40 bytes came")),
    "events: cut on the way, in a character": (roll(), events(SHEET, b"data: \xe2\x82", cut="20 of 40 bytes came")),
    "events: unasked": (request({}, path=PATH), events(SHEET, DONE)),
    "events: unasked by an unreadable request": (request(b"{", path=PATH), events(SHEET, DONE)),
    "events: asked in a form": (
        form(PLAN, part("live", "true")),
        events(*(event("sheet", {"paper": "a", "at": {"/": place}}) for place in (0, 1)), DONE),
    ),
    "events: all at once instead": (roll(), sheets()),
    "events: under another type": (roll(), events(SHEET, DONE, kind="text/plain")),
    "an error of the other refusal": (request({}, path=PATH), response({"reason": "no"}, 203)),
    "a deflated error under an undocumented success": (
        request({}, path=PATH), response(zlib.compress(b'{"error": 1}'), 201, Content_Encoding="deflate"),
    ),
    "an error in place of sheets": (request({}, path=PATH), response({"reason": "no"})),
    "pictures: right": (
        request({"paper": "a"}, path=PATH), sheets({"inline": picture(), "link": "https://a.example/b"}),
    ),
    "pictures: no base64": (request({}, path=PATH), sheets({"inline": "no!"})),
    "pictures: a data URL": (request({}, path=PATH), sheets({"inline": f"data:image/png;base64,{picture()}"})),
    "pictures: no picture": (request({}, path=PATH), sheets({"inline": base64.b64encode(b"no picture").decode()})),
    "pictures: all wrong": (
        request({}, path=PATH), sheets({"inline": picture("WEBP", (2, 3), "RGBA", (0, 0, 0, 9))}),
    ),
    "pictures: twice": (request({}, path=PATH), sheets({"inline": picture()}, {"inline": picture()})),
    "pictures: no address": (request({}, path=PATH), sheets({"link": "b.png"})),
    "pictures: an address that is one": (
        request({"size": "2x3"}, path=PATH), sheets({"link": f"data:image/png;base64,{picture()}"}),
    ),
    "an error beside sheets": (request({}, path=PATH), response({"sheets": [], "error": {"code": 5}})),
    "no error beside sheets": (request({}, path=PATH), response({"sheets": [], "error": None})),
    "somebody's key": (request({}, path=PATH), response({"sheets": [], "key": "sk-proj-" + "a" * 20})),
    "a trace in a header": (request({}, path=PATH), response({"sheets": []}, X_Why="Here.java:5)")),
}  # fmt: skip
