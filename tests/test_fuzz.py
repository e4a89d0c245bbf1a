"""Anything at all over a raw socket, in a contract and in a record: an answer or one sentence, never a crash.

``pytest tests/test_fuzz.py --hypothesis-profile=fuzz`` tries a hundred times as much.
"""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver import lint, openapi
from mockserver.app import Mock
from mockserver.errors import ContractError, ContractToolError
from mockserver.har import read as read_har
from mockserver.messages import Request
from mockserver.server import Running, background
from mockserver.settings import Settings
from mockserver.validation import Judge

QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck))
SLOW = settings(QUIET, max_examples=max(15, settings.default.max_examples // 8))
GOOD = {"model": "gpt-image-1.5", "prompt": "a fox", "n": 1, "size": "1024x1024"}
INVENTED = json.loads((Path(__file__).parent / "invented" / "openapi.json").read_text())

# ------------------------------------------------------------------------------------------------- the wire

LATIN = st.text(st.characters(codec="latin-1"), max_size=12).map(lambda text: text.encode("latin-1"))
SCALARS = st.none() | st.booleans() | st.floats() | st.integers(-(10**20), 10**20) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
ODD_BODIES = st.sampled_from(
    [b"", b"[" * 50_000, b'{"n":1e400}', b'{"n":' + b"9" * 5000 + b"}", b'{"a":1,"a":2}', b'"\\ud800"', b"\xff\xfe{\x00}\x00",
     b"\xef\xbb\xbf{}", b"NaN", b"{}{}", b'{"prompt":"\x00"}', b"nul", b'{"n":-0}', b'{"n":1.0}', b"\x1f\x8b\x08"]
)  # fmt: skip


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


BODIES = st.one_of(
    st.just(dumped(GOOD)),
    st.binary(max_size=60),
    ODD_BODIES,
    VALUES.map(dumped),
    st.builds(lambda name, value: dumped({**GOOD, name: value}), st.sampled_from([*GOOD, "style"]), VALUES),
    st.builds(lambda at, some: dumped(GOOD)[:at] + some + dumped(GOOD)[at:], st.integers(0, 60), st.binary(max_size=3)),
)
METHODS = (
    st.sampled_from([b"POST", b"POST", b"POST", b"GET", b"HEAD", b"PUT", b"OPTIONS", b"post", b"CONNECT", b"BREW"])
    | LATIN
)
TARGETS = st.one_of(
    st.just(b"/v1/images/generations"),
    st.sampled_from(
        [b"/", b"*", b"//", b"/v1//images/generations", b"/v1/images/generations?a=%zz", b"/%00", b"/..%2f..%2fetc/passwd",
         b"http://other.example/v1/images/generations", b"/__admin/requests?limit=x", b"/__admin/scenarios", b"/\xff", b"/v1/images/generations#x"]
    ),
    LATIN.map(lambda text: b"/" + text),
)  # fmt: skip
HEADERS = st.lists(
    st.one_of(
        st.sampled_from(
            [b"Authorization: Bearer x", b"Accept: application/json", b"Content-Type: application/json", b"Content-Type: text/plain",
             b"Content-Encoding: gzip", b"Expect: 100-continue", b"Upgrade: websocket", b"Connection: keep-alive", b"Host: evil.example",
             b"Prefer: code=204", b"Prefer: code=999, delay=x", b"Prefer: example=\"\\\"", b"Prefer: scenario=rate-limited", b"Prefer: cut=1",
             b"Mock-Session: \xe9\x01", b"X: LARGE", b" folded", b"NoColon", b": empty", b"Cookie: a=b; =c"]
        ),
        st.builds(lambda name, value: name + b": " + value, LATIN, LATIN),
        st.just(b"Prefer: ") | LATIN.map(lambda text: b"Prefer: " + text),
    ),
    max_size=5,
)  # fmt: skip
FRAMES = st.sampled_from(
    ["length", "length", "length", "short", "long", "negative", "chunked", "badly chunked", "both", "none"]
)


def framed(method: bytes, target: bytes, headers: list[bytes], body: bytes, frame: str) -> bytes:
    usual = [
        b"Host: 127.0.0.1",
        b"Authorization: Bearer x",
        b"Accept: application/json",
        b"Content-Type: application/json",
    ]
    lines = [method + b" " + target + b" HTTP/1.1", *usual, *headers]
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    lengths = {
        "length": len(body),
        "short": max(0, len(body) - 2),
        "long": len(body) + 5,
        "negative": -1,
        "both": len(body),
    }
    if frame in lengths:
        lines.append(b"Content-Length: %d" % lengths[frame])
    if "chunked" in frame or frame == "both":
        lines.append(b"Transfer-Encoding: chunked")
        body = chunk + (b"zz\r\n" if frame == "badly chunked" else b"0\r\n\r\n")
    return b"\r\n".join(lines).replace(b"LARGE", b"a" * 70_000) + b"\r\n\r\n" + body


def answered(port: int, request: bytes) -> bytes:
    """All that comes back for one request and the end of the client's sending."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        received = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                received += piece
        except OSError:  # the server closed first, which it may
            pass
        return received


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with background(Settings()) as mock:
        yield mock


@given(METHODS, TARGETS, HEADERS, BODIES, FRAMES)
@QUIET
def test_whatever_is_sent_the_mock_answers_and_goes_on(
    running: Running, method: bytes, target: bytes, headers: list[bytes], body: bytes, frame: str
) -> None:
    received = answered(running.port, framed(method, target, headers, body, frame))
    if received:
        assert received.startswith(b"HTTP/1.1 "), received[:80]
        assert not received.startswith(b"HTTP/1.1 500"), received[:300]
    plain = answered(
        running.port, framed(b"POST", b"/v1/images/generations", [b"Connection: close"], dumped(GOOD), "length")
    )
    assert plain.startswith(b"HTTP/1.1 200 "), plain[:80]


@given(st.binary(max_size=400))
@QUIET
def test_bytes_that_are_not_http(running: Running, sent: bytes) -> None:
    received = answered(running.port, sent)
    assert received == b"" or received.startswith(b"HTTP/1.1 4"), received[:80]


# ------------------------------------------------------------------------------------- contracts and records

SCHEMA_WORDS = st.sampled_from(
    ["type", "properties", "required", "items", "pattern", "$ref", "allOf", "enum", "minimum", "maxLength", "not", "if", "x-length",
     "additionalProperties", "patternProperties", "multipleOf", "format", "example", "default", "x-sum", "x-source"]
)  # fmt: skip
ODD_VALUES = st.one_of(
    VALUES.filter(lambda value: "NaN" not in json.dumps(value) and "Infinity" not in json.dumps(value)),
    st.sampled_from(
        ["#/components/schemas/Bed", "#/nowhere", "#", "../x.json", "(", "a**", "string", [], {}, -1, 1e308, True]
    ),
    st.builds(
        lambda word, value: {word: value},
        SCHEMA_WORDS,
        SCALARS.filter(lambda v: v == v and v not in (float("inf"), -float("inf"))),
    ),
    st.builds(lambda word, name: {word: {"$ref": name}}, SCHEMA_WORDS, st.just("#/components/schemas/Bed")),
)


def places_of(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from places_of(member, (*path, key))


PLACES = list(places_of(INVENTED))


@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD_VALUES), min_size=1, max_size=2))
@SLOW
def test_a_contract_is_refused_in_words_or_can_be_served(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    document = copy.deepcopy(INVENTED)
    for path, value in changes:
        node = document
        try:
            for step in path[:-1]:
                node = node[step]
            node[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    file = tmp_path_factory.getbasetemp() / "fuzzed.json"
    file.write_text(json.dumps(document))
    try:
        lint.check(str(file))
        lint.prove(str(file))
        mock = Mock(Settings(contract=str(file)))
    except ContractError:
        return
    judge = Judge(mock.contract)
    for operation in mock.contract.operations:
        judge.request(
            Request(operation.method, operation.path, "", (("Content-Type", "application/json"),), b'{"a": [1]}')
        )


HAR = json.dumps(
    {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [
        {"startedDateTime": "2026-01-01T00:00:00Z", "time": 1,
         "request": {"method": "POST", "url": "https://api.quickrouter.ai/v1/images/generations", "httpVersion": "HTTP/1.1",
                     "headers": [{"name": "Accept", "value": "*/*"}], "postData": {"mimeType": "application/json", "text": "{}"}},
         "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": "e30=", "encoding": "base64"}}}]}}
).encode()  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, len(HAR)), st.integers(0, 9), st.binary(max_size=4)), min_size=1, max_size=4))
@QUIET
def test_a_record_is_read_or_refused_in_words(cuts: list[tuple[int, int, bytes]]) -> None:
    content = HAR
    for at, length, instead in cuts:
        content = content[:at] + instead + content[at + length :]
    try:
        judge, exchanges = Judge(openapi.load()), list(read_har(BytesIO(content), "fuzzed.har"))
    except ContractToolError:
        return
    for exchange in exchanges:
        judge.exchange(exchange)
