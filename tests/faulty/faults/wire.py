"""Faults on the wire: a right document in wrong bytes, wrong framing, or under a wrong status."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faulty.faithful import Call
from tests.faulty.fault import Chapter, Weight, ask, body, on_success, turn, when
from tests.faulty.wire import Answer, chunks

chapter = Chapter("wire", [])
add = chapter.add

_MEDIA = "200 OK is application/json"
_JSON = "the body of 200 OK is a JSON document (RFC 8259)"
_HTTP = "the answer is an HTTP/1.1 message (RFC 9112)"
_STATUS = "the documented success is 200 OK"


def _media(name: str, value: str | None, weight: Weight = "error") -> None:
    wrong = f"Content-Type is {value}" if value else "Content-Type is absent"
    add(name, weight, wrong, _MEDIA, on_success(lambda call, answer: answer.with_header("Content-Type", value)))


_media("media-html", "text/html; charset=utf-8")
_media("media-plain", "text/plain; charset=utf-8")
_media("media-absent", None)
_media("media-octets", "application/octet-stream")
_media("media-empty", " ", "warning")
_media("media-charset-gbk", "application/json; charset=gbk", "warning")
_media("media-garbled", "json", "warning")


def _bytes(name: str, wrong: str, change: Callable[[bytes], bytes], weight: Weight = "error") -> None:
    add(name, weight, wrong, _JSON, body(change))


def _retext(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda data: change(data.decode()).encode()


def _into_content(data: bytes, insert: bytes) -> bytes:
    place = data.index(b'"chat.completion"') + 5
    return data[:place] + insert + data[place:]


def _plain(data: bytes) -> str:
    return json.dumps(json.loads(data), ensure_ascii=False)


_bytes("byte-order-mark", "the body begins with a byte order mark", lambda data: b"\xef\xbb\xbf" + data)
_bytes("utf-16", "the body is in UTF-16", lambda data: data.decode().encode("utf-16"))
_bytes("utf-8-invalid", "a string holds a byte that is not UTF-8", lambda data: _into_content(data, b"\xff"))
_bytes("utf-8-overlong", "a string holds an overlong UTF-8 form", lambda data: _into_content(data, b"\xc0\xaf"))
_bytes("raw-control", "a string holds a raw line feed", lambda data: _into_content(data, b"\n"))
_bytes(
    "nan",
    "a token count is NaN",
    lambda data: _plain(data).replace('"total_tokens": ', '"total_tokens": NaN, "t": ').encode(),
)
_bytes(
    "infinity",
    "created is Infinity",
    lambda data: _plain(data).replace('"created": ', '"created": Infinity, "c": ').encode(),
)
_bytes(
    "duplicate-key",
    "id stands twice in the object, with two values",
    lambda data: data.replace(b"{", b'{"id":"chatcmpl-0",', 1),
    "warning",
)
_bytes(
    "duplicate-key-inside",
    "total_tokens stands twice in usage",
    lambda data: _plain(data).replace('"usage": {', '"usage": {"total_tokens": 1, ').encode(),
    "warning",
)
_bytes("trailing-bytes", "text follows the document", lambda data: data + b"\nOK")
_bytes("second-document", "the document comes twice", lambda data: data + b"\n" + data)
_bytes("leading-guard", "the document begins with )]}',", lambda data: b")]}',\n" + data)
_bytes("trailing-comma", "the last item is followed by a comma", lambda data: data[: data.rindex(b"}")] + b",}")
_bytes("truncated-json", "the JSON ends in the middle, Content-Length fits", lambda data: data[: len(data) // 2])
_bytes("last-brace-lost", "the last brace is missing", lambda data: data[: data.rindex(b"}")])
_bytes("empty-body", "the body is empty", lambda data: b"")
_bytes("blank-body", "the body is white space", lambda data: b"\n\n")
_bytes(
    "double-encoded", "the document is a JSON string that holds JSON", lambda data: json.dumps(data.decode()).encode()
)
_bytes("comment", "the JSON holds a comment", lambda data: data.replace(b"{", b"{/* image */", 1))
_bytes("single-quotes", "strings are in single quotes", lambda data: data.replace(b'"', b"'"))
_bytes("python-literal", "the body is Python's repr of the document", lambda data: repr(json.loads(data)).encode())
_bytes(
    "unquoted-keys",
    "keys have no quotes",
    _retext(lambda text: text.replace('"id":', "id:").replace('"usage":', "usage:")),
)
_bytes(
    "leading-zeros",
    "a number has leading zeros",
    lambda data: _plain(data).replace('"total_tokens": ', '"total_tokens": 00').encode(),
)
_bytes(
    "form-encoded",
    "the body is form-encoded under application/json",
    lambda data: b"object=chat.completion&created=1677652288",
)
_bytes("json-lines", "the document is followed by an empty one, as in JSON lines", lambda data: data + b"\n{}\n")

add(
    "server-sent-events",
    "error",
    "answers a stream of server-sent events although none was asked for",
    _MEDIA,
    on_success(
        lambda call, answer: replace(
            answer.with_header("Content-Type", "text/event-stream"),
            body=b"data: " + answer.body.replace(b"\n", b"") + b"\n\ndata: [DONE]\n\n",
        )
    ),
)
_PAGE = b"<!doctype html><html><head><title>One moment</title></head><body>Checking your browser</body></html>"
add(
    "html-page",
    "error",
    "answers a web page with 200",
    _MEDIA,
    on_success(lambda call, answer: replace(answer.with_header("Content-Type", "text/html"), body=_PAGE)),
)
add(
    "sse-label",
    "error",
    "the JSON document is labelled text/event-stream",
    _MEDIA,
    on_success(lambda call, answer: answer.with_header("Content-Type", "text/event-stream")),
)


def _coded(call: Call, answer: Answer) -> Answer:
    return replace(answer, body=gzip.compress(answer.body, mtime=0), coded=True)


def _told(name: str) -> Callable[[Call, Answer], Answer]:
    return lambda call, answer: replace(answer.with_header("Content-Encoding", name), coded=True)


add("gzip-unannounced", "error", "the body is gzip and nothing says so", _MEDIA, on_success(_coded))
add("gzip-announced", "error", "Content-Encoding is gzip, the body is plain", _HTTP, on_success(_told("gzip")))
add(
    "coding-unasked",
    "error",
    "Content-Encoding is zstd, which nobody asked for, the body is plain",
    _HTTP,
    on_success(_told("zstd")),
)
add(
    "gzip-broken",
    "error",
    "the gzip body lacks its end",
    _HTTP,
    on_success(lambda call, answer: replace(_told("gzip")(call, answer), body=_coded(call, answer).body[:-12])),
)


def _status(name: str, status: int, weight: Weight, wrong: str, *, empty: bool = False) -> None:
    def change(call: Call, answer: Answer) -> Answer:
        return replace(answer, status=status, body=b"" if empty else answer.body)

    add(name, weight, wrong, _STATUS, on_success(change))


_status("status-201", 201, "error", "answers 201 Created")
_status("status-202", 202, "error", "answers 202 Accepted")
_status("status-203", 203, "warning", "answers 203 Non-Authoritative Information")
_status("status-204", 204, "error", "answers 204 without a body", empty=True)
_status("status-206", 206, "error", "answers 206 Partial Content")
_status("status-299", 299, "error", "answers the unknown status 299")
_status("status-500-with-success", 500, "error", "answers a success document with 500")
_status("status-400-with-success", 400, "error", "answers a success document with 400")


def _redirect(status: int) -> Callable[[Call, Answer], Answer]:
    def change(call: Call, answer: Answer) -> Answer:
        return replace(answer.with_header("Location", call.request.path + "/"), status=status, body=b"{}")

    return change


add("redirect-302", "error", "redirects to the path with a slash", _STATUS, on_success(_redirect(302)))
add("redirect-307", "error", "redirects with 307, so that the client pays twice", _STATUS, on_success(_redirect(307)))


def _frame(name: str, wrong: str, change: Callable[[Answer], Answer]) -> None:
    add(name, "error", wrong, _HTTP, on_success(lambda call, answer: change(replace(answer, coded=True))))


def _head(call: Answer, *more: str) -> bytes:
    lines = [f"{name}: {value}" for name, value in call.headers]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, *more, "", ""]).encode("latin-1")


_frame(
    "length-too-long",
    "Content-Length promises 64 bytes that never come",
    lambda a: replace(a, framing="length", declared=len(a.body) + 64),
)
_frame(
    "length-too-short",
    "Content-Length is 10 bytes short",
    lambda a: replace(a, framing="length", declared=len(a.body) - 10),
)
_frame(
    "body-cut",
    "the connection ends in the middle of the body",
    lambda a: replace(a, framing="length", declared=len(a.body), sent=len(a.body) // 2),
)
_frame(
    "chunks-cut", "the chunked body ends in the middle", lambda a: replace(a, framing="chunked", sent=len(a.body) // 2)
)
_frame(
    "chunks-unfinished",
    "the last chunk is missing",
    lambda a: replace(a, framing="chunked", sent=len(chunks(a.body)) - 5),
)
_frame(
    "chunk-size-garbled",
    "a chunk size is no number",
    lambda a: replace(a, raw=_head(a, "Transfer-Encoding: chunked") + b"xyz\r\n" + a.body + b"\r\n0\r\n\r\n"),
)
_frame(
    "chunks-undeclared",
    "chunk marks stand in a body of known length",
    lambda a: replace(a, framing="length", body=chunks(a.body)),
)
_frame("connection-reset", "the connection is reset instead of answered", lambda a: replace(a, reset=True))
_frame("connection-closed", "the connection is closed without an answer", lambda a: replace(a, raw=b""))
_frame("head-cut", "the connection ends within the headers", lambda a: replace(a, raw=_head(a)[:60]))
_frame("status-line-garbled", "the status line has no protocol", lambda a: replace(a, raw=b"200 OK\r\n\r\n" + a.body))
_frame(
    "header-garbled",
    "a header line has a blank before its colon and another no colon",
    lambda a: replace(a, raw=_head(a, "X-Upstream : a", "upstream timeout") + a.body),
)
_frame(
    "lengths-differ",
    "there are two Content-Length headers with two values",
    lambda a: replace(a, raw=_head(a, f"Content-Length: {len(a.body)}", "Content-Length: 7") + a.body),
)

_ACCENTS = ask(n=2)
add(
    "latin-1",
    "error",
    "non-ASCII text is in Latin-1",
    _JSON,
    on_success(lambda call, answer: replace(answer, body=_retold(answer.body, "é").encode("latin-1"))),
)
add(
    "gbk",
    "error",
    "Chinese text is in GBK",
    _JSON,
    on_success(lambda call, answer: replace(answer, body=_retold(answer.body, "图片已生成").encode("gbk"))),
)
add(
    "lone-surrogate",
    "warning",
    "content holds half of a surrogate pair as an escape",
    _JSON,
    body(lambda data: data.replace(b'"chat.completion"', b'"chat.completion\\ud83d"')),
)
add(
    "truncated-above-one",
    "error",
    "the JSON of several choices is cut at 400 bytes",
    _JSON,
    when(lambda call: call.n > 1, body(lambda data: data[:400])),
    ask(n=3),
)
add(
    "mojibake",
    "info",
    "UTF-8 was read as Latin-1 and encoded again",
    _JSON,
    turn("choices.*.message.content", lambda value: f"é {value}".encode().decode("latin-1")),
)


def _retold(data: bytes, text: str) -> str:
    """The document with a text that is not ASCII as its content."""
    document: dict[str, Any] = json.loads(data)
    for choice in document["choices"]:
        choice["message"] = {"role": "assistant", "content": text}
    return json.dumps(document, ensure_ascii=False)
