"""Messages of many kinds and the whole verdict of each: every field of every violation, as a user of the toolkit gets it.

``python -m tests.judge.verdicts`` writes what the judge says today into ``verdicts.json``; whoever changes a verdict looks at
the difference and says with it that the new one is right.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mockserver import openapi
from mockserver.findings import Violation
from mockserver.meaning import Session
from mockserver.messages import Exchange, Request, Response
from mockserver.validation import Judge
from tests.judge import prints
from tests.judge.messages import JOB, RESULT, request, response

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "verdicts.json"
LOOK = request(b"", "HEAD", kind=None)
TOOLS = request(b"", "GET", "/tools", kind=None)

REQUESTS: dict[str, Request] = {
    "right": request(),
    "unknown path": request(path="/jobs"),
    "nothing near": request(path="/" + "z" * 40),
    "wrong method": request(method="PATCH"),
    "wrong method with controls": request(method="PA\x1bTCH", path="/tools"),
    "path value": request(path="/jobs/0"),
    "path type": request(path="/jobs/x"),
    "query value": request(query="mode=late"),
    "no header": request(X_Shop=""),
    "short header": request(X_Shop="o"),
    "no cookie": request(Cookie=""),
    "cookie type": request(Cookie="basket=x"),
    "no body": request(b""),
    "no body, no type": request(b"", kind=None),
    "no type": request(kind=None),
    "other type": request(kind="text/html; a=b"),
    "a type that is not JSON": request(b"\xff", kind="application/x-ndjson"),
    "not JSON": request(b"{"),
    "not UTF-8": request(b'{"title": "\xff"}'),
    "two keys": request(b'{"title": "box", "title": "box", "parts": []}'),
    "a list": request([]),
    "no members": request({}),
    "unknown members": request({**JOB, "b": 1, "a": 2}),
    "dependent members": request({**JOB, "colour": "red"}),
    "one dependent member": request({**JOB, "colour": "red", "coats": 1}),
    "wrong type hides the rest": request({**JOB, "title": 5}),
    "two rules of one member": request({**JOB, "title": "B"}),
    "information": request({**JOB, "coats": 0}),
    "convention": request({**JOB, "colour": 1, "gloss": True, "coats": 1}),
    "inside a reference": request({**JOB, "parts": [{"name": "bolt"}, {"name": "nail", "count": 9}]}),
    "absent inside a reference": request({**JOB, "parts": [{}, {}]}),
    "too many": request({**JOB, "parts": [{"name": "nut", "count": n} for n in range(4)]}),
    "alternative, clearly the object": request({**JOB, "size": {"w": 3}}),
    "alternative, neither": request({**JOB, "size": 3}),
    "alternative, too long": request({**JOB, "size": "wide"}),
    "one alternative, clearly the object": request({**JOB, "edge": {"mm": 6}}),
    "forbidden": request({**JOB, "price": 13}),
    "everything at once": request([], path="/jobs/0", query="mode=x", X_Shop="", Cookie=""),
    "a range takes it": request(b"x", "PUT", "/tools", kind="text/csv"),
    "outside the range": request(b"x", "PUT", "/tools", kind="image/png"),
    "an optional body": request(b"", "PUT", "/tools", kind="image/png"),
}

ANSWERS: dict[str, tuple[Request, Response | None]] = {
    "right": (request(), response()),
    "two, and an unknown request": (request(path="/jobs"), response([])),
    "request and answer": (request({**JOB, "title": 5}), response([])),
    "a wrong list": (request(), response({**RESULT, "made": [{"at": 0}]})),
    "no request body to compare": (request(b"{"), response({**RESULT, "made": [{"at": 0}]})),
    "unevaluated": (request(), response({**RESULT, "made": [{"at": 0, "by": 1}, {"by": 2, "for": 3}]})),
    "milliseconds": (request(), response({**RESULT, "done": 1_800_000_000_000})),
    "members missing": (request(), response({"made": [1, {"at": "x"}]})),
    "the error of a refusal": (request(), response({"reason": "no"})),
    "the error with information": (request(), response({"reason": "no", "hint": 1})),
    "not quite the error": (request(), response({"reason": 1})),
    "a lone error": (request(), response({"error": "no"})),
    "lone errors": (request(), response({"errors": ["no"], "a": 1, "b": 2})),
    "an error among more": (request(), response({"error": "no", "a": 1, "b": 2, "c": 3})),
    "an empty error": (request(), response({"error": None})),
    "an error under an undocumented success": (request(), response({"reason": "no"}, 201)),
    "a packed error under an undocumented success": (
        request(), response(gzip.compress(b'{"error": 1}'), 201, Content_Encoding="gzip"),
    ),
    "undocumented success": (request(), response({"a": 1}, 201)),
    "undocumented list": (request(), response([1], 299)),
    "undocumented refusal": (request(), response({"reason": "no"}, 404)),
    "undocumented failure": (request(), response({"error": "no"}, 500)),
    "a redirect": (request(), response(b"", 302, Location="https://elsewhere.example/\x1b")),
    "a redirect to nowhere": (request(), response(b"", 399)),
    "not a redirect": (request(), response(b"", 400, "text/plain")),
    "a redirect under a default": (TOOLS, response([], 300)),
    "a refusal under a default": (TOOLS, response([], 400)),
    "a refusal as documented": (request(), response({"reason": "no"}, 400)),
    "a refusal that is not": (request(), response({"why": "no"}, 400)),
    "weaker": (request(), response([], 202, "application/vnd.shop+json")),
    "weaker bytes": (request(), response(b"{", 202, "application/vnd.shop+json")),
    "weaker type": (request(), response({}, 202)),
    "nothing, as documented": (request(), response(b"", 204, None)),
    "another type": (request(), response(b"<html>", 200, "text/html")),
    "another type, JSON all the same": (request(), response(b" \n{}", 200, "text/html")),
    "another type, a list all the same": (request(), response(b"[]", 200, "text/html")),
    "no type": (request(), response(b"{}", 200, None)),
    "a documented type that is not JSON": (request(), response(b"anything", 200, "text/plain")),
    "charset": (request(), response(kind="application/json; charset=latin1")),
    "a right charset": (request(), response(kind='application/json; charset="UTF-8"')),
    "a charset without its dash": (request(), response(kind="application/json; charset=utf8")),
    "ASCII": (request(), response(kind="application/json; charset=us-ascii")),
    "a charset that is nobody's": (request(), response(b"x", kind="text/plain; charset=latin1")),
    "a range": (TOOLS, response({}, 200, "application/what")),
    "a range's charset": (TOOLS, response([], 200, "application/what; charset=latin1")),
    "pictures": (request(b"", "PUT", "/tools", kind=None), response(b"\x89PNG", 200, "image/png")),
    "no pictures": (request(b"", "PUT", "/tools", kind=None), response({}, 200, "text/plain")),
    "cut": (request(), response(b'{"id": "r1", "ma', cut="20 of 40 bytes came")),
    "cut to nothing": (request(), response(b"", cut="0 of 40 bytes came")),
    "cut, and not JSON": (request(), response(b"{]]", cut="3 of 40 bytes came")),
    "half": (request(), response(b'{"id": "r1", "ma')),
    "empty": (request(), response(b"")),
    "encoded twice": (request(), response(json.dumps(RESULT))),
    "just a text": (request(), response("made")),
    "packed": (request(), response(gzip.compress(json.dumps(RESULT).encode()), Content_Encoding="gzip")),
    "packed, untold": (request(), response(gzip.compress(json.dumps(RESULT).encode()))),
    "a coding that lies": (request(), response(Content_Encoding="br")),
    "a trace": (request(), response({**RESULT, "log": "Traceback (most recent call last)"})),
    "the key": (request(), response({**RESULT, "key": "secret-of-the-test"})),
    "head": (LOOK, response(b"")),
    "no answer": (request(), None),
    "no answer in time": (request(), None),
    "no reason": (request(), None),
}  # fmt: skip
FAILURES = {"no answer": "the connection broke", "no answer in time": "no answer within 5 s (time-out)"}


def judge() -> Judge:
    """The judge of the contract beside this file."""
    return Judge(openapi.load(str(HERE / "openapi.json")))


def told(violations: tuple[Violation, ...]) -> list[dict[str, Any]]:
    """Violations as data, without what is empty; files by their name."""
    found = []
    for violation in violations:
        fields = asdict(violation) | {"severity": violation.severity.value, "source": violation.source.as_dict()}
        found.append({name: value for name, value in fields.items() if value})
    return json.loads(json.dumps(found, default=str).replace(str(HERE) + "/", ""))  # type: ignore[no-any-return]


REQUESTS |= prints.REQUESTS
ANSWERS |= prints.ANSWERS
CASES = [*(f"request: {name}" for name in REQUESTS), *(f"answer: {name}" for name in ANSWERS)]


def verdict(one: Judge, case: str) -> list[dict[str, Any]]:
    """The verdict of a case."""
    side, _, name = case.partition(": ")
    if side == "request":
        return told(one.request(REQUESTS[name]).violations)
    asked, answer = ANSWERS[name]
    exchange = Exchange("x1", asked, answer, FAILURES.get(name), started=1_800_000_000.0, duration=1.0)
    return told(one.exchange(exchange, Session(), ("secret-of-the-test",)))


if __name__ == "__main__":
    today = {case: verdict(judge(), case) for case in CASES}
    GOLDEN.write_text(json.dumps(today, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
