"""Errors by their bodies, what must not leak, and many faults of one cause, case by case."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mockserver import causes, leaks, openapi
from mockserver.findings import Finding, Severity, Violation
from mockserver.messages import Response
from mockserver.refusals import Refusals
from mockserver.validation import Judge
from tests.judge import verdicts

JUDGE = verdicts.judge()
ORDER, TOOLS, PRINT = (JUDGE.contract.operation(name) for name in ("order", "tools", "print"))

KNOWN = {"properties": {"error": {}}}
SCHEMAS: dict[str, tuple[Any, bool]] = {
    "knows it": (KNOWN, True),
    "does not": ({"properties": {"errors": {}}}, False),
    "of all": ({"allOf": [{}, KNOWN]}, True),
    "of any": ({"anyOf": [{}, KNOWN]}, True),
    "of one": ({"oneOf": [{}, KNOWN]}, True),
    "if": ({"if": KNOWN}, True),
    "then": ({"if": {}, "then": KNOWN}, True),
    "else": ({"if": {}, "else": KNOWN}, True),
    "by reference": ({"$ref": "#/components/schemas/knows it"}, True),
    "beside a reference": ({"$ref": "#/components/schemas/does not", **KNOWN}, True),
    "the same twice": ({"anyOf": [{"$ref": "#/components/schemas/does not"}] * 2 + [KNOWN]}, True),
    "deeper down": ({"properties": {"a": KNOWN}, "items": KNOWN, "not": KNOWN}, False),
    "yes to all": (True, False),
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Refusals:
    file = tmp_path_factory.mktemp("refusals") / "openapi.json"
    components = {"schemas": {name: schema for name, (schema, _) in SCHEMAS.items()}}
    info = {"title": "A", "version": "1"}
    file.write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": {}, "components": components}))
    return Judge(openapi.load(str(file))).refusals


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_error_that_the_schema_speaks_of_is_no_error_beside_the_result(refusals: Refusals, name: str) -> None:
    pointer, known = f"/components/schemas/{name}", SCHEMAS[name][1]
    assert refusals.beside(pointer, {"error": "no"}) is not known
    for harmless in ({"error": None}, {"error": ""}, {}, [], "error", None):
        assert refusals.beside(pointer, harmless) is False


@pytest.mark.parametrize(
    ("operation", "value", "is_one"),
    [
        (ORDER, {"reason": "no"}, True),
        (ORDER, {"reason": "no", "hint": 1}, True),
        (ORDER, {"reason": 1}, False),
        (ORDER, {}, False),
        (ORDER, ["error"], False),
        (ORDER, "error", False),
        (ORDER, {"error": 1}, True),
        (ORDER, {"errors": 1}, True),
        (ORDER, {"error": 0, "errors": []}, False),
        (ORDER, {"error": 1, "a": 1, "b": 1}, True),
        (ORDER, {"error": 1, "a": 1, "b": 1, "c": 1}, False),
        (PRINT, {"reason": "no"}, True),
        (PRINT, {"made": 1}, False),
        (TOOLS, {"a": 1}, False),
        (TOOLS, {"error": 1}, True),
    ],
)
def test_what_is_an_error(operation: Any, value: Any, is_one: bool) -> None:
    assert JUDGE.refusals.is_one(operation, value) is is_one


KEY = "sk-" + "a1_-" * 5


@pytest.mark.parametrize(
    ("body", "secrets", "told"),
    [
        (b"nothing", (), ""),
        (b"", ("",), ""),
        (b"x 12345678 x", ("12345678",), "the answer repeats the API key of the request"),
        (b"x 1234567 x", ("1234567",), ""),
        (b"x 12345678 x", ("87654321", "12345678"), "the answer repeats the API key of the request"),
        ("\u00e41234567".encode(), ("\u00e41234567",), "the answer repeats the API key of the request"),
        (KEY.encode(), (), "the answer shows somebody's API key: sk-a1_-..."),
        (KEY.encode(), (KEY,), "the answer repeats the API key of the request"),
        (KEY[:-1].encode(), (), ""),
        (b"x" + KEY.encode(), (), ""),
        (b"Traceback (most recent call last):", (), "the answer shows a stack trace: Traceback (most recent call last)"),
        (b'{"a": "File \\"/a/b.py\\", line 5"}', (), 'the answer shows a stack trace: File \\"/a/b.py\\", line 5'),
        (b"at a.b.C$d (/srv/app.js:10:5)", (), "the answer shows a stack trace: at a.b.C$d (/srv/app.js:10:5)"),
        (b"at a.b.C (x)", (), ""),
        (b"goroutine 5 [running]", (), "the answer shows a stack trace: goroutine 5 ["),
        (b"panic: oh /a/b.go:5", (), "the answer shows a stack trace: panic: oh /a/b.go:5"),
        (b"#0 /a/b.php(5): f()", (), "the answer shows a stack trace: #0 /a/b.php(5)"),
        ("File \"\u00e4".encode() + b"a" * 80 + b'", line 5', (), f"the answer shows a stack trace: File \"\u00e4{'a' * 52}"),
        (b'File "\xff", line 5', (), "the answer shows a stack trace: File \"\ufffd\", line 5"),
    ],
)  # fmt: skip
def test_leaks(body: bytes, secrets: tuple[str, ...], told: str) -> None:
    found = [
        list(leaks.violations(JUDGE.explainer, ORDER, answer, secrets))
        for answer in (Response(200, (("A", "b"),), body), Response(200, (("A", body.decode("latin-1")), ("B", "c"))))
    ]
    assert [violation.message for violation in found[0]] == ([told] if told else [])
    if body.isascii():
        assert found[0] == found[1], "headers are looked through as well"


@pytest.mark.parametrize("leak", [b"12345678", KEY.encode()])
def test_both_ends_of_a_long_answer_are_looked_through(leak: bytes) -> None:
    end = 256 * 1024

    def found(body: bytes) -> int:
        return len(list(leaks.violations(JUDGE.explainer, ORDER, Response(200, (), body), ("12345678",))))

    filled = b" " * (end - len(leak))
    assert found(filled + leak + b" " * end) == found(b" " * end + leak + filled) == 1, "a body that is looked at whole"
    assert found(filled + leak + b" " * (end + 1)) == found(b" " * (end + 1) + leak + filled) == 1
    assert found(filled + b"  " + leak + b" " * (end + 1)) == found(b" " * (end + 1) + leak + b"  " + filled) == 0
    assert found(filled[:-1] + leak + b" " + leak + filled) == 1, "it is said once"


def test_a_surrogate_in_a_header_is_no_trouble() -> None:
    assert list(leaks.violations(JUDGE.explainer, ORDER, Response(200, (("A", "\ud800"),), b""), ())) == []


def finding(pointer: str, rule: str = "body.required", ids: str = "x1", side: Any = "response") -> Finding:
    one = Violation(rule, Severity.ERROR, side, "order", pointer, "m", "d", "o", place=f"{pointer}?")
    return Finding(one, tuple(ids.split()), "c", "constant")


def named(found: list[Finding]) -> list[str]:
    return [f"{f.violation.pointer} {f.violation.message.partition(':')[0]} {' '.join(f.also)}".strip() for f in found]


THREE = [finding(f"/body/a/{name}") for name in "bcd"]


@pytest.mark.parametrize(
    ("found", "grouped"),
    [
        ([], []),
        (THREE[:2], ["/body/a/b m", "/body/a/c m"]),
        (THREE, ["/body/a another shape /body/a/b /body/a/c /body/a/d"]),
        ([*THREE, finding("/body/ab/e")], ["/body/a another shape /body/a/b /body/a/c /body/a/d", "/body/ab/e m"]),
        ([*THREE[:2], finding("/body/ab/e")], ["/body/a/b m", "/body/a/c m", "/body/ab/e m"]),
        ([*THREE[:2], finding("/body/a/d", ids="x1 x2")], ["/body/a/b m", "/body/a/c m", "/body/a/d m"]),
        ([*THREE[:2], finding("/body/a/d", side="request")], ["/body/a/b m", "/body/a/c m", "/body/a/d m"]),
        ([*THREE[:2], finding("/body/a/d", "body.type")], ["/body/a/b m", "/body/a/c m", "/body/a/d m"]),
        (
            [finding("/body/z"), *THREE, finding("/body/a/e/f", "body.type"), finding("/body/a/g", "meaning.sum"),
             finding("/body/a/h", "error.status"), finding("/body/a/i", "body.type", "x2"),
             finding("/body/a/j", "body.type", side="request")],
            ["/body/a another shape /body/a/b /body/a/c /body/a/d /body/a/e/f /body/a/g", "/body/z m", "/body/a/h m",
             "/body/a/i m", "/body/a/j m"],
        ),
        (
            [finding(f"/body/a/{index}/{name}") for index, name in enumerate("bcd")],
            ["/body/a/0 another shape /body/a/0/b /body/a/1/c /body/a/2/d"],
        ),
        (
            [*THREE, *(finding(f"/body/k/{name}", ids="x2") for name in "lmn")],
            ["/body/a another shape /body/a/b /body/a/c /body/a/d", "/body/k another shape /body/k/l /body/k/m /body/k/n"],
        ),
        (
            [*(finding(f"/body/a/{name}", ids="x2") for name in "lm"), *THREE],
            ["/body/a another shape /body/a/b /body/a/c /body/a/d", "/body/a/l m", "/body/a/m m"],
        ),
    ],
)  # fmt: skip
def test_many_absent_members_are_one_finding(found: list[Finding], grouped: list[str]) -> None:
    assert named(causes.grouped(iter(found), lambda _: "")) == grouped


def test_another_shape_in_words() -> None:
    (one,) = causes.grouped(THREE, lambda first: f"what {first.violation.pointer} has")
    assert one.violation == replace(
        THREE[0].violation,
        pointer="/body/a",
        message="another shape: b, c, d are all absent",
        documented="b, c, d must be present",
        observed="none of them is, but what /body/a/b has",
    )
    assert (one.exchanges, one.condition, one.confirmation) == (("x1",), "c", "constant")
    (silent,) = causes.grouped(THREE, lambda _: "")
    assert silent.violation.observed == "none of them is"


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"a": 1, "b\n": 2}, "/body", "a, b\\n"),
        ({"a": {"b": 1}}, "/body/a", "b"),
        ({"body": {"b": 1}}, "/body/body", "b"),
        (dict.fromkeys("abcdefgh", 1), "/body", "a, b, c, d, e, f, g, h"),
        (dict.fromkeys("abcdefghij", 1), "/body", "a, b, c, d, e, f, g, h and 2 more"),
        ({}, "/body", ""),
        ([], "/body", ""),
        ({"a": 1}, "/body/b", ""),
    ],
)
def test_the_members_of_an_object_in_words(body: Any, pointer: str, words: str) -> None:
    assert causes.members_at(json.dumps(body).encode(), pointer) == words


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_a_body_without_members(body: bytes) -> None:
    assert causes.members_at(body, "/body") == ""
