"""The limits that ``docs/reference/limits.md`` names, from both sides, and what took minutes before there was one."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contract_tests.target import Target
from mockserver import library, openapi, parsing
from mockserver.dialect import Dialect
from mockserver.errors import ContractError
from mockserver.explanation import VIOLATIONS_AT_MOST
from mockserver.expressions import LONGEST_PATTERN, UNROLLED_AT_MOST, ExpressionError, expression
from mockserver.gaps import filling
from mockserver.messages import Exchange, Request, Response
from mockserver.origins import stranger
from mockserver.overlap import overlapping
from mockserver.server import Running, background
from mockserver.settings import BODY_AT_MOST, HEAD_AT_MOST, Settings
from mockserver.validation import Judge
from tests.conftest import ask, parsed, received
from tests.proxied import proxy
from tests.test_broken_contracts import contract, reference, written

HEAD = b"POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nContent-Type: application/json\r\n"
KEYED = HEAD + b"Authorization: Bearer x\r\n"
GOOD = b'{"model": "gpt-image-1.5", "prompt": "a", "n": 1, "size": "1024x1024"}'
CHUNK = b"%x\r\n%b\r\n" % (len(GOOD), GOOD)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """The work of this process in between stays below a time, whatever else the machine does."""
    started = time.process_time()
    yield
    assert time.process_time() - started < seconds


# ------------------------------------------------------------------------------------------------- the wire


def flooded(port: int, begin: bytes, again: bytes, times: int) -> bytes:
    """What comes back while the same bytes are sent again and again, until the server has enough."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(begin)
        try:
            for _ in range(times):
                connection.sendall(again)
        except OSError:
            pass
        pieces = []
        try:
            while piece := connection.recv(65536):
                pieces.append(piece)
        except OSError:
            pass
    return b"".join(pieces)


ENDLESS = {
    "head": (KEYED, b"X-%s: b\r\n" % (b"a" * 990)),
    "header": (KEYED + b"X: ", b"a" * 1000),
    "extension": (KEYED + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x" * 1000),
    "trailers": (KEYED + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK + b"0\r\n", b"a: b\r\n" * 200),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_gets_no_request_further_ends(mock: Running, what: str) -> None:
    answer = parsed(flooded(mock.port, *ENDLESS[what], times=1200))
    assert answer.status == 431
    assert str(HEAD_AT_MOST) in answer.json()["error"]["message"]


@pytest.mark.parametrize("what", ENDLESS)
def test_the_proxy_ends_it_as_well(mock: Running, what: str) -> None:
    with proxy(mock.url) as running:
        answer = parsed(flooded(running.port, *ENDLESS[what], times=1200))
    assert answer.status == 431
    assert answer.json()["title"] == "Head too large"
    assert "http_request_error" in answer.headers["proxy-status"]


def test_what_a_trailer_says_is_no_header(mock: Running) -> None:
    data = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + b"0\r\n%b\r\n"
    assert parsed(received(mock.port, data % b"Authorization: Bearer x\r\n")).status == 401
    assert parsed(received(mock.port, data.replace(HEAD, KEYED) % b"Prefer: code=429\r\n")).status == 200


def test_a_body_may_have_the_limit_and_no_byte_more(mock: Running) -> None:
    text = GOOD[:-1] + b" " * (BODY_AT_MOST - len(GOOD)) + b"}"
    assert ask(mock, body=text).status == 200
    answer = ask(mock, body=text + b" ")
    assert (answer.status, str(BODY_AT_MOST) in answer.json()["error"]["message"]) == (413, True)


def test_a_request_full_of_keys_is_answered_at_once(mock: Running) -> None:
    many = "; ".join(f"a{n}=secret{n:05}" for n in range(3000))
    with at_most(8):
        answer = ask(mock, body=b'{"prompt": "' + b"secret " * 100_000 + b'"}', headers={"Cookie": many})
    assert answer.status == 400
    assert b"secret00007" not in b"".join(value for _, value in mock.journal.entries(None)[-1].headers)


@pytest.mark.parametrize(
    ("headers", "welcome"),
    [
        ({"host": "127.0.0.1:4010"}, True), ({"host": "[::1]:4010"}, True), ({"host": "LocalHost"}, True),
        ({"host": "127.0.0.1."}, False), ({"host": "2130706433"}, False), ({"host": "127.1"}, False), ({"host": "127.\xb2"}, False),
        ({"host": "evil@127.0.0.1"}, False), ({"host": "127.0.0.1#.evil"}, False), ({"host": "0.0.0.0"}, False), ({}, False),
        ({"host": "localhost", "origin": "http://evil@localhost"}, False), ({"host": "localhost", "origin": "https://localhost"}, True),
        ({"host": "localhost", "sec-fetch-site": "same-origin", "origin": "https://x.example"}, False),
        ({"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, True),
        ({"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ({"host": "localhost", "sec-fetch-site": "same-site", "sec-fetch-dest": "iframe"}, False),
    ],
)  # fmt: skip
def test_who_may_read_the_administration(headers: dict[str, str], welcome: bool) -> None:
    assert (stranger("GET", headers, True) == "") is welcome


def test_a_mock_for_others_takes_any_name_and_no_stranger() -> None:
    assert not stranger("DELETE", {"host": "mock.example", "origin": "http://mock.example"}, False)
    assert stranger("DELETE", {"host": "mock.example", "origin": "http://evil.example"}, False)
    assert stranger("DELETE", {"host": "mock.example", "sec-fetch-site": "cross-site"}, False)


# --------------------------------------------------------------------------------------------------- judging

TWICE = {"allOf": [{"properties": {"a": reference("T")}}, {"properties": {"a": reference("T")}}], "not": {"const": 7}}
AND_OR = {
    "oneOf": [
        {
            "properties": {"op": {"const": op}, "of": {"type": "array", "items": reference("T")}},
            "required": ["op", "of"],
        }
        for op in ("and", "or")
    ]
    + [{"properties": {"op": {"const": "is"}}, "required": ["op"], "maxProperties": 1}]
}
OPEN = {"allOf": [{"properties": {"a": reference("T")}}], "unevaluatedProperties": False}
LINKS: dict[str, Any] = {
    f"L{n}": {"anyOf": [{"properties": {"a": reference(f"L{n + 1}")}} for _ in range(2)]} for n in range(40)
}


def inside(levels: int, innermost: str) -> bytes:
    return ('{"a":' * levels + innermost + "}" * levels).encode()


def filters(levels: int, innermost: str) -> bytes:
    return ('{"op": "or", "of": [' * levels + f'{{"op": "{innermost}"}}' + "]}" * levels).encode()


def judged(tmp_path: Path, schema: Any, body: bytes, **schemas: Any) -> list[str]:
    document = contract({}, components={"schemas": {"T": schema, **schemas}})
    content = document["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"] = reference("T")
    judge = Judge(openapi.load(written(tmp_path, document)))
    headers = (("Content-Type", "application/json"),)
    return [violation.rule for violation in judge.request(Request("POST", "/things", "", headers, body)).violations]


@pytest.mark.parametrize(
    ("schema", "more", "valid", "wrong"),
    [
        (TWICE, {}, inside(60, "{}"), inside(60, "7")),
        (AND_OR, {}, filters(30, "is"), filters(30, "was")),
        (OPEN, {}, inside(40, "{}"), inside(40, '{"b": 1}')),
        (reference("L0"), LINKS | {"L40": {"type": "null"}}, inside(39, "{}"), inside(40, "7")),
    ],
    ids=["twice", "and or", "unevaluated", "chain"],
)
def test_schemas_that_overlap_judge_each_value_once(
    tmp_path: Path, schema: Any, more: Any, valid: bytes, wrong: bytes
) -> None:
    with at_most(8):
        assert judged(tmp_path, schema, valid, **more) == []
        assert judged(tmp_path, schema, wrong, **more) != []


@pytest.mark.parametrize(
    ("schema", "is_so"),
    [
        ({"properties": {"l": reference("T"), "r": reference("T")}}, False),
        ({"properties": {"l": reference("T")}, "additionalProperties": reference("T")}, False),
        ({"properties": {"l": reference("T")}, "patternProperties": {"^l": reference("T")}}, True),
        ({"prefixItems": [reference("T")], "contains": reference("T")}, True),
        (TWICE, True), (AND_OR, True), (OPEN, True),
    ],
)  # fmt: skip
def test_what_overlaps(schema: Any, is_so: bool) -> None:
    assert overlapping({"components": {"schemas": {"T": schema}}}) is is_so


def test_the_shipped_contracts_do_not_overlap() -> None:
    assert not any(overlapping(openapi.load(name).document.data) for name in library.bundled_names())


VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 1.0, -1, 2.5, "", "1", "a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_the_replaced_keywords_say_what_the_library_says(value: Any) -> None:
    numbers = {"anyOf": [{"multipleOf": 0.5}, {"multipleOf": 2}], "oneOf": [{"type": "number"}, {"multipleOf": 3}]}
    for schema in ({"uniqueItems": True}, numbers, {"items": {"uniqueItems": True, "oneOf": [{"type": "array"}, {}]}}):
        assert Dialect(schema).is_valid(value) == Draft202012Validator(schema).is_valid(value)


def test_errors_are_looked_for_up_to_a_number(tmp_path: Path) -> None:
    items = {"type": "array", "uniqueItems": True, "items": {"type": "object", "required": ["a", "b"]}}
    many = b"[" + b",".join(b'{"c":%d}' % n for n in range(40_000)) + b"]"
    with at_most(6):
        assert len(judged(tmp_path, items, many)) == VIOLATIONS_AT_MOST
    closed = {"type": "object", "additionalProperties": False}
    unknown = json.dumps({f"u{n}": 1 for n in range(40_000)}).encode()
    with at_most(6):
        assert len(judged(tmp_path, closed, unknown)) == VIOLATIONS_AT_MOST
    twice = ("{" + ",".join(f'"k{n}":1,"k{n}":2' for n in range(20_000)) + "}").encode()
    with at_most(6):
        assert len(judged(tmp_path, closed, twice)) == 21


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400])
def test_a_number_beyond_the_range_of_doubles_is_judged(tmp_path: Path, number: str) -> None:
    assert judged(tmp_path, {"type": "number", "multipleOf": 0.5}, number.encode()) == []
    assert judged(tmp_path, {"type": "number", "multipleOf": 0.3}, number.encode()) == ["body.multipleOf"]
    judge = Judge(openapi.load())
    asked = Request(
        "POST", "/v1/images/generations", "", (("Content-Type", "application/json"),), b'{"n": %b}' % number.encode()
    )
    answer = Response(200, (("Content-Type", "application/json"),), b'{"created": %b, "choices": []}' % number.encode())
    assert judge.exchange(Exchange("x", asked, answer, started=1.0))


@given(st.lists(st.text("ab-/", max_size=2), min_size=1, max_size=5), st.text("ab-/", max_size=9), st.integers(0, 1))
@settings(max_examples=300, deadline=None)
def test_gaps_are_filled_as_by_a_regular_expression(pieces: list[str], text: str, least: int) -> None:
    gap = "(.+)" if least else "(.*)"
    found = re.fullmatch(gap.join(map(re.escape, pieces)), text, re.DOTALL)
    assert filling(pieces, text, least) == (list(found.groups()) if found else None)


def test_a_path_is_held_against_a_template_at_once(tmp_path: Path) -> None:
    document = contract({"type": "object"})
    document["paths"] = {"/" + "-".join(f"{{p{n}}}" for n in range(12)) + "/x": document["paths"]["/things"]}
    for operation in document["paths"].values():
        operation["post"]["parameters"] = []
    loaded = openapi.load(written(tmp_path, document))
    with at_most(2):
        assert loaded.match("POST", "/" + "-a" * 3000).operation is None
        assert loaded.match("POST", "/" + "-".join("abcdefghijkl") + "/x").path_values["p11"] == "l"


# ------------------------------------------------------------------------------------------ contracts


def test_files_that_refer_to_files_are_bounded(tmp_path: Path) -> None:
    for level in range(9):
        inner = {f"k{n}": {"$ref": f"f{level + 1}.json"} for n in range(9)} if level < 8 else {"x": 1}
        (tmp_path / f"f{level}.json").write_text(json.dumps(inner))
    path = tmp_path / "openapi.json"
    path.write_text(
        json.dumps(
            {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}, "x-a": {"$ref": "f0.json"}}
        )
    )
    with at_most(6), pytest.raises(ContractError, match=f"more than {library.INSERTIONS_AT_MOST} files"):
        library.read(str(path))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "BYTES_AT_MOST", 100)
    (tmp_path / "a.json").write_text("[" + "1," * 60 + "1]")
    with pytest.raises(ContractError, match="more than 100 bytes"):
        parsing.parse(tmp_path / "a.json")


@pytest.mark.parametrize("pattern", ["a" * (LONGEST_PATTERN + 1), "(a{9999}){9999}", f"a{{{UNROLLED_AT_MOST + 1}}}"])
def test_a_regular_expression_that_takes_long_to_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError, match="more than"):
        expression(pattern)


def test_a_long_row_of_plain_characters_is_searched_at_once() -> None:
    with at_most(3):
        assert expression("ab" * 3000 + "+").found_in("ab" * 4000)
        assert not expression(r"\." * 3000 + "x").found_in("." * 9000)


# ----------------------------------------------------------------------------------------------- pictures


def served(answer: bytes) -> tuple[str, Callable[[], None]]:
    """The address of a server that gives one answer to everybody, and what ends it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    threading.Thread(target=run, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/a.png", listener.close


@pytest.mark.parametrize(("coding", "layers"), [("gzip", 1), ("gzip, gzip", 2), ("gzip, gzip, gzip, gzip", 4)])
def test_a_picture_that_unfolds_to_a_bomb_is_not_unfolded(coding: str, layers: int) -> None:
    body = b"\0" * (70_000_000 if layers < 3 else 70)
    for _ in range(layers):
        body = gzip.compress(body, 1)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    url, end = served(head + body)
    target = Target("http://127.0.0.1:9", openapi.load(), "")
    try:
        with pytest.raises(LookupError, match="cannot be read"):
            target.followed(url)
    finally:
        target.close()
        end()


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.1]"])
def test_no_way_of_writing_it_leads_to_this_machine(host: str) -> None:
    target = Target("https://api.example", openapi.load(), "")
    try:
        with pytest.raises(LookupError, match="the machine of whoever reads it"):
            target.followed(f"http://{host}:9/a.png")
    finally:
        target.close()


def test_a_drawing_full_of_comments_is_looked_at_once() -> None:
    judge = Judge(openapi.load("openai-images"))
    from mockserver import viewing

    with at_most(2):
        viewing.looked_at({"as": "url"}, {}, b"<!---->" * 280)
    assert viewing.looked_at({"as": "url"}, {}, b"<!-- a --> <!-- b --><svg xmlns='x'/>") == (None, ())
    assert judge.contract.operations


def test_a_contract_cannot_ask_for_an_answer_without_end(tmp_path: Path) -> None:
    schema = {
        "type": "array",
        "minItems": 10**9,
        "items": {"type": "string", "pattern": "^((a*)*)*$", "minLength": 10**9},
    }
    path = written(tmp_path, contract(schema))
    with at_most(10), background(Settings(contract=path)) as mock:
        data = b"POST /things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        answer = parsed(received(mock.port, data))
    assert len(answer.body) < 1000
