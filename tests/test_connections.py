"""Clients that are slow, vanish, or are too many: what they cost is bounded, others notice nothing, the journal says it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver import connections, protocol
from mockserver.delivery import GONE
from mockserver.journal import Entry
from mockserver.ndjson import NO_REQUEST_BODY
from mockserver.scenarios import scenario_of
from mockserver.server import Running
from tests.conftest import Answer, ask, parsed
from tests.test_mock_server import At, eventually

Connect = Callable[[Running | At], socket.socket]

PATH = "/v1/images/generations"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nAuthorization: Bearer abc\r\nContent-Type: application/json\r\n"
MUCH = 8_000_000
"""Bytes of an answer that is longer than what the system keeps for a client that takes nothing."""
LONG = scenario_of("long", {"steps": [{"response": {"status": 200, "text": "x" * MUCH}}], "then": "repeat"})


def request_of(value: Any, more: str = "") -> bytes:
    body = json.dumps(value).encode()
    return f"{HEAD}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects clients that take little at once."""
    made: list[socket.socket] = []

    def connected(mock: Running | At) -> socket.socket:
        made.append(socket.socket())
        made[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made[-1].settimeout(10)
        made[-1].connect(("127.0.0.1", mock.port))
        return made[-1]

    yield connected
    for client in made:
        client.close()


def rest_of(client: socket.socket) -> bytes:
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(65536):
            found += piece
    return found


def vanish(client: socket.socket) -> None:
    """As when the program is killed with something unread: a reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def refused(data: bytes) -> tuple[int, str]:
    """Status and sentence of a refusal, which is in the API's envelope and ends the connection."""
    answer: Answer = parsed(data)
    assert answer.headers["connection"] == "close"
    assert len(answer.body) == int(answer.headers["content-length"])
    return answer.status, answer.json()["error"]["message"]


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@contextlib.contextmanager
def answered_meanwhile(mock: Running, value: Any) -> Iterator[list[float]]:
    """How long other clients wait, one after the other."""
    took: list[float] = []
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.02):
            before = time.monotonic()
            assert ask(mock, value=value).status == 200
            took.append(time.monotonic() - before)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


SLOW = {
    "the head": (b"POST /v1/images/gen", "end of its head", None),
    "a header": (HEAD.encode() + b"X-Slow: a", "end of its head", None),
    "the body": (HEAD.encode() + b'Content-Length: 500\r\n\r\n{"prompt": "', "end of its body", 408),
    "a chunk's size": (HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\n000", "end of its body", 408),
    "a chunk": (HEAD.encode() + b'Transfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\nff\r\n', "end of its body", 408),
}


def test_slow_senders_get_a_408_and_disturb_nobody(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any]
) -> None:
    mock = start(request_timeout=0.6)
    silent = connect(mock)
    body = json.dumps(good).encode()
    steady = connect(mock)
    steady.sendall(f"{HEAD}Content-Length: {len(body) + 300_000}\r\n\r\n".encode() + body)
    slow = [(name, connect(mock)) for name in SLOW for _ in range(40)]
    for name, client in slow:
        client.sendall(SLOW[name][0])
    began, sent = time.monotonic(), 0
    with answered_meanwhile(mock, good) as took:
        while time.monotonic() < began + 1.2:
            time.sleep(0.1)
            steady.sendall(b" " * 3000)  # slow, but on its way
            sent += 3000
            with contextlib.suppress(ConnectionError):
                for _, client in slow:
                    client.sendall(b"0")
        ends = [(name, rest_of(client)) for name, client in slow]
    assert time.monotonic() < began + 5
    for name, data in ends:
        status, message = refused(data)
        assert (status, SLOW[name][1] in message) == (408, True), (name, message)
        assert "within 0.6 s" in message
    assert sorted(took)[len(took) // 2] < 0.1
    assert max(took) < 1.0
    steady.sendall(b" " * (300_000 - sent))
    assert steady.recv(65536).startswith(b"HTTP/1.1 200")
    silent.sendall(request_of(good))
    assert silent.recv(65536).startswith(b"HTTP/1.1 200"), "silence before a request is no slowness"
    told = [one for one in mock.journal.entries() if one.status == 408]
    assert len(told) == sum(40 for _, _, status in SLOW.values() if status)
    assert all(NO_REQUEST_BODY in one.notes and "complete within 0.6 s" in one.notes[0] for one in told)
    assert mock.mock.connections.held == 0


def test_without_a_limit_a_client_has_all_the_time(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any]
) -> None:
    mock = start(request_timeout=0, send_timeout=0.4)
    data = request_of(good)
    with connect(mock) as client:
        client.sendall(data[:30])
        time.sleep(0.4)
        client.sendall(data[30:-5])
        time.sleep(0.4)
        client.sendall(data[-5:])
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


def test_who_takes_no_answer_is_reset(start: Callable[..., Running], connect: Connect, good: dict[str, Any]) -> None:
    mock = start(send_timeout=0.6, journal_bytes=1 << 30)
    mock.mock.stage.arm("much", LONG)
    clients = [connect(mock) for _ in range(20)]
    asked = request_of(good, "Mock-Session: much\r\n")
    for number, client in enumerate(clients):
        client.sendall(asked * (1 if number % 2 else 30))  # every other one asks for more and more
    eventually(lambda: mock.mock.connections.held > 20 * MUCH // 4)
    time.sleep(0.3)
    assert mock.mock.connections.held <= 2 * 20 * MUCH, "two answers each at most, however many were asked for"
    with answered_meanwhile(mock, good) as took:
        eventually(lambda: mock.mock.connections.held == 0)
    assert max(took) < 1.0
    for client in clients:
        assert len(rest_of(client)) < MUCH
    eventually(lambda: {one.cut for one in mock.journal.entries("much")} == {GONE})
    assert 20 <= len(mock.journal.entries("much")) <= 30, "one answer each, and a second one under way for some"


def test_a_request_that_waits_for_earlier_answers_is_not_slow(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any]
) -> None:
    mock = start(request_timeout=0.4)
    half = f"{HEAD}Content-Length: 500\r\n\r\n".encode() + b"{"
    with connect(mock) as client:
        client.sendall(request_of(good, "Prefer: delay=1.2\r\n") + half)
        answer, status, rest = rest_of(client).partition(b"HTTP/1.1 408")
    assert answer.startswith(b"HTTP/1.1 200"), "the refusal of the second one is no answer to the first"
    assert refused(status + rest)[0] == 408


def test_who_takes_no_answer_is_reset_in_the_middle_of_the_next_request(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any]
) -> None:
    mock = start(send_timeout=0.4)
    mock.mock.stage.arm("", LONG)
    client = connect(mock)
    client.sendall(request_of(good) + f"{HEAD}Content-Length: 500\r\n\r\n".encode() + b"{")
    eventually(lambda: mock.mock.connections.held > 0)
    eventually(lambda: mock.mock.connections.held == 0)
    assert b"HTTP/1.1 503" not in rest_of(client)


def test_who_reads_slowly_but_steadily_gets_everything(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any]
) -> None:
    mock = start(send_timeout=0.3)
    mock.mock.stage.arm("", LONG)
    with connect(mock) as client:
        client.sendall(request_of(good, "Connection: close\r\n"))
        found = b""
        until = time.monotonic() + 0.9
        while piece := client.recv(65_536):
            found += piece
            if time.monotonic() < until:
                time.sleep(0.01)
    assert len(parsed(found).body) == MUCH
    assert mock.journal.entries()[-1].cut is None


def test_who_holds_memory_for_longest_goes_first(
    start: Callable[..., Running],
    connect: Connect,
    good: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(connections, "HELD_AT_MOST", 3 * MUCH)
    mock = start()
    mock.mock.stage.arm("", LONG)
    upload = connect(mock)
    upload.sendall(f"{HEAD}Content-Length: 1000000\r\n\r\n".encode() + b" " * 600_000)
    eventually(lambda: mock.mock.connections.held > 500_000)
    clients = [connect(mock) for _ in range(6)]
    for client in clients:
        client.sendall(request_of(good))
        time.sleep(0.05)
        assert mock.mock.connections.held <= 3 * MUCH
        assert ask(mock, "GET", "/__admin/health").status == 200
    status, message = refused(rest_of(upload))
    assert (status, "slow clients" in message) == (503, True)
    assert len(rest_of(clients[0])) < MUCH
    found = b""
    while len(found) < MUCH:
        found += clients[-1].recv(65536)
    assert capfd.readouterr().err.count("slow clients held more than") == 1


def entry_with(mock: Running, prompt: str) -> Entry | None:
    return next((one for one in mock.journal.entries() if prompt.encode() in one.body), None)


@pytest.mark.parametrize("leave", [vanish, socket.socket.close], ids=["reset", "closed"])
def test_clients_that_vanish_leave_a_line_and_nothing_else(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any], leave: Callable[[socket.socket], None]
) -> None:
    mock = start()
    streams = start(contract="openai-images", image_style="plain")
    ask(mock, value=good)
    before = descriptors()
    drawn = {"model": "gpt-image-1", "prompt": "streamed", "stream": True, "partial_images": 3}
    cases: list[tuple[Running, bytes, str, Callable[[Entry], bool]]] = [
        (mock, HEAD.encode(), "", lambda _: True),
        (mock, request_of({**good, "prompt": "half"})[:-5], "half", lambda one: one.status == 499 and "went away" in one.notes[0]),
        (mock, request_of({**good, "prompt": "late"}, "Prefer: delay=60\r\n"), "late", lambda one: one.cut == GONE),
        (streams, request_of(drawn, "Prefer: delay=0.5\r\n"), "streamed", lambda one: one.cut == GONE),
        (mock, request_of({**good, "prompt": "reset"}, "Prefer: scenario=reset, delay=9\r\n"), "reset", lambda _: True),
    ]  # fmt: skip
    for running, data, prompt, _ in cases:
        for _ in range(20):
            client = connect(running)
            client.sendall(data)
            if prompt == "streamed":
                client.recv(100)
            elif prompt == "late":
                eventually(lambda: entry_with(mock, "late") is not None)
            leave(client)
    for running, _, prompt, told in cases:
        if prompt:
            eventually(
                lambda p=prompt, r=running: len([1 for one in r.journal.entries() if p.encode() in one.body]) == 20
            )  # type: ignore[misc]
            eventually(
                lambda p=prompt, r=running, t=told: all(t(one) for one in r.journal.entries() if p.encode() in one.body)
            )  # type: ignore[misc]
    eventually(lambda: descriptors() <= before + 1)
    assert mock.mock.connections.held == streams.mock.connections.held == 0
    assert ask(mock, "GET", "/__admin/health").status == 200


def test_who_goes_in_the_middle_of_a_long_answer_is_noted(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any]
) -> None:
    mock = start()
    mock.mock.stage.arm("", LONG)
    client = connect(mock)
    client.sendall(request_of({**good, "prompt": "much"}))
    client.recv(1000)
    vanish(client)
    eventually(lambda: mock.journal.entries()[-1].cut == GONE)
    assert mock.mock.connections.held == 0
    told = ask(mock, "GET", f"/__admin/requests/{mock.journal.newest}").json()
    assert told["response"]["cut"] == GONE


def test_a_shared_journal_says_it_too(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any], tmp_path: Path
) -> None:
    mock = start(state=str(tmp_path / "state"))
    with connect(mock) as client:
        client.sendall(request_of(good)[:-3])
    eventually(lambda: [one.status for one in mock.journal.entries()] == [499])
    client = connect(mock)
    client.sendall(request_of(good, "Prefer: delay=60\r\n"))
    eventually(lambda: len(mock.journal) == 2)
    vanish(client)
    eventually(lambda: mock.journal.entries()[-1].cut == GONE)


def test_a_client_that_closes_its_side_gets_its_answer(
    start: Callable[..., Running], connect: Connect, good: dict[str, Any]
) -> None:
    mock = start(contract="openai-images")
    for value in ({"model": "gpt-image-1", "prompt": "drawn first"}, {"model": "gpt-image-1"}):
        with connect(mock) as client:
            client.sendall(request_of(value))
            client.shutdown(socket.SHUT_WR)
            answer = parsed(rest_of(client))
            assert answer.status == (200 if "prompt" in value else 400)
            assert len(answer.body) == int(answer.headers["content-length"])


def test_where_there_is_no_room_the_silent_ones_give_way(
    start: Callable[..., Running],
    connect: Connect,
    good: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(protocol, "SILENT_S", 0.6)
    mock = start(request_timeout=0.4)
    ask(mock, value=good)
    eventually(lambda: mock.mock.connections.held == 0)
    mock.mock.connections.at_most = 16
    silent = [connect(mock) for _ in range(16)]
    time.sleep(0.2)
    for _ in range(2):
        status, message = refused(rest_of(connect(mock)))
        assert (status, "serves 16 connections at once" in message) == (503, True)
    eventually(lambda: all(client.recv(1) == b"" for client in silent))
    assert ask(mock, value=good).status == 200
    assert capfd.readouterr().err.count("this process holds 16 connections") == 1


def test_few_descriptors_are_no_reason_to_fall_silent(connect: Connect, good: dict[str, Any]) -> None:
    def poor() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    command = [sys.executable, "-m", "mockserver", "mock", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=poor, env={**os.environ}
    ) as script:
        try:
            assert script.stdout
            mock = At(script.stdout.readline())
            clients = [connect(mock) for _ in range(200)]
            time.sleep(0.3)
            before = resource_of(script.pid)
            time.sleep(0.5)
            assert resource_of(script.pid) - before < 0.2, "nothing spins"
            clients[0].sendall(request_of(good))
            assert clients[0].recv(65536).startswith(b"HTTP/1.1 200")
            for client in clients[1:]:
                client.close()

            def again() -> bool:
                with contextlib.suppress(OSError, IndexError):
                    return ask(mock, value=good).status == 200  # type: ignore[arg-type]
                return False

            eventually(again)
        finally:
            script.terminate()
        assert script.wait(10) == 0
        assert script.stderr
        (line,) = script.stderr.read().splitlines()
        assert "may open no more (ulimit -n)" in line


def resource_of(pid: int) -> float:
    """CPU seconds of a process."""
    from benchmarks.throughput import cpu_s

    return cpu_s(pid)
