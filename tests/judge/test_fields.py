"""Parameters and credentials: what stood on the wire, and the values and complaints that come of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mockserver import credentials, openapi
from mockserver.contract import Contract, Operation, Security
from mockserver.explanation import Explainer
from mockserver.media import MISSING
from mockserver.messages import Request
from mockserver.parameters import values_of

INTEGERS = {"type": "array", "items": {"type": "integer"}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"$ref": "#/components/schemas/Flag"}}}


def contract_of(folder: Path, *parameters: dict[str, Any], **operation: Any) -> tuple[Contract, Operation]:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a/{p}": {
                "get": {
                    "operationId": "g",
                    "parameters": [{"name": "p", "in": "path", "required": True, "schema": {}}, *parameters],
                    "responses": {"200": {"description": "d"}},
                    **operation,
                }
            }
        },
        "components": {
            "schemas": {"Flag": {"type": "boolean"}},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
                "head": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "asked": {"type": "apiKey", "in": "query", "name": "key"},
                "baked": {"type": "apiKey", "in": "cookie", "name": "key"},
            },
        },
    }
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    contract = openapi.load(str(path))
    return contract, contract.operations[0]


def value_of(folder: Path, parameter: dict[str, Any], request: Request) -> Any:
    contract, operation = contract_of(folder, {"name": "q", **parameter})
    found = values_of(contract.document.data, operation, request, {"p": "%C3%A4%20b"})
    assert found[operation.parameters[0]] == "ä b"
    return found[operation.parameters[1]]


@pytest.mark.parametrize(
    ("schema", "query", "value"),
    [
        ({"type": "integer"}, "q=12", 12),
        ({"type": "integer"}, "q=1.5", "1.5"),
        ({"type": "number"}, "q=1.5", 1.5),
        ({"type": ["string", "number"]}, "q=2", 2.0),
        ({"type": ["integer", "boolean"]}, "q=true", True),
        ({"type": "boolean"}, "q=false", False),
        ({"type": "boolean"}, "q=False", "False"),
        ({"type": ["null", "integer"]}, "q=", None),
        ({"type": ["null", "integer"]}, "q=null", None),
        ({"type": ["null", "integer"]}, "q=nil", "nil"),
        ({"type": "string"}, "q=1", "1"),
        ({"type": "string"}, "x=1&q=a&q=b", "a"),
        ({"type": "string"}, "q=%C3%A4+b", "ä b"),
        ({"type": "string"}, "x=1", MISSING),
        ({}, "q=1", "1"),
        ({"$ref": "#/components/schemas/Flag"}, "q=true", True),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "q=3", 3),
        ({"oneOf": [{"type": "null"}, {"type": "string"}]}, "q=null", None),
        ({"allOf": [{"minimum": 1}, {"type": "integer"}, True]}, "q=3", 3),
        (INTEGERS, "q=1&q=2", [1, 2]),
        (INTEGERS, "q=1,2", ["1,2"]),
        ({"type": "array"}, "q=a", ["a"]),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Flag"}}, "q=true", [True]),
        ({"type": "object"}, "q=a=b=c", {"a": "b=c"}),
        ({"type": ["string", "null", "boolean"]}, "q=true", True),
        ({"type": ["string", "boolean", "null"]}, "q=null", None),
        (POINT, "q=x=1,z=2", {"x": 1, "z": "2"}),
    ],
)
def test_query(tmp_path: Path, schema: Any, query: str, value: Any) -> None:
    got = value_of(tmp_path, {"in": "query", "schema": schema}, Request("GET", "/a/x", query))
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("style", "schema", "query", "value"),
    [
        ({"explode": False}, INTEGERS, "q=1,2", [1, 2]),
        ({"explode": False}, {"type": "array"}, "q=a%20,b", ["a ", "b"]),
        ({"explode": False}, INTEGERS, "q=1,2&q=3", ["1,2", 3]),
        ({"explode": False}, POINT, "q=x,1,y,true,z", {"x": 1, "y": True}),
        ({"style": "spaceDelimited", "explode": False}, INTEGERS, "q=1%202", [1, 2]),
        ({"style": "pipeDelimited", "explode": False}, INTEGERS, "q=1|2", [1, 2]),
        ({"style": "deepObject"}, POINT, "q[x]=1&q[y]=true&q[z]=1&qq[x]=2&q[x=5&x]=3", {"x": 1, "y": True, "z": "1"}),
        ({"style": "deepObject"}, POINT, "q=1", MISSING),
    ],
)
def test_styles(tmp_path: Path, style: dict[str, Any], schema: Any, query: str, value: Any) -> None:
    assert value_of(tmp_path, {"in": "query", "schema": schema, **style}, Request("GET", "/a/x", query)) == value


@pytest.mark.parametrize(
    ("schema", "headers", "value"),
    [
        ({"type": "integer"}, [("Q", "7")], 7),
        ({"type": "string"}, [("q", "a"), ("Q", "b")], "a, b"),
        (INTEGERS, [("q", "1, 2")], [1, 2]),
        ({"type": "array"}, [("q", "a ,  b")], ["a", "b"]),
        (INTEGERS, [("q", "1"), ("q", "2")], [1, 2]),
        (POINT, [("q", "x,1,y,true")], {"x": 1, "y": True}),
        ({"type": "string"}, [], MISSING),
    ],
)
def test_headers(tmp_path: Path, schema: Any, headers: list[tuple[str, str]], value: Any) -> None:
    request = Request("GET", "/a/x", "", tuple(headers))
    assert value_of(tmp_path, {"in": "header", "schema": schema}, request) == value


@pytest.mark.parametrize(("cookie", "value"), [("a=1; q=2;q2=3", 2), ("q=x=y", "x=y"), ("aq=1", MISSING)])
def test_cookies(tmp_path: Path, cookie: str, value: Any) -> None:
    request = Request("GET", "/a/x", "", (("Cookie", cookie),))
    assert value_of(tmp_path, {"in": "cookie", "schema": {"type": "integer"}}, request) == value
    assert value_of(tmp_path, {"in": "cookie", "schema": {}}, Request("GET", "/a/x")) is MISSING


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


TOKEN = "Authorization must be Bearer and a token; "
PAIR = "Authorization must carry credentials; "


@pytest.mark.parametrize(
    ("scheme", "value", "told"),
    [
        ("bearer", "Bearer a", ""),
        ("bearer", " bEARER   !~ ", ""),
        ("bearer", None, f"missing: {TOKEN}it is absent"),
        ("bearer", " ", f"malformed: {TOKEN}got no scheme before the token"),
        ("bearer", "abc", f"malformed: {TOKEN}got no scheme before the token"),
        ("bearer", "Token abc", f"malformed: {TOKEN}got another scheme than bearer"),
        ("bearer", "Bearer ", f"malformed: {TOKEN}got the scheme without a token"),
        ("bearer", "Bearer a b", f"malformed: {TOKEN}got a token with blanks or unprintable characters"),
        ("bearer", "Bearer \x7f", f"malformed: {TOKEN}got a token with blanks or unprintable characters"),
        ("basic", basic("a:b"), ""),
        ("basic", None, f"missing: {PAIR}it is absent"),
        ("basic", " ", f"missing: {PAIR}it is absent"),
        ("basic", basic("ab"), f"malformed: {PAIR}got no colon between name and password"),
        ("basic", "Basic a:b", f"malformed: {PAIR}got no base64"),
        ("basic", "Basic YTpi!", f"malformed: {PAIR}got no base64"),
        ("basic", "Basic ä", f"malformed: {PAIR}got no base64"),
        ("basic", "Bearer abc", f"malformed: {PAIR}got another scheme than basic"),
        ("head", "any thing", ""),
        ("head", " ", "missing: X-Key must carry credentials; it is absent"),
    ],
)
def test_credentials(tmp_path: Path, scheme: str, value: str | None, told: str) -> None:
    contract, operation = contract_of(tmp_path, security=[{scheme: []}])
    name = "x-key" if scheme == "head" else "authorization"
    request = Request("GET", "/a/x", "", () if value is None else ((name, value),))
    found = list(credentials.violations(Explainer(contract), operation, request))
    assert [f"{violation.rule}: {violation.message}" for violation in found] == ([f"security.{told}"] if told else [])
    for violation in found:
        assert violation.pointer == ("/headers/X-Key" if scheme == "head" else "/headers/Authorization")
        assert (violation.side, violation.operation) == ("request", "g")
        assert violation.place.endswith(f"/components/securitySchemes/{scheme}")


@pytest.mark.parametrize(
    ("request_", "pointers", "secret"),
    [
        (Request("GET", "/a/x", "key=k&key=l&a="), [], "k"),
        (Request("GET", "/a/x", "key="), ["/query/key"], ""),
        (Request("GET", "/a/x", "", (("Authorization", "Bearer t"), ("Cookie", "a=1; key=v=w"))), [], "t"),
        (Request("GET", "/a/x", "", (("Authorization", "Bearer t"),)), ["/query/key"], "t"),
        (Request("GET", "/a/x", "", (("Cookie", "xkey=1"),)), ["/query/key"], None),
        (Request("GET", "/a/x", "", (("Cookie", "xkey=1; key=2"),)), ["/query/key"], "2"),
        (Request("GET", "/a/x"), ["/query/key"], None),
    ],
)
def test_one_alternative_is_enough(tmp_path: Path, request_: Request, pointers: list[str], secret: str | None) -> None:
    contract, operation = contract_of(tmp_path, security=[{"asked": []}, {"bearer": [], "baked": []}])
    found = list(credentials.violations(Explainer(contract), operation, request_))
    assert [violation.pointer for violation in found] == pointers
    assert credentials.secret_of(operation, request_) == secret


def test_both_of_two_are_needed_and_named(tmp_path: Path) -> None:
    contract, operation = contract_of(tmp_path, security=[{"bearer": [], "baked": []}])
    found = list(credentials.violations(Explainer(contract), operation, Request("GET", "/a/x")))
    assert [violation.pointer for violation in found] == ["/headers/Authorization", "/cookie/key"]


@pytest.mark.parametrize(
    ("security", "key", "carried"),
    [
        ([{"asked": []}, {"bearer": []}], "k", (("Authorization", "Bearer k"),)),
        ([{"basic": []}], "k", (("Authorization", basic("k:")),)),
        ([{"basic": []}], "n:p", (("Authorization", basic("n:p")),)),
        ([{"baked": []}, {"head": []}], "k", (("X-Key", "k"),)),
        ([{"asked": []}, {"baked": []}], "k", ()),
        ([], "k", ()),
    ],
)
def test_how_a_key_is_carried(tmp_path: Path, security: Any, key: str, carried: Any) -> None:
    assert credentials.carrier(contract_of(tmp_path, security=security)[1], key) == carried


def test_keys_are_compared() -> None:
    assert credentials.same("ä", "ä")
    assert not credentials.same("a", "b")
    assert not credentials.same(None, "None")
    assert isinstance(Security("bearer", "n", "header", ""), Security)
