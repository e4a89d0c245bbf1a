"""The short way answers as the long one does, in the right order, and leaves to the long one what is not plain."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.server import Running
from mockserver.shortcut import Shortcut
from tests.conftest import KEY, Answer, parsed

PATH = "/v1/images/generations"


def raw(body: bytes, *more: str, path: str = PATH, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: here", "Accept: application/json", f"Authorization: Bearer {KEY}"]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def connected(running: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        yield connection


def answers(connection: socket.socket, count: int) -> list[Answer]:
    """So many whole answers, in the order in which they came."""
    found: list[Answer] = []
    data = b""
    while len(found) < count:
        head, blank, rest = data.partition(b"\r\n\r\n")
        answer = parsed(head + blank) if blank else None
        size = int(answer.headers.get("content-length", "0")) if answer else 0
        if answer and len(rest) >= size:
            found.append(Answer(answer.status, answer.headers, rest[:size]))
            data = rest[size:]
            continue
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return found


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the requests that reached a short way were taken by it, in their order."""
    seen: list[bool] = []
    take = Shortcut.take

    def watched(self: Shortcut, *arguments: Any) -> Any:
        found = take(self, *arguments)
        seen.append(found is not None)
        return found

    monkeypatch.setattr(Shortcut, "take", watched)
    return seen


def test_both_ways_answer_alike(mock: Running, good: dict[str, Any], taken: list[bool]) -> None:
    body = json.dumps(good).encode()
    with connected(mock) as connection:
        connection.sendall(raw(body))
        [short] = answers(connection, 1)
        connection.sendall(raw(body, "Prefer: nothing"))
        [long] = answers(connection, 1)
    assert taken == [True, False, False]  # the second was tried where it was parsed, and once more by the application
    assert short.status == long.status == 200
    assert list(short.headers) == list(long.headers)
    changing = {"id", "created"}
    assert {k: v for k, v in short.json().items() if k not in changing} == {
        k: v for k, v in long.json().items() if k not in changing
    }
    first, second = mock.journal.entries()
    assert first.id == short.headers["mock-exchange"]
    assert (first.body, first.answer_body, first.operation) == (body, short.body, second.operation)
    assert (first.path, first.answer_names) == (second.path, second.answer_names)
    assert KEY.encode() not in b"".join((*first.values, *second.values))


@given(
    st.sampled_from([{}, {"n": 0}, {"n": 11}, {"prompt": "a" * 1001}, {"size": "1x1"}, {"model": "dall-e-2"}, {"n": 3}]),
    st.lists(
        st.sampled_from(["Prefer: seed=1", "Mock-Session: a", "X-Some: thing", "accept: */*", "Connection: keep-alive",
                         "Authorization: Bearer other"]), max_size=2, unique=True),
)  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_short_way_takes_only_what_is_answered_alike(
    mock: Running, good: dict[str, Any], changes: dict[str, Any], more: list[str]
) -> None:
    body = json.dumps({**good, **changes}).encode()
    request = raw(body, *more)
    head, _, _ = request.partition(b"\r\n\r\n")
    with connected(mock) as connection:
        connection.sendall(request)
        [whole] = answers(connection, 1)
        connection.sendall(head + b"\r\n\r\n")  # in two pieces it is the application's
        time.sleep(0.01)
        connection.sendall(body)
        [pieces] = answers(connection, 1)
    assert (whole.status, list(whole.headers)) == (pieces.status, list(pieces.headers))
    assert whole.headers["contract-violations"] == pieces.headers["contract-violations"]


def test_pipelined_requests_are_answered_in_order(mock: Running, good: dict[str, Any]) -> None:
    plain = [json.dumps({**good, "prompt": f"number {number}"}).encode() for number in range(6)]
    sent = [
        raw(plain[0]),
        raw(plain[1], "Prefer: delay=0.05"),
        raw(plain[2]),
        raw(b'{"n": 0}'),
        raw(plain[4]),
        raw(plain[5]),
    ]
    with connected(mock) as connection:
        connection.sendall(b"".join(sent))
        came = answers(connection, 6)
    assert [answer.status for answer in came] == [200, 200, 200, 400, 200, 200]
    for number in (0, 1, 2, 4, 5):
        assert f"number {number}" in came[number].body.decode()


def test_what_came_before_garbage_is_answered(mock: Running, good: dict[str, Any]) -> None:
    body = json.dumps(good).encode()
    with connected(mock) as connection:
        connection.sendall(raw(body) + raw(body) + b"this is not HTTP\r\n\r\n")
        came = answers(connection, 4)
    assert [answer.status for answer in came] == [200, 200, 400]


def test_what_is_no_http_and_too_long_is_refused_once(mock: Running, caplog: pytest.LogCaptureFixture) -> None:
    with connected(mock) as connection:
        connection.sendall("POST /\u00e9\u4e2d HTTP/1.1\r\n".encode() + b"X-A: " + b"a" * 200_000 + b"\r\n\r\n")
        came = b""
        while piece := connection.recv(65536):
            came += piece
    assert came.count(b"HTTP/1.1 ") == 1
    assert parsed(came).status == 400
    assert caplog.text == ""


@pytest.mark.parametrize("cut", [1, 40, -30, -1])
def test_a_request_in_pieces(mock: Running, good: dict[str, Any], cut: int, taken: list[bool]) -> None:
    request = raw(json.dumps(good).encode())
    with connected(mock) as connection:
        for _ in range(2):
            connection.sendall(request[:cut])
            time.sleep(0.02)
            connection.sendall(request[cut:])
            assert answers(connection, 1)[0].status == 200
    assert len(mock.journal) == 2
    assert taken == [True, True]


def test_a_chunked_body(mock: Running, good: dict[str, Any]) -> None:
    body = json.dumps(good).encode()
    head = raw(b"", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    chunks = b"%x\r\n%b\r\n0\r\nTrailing: thing\r\n\r\n" % (len(body), body)
    with connected(mock) as connection:
        connection.sendall(head + chunks)
        assert answers(connection, 1)[0].status == 200
        connection.sendall(raw(body))
        assert answers(connection, 1)[0].status == 200


def test_another_protocol_is_offered(mock: Running, good: dict[str, Any]) -> None:
    """Java's HttpClient and ``curl --http2`` offer HTTP/2 with every plain-text request."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
    with connected(mock) as connection:
        for _ in range(2):
            connection.sendall(raw(json.dumps(good).encode(), *offer))
            assert answers(connection, 1)[0].status == 200
    assert mock.journal.entries()[0].body == json.dumps(good).encode()


def test_a_body_over_the_limit(start: Any, good: dict[str, Any]) -> None:
    running = start(max_body=300)
    with connected(running) as connection:
        connection.sendall(raw(json.dumps({**good, "prompt": "a" * 400}).encode()))
        assert answers(connection, 1)[0].status == 413


def test_a_key_that_stands_elsewhere_too_is_not_kept(mock: Running, good: dict[str, Any]) -> None:
    with connected(mock) as connection:
        connection.sendall(raw(json.dumps({**good, "prompt": f"my key is {KEY}"}).encode()))
        [answer] = answers(connection, 1)
    [entry] = mock.journal.entries()
    assert KEY.encode() not in entry.body + entry.answer_body + answer.body


def test_an_answer_that_cannot_be_made_is_the_application_s(
    mock: Running, good: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> Any:
        raise RecursionError("too deep")

    monkeypatch.setattr(Shortcut, "take", broken)
    with connected(mock) as connection:
        connection.sendall(raw(json.dumps(good).encode()))
        [answer] = answers(connection, 1)
    assert answer.status == 500
    assert "cannot be answered" in capsys.readouterr().err


def test_a_client_that_reads_nothing_is_not_answered_without_end(mock: Running, good: dict[str, Any]) -> None:
    stream = raw(json.dumps(good).encode()) * 200
    sent = 0
    with connected(mock) as connection:
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while sent < 100_000_000:
                sent += connection.send(stream[sent % len(stream) :])
        assert sent < 100_000_000
        answered = mock.journal.dropped + len(mock.journal)
        time.sleep(0.2)
        assert mock.journal.dropped + len(mock.journal) == answered > 0
