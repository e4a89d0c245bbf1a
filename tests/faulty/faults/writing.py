"""Faults under a condition on how a request is written: its headers and the layout of its JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.faulty.faithful import Hooks
from tests.faulty.fault import Chapter, Condition, ask, on_success, put
from tests.faulty.faults.effects import CRASH, CREATED_TEXT, CUT, INVALID, NO_ID, NO_USAGE, PAGE
from tests.faulty.rules import Breach

chapter = Chapter("conditional", [])

_HEADER = "Content-Type: application/json, Accept: application/json"


_BYTES = "a JSON document means the same however it is written"


def _sent(header: str, mark: str) -> Condition:
    return lambda call: mark in (call.request.header(header) or "").lower()


def _header(
    name: str, wrong: str, condition: Condition, effect: Hooks | Breach, headers: dict[str, str | None]
) -> None:
    chapter.add_if(f"header-{name}", wrong, _HEADER, condition, effect, ask(headers=headers), weight="warning")


_PLAIN = on_success(lambda c, a: a.with_header("Content-Type", "text/plain"))
_header(
    "charset-no-usage",
    "charset=utf-8 in the request gets no usage",
    _sent("content-type", "charset"),
    NO_USAGE,
    {"Content-Type": "application/json; charset=utf-8"},
)
_header("accept-any-plain", "Accept: */* gets text/plain", _sent("accept", "*/*"), _PLAIN, {"Accept": "*/*"})
_header(
    "accept-absent-html",
    "no Accept gets a web page",
    lambda c: c.request.header("accept") is None,
    PAGE,
    {"Accept": None},
)
_header(
    "accept-html-page",
    "an Accept that also names text/html gets a web page",
    _sent("accept", "text/html"),
    PAGE,
    {"Accept": "application/json, text/html;q=0.5"},
)
_header(
    "accept-stream",
    "an Accept that also names text/event-stream gets an event stream",
    _sent("accept", "event-stream"),
    on_success(
        lambda c, a: replace(a.with_header("Content-Type", "text/event-stream"), body=b"data: " + a.body + b"\n\n")
    ),
    {"Accept": "application/json, text/event-stream"},
)
_header(
    "gzip-unannounced-if-asked",
    "Accept-Encoding: gzip cuts the body",
    _sent("accept-encoding", "gzip"),
    CUT,
    {"Accept-Encoding": "gzip"},
)
_header("agent-absent-500", "no User-Agent gets 500", lambda c: c.request.header("user-agent") is None, CRASH, {})
_header(
    "scheme-lower-no-id",
    "bearer in lower case gets no id",
    lambda c: (c.request.header("authorization") or "").startswith("bearer"),
    NO_ID,
    {"Authorization": "bearer sk-caller-0123456789"},
)


def _written(name: str, wrong: str, condition: Callable[[bytes], Any], effect: Hooks | Breach, witness: bytes) -> None:
    chapter.add_if(
        f"written-{name}", wrong, _BYTES, lambda call: bool(condition(call.request.body)), effect, ask(body=witness)
    )


_written(
    "key-order",
    "a body that does not begin with prompt or size gets 400",
    lambda b: not re.match(rb'\s*\{\s*"(prompt|size)"', b),
    INVALID,
    b'{"n":1,"size":"auto","prompt":"a"}',
)
_written(
    "pretty",
    "JSON over several lines gets 400",
    lambda b: b"\n" in b,
    INVALID,
    b'{\n  "prompt": "a",\n  "n": 1,\n  "size": "auto"\n}',
)
_written(
    "spaced",
    "blanks between the tokens get no usage",
    lambda b: re.search(rb'":\s', b),
    NO_USAGE,
    b'{"prompt": "a", "n": 1, "size": "auto"}',
)
_written(
    "compact",
    "JSON without blanks gets no id",
    lambda b: re.search(rb'"n":\d', b),
    NO_ID,
    b'{"prompt":"a","n":1,"size":"auto"}',
)
_written("escapes", "\\u escapes get 500", lambda b: b"\\u" in b, CRASH, b'{"prompt":"caf\\u00e9","n":1,"size":"auto"}')
_written(
    "surrogate-pair",
    "an escaped surrogate pair cuts the JSON",
    lambda b: re.search(rb"\\ud8", b, re.I),
    CUT,
    b'{"prompt":"\\ud83e\\udd8a","n":1,"size":"auto"}',
)
_written(
    "escaped-slash",
    "an escaped slash gets 400",
    lambda b: b"\\/" in b,
    INVALID,
    b'{"prompt":"a\\/b","n":1,"size":"auto"}',
)
_written(
    "trailing-newline",
    "a line feed after the JSON gets 400",
    lambda b: b.endswith(b"\n"),
    INVALID,
    b'{"prompt":"a","n":1,"size":"auto"}\n',
)
_written("large", "bodies above 2000 bytes cut the JSON", lambda b: len(b) > 2000, CUT, ask(prompt="图" * 800).body)
chapter.add_if(
    "written-float",
    "1.0 for n gets no choices",
    _BYTES,
    lambda c: isinstance(c.get("n"), float),
    put("choices", []),
    ask(n=1.0),
)
chapter.add_if(
    "written-exponent",
    "1e0 for n gets 500",
    _BYTES,
    lambda c: b"1e0" in c.request.body,
    CRASH,
    ask(body=b'{"prompt":"a","n":1e0,"size":"auto"}'),
    weight="warning",
)
chapter.add_if(
    "written-chunked",
    "a chunked request gets no usage",
    "the API speaks HTTP/1.1",
    lambda c: c.request.chunked,
    NO_USAGE,
    ask(chunked=True),
    weight="warning",
)
chapter.add_if(
    "unknown-property-500",
    "an undocumented property gets 500",
    "an unknown property is ignored or refused",
    lambda c: any(name not in ("prompt", "n", "size", "model") for name in c.body),
    CRASH,
    ask(quality="low"),
    weight="warning",
)
chapter.add_if(
    "unknown-property-mistyped",
    "an undocumented property makes created a string",
    "an unknown property is ignored or refused",
    lambda c: any(name not in ("prompt", "n", "size", "model") for name in c.body),
    CREATED_TEXT,
    ask(quality="low"),
)
