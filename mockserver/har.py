"""HTTP Archive (HAR 1.2) as browsers, mitmproxy and Playwright write it: reading, and writing our own exchanges.

An archive is read entry by entry, so that one of 500 MB needs no more memory than its largest entry.  Which file is an archive is left to :mod:`mockserver.cassette`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final
from urllib.parse import urlencode, urlsplit

from mockserver import __version__
from mockserver.attachments import Attachments, nowhere
from mockserver.jsonstream import JsonStream
from mockserver.media import decode
from mockserver.messages import Exchange, Headers, Request, Response, header
from mockserver.ndjson import LATEST_S, NO_REQUEST_BODY, NO_RESPONSE_BODY

_CODED: Final = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b"}


def read(stream: BinaryIO, name: str, attachments: Attachments = nowhere) -> Iterator[Exchange]:
    """The exchanges of an archive; their ids are ``name#1``, ``name#2``, ...

    ``attachments`` has the bodies that the archive keeps in files of their own.  Raises RecordError.
    """
    reader = JsonStream(stream, name)
    found = False
    for top in reader.members("at the beginning"):
        if top != "log":
            reader.value(top)
            continue
        for member in reader.members("in log"):
            if member != "entries":
                reader.value(f"log.{member}")
                continue
            found = True
            for number, _ in enumerate(reader.items("in log.entries"), start=1):
                value = reader.value(f"entry {number}")
                try:
                    yield _exchange(value, f"{name}#{number}", attachments)
                except (ValueError, OverflowError) as problem:
                    raise reader.fail(f"entry {number}: {problem}") from None
    if not found:
        raise reader.fail("not a HAR archive: it has no log.entries")


def _exchange(entry: Any, identifier: str, attachments: Attachments) -> Exchange:
    asked, answered = _object(entry, "request"), _object(entry, "response")
    notes: list[str] = []
    request = _request(asked, attachments, notes)
    status = answered.get("status")
    reasons = (answered.get("_error"), answered.get("_failureText"), entry.get("_error"))
    error = next((reason for reason in reasons if isinstance(reason, str) and reason), None)
    response, failure = None, error or "no answer was recorded"
    if isinstance(status, int) and status > 0:
        headers = _headers(answered)
        body, headers = _answer_body(_object(answered, "content"), headers, request.method, status, attachments, notes)
        response, failure = Response(status, headers, body, error), ""
    return Exchange(
        identifier, request, response, failure or None, _time(entry), _seconds(entry.get("time")), notes=tuple(notes)
    )


def _request(asked: Mapping[str, Any], attachments: Attachments, notes: list[str]) -> Request:
    url, method = asked.get("url"), asked.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        raise ValueError("its request has no url or no method")
    parts = urlsplit(url)
    headers = _headers(asked)
    if header(headers, "host") is None:
        host = parts.netloc.rpartition("@")[2] if parts.scheme in ("http", "https") else f"{parts.scheme}:"
        headers = (("Host", host), *headers)
    body = _posted(asked, headers, attachments)
    if body is None:
        notes.append(NO_REQUEST_BODY)
    return Request(method.upper(), parts.path or "/", parts.query, headers, body or b"")


def _posted(asked: Mapping[str, Any], headers: Headers, attachments: Attachments) -> bytes | None:
    """The body of a request; None for one that was there and is not in the archive."""
    posted = asked.get("postData")
    posted = posted if isinstance(posted, Mapping) else {}
    text, params = posted.get("text"), posted.get("params")
    if isinstance(text, str) and text:
        if posted.get("encoding") == "base64":
            return _unpacked(text)
        return text.encode("utf-8", "replace")
    if (kept := _in_a_file(posted, attachments)) is not None:
        return kept
    kind = str(posted.get("mimeType", "")).partition(";")[0].strip().lower()
    if isinstance(params, list) and params and kind == "application/x-www-form-urlencoded":
        pairs = [(str(p.get("name", "")), str(p.get("value", ""))) for p in params if isinstance(p, Mapping)]
        return urlencode(pairs).encode()
    return None if params or _positive(asked.get("bodySize")) or _announced(headers) else b""


def _answer_body(
    content: Mapping[str, Any], headers: Headers, method: str, status: int, attachments: Attachments, notes: list[str]
) -> tuple[bytes, Headers]:
    """The body, and the headers as they fit it: archives hold bodies with their content coding undone."""
    text, coding = content.get("text"), (header(headers, "content-encoding") or "").strip().lower()
    size = content.get("size")
    may_be_empty = method == "HEAD" or status in (204, 304)
    lost = _positive(size) or (_announced(headers) and not may_be_empty)
    if isinstance(text, str) and (text or not lost):
        body = _unpacked(text) if content.get("encoding") == "base64" else text.encode("utf-8", "replace")
    else:
        kept = _in_a_file(content, attachments)
        body = kept or b""
        if kept is None and not may_be_empty and (lost or size != 0):
            notes.append(NO_RESPONSE_BODY)
    still_coded = coding in _CODED and body.startswith(_CODED[coding])
    if coding and not still_coded:
        headers = tuple((name, value) for name, value in headers if name.lower() != "content-encoding")
    return body, headers


def _in_a_file(node: Mapping[str, Any], attachments: Attachments) -> bytes | None:
    """A body in a file of its own, as Playwright keeps it."""
    name = node.get("_file")
    return attachments(name) if isinstance(name, str) and name else None


def _positive(size: Any) -> bool:
    return isinstance(size, int | float) and size > 0


def _announced(headers: Headers) -> bool:
    """Whether the headers speak of a body."""
    length = (header(headers, "content-length") or "").strip()
    return length.isascii() and length.isdigit() and length.strip("0") != ""


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except binascii.Error:
        raise ValueError("a body says that it is base64 and is not") from None


def _headers(message: Mapping[str, Any]) -> Headers:
    """Headers in their order; HTTP/2's ``:authority`` becomes Host, a value of several lines several headers."""
    found: list[tuple[str, str]] = []
    listed = message.get("headers")
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, Mapping):
            continue
        name, value = str(item.get("name", "")), str(item.get("value", ""))
        if name.lower() == ":authority":
            name = "Host"
        if name and not name.startswith(":"):
            found += [(name, single) for single in value.split("\n")]
    return tuple(found)


def _object(node: Any, name: str) -> Mapping[str, Any]:
    found = node.get(name) if isinstance(node, Mapping) else None
    if found is None and name == "content":
        return {}
    if not isinstance(found, Mapping):
        raise ValueError(f"it has no {name}")
    return found


def _time(entry: Mapping[str, Any]) -> float:
    try:
        found = datetime.fromisoformat(str(entry.get("startedDateTime", ""))).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return found if 0 <= found <= LATEST_S else 0.0


def _seconds(milliseconds: Any) -> float:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return 0.0
    return milliseconds / 1000 if 0 <= milliseconds <= LATEST_S else 0.0


OPENING: Final = (
    '{"log": {"version": "1.2", "creator": '
    + json.dumps({"name": "quickrouter-contract", "version": __version__})
    + ', "entries": ['
)
CLOSING: Final = "\n]}}\n"
"""What stands before the entries of our own archives and after them."""


def entry(exchange: Exchange, origin: str) -> str:
    """One exchange as an entry; ``origin`` is scheme and host of its URL."""
    request, response = exchange.request, exchange.response
    body = request.body.decode("utf-8", "replace")
    posted = {"postData": {"mimeType": request.header("content-type") or "", "text": body}} if request.body else {}
    if request.body and body.encode() != request.body:
        posted["postData"] |= {"text": base64.b64encode(request.body).decode(), "encoding": "base64"}
    milliseconds = exchange.duration * 1000
    value = {
        "startedDateTime": datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="milliseconds"),
        "time": round(milliseconds, 3),
        "request": {
            "method": request.method,
            "url": f"{origin}{request.target}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _listed(request.headers),
            "queryString": [
                {"name": name, "value": text}
                for name, _, text in (part.partition("=") for part in request.query.split("&") if part)
            ],
            **posted,
            "headersSize": -1,
            "bodySize": len(request.body),
        },
        "response": _response(response) if response else _no_response(exchange.failure or ""),
        "cache": {},
        "timings": {"send": 0, "wait": round(milliseconds, 3), "receive": 0},
        "comment": "; ".join((exchange.id, *exchange.notes)),
    }
    return json.dumps(value, ensure_ascii=False)


def _response(response: Response) -> dict[str, Any]:
    body, _ = decode(response.body, response.header("content-encoding"))
    content: dict[str, Any] = {"size": len(body), "mimeType": response.header("content-type") or ""}
    text = body.decode("utf-8", "replace")
    if text.encode() == body:
        content["text"] = text
    else:
        content |= {"text": base64.b64encode(body).decode(), "encoding": "base64"}
    return {
        "status": response.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _listed(response.headers),
        "content": content,
        "redirectURL": response.header("location") or "",
        "headersSize": -1,
        "bodySize": len(response.body),
        **({"_error": response.cut} if response.cut else {}),
    }


def _no_response(failure: str) -> dict[str, Any]:
    return {**_response(Response(0)), "content": {"size": 0, "mimeType": "x-unknown"}, "_error": failure}


def _listed(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]
