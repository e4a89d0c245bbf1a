"""The faulty server is a fair yardstick: faithful where it says so, and wrong in just the way that each fault says."""

from __future__ import annotations

import ast
import itertools
import json
import socket
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faulty import FAULTS, PROFILES
from tests.faulty.faithful import NO_HOOKS, Session, respond
from tests.faulty.fault import Ask, ask
from tests.faulty.server import Server, serve
from tests.faulty.wire import Request

EXAMPLE = ask()


def send(server: Server, request: Ask) -> bytes:
    """The bytes that come back until the connection ends; a reset is an answer of its own."""
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(request.render("127.0.0.1"))
        received = bytearray()
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            return bytes(received) + b"RESET"
    return bytes(received)


def split(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and body of a well-framed answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding") == "chunked":
        joined = b""
        while (size := int(body.split(b"\r\n", 1)[0], 16)) > 0:
            body = body.split(b"\r\n", 1)[1]
            joined, body = joined + body[:size], body[size + 2 :]
        body = joined
    elif "content-length" in headers:
        assert len(body) == int(headers["content-length"])
    return int(lines[0].split()[1]), headers, body


def answers(fault: str | None, requests: tuple[Ask, ...]) -> list[bytes]:
    """What a server with a fixed seed and a clock that ticks once for each request answers."""
    clock = itertools.count(1_700_000_000)
    with serve(fault, clock=lambda: next(clock), seed="fixed") as server:
        received = [send(server, request) for request in requests]
        assert server.requests == len(requests)
    return received


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_answers_the_example_as_documented(profile: str) -> None:
    with serve(profile=profile) as server:
        status, headers, body = split(send(server, EXAMPLE))
        document: dict[str, Any] = json.loads(body)
        assert (status, headers["content-type"].split(";")[0].lower()) == (200, "application/json")
        assert {"id", "object", "created", "choices", "usage"} <= set(document)
        assert isinstance(document["created"], int)
        assert len(document["choices"]) == 1
        assert document["choices"][0].get("index", 0) == 0
        usage = document["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert (server.requests, server.accepted, server.images) == (1, 1, 1)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("request_", "statuses"),
    [
        (ask(prompt="图🦊" * 500), {200}),
        (ask(n=1.0), {200}),
        (ask(n=10, size="auto"), {200}),
        (ask(prompt="a" * 1001), {400, 422}),
        (ask(n=0), {400, 422}),
        (ask(n=11), {400, 422}),
        (ask(n=1.5), {400, 422}),
        (ask(n=True), {400, 422}),
        (ask(n="1"), {400, 422}),
        (ask(size="256x256"), {400, 422}),
        (ask(drop=("prompt",)), {400, 422}),
        (ask(drop=("n",)), {400, 422}),
        (ask(drop=("size",)), {400, 422}),
        (ask(body=b'{"prompt": NaN}'), {400, 422}),
        (ask(body=b"[" * 100_000), {400, 422}),
        (ask(body=b"[]"), {400, 422}),
        (ask(body=b""), {400, 422}),
        (ask(headers={"Content-Type": "text/plain"}), {400, 415}),
        (ask(headers={"Authorization": None}), {401}),
        (ask(headers={"Authorization": "Bearer "}), {401}),
        (ask(headers={"Authorization": "Basic YTpi"}), {401}),
        (ask(path="/v1/nowhere"), {404}),
        (ask(method="GET", body=b""), {405}),
    ],
)
def test_every_profile_keeps_the_documented_rules(profile: str, request_: Ask, statuses: set[int]) -> None:
    with serve(profile=profile) as server:
        status, headers, body = split(send(server, request_))
        assert status in statuses
        document = json.loads(body)
        if status == 200:
            assert len(document["choices"]) == server.images == json.loads(request_.body)["n"]
        else:
            assert isinstance(document["error"]["message"], str)
            assert (server.accepted, server.images) == (0, 0)
            assert ("allow" in headers) == (status == 405)
        assert server.log == [(request_.method, request_.path, status)]


NASTY = (
    b'{"n":1e400,"prompt":"a","size":"auto"}',
    b'{"n":' + b"9" * 5000 + b"}",
    b'{"n":1,"prompt":"\\ud800","size":"auto","model":"\\ud800"}',
    b'{"n":1,"prompt":"a","size":"auto","\\udfff":1}',
    b'{"a":' * 3000,
    "{}".encode("utf-16"),
    b"\xff",
)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_answers_whatever_comes_in_json_and_never_with_5xx(profile: str) -> None:
    witnesses = {request for fault in FAULTS.values() for request in fault.witness}
    session = Session(PROFILES[profile], None, time.time, "fixed")
    for request_ in [*witnesses, *(ask(body=body) for body in NASTY)]:
        headers = tuple(pair for pair in request_.headers if pair[0] != "Accept-Encoding")
        request = Request(request_.method, request_.path, headers, request_.body, request_.chunked)
        answer = respond(session, request, NO_HOOKS)
        assert answer.status in {200, 400, 401, 404, 405, 406, 415, 422}
        assert isinstance(json.loads(answer.body.decode("utf-8")), dict)


def test_a_connection_is_kept_and_only_the_given_key_is_valid() -> None:
    one = EXAMPLE.render("127.0.0.1").replace(b"Connection: close\r\n", b"")
    with serve(key="sk-only") as server, socket.create_connection((server.host, server.port), timeout=5) as connection:
        for request, status in ((one, b"401"), (one.replace(b"sk-caller-0123456789", b"sk-only"), b"200")):
            connection.sendall(request)
            received = b""
            while not received.endswith(b"}"):
                received += connection.recv(65536)
            assert received.split()[1] == status
        assert server.accepted == 1


def test_the_same_seed_and_clock_give_the_same_bytes() -> None:
    requests = (EXAMPLE, ask(n=3), ask(n=11), EXAMPLE)
    assert answers(None, requests) == answers(None, requests)
    assert len(set(answers(None, requests))) == 4


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_an_answer_to_its_witness(name: str) -> None:
    faulty, faithful = answers(name, FAULTS[name].witness), answers(None, FAULTS[name].witness)
    assert faulty != faithful


def test_the_catalogue_is_large_and_spread() -> None:
    by_category = Counter(fault.category for fault in FAULTS.values())
    held_out = Counter(fault.category for fault in FAULTS.values() if fault.held_out)
    assert len(FAULTS) >= 130
    assert by_category["meaning"] >= 30
    assert all(0.3 <= held_out[category] / count <= 0.7 for category, count in by_category.items())
    assert len({fault.wrong for fault in FAULTS.values()}) == len(FAULTS)


def test_it_stands_on_the_standard_library_alone() -> None:
    for path in (Path(__file__).parent / "faulty").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("tests.faulty"), (path, name)
