"""Faults of refusal: the right requests are refused, in a wrong way, or a right one now and then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from tests.faulty.faithful import Call, encode, success
from tests.faulty.fault import Ask, Chapter, Condition, Weight, ask, on_refusal
from tests.faulty.wire import Answer

chapter = Chapter("errors", [])
add = chapter.add

REFUSAL = "a request that breaks the page's rules is refused with a status of 4xx"
ENVELOPE = "errors are {error: {message, type, param, code}}, as in the linked reference"
_AUTH = "a request without a valid bearer token is refused with 401"

BAD, NO_KEY, NOWHERE, GET = (
    ask(n=11),
    ask(headers={"Authorization": None}),
    ask(path="/v1/nowhere"),
    ask(method="GET", body=b""),
)
MALFORMED = ask(body=b"{")


def about(*groups: str) -> Condition:
    """Whether the breach that is answered belongs to one of the groups; without groups any does."""
    return lambda call: not groups or any(call.breaches[0].within(group) for group in groups)


def answers(
    name: str,
    weight: Weight,
    wrong: str,
    breaks: str,
    change: Callable[[Call, Answer], Answer],
    *witness: Ask,
    groups: tuple[str, ...] = (),
) -> None:
    concerns = about(*groups)

    def apply(call: Call, answer: Answer) -> Answer:
        return change(call, answer) if concerns(call) else answer

    add(name, weight, wrong, breaks, on_refusal(apply), *(witness or (BAD,)))


def _with_status(status: int) -> Callable[[Call, Answer], Answer]:
    return lambda call, answer: replace(answer.with_header("Allow", None), status=status)


BODY = ("prompt", "n", "size", "model", "body")
answers("refusal-200", "error", "refusals have status 200 and the error object", REFUSAL, _with_status(200))
answers(
    "refusal-200-body",
    "error",
    "a body that breaks a rule gets 200 and the error object",
    REFUSAL,
    _with_status(200),
    groups=BODY,
)
answers("refusal-202", "error", "refusals have status 202", REFUSAL, _with_status(202))
answers(
    "refusal-302",
    "warning",
    "refusals redirect to a help page",
    REFUSAL,
    lambda c, a: replace(a.with_header("Location", "/help"), status=302),
)
answers("refusal-500", "warning", "a body that breaks a rule gets 500", REFUSAL, _with_status(500), groups=BODY)
answers(
    "refusal-503",
    "warning",
    "a body that breaks a rule gets 503, so that clients try again",
    REFUSAL,
    _with_status(503),
    groups=BODY,
)
answers(
    "refusal-429",
    "info",
    "a body that breaks a rule gets 429, so that clients try again",
    REFUSAL,
    _with_status(429),
    groups=BODY,
)
answers("refusal-401", "info", "a body that breaks a rule gets 401", REFUSAL, _with_status(401), groups=BODY)
answers("refusal-700", "warning", "refusals have the unknown status 700", REFUSAL, _with_status(700))
answers("malformed-500", "warning", "malformed JSON gets 500", REFUSAL, _with_status(500), MALFORMED, groups=("body",))
answers(
    "malformed-200",
    "error",
    "malformed JSON gets 200 and the error object",
    REFUSAL,
    _with_status(200),
    MALFORMED,
    groups=("body",),
)
answers(
    "type-500",
    "warning",
    "a value of a wrong type gets 500",
    REFUSAL,
    _with_status(500),
    ask(prompt=5),
    groups=("prompt.type", "n.type", "size.type"),
)
answers(
    "prompt-type-500",
    "warning",
    "a prompt of a wrong type gets 500",
    REFUSAL,
    _with_status(500),
    ask(prompt=5),
    groups=("prompt.type",),
)
answers(
    "n-string-500",
    "warning",
    "a string for n gets 500",
    REFUSAL,
    _with_status(500),
    ask(n="2"),
    groups=("n.type.string",),
)
answers(
    "size-500",
    "warning",
    "an unknown size gets 500",
    REFUSAL,
    _with_status(500),
    ask(size="banana"),
    groups=("size.enum",),
)
answers(
    "missing-500",
    "warning",
    "a missing field gets 500",
    REFUSAL,
    _with_status(500),
    ask(drop=("size",)),
    groups=("prompt.missing", "n.missing", "size.missing"),
)
answers(
    "body-list-500",
    "warning",
    "a list as the body gets 500",
    REFUSAL,
    _with_status(500),
    ask(body=b"[]"),
    groups=("body.type",),
)
answers(
    "media-500",
    "warning",
    "another media type gets 500",
    REFUSAL,
    _with_status(500),
    ask(headers={"Content-Type": "text/plain"}),
    groups=("media",),
)
answers(
    "unauthorized-200",
    "error",
    "a missing key gets 200 and the error object",
    _AUTH,
    _with_status(200),
    NO_KEY,
    groups=("auth",),
)
answers("unauthorized-400", "info", "a missing key gets 400", _AUTH, _with_status(400), NO_KEY, groups=("auth",))
answers("unauthorized-500", "warning", "a missing key gets 500", _AUTH, _with_status(500), NO_KEY, groups=("auth",))
answers(
    "unauthorized-302",
    "warning",
    "a missing key redirects to a login page",
    _AUTH,
    lambda c, a: replace(a.with_header("Location", "/login"), status=302),
    NO_KEY,
    groups=("auth",),
)
answers(
    "scheme-500",
    "warning",
    "a scheme that is not Bearer gets 500",
    _AUTH,
    _with_status(500),
    ask(headers={"Authorization": "Basic c2s6c2s="}),
    groups=("auth.scheme",),
)
answers(
    "unknown-path-200",
    "error",
    "an unknown path gets 200 and the error object",
    "an unknown path gets 404",
    _with_status(200),
    NOWHERE,
    groups=("path",),
)
answers(
    "unknown-path-500",
    "warning",
    "an unknown path gets 500",
    "an unknown path gets 404",
    _with_status(500),
    NOWHERE,
    groups=("path",),
)
answers(
    "method-500",
    "warning",
    "GET gets 500",
    "a wrong method gets 405 with Allow",
    _with_status(500),
    GET,
    groups=("method",),
)
answers(
    "method-200",
    "error",
    "GET gets 200 and the error object",
    "a wrong method gets 405 with Allow",
    _with_status(200),
    GET,
    groups=("method",),
)
answers(
    "method-no-allow",
    "info",
    "405 has no Allow",
    "405 carries Allow (RFC 9110)",
    lambda c, a: a.with_header("Allow", None),
    GET,
    groups=("method",),
)


def _media(value: str | None, text: bytes) -> Callable[[Call, Answer], Answer]:
    return lambda call, answer: replace(answer.with_header("Content-Type", value), body=text)


_NGINX = (
    b"<html><head><title>400 Bad Request</title></head><body><center><h1>400 Bad Request</h1></center></body></html>"
)
answers("error-html", "warning", "errors are a web page", ENVELOPE, _media("text/html", _NGINX))
answers("error-text", "warning", "errors are plain text", ENVELOPE, _media("text/plain", b"invalid value of n"))
answers("error-empty", "warning", "errors have no body", ENVELOPE, _media(None, b""))
answers(
    "error-media-html",
    "warning",
    "errors are JSON under text/html",
    ENVELOPE,
    lambda c, a: a.with_header("Content-Type", "text/html"),
)
answers(
    "error-media-absent",
    "warning",
    "errors have no Content-Type",
    ENVELOPE,
    lambda c, a: a.with_header("Content-Type", None),
)
answers(
    "error-cut",
    "warning",
    "the error envelope is cut in the middle",
    ENVELOPE,
    lambda c, a: replace(a, body=a.body[: len(a.body) // 2]),
)
answers(
    "error-double-encoded",
    "warning",
    "the error is a JSON string that holds JSON",
    ENVELOPE,
    lambda c, a: replace(a, body=json.dumps(a.body.decode()).encode()),
)
answers(
    "error-connection-cut",
    "warning",
    "the connection ends within the error",
    ENVELOPE,
    lambda c, a: replace(a, coded=True, framing="length", declared=len(a.body), sent=9),
)
answers(
    "error-reset",
    "warning",
    "the connection is reset instead of a refusal",
    REFUSAL,
    lambda c, a: replace(a, reset=True),
)
answers("unauthorized-empty", "warning", "401 has no body", ENVELOPE, _media(None, b""), NO_KEY, groups=("auth",))
answers(
    "not-found-html",
    "warning",
    "404 is a web page",
    ENVELOPE,
    _media("text/html", _NGINX.replace(b"400 Bad Request", b"404 Not Found")),
    NOWHERE,
    groups=("path",),
)
answers(
    "malformed-html",
    "warning",
    "malformed JSON gets a web page",
    ENVELOPE,
    _media("text/html", _NGINX),
    MALFORMED,
    groups=("body.malformed",),
)


def _both(call: Call, answer: Answer) -> Answer:
    document = encode(success(call), call.session.profile)
    return replace(answer, status=200, body=document + b"\n" + answer.body)


answers(
    "error-after-success",
    "error",
    "the error follows a success document in a body with 200",
    REFUSAL,
    _both,
    groups=BODY,
)
