"""``proxy``: nothing that goes by is changed."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from test_cli import COMMAND, ROOT, environment

from tests.proxied import GOOD, OK, answered, dialled, proxy, received, rules, says, upstream


def test_bytes_and_headers_go_by_unchanged(tmp_path: Path) -> None:
    body = GOOD % time.time() + b"\n\n "
    reply = answered(
        body, b"X-Two: a", b"x-two: b", b"Set-Cookie: a=1", b"Set-Cookie: b=2", b"Connection: X-Hop", b"X-Hop: 1"
    )
    with upstream(says(reply)) as (url, seen), proxy(url, record=tmp_path / "t.ndjson") as running:
        request = (
            b"POST /v1/images/generations?a=%%2F&b=%%zz;'{} HTTP/1.1\r\nHost: here\r\nX-Case: A\r\nX-Case: B\r\n"
            b"Accept-Encoding: br;q=0.1\r\nContent-Type: application/json\r\nTE: trailers\r\nConnection: close, X-Mine\r\n"
            b"X-Mine: 1\r\nContent-Length: %d\r\n\r\n%b" % (len(OK), OK)
        )
        got = running.raw(request)
    head, _, content = got.partition(b"\r\n\r\n")
    assert content == body
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"http/1.1 200 ok"
    assert [line for line in lines if line.startswith((b"x-", b"set-", b"date", b"server"))] == [
        b"x-two: a", b"x-two: b", b"set-cookie: a=1", b"set-cookie: b=2",
    ]  # fmt: skip
    asked, _, sent = seen[0].partition(b"\r\n\r\n")
    lines = asked.split(b"\r\n")
    assert sent == OK
    assert lines[0] == b"POST /v1/images/generations?a=%2F&b=%zz;'{} HTTP/1.1"
    assert lines[1] == b"Host: " + url.removeprefix("http://").encode()
    names = [line.lower().partition(b":")[0] for line in lines[2:]]
    assert names == [
        b"x-case", b"x-case", b"accept-encoding", b"content-type", b"content-length", b"via", b"connection",
    ]  # fmt: skip
    assert b"accept-encoding: br;q=0.1" in [line.lower() for line in lines]


def test_where_a_body_ends_is_never_of_one_connection_only() -> None:
    """Without its length the body would be taken for a request of its own, or for nothing."""
    reply = b"HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\n{}"
    with upstream(says(reply)) as (url, seen), proxy(url) as running:
        head = b"POST /a HTTP/1.1\r\nHost: here\r\nConnection: close, content-length\r\nContent-Length: %d\r\n\r\n"
        got = running.raw(head % len(OK) + OK)
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert b"content-length: 2\r\n" in got.lower()
    assert seen[0].lower().count(b"content-length: %d\r\n" % len(OK)) == 1
    assert seen[0].endswith(OK)


@pytest.mark.parametrize(
    ("method", "reply", "wanted"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", (200, b"")),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", (304, b"")),
        ("GET", b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", (302, b"")),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            (200, b"abcde"),
        ),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\nuntil the end", (200, b"until the end")),
        ("GET", b"HTTP/1.1 520 Odd\r\nContent-Length: 1\r\n\r\nx", (520, b"x")),
    ],
)
def test_answers_of_every_framing(method: str, reply: bytes, wanted: tuple[int, bytes]) -> None:
    with upstream(says(reply)) as (url, _), proxy(url) as running:
        status, headers, content = running.ask(None, "/anything", method)
    assert (status, content) == wanted
    if status == 302:
        assert headers["Location"] == "http://elsewhere.example/"
    if method == "HEAD":
        assert headers["Content-Length"] == "99"


def test_both_directions_stream() -> None:
    """The API sees the first half of a body before the second is sent, and so does the client of the answer."""
    half, more = threading.Event(), threading.Event()

    def talk(connection: socket.socket, head: bytes) -> None:
        while b"first" not in head:
            head += connection.recv(65536)
        half.set()
        while b"second" not in head:
            head += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n")
        more.wait(10)
        connection.sendall(b"4\r\nlate\r\n0\r\n\r\n")

    with upstream(talk) as (url, _), proxy(url) as running, dialled(running) as client:
        client.sendall(b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert half.wait(10)
        client.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
        got = b""
        while b"early" not in got:
            got += client.recv(65536)
        assert b"late" not in got
        more.set()
        while b"late" not in got:
            got += client.recv(65536)


def test_expect_100_continue_is_answered() -> None:
    with upstream(says(answered(b"{}"))) as (url, seen), proxy(url) as running, dialled(running) as client:
        client.sendall(
            b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(b"abc")
        assert received(client).startswith(b"HTTP/1.1 200")
    assert seen[0].endswith(b"\r\n\r\nabc")


@pytest.mark.parametrize(
    "offer", [b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]
)
@pytest.mark.parametrize("split", [False, True])
def test_an_offer_of_another_protocol_costs_no_body(offer: bytes, split: bool) -> None:
    """As curl with --http2 and Java's client make it; the answer is HTTP/1.1, and the body is the API's."""
    head = b"POST /x HTTP/1.1\r\nHost: h\r\n" + offer + b"\r\nContent-Length: 3\r\n\r\n"
    with upstream(says(answered(b"{}"))) as (url, seen), proxy(url) as running, dialled(running) as client:
        client.sendall(head if split else head + b"abc")
        if split:
            time.sleep(0.1)
            client.sendall(b"abc")
        got = b""
        while not got.endswith(b"{}"):
            got += client.recv(65536)
    assert got.startswith(b"HTTP/1.1 200")
    asked, _, body = seen[0].lower().partition(b"\r\n\r\n")
    assert body == b"abc"
    assert b"upgrade" not in asked
    assert b"http2-settings" not in asked


def test_large_bodies_pass_without_being_held() -> None:
    size = 100 * 1024 * 1024

    def talk(connection: socket.socket, head: bytes) -> None:
        got = len(head.partition(b"\r\n\r\n")[2])
        while got < size:
            got += len(connection.recv(1 << 20))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(100):
            connection.sendall(b"y" * (1 << 20))

    with upstream(talk) as (url, _):
        command = [*COMMAND, "proxy", url, "--port", "0"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True)
        assert child.stdout is not None
        port = int(child.stdout.readline().strip().rpartition(":")[2])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("POST", "/x", (b"x" * (1 << 20) for _ in range(100)), {"Content-Length": str(size)})
            answer = connection.getresponse()
            total = 0
            while piece := answer.read(1 << 20):
                total += len(piece)
        most = int(
            next(x for x in Path(f"/proc/{child.pid}/status").read_text().splitlines() if "VmHWM" in x).split()[1]
        )
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=20)
    assert total == size
    assert most < 330_000  # kB: two bodies' worth of what is kept to be judged, and not of what went by


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_cut_answer_is_cut_for_the_client_too(framing: bytes) -> None:
    start = b"5\r\n{" + b'"a":\r\n' if b"chunked" in framing else b'{"a":'
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing + b"\r\n\r\n" + start
    with upstream(says(reply)) as (url, _), proxy(url) as running:
        with pytest.raises(http.client.IncompleteRead) as caught:
            running.ask()
        assert caught.value.partial == b'{"a":'
        assert "wire.cut" in rules(running.report())


def test_paths_lie_below_the_upstream_and_the_contracts_base_path(tmp_path: Path) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://a.example/base"}],
        "paths": {"/things": {"get": {"operationId": "list", "responses": {"200": {"description": "d"}}}}},
    }
    (tmp_path / "c.json").write_text(json.dumps(document))
    with (
        upstream(says(answered(b"[]"))) as (url, seen),
        proxy(f"{url}/up", contract=str(tmp_path / "c.json")) as running,
    ):
        assert running.ask(None, "/base/things?x=1", "GET")[0] == 200
        report = running.report()
    assert seen[0].startswith(b"GET /up/things?x=1 HTTP/1.1")
    assert (report.verdict, report.findings) == ("clean", ())
