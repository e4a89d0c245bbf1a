"""Faults of laxness about what comes before the fields: key, media type, JSON syntax, method and path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.faulty.faithful import Call, Hooks
from tests.faulty.fault import Ask, Chapter, Weight, ask, overlook
from tests.faulty.rules import PATH, Breaches, parse

chapter = Chapter("looser", [])
add = chapter.add

_JSON = "the body is application/json"
_AUTH = "send Authorization: Bearer and the token"
_MEDIA = "Content-Type: string, required, application/json"
_PLACE = "POST /v1/images/generations"


_DROP_AUTH: dict[str, str | None] = {"Authorization": None}
chapter.accepts(
    "auth-absent",
    "a request without Authorization",
    _AUTH,
    ("auth.missing",),
    ask(headers=_DROP_AUTH),
    weight="warning",
)
chapter.accepts(
    "auth-empty",
    "Bearer without a token",
    _AUTH,
    ("auth.empty",),
    ask(headers={"Authorization": "Bearer "}),
    weight="warning",
)
chapter.accepts(
    "auth-any-scheme",
    "a scheme that is not Bearer",
    _AUTH,
    ("auth.scheme",),
    ask(headers={"Authorization": "Basic c2s6c2s="}),
    weight="warning",
)
chapter.accepts(
    "auth-anything", "any Authorization or none", _AUTH, ("auth",), ask(headers=_DROP_AUTH), weight="warning"
)
chapter.accepts_if(
    "auth-bare-key",
    "a key without Bearer before it",
    _AUTH,
    "auth.scheme",
    lambda c: " " not in (c.request.header("authorization") or ""),
    ask(headers={"Authorization": "sk-caller-0123456789"}),
    weight="warning",
)
chapter.accepts_if(
    "auth-other-header",
    "the key in api-key instead of Authorization",
    _AUTH,
    "auth.missing",
    lambda c: c.request.header("api-key") is not None,
    ask(headers={"Authorization": None, "api-key": "sk-caller-0123456789"}),
    weight="warning",
)

_FORM = "application/x-www-form-urlencoded"
chapter.accepts(
    "body-malformed", "JSON that does not parse", _JSON, ("body.malformed",), ask(body=b'{"prompt": "a man')
)
chapter.accepts("body-absent", "a request without a body", _JSON, ("body.empty",), ask(body=b""))
chapter.accepts("body-list", "a list as the body", _JSON, ("body.type.array",), ask(body=b"[]"))
chapter.accepts("body-string", "a string as the body", _JSON, ("body.type.string",), ask(body=b'"a man walks"'))
chapter.accepts("body-null", "null as the body", _JSON, ("body.type.null",), ask(body=b"null"))
chapter.accepts("body-number", "a number as the body", _JSON, ("body.type.integer", "body.type.number"), ask(body=b"1"))
chapter.accepts(
    "media-other-accepted",
    "another media type than JSON",
    _MEDIA,
    ("media.other",),
    ask(headers={"Content-Type": "text/plain"}),
    weight="warning",
)
chapter.accepts(
    "media-absent-accepted",
    "a request without Content-Type",
    _MEDIA,
    ("media.missing",),
    ask(headers={"Content-Type": None}),
    weight="info",
)
chapter.accepts(
    "media-form-accepted",
    "a form instead of JSON",
    _MEDIA,
    ("media.other", "body.malformed"),
    ask(headers={"Content-Type": _FORM}, body=b"prompt=a&n=1&size=auto"),
    weight="warning",
)


def _reads(
    name: str,
    wrong: str,
    parser: Callable[[str], Any],
    witness: bytes,
    charset: str = "utf-8",
    weight: Weight = "error",
) -> None:
    """Accepts a body that is no JSON when a lax parser makes an object of it."""

    def condition(call: Call) -> bool:
        try:
            return isinstance(parser(call.request.body.decode(charset, "replace")), dict)
        except (ValueError, RecursionError):
            return False

    chapter.accepts_if(name, wrong, _JSON, "body.malformed", condition, ask(body=witness), weight=weight)


def _first(text: str) -> Any:
    return json.JSONDecoder().raw_decode(text)[0]


def _last(text: str) -> Any:
    first = json.JSONDecoder().raw_decode(text)[1]
    return parse(text[first:].encode())


def _relaxed(pattern: str, replacement: str) -> Callable[[str], Any]:
    return lambda text: parse(re.sub(pattern, replacement, text).encode())


_COMMENT = b'{"prompt":"a","n":1,"size":"auto" // as documented\n}'
_NAN = b'{"prompt":"a","n":NaN,"size":"auto"}'
_UTF_16 = '{"prompt":"a","n":1,"size":"auto"}'.encode("utf-16")
_reads("json-comma", "a trailing comma", _relaxed(r",\s*([}\]])", r"\1"), b'{"prompt":"a","n":1,"size":"auto",}')
_reads("json-quotes", "strings in single quotes", _relaxed("'", '"'), b"{'prompt':'a','n':1,'size':'auto'}")
_reads("json-comment", "comments in the JSON", _relaxed(r"//[^\n]*|/\*.*?\*/", ""), _COMMENT)
_reads("json-nan", "NaN and Infinity in the JSON", lambda text: json.loads(text), _NAN)
_reads("json-trailing-bytes", "text behind the JSON", _first, b'{"prompt":"a","n":1,"size":"auto"}x')
_reads("json-two-documents", "two documents in one body", _last, b'{"prompt":"a","n":1,"size":"auto"}{"n":2}')
_reads(
    "json-invalid-utf-8",
    "bytes that are not UTF-8",
    lambda text: parse(text.encode()),
    b'{"prompt":"a\xff","n":1,"size":"auto"}',
    weight="info",
)
_reads(
    "json-raw-newline",
    "raw control characters in a string",
    lambda text: json.loads(text, strict=False),
    b'{"prompt":"a\nman","n":1,"size":"auto"}',
    weight="warning",
)
_reads("json-utf-16", "a body in UTF-16", json.loads, _UTF_16, "utf-16", "info")


def _anywhere(name: str, wrong: str, *witness: Ask, group: str) -> None:
    """Serves a request under another method or path, whatever its body."""

    def judge(call: Call) -> Breaches:
        if call.breaches and call.breaches[0].within(group):
            return overlook(call, group, "body", "media", "prompt", "n", "size")
        return call.breaches

    add(name, "error", f"accepts {wrong}", _PLACE, Hooks(judge=judge), *witness)


_anywhere("method-any", "any method", ask(method="GET", body=b""), ask(method="PUT"), group="method")
_anywhere("path-any", "any path", ask(path="/v1/images/generation"), ask(path=PATH + "s"), group="path")
