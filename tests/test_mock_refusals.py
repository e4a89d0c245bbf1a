"""What the mock refuses, how it says so, and that no body whatever makes it fail."""

from __future__ import annotations

import json
import random
import socket
from typing import Any

import pytest

from mockserver.server import Running
from tests.conftest import KEY, ask, parsed, received

PATH = "/v1/images/generations"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n"


def envelope(answer: Any) -> dict[str, Any]:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"].strip()
    return dict(error)


@pytest.mark.parametrize(
    ("change", "param", "code", "words"),
    [
        ({"n": 11}, "n", "integer_above_max_value", ["n must be at most 10", "got 11"]),
        ({"n": 0}, "n", "integer_below_min_value", ["n must be at least 1", "got 0"]),
        ({"n": "1"}, "n", "invalid_type", ["n must be an integer", "a string"]),
        ({"n": 1.5}, "n", "invalid_type", ["n must be an integer", "1.5"]),
        ({"n": True}, "n", "invalid_type", ["n must be an integer", "a boolean"]),
        ({"prompt": "x" * 1001}, "prompt", "string_above_max_length", ["at most 1000 characters", "1001 characters"]),
        ({"prompt": None}, "prompt", "invalid_type", ["prompt must be a string", "null"]),
        ({"size": "1x1"}, "size", "invalid_value", ["1536x1024", "1x1"]),
        ({"size": "256x256"}, "size", "invalid_value", ["auto", "256x256"]),
        ({"model": 3}, "model", "invalid_type", ["model must be a string"]),
    ],
)
def test_a_broken_rule_is_named(
    mock: Running, good: dict[str, Any], change: dict[str, Any], param: str, code: str, words: list[str]
) -> None:
    answer = ask(mock, value={**good, **change})
    error = envelope(answer)
    assert (answer.status, error["param"], error["code"]) == (400, param, code)
    assert error["type"] == "invalid_request_error"
    assert all(word in error["message"] for word in words), error["message"]
    assert answer.headers["contract-violations"] == "1"


def test_all_violations_are_named(mock: Running) -> None:
    answer = ask(mock, value={"n": 99, "size": 7})
    message = envelope(answer)["message"]
    assert answer.headers["contract-violations"] == "3"
    assert all(
        word in message for word in ("prompt is required", "n must be at most 10; got 99", "size must be a string")
    )


@pytest.mark.parametrize("field", ["prompt", "n", "size"])
def test_a_missing_field(mock: Running, good: dict[str, Any], field: str) -> None:
    del good[field]
    error = envelope(ask(mock, value=good))
    assert (error["param"], error["code"]) == (field, "missing_required_parameter")


BODIES = {
    "empty": b"",
    "blank": b" \n ",
    "cut": b'{"prompt": "a man',
    "half": b'{"prompt": "a", "n": 1, "size": "auto"',
    "null": b"null",
    "text": b'"text"',
    "list": b"[1]",
    "number": b"12",
    "NaN": b'{"prompt": "a", "n": NaN, "size": "auto"}',
    "infinity": b'{"prompt": "a", "n": -Infinity, "size": "auto"}',
    "huge float": b'{"prompt": "a", "n": 1e999, "size": "auto"}',
    "big float": b'{"prompt": "a", "n": 1e300, "size": "auto"}',
    "5,000 digits": b'{"prompt": "a", "size": "auto", "n": ' + b"9" * 5000 + b"}",
    "30 digits": b'{"prompt": "a", "size": "auto", "n": ' + b"9" * 30 + b"}",
    "repeated key": b'{"prompt": "a", "n": 1, "n": 2, "size": "auto"}',
    "repeated key, escaped": b'{"prompt": "a", "n": 1, "\\u006e": 2, "size": "auto"}',
    "repeated key, nested": b'{"prompt": "a", "n": 1, "size": "auto", "x": {"a": 1, "a": 2}}',
    "repeated key and colons": b'{"prompt": "\\u003a", "n": 1, "n": 2, "size": "auto"}',
    "brackets": b"[" * 1_000_000,
    "closed brackets": b"[" * 400_000 + b"]" * 400_000,
    "braces": b'{"a":' * 150_000,
    "deep": b'{"prompt": "a", "n": 1, "size": "auto", "x": ' + b"[" * 300 + b"]" * 300 + b"}",
    "not UTF-8": b'{"prompt": "\xff\xfe", "n": 1, "size": "auto"}',
    "surrogate in UTF-8": b'{"prompt": "\xed\xa0\x80", "n": 1, "size": "auto"}',
    "UTF-16": '{"prompt": "a", "n": 1, "size": "auto"}'.encode("utf-16"),
    "BOM": b'\xef\xbb\xbf{"prompt": "a", "n": 1, "size": "auto"}',
    "raw control": b'{"prompt": "\x01", "n": 1, "size": "auto"}',
    "single quotes": b"{'prompt': 'a'}",
    "trailing comma": b'{"prompt": "a", "n": 1, "size": "auto",}',
    "trailing": b'{"prompt": "a", "n": 1, "size": "auto"} x',
    "two texts": b'{"prompt": "a", "n": 1, "size": "auto"}{}',
    "comment": b'{"prompt": "a", "n": 1, "size": "auto"} // yes',
    "form": b"prompt=a&n=1",
    "NULs": b"\0" * 100,
    "random": random.Random(1).randbytes(5000),
}
SERVED = {
    "lone surrogate": b'{"prompt": "\\ud800", "n": 1, "size": "auto"}',
    "NUL in a string": b'{"prompt": "\\u0000", "n": 1, "size": "auto"}',
    "1.0": b'{"prompt": "a", "n": 1.0, "size": "auto"}',
    "1e0": b'{"prompt": "a", "n": 1e0, "size": "auto"}',
    "unknown fields": b'{"prompt": "a", "n": 1, "size": "auto", "x": {"y": [1, null, 1.5, 1e30]}}',
    "big number elsewhere": b'{"prompt": "a", "n": 1, "size": "auto", "x": ' + b"9" * 400 + b"}",
    "odd key": b'{"prompt": "a", "n": 1, "size": "auto", "": 1, "\\ud800": 2, "a:b": ":::"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_no_bad_body_is_served_or_breaks_the_mock(mock: Running, name: str) -> None:
    answer = ask(mock, body=BODIES[name])
    assert answer.status == 400, answer.body[:300]
    assert len(envelope(answer)["message"]) < 5000
    assert len(mock.journal) == 1


@pytest.mark.parametrize("name", SERVED)
def test_odd_but_valid_bodies_are_served(mock: Running, name: str) -> None:
    answer = ask(mock, body=SERVED[name])
    assert answer.status == 200, answer.body[:300]
    assert len(answer.json()["choices"]) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit(mock: Running, chunked: bool) -> None:
    body = b'{"prompt": "' + b"x" * (2 << 20) + b'"}'
    if chunked:
        pieces = b"".join(b"10000\r\n" + body[i : i + 65536].ljust(65536) + b"\r\n" for i in range(0, len(body), 65536))
        request = HEAD + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = parsed(received(mock.port, request.encode() + pieces + b"0\r\n\r\n"))
    else:
        answer = ask(mock, body=body)
    assert answer.status == 413
    error = envelope(answer)
    assert error["code"] == "request_too_large"
    assert "1048576 bytes" in error["message"]
    assert mock.journal.entries()[-1].body == b""


def test_a_client_that_waits_for_leave_is_refused_at_once(mock: Running) -> None:
    request = HEAD + "Content-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    assert parsed(received(mock.port, request.encode())).status == 413


def test_a_chunked_body_is_served(mock: Running, good: dict[str, Any]) -> None:
    body = json.dumps(good).encode()
    chunks = b"".join(b"1\r\n%b\r\n" % bytes([byte]) for byte in body) + b"0\r\n\r\n"
    request = HEAD + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert parsed(received(mock.port, request.encode() + chunks)).status == 200


@pytest.mark.parametrize("said", [10_000, 3])
def test_a_wrong_content_length(mock: Running, good: dict[str, Any], said: int) -> None:
    body = json.dumps(good).encode()
    request = (HEAD + f"Content-Type: application/json\r\nContent-Length: {said}\r\n\r\n").encode() + body
    with socket.create_connection(("127.0.0.1", mock.port), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        data = connection.recv(65536)
    assert not data.startswith(b"HTTP/1.1 5")
    assert ask(mock, value=good).status == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": None}, 401, None),
        ({"Authorization": "Bearer"}, 401, "invalid_api_key"),
        ({"Authorization": "Basic YTpi"}, 401, "invalid_api_key"),
        ({"Authorization": "sk-0123456789abcdef"}, 401, "invalid_api_key"),
        ({"Authorization": "Bearer a b"}, 401, "invalid_api_key"),
        ({"Authorization": "Bearer schlüssel"}, 401, "invalid_api_key"),
        ({"Content-Type": "text/plain"}, 415, "unsupported_content_type"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415, "unsupported_content_type"),
    ],
)
def test_headers_that_are_refused(
    mock: Running, good: dict[str, Any], headers: dict[str, str | None], status: int, code: str | None
) -> None:
    answer = ask(mock, value=good, headers=headers)
    assert (answer.status, envelope(answer)["code"]) == (status, code)
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "bearer x"},
        {"Authorization": "BEARER  x.y-z_~+/="},
        {"Content-Type": "Application/JSON; charset=utf-8"},
        {"Content-Type": None},
        {"Accept": "text/html"},
        {"X-Extra": "ü" * 300},
    ],
)
def test_headers_that_are_served(mock: Running, good: dict[str, Any], headers: dict[str, str | None]) -> None:
    assert ask(mock, value=good, headers=headers).status == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/images/generation", PATH + "/", "//", "/%2e%2e/x", "/v1/chat/%00"])
def test_an_unknown_path(mock: Running, path: str) -> None:
    answer = ask(mock, path=path, value={})
    assert answer.status == 404
    assert path in envelope(answer)["message"] or "not in the contract" in envelope(answer)["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_wrong_method_names_the_right_one(mock: Running, method: str) -> None:
    answer = ask(mock, method)
    assert (answer.status, answer.headers["allow"], envelope(answer)["code"]) == (405, "POST", "method_not_supported")


def test_malformed_http_and_endless_headers_do_not_stop_the_mock(mock: Running, good: dict[str, Any]) -> None:
    assert parsed(received(mock.port, b"NOT HTTP\r\n\r\n")).status == 400
    assert parsed(received(mock.port, b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n")).status == 400
    many = "".join(f"X-{i}: {'y' * 200}\r\n" for i in range(1000))
    answer = parsed(received(mock.port, (HEAD + many + "\r\n").encode()))
    assert answer.status == 431
    assert ask(mock, value=good).status == 200


GATE = {"X-Gate-Pass": "let-me-in-123", "Authorization": None}


@pytest.mark.parametrize(
    ("method", "path", "value", "headers", "status", "words"),
    [
        ("GET", "/beds", None, {"X-Gardener": "Ada"}, 400, "kind must be sent"),
        ("GET", "/beds?kind=moss", None, {"X-Gardener": "Ada"}, 400, 'one of "herb" or "fern"'),
        ("GET", "/beds?kind=herb&limit=51", None, {"X-Gardener": "Ada"}, 400, "limit must be at most 50"),
        ("GET", "/beds?kind=herb&limit=x", None, {"X-Gardener": "Ada"}, 400, "limit must be an integer"),
        ("GET", "/beds/plot_a", None, {}, 400, "plot must match the pattern"),
        ("GET", "/beds/plot_aaaa", None, {"X-Gate-Pass": None}, 401, "X-Gate-Pass"),
        ("POST", "/beds", {"title": "x"}, {}, 400, "soil is required"),
        ("POST", "/beds", {"title": "x", "soil": "mud"}, {}, 400, "soil must"),
        ("POST", "/beds", {"title": "x", "soil": "sand", "seedlings": 9}, {}, 400, "seedlings must be at most 5"),
        ("PUT", "/compost", {"kilos": 0}, {}, 422, "kilos must be above 0"),
        ("PUT", "/compost", {"litres": 1}, {}, 422, "litres must not be present"),
        ("GET", "/sheds", None, {}, 404, "/sheds"),
        ("PATCH", "/beds", None, {}, 405, "/beds"),
    ],
)
def test_another_contract_refuses_in_its_own_form(
    garden: Running, method: str, path: str, value: Any, headers: dict[str, str | None], status: int, words: str
) -> None:
    answer = ask(garden, method, "/garden/v9" + path, value=value, headers={**GATE, **headers})
    fault = answer.json()
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert set(fault) >= {"fault", "severity"}
    assert words in fault["fault"]
    assert 1 <= fault["severity"] <= 5


def test_outside_the_base_path_there_is_nothing(garden: Running) -> None:
    for path in ("/beds?kind=fern", "/", "/garden/v9", "/garden/v90/beds"):
        assert ask(garden, "GET", path, headers=GATE).status == 404
