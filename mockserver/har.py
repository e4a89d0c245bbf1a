"""HTTP Archive (HAR 1.2) as browsers, mitmproxy and Playwright write it: reading, and writing our own exchanges.

An archive is read entry by entry with the standard library's own decoder, so that one of 500 MB needs no more memory than
its largest entry.  Which file is an archive is left to :mod:`mockserver.cassette`.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import urlencode, urlsplit

from mockserver import __version__
from mockserver.errors import RecordError
from mockserver.media import decode
from mockserver.messages import Exchange, Headers, Request, Response, header
from mockserver.ndjson import NO_REQUEST_BODY, NO_RESPONSE_BODY

LARGEST_ENTRY: Final = 256 * 1024 * 1024
"""Characters of one entry that are read."""

_CHUNK: Final = 1024 * 1024
_CUT_OFF: Final = 16
"""A decoder's complaint that close to the end of what was read may come from the cut alone."""
_CODED: Final = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b"}


class _Reader:
    """JSON values one after the other from a stream that is never held as a whole."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name = stream, name
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text, self._at, self._ended = "", 0, False

    def fail(self, message: str) -> RecordError:
        """The error to raise."""
        return RecordError(f"{self._name}: {message}")

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, expected: str, where: str) -> None:
        """Step over a character that has to be there."""
        found = self.peek()
        if found != expected:
            got = f"got {found!r}" if found else "the file ends"
            raise self.fail(f"not a HAR archive: {expected!r} is expected {where}, {got}")
        self._at += 1

    def value(self, where: str) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                could_go_on = error.pos >= len(self._text) - _CUT_OFF or "Unterminated" in error.msg
                if could_go_on and self._more():
                    continue
                what = "the file ends in the middle" if could_go_on else f"not JSON: {error.msg}"
                raise self.fail(f"{where}: {what}") from None
            except (ValueError, RecursionError):
                raise self.fail(f"{where}: nested too deeply, or a number too long to be read") from None
            if end == len(self._text) and self._more():
                continue  # a number may go on
            self._at = end
            return value

    def members(self, where: str) -> Iterator[str]:
        """The names of an object's members; whoever asks for the next one has read the value of the last."""
        yield from self._listed("{", "}", where)

    def items(self, where: str) -> Iterator[str]:
        """An empty text before each item of a list."""
        yield from self._listed("[", "]", where)

    def _listed(self, opening: str, closing: str, where: str) -> Iterator[str]:
        self.take(opening, where)
        if self.peek() == closing:
            self._at += 1
            return
        while True:
            if opening == "{":
                name = self.value(where)
                self.take(":", where)
                yield str(name)
            else:
                yield ""
            if self.peek() != ",":
                self.take(closing, where)
                return
            self._at += 1

    def _more(self) -> bool:
        if self._ended:
            return False
        left = self._text[self._at :]
        if len(left) > LARGEST_ENTRY:
            raise self.fail(f"one entry has more than {LARGEST_ENTRY} characters, which is more than is read")
        raw = self._stream.read(max(_CHUNK, len(left)))
        self._ended = not raw
        try:
            self._text, self._at = left + self._decode.decode(raw, final=self._ended), 0
        except UnicodeDecodeError as error:
            raise self.fail(f"not UTF-8: {error.reason}") from None
        return bool(raw)


def read(stream: BinaryIO, name: str, folder: Path | None = None) -> Iterator[Exchange]:
    """The exchanges of an archive; their ids are ``name#1``, ``name#2``, ...

    ``folder`` is where bodies lie that the archive keeps in files of their own.  Raises RecordError.
    """
    reader = _Reader(stream, name)
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
                    yield _exchange(value, f"{name}#{number}", folder)
                except (ValueError, OverflowError) as problem:
                    raise reader.fail(f"entry {number}: {problem}") from None
    if not found:
        raise reader.fail("not a HAR archive: it has no log.entries")


def _exchange(entry: Any, identifier: str, folder: Path | None) -> Exchange:
    asked, answered = _object(entry, "request"), _object(entry, "response")
    notes: list[str] = []
    request = _request(asked, notes)
    status = answered.get("status")
    error = answered.get("_error") or entry.get("_error")
    error = error if isinstance(error, str) else None
    response, failure = None, error or "no answer was recorded"
    if isinstance(status, int) and status > 0:
        headers = _headers(answered)
        body, headers = _answer_body(_object(answered, "content"), headers, request.method, status, folder, notes)
        response, failure = Response(status, headers, body, error), ""
    return Exchange(
        identifier, request, response, failure or None, _time(entry), _seconds(entry.get("time")), notes=tuple(notes)
    )


def _request(asked: Mapping[str, Any], notes: list[str]) -> Request:
    url, method = asked.get("url"), asked.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        raise ValueError("its request has no url or no method")
    parts = urlsplit(url)
    headers = _headers(asked)
    if header(headers, "host") is None:
        host = parts.netloc.rpartition("@")[2] if parts.scheme in ("http", "https") else f"{parts.scheme}:"
        headers = (("Host", host), *headers)
    return Request(method.upper(), parts.path or "/", parts.query, headers, _posted(asked, headers, notes))


def _posted(asked: Mapping[str, Any], headers: Headers, notes: list[str]) -> bytes:
    posted = asked.get("postData")
    if not isinstance(posted, Mapping):
        size = asked.get("bodySize")
        if (isinstance(size, int | float) and size > 0) or (header(headers, "content-length") or "0") != "0":
            notes.append(NO_REQUEST_BODY)
        return b""
    text, params = posted.get("text"), posted.get("params")
    if isinstance(text, str) and text:
        if posted.get("encoding") == "base64":
            return _unpacked(text)
        return text.encode("utf-8", "replace")
    kind = str(posted.get("mimeType", "")).partition(";")[0].strip().lower()
    if isinstance(params, list) and params and kind == "application/x-www-form-urlencoded":
        pairs = [(str(p.get("name", "")), str(p.get("value", ""))) for p in params if isinstance(p, Mapping)]
        return urlencode(pairs).encode()
    if params or (header(headers, "content-length") or "0") != "0":
        notes.append(NO_REQUEST_BODY)
    return b""


def _answer_body(
    content: Mapping[str, Any], headers: Headers, method: str, status: int, folder: Path | None, notes: list[str]
) -> tuple[bytes, Headers]:
    """The body, and the headers as they fit it: archives hold bodies with their content coding undone."""
    text, coding = content.get("text"), (header(headers, "content-encoding") or "").strip().lower()
    size = content.get("size")
    if isinstance(text, str) and (text or not (isinstance(size, int | float) and size > 0)):
        body = _unpacked(text) if content.get("encoding") == "base64" else text.encode("utf-8", "replace")
    else:
        kept = _in_a_file(content.get("_file"), folder)
        body = kept or b""
        empty = method == "HEAD" or status in (204, 304) or size == 0
        if kept is None and not empty:
            notes.append(NO_RESPONSE_BODY)
    still_coded = coding in _CODED and body.startswith(_CODED[coding])
    if coding and not still_coded:
        headers = tuple((name, value) for name, value in headers if name.lower() != "content-encoding")
    return body, headers


def _in_a_file(name: Any, folder: Path | None) -> bytes | None:
    """A body beside the archive, as Playwright keeps it; nothing outside the archive's folder is read."""
    if folder is None or not isinstance(name, str) or not name or "\0" in name:
        return None
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        return None
    return file.read_bytes()


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
        return datetime.fromisoformat(str(entry.get("startedDateTime", ""))).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _seconds(milliseconds: Any) -> float:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return 0.0
    return max(0.0, float(milliseconds) / 1000)


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
