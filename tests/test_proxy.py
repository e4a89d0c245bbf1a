"""``proxy``: nothing that goes by is changed, both sides are judged, and whatever goes wrong has a plain answer."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from test_cli import COMMAND, ROOT, environment, run

from mockserver import cassette, openapi
from mockserver.cassette import Cassette
from mockserver.checking.examination import Examiner
from mockserver.errors import UsageError
from mockserver.findings import Report, Severity
from mockserver.proxy import Inspector, Policy, proxying
from mockserver.redaction import Redactor
from mockserver.server import background
from mockserver.settings import Settings
from mockserver.validation import Judge

KEY = "sk-proxy-0a1b2c3d4e5f"
PATH = "/v1/images/generations"
OK = json.dumps({"prompt": "a cat", "n": 1, "size": "auto", "model": "gpt-image-1.5"}).encode()
HEADERS = {"Content-Type": "application/json", "Accept": "*/*", "Authorization": f"Bearer {KEY}"}

Talk = Callable[[socket.socket, bytes], bytes | None]


@contextmanager
def upstream(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """A server of raw bytes: what it got per connection (head and what came with it), answered by ``talk``."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(20)
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    head += piece
                place = len(seen)
                seen.append(head)
                seen[place] = talk(connection, head) or head
                drained(connection)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.close()


def drained(connection: socket.socket) -> bytes:
    connection.settimeout(0.2)
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except OSError:
        pass
    return found


def says(answer: bytes) -> Talk:
    """Read the announced body, then answer."""

    def talk(connection: socket.socket, head: bytes) -> bytes:
        start, _, body = head.partition(b"\r\n\r\n")
        length = next(
            (int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        return start + b"\r\n\r\n" + body

    return talk


class Running:
    """A proxy under test."""

    def __init__(self, url: str, inspector: Inspector) -> None:
        self.port, self._inspector = int(url.rpartition(":")[2].split("/")[0]), inspector
        self.said: list[str] = []
        self.stop: Callable[[], None] = lambda: None

    def raw(self, request: bytes, wait: float = 20) -> bytes:
        """What one connection gets for the bytes of a request, until it is closed."""
        with socket.create_connection(("127.0.0.1", self.port), wait) as connection:
            connection.sendall(request)
            return received(connection)

    def ask(
        self, body: bytes | None = OK, path: str = PATH, method: str = "POST", **headers: str
    ) -> tuple[int, Any, bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, body, HEADERS | headers)
            answer = connection.getresponse()
            with answer:
                return answer.status, answer.headers, answer.read()

    def report(self) -> Report:
        """The report; the proxy has ended by then."""
        self.stop()
        return self._inspector.report("upstream", Severity.ERROR)


def dialled(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.port), 20)


def received(connection: socket.socket) -> bytes:
    found = b""
    while piece := connection.recv(65536):
        found += piece
    return found


@contextmanager
def proxy(
    to: str,
    policy: Policy | None = None,
    record: Path | None = None,
    silence: float = 20,
    contract: str = "quickrouter",
) -> Iterator[Running]:
    loaded = openapi.load(contract)
    redactor = Redactor(loaded)
    records = [Cassette(str(record), redactor)] if record else []
    said: list[str] = []
    inspector = Inspector(Examiner(Judge(loaded), redactor), to, policy or Policy(), records, said.append)
    with ExitStack() as files, ExitStack() as stack:
        for one in records:
            files.callback(one.close)
        running = Running(stack.enter_context(proxying(inspector, to, "127.0.0.1", 0, silence)), inspector)
        running.said, running.stop = said, stack.close
        yield running


def rules(report: Report) -> set[str]:
    return {finding.violation.rule for finding in report.findings}


GOOD = b'{"id": "c1", "object": "chat.completion", "created": %d, "choices": [{"index": 0}], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}'


def answered(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


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


def test_both_sides_are_judged_and_recorded_without_the_key(tmp_path: Path) -> None:
    with background(Settings()) as mock, proxy(mock.url, record=tmp_path / "t.ndjson") as running:
        assert running.ask()[0] == 200
        assert running.ask(json.dumps({"n": 11, "size": "auto", "prompt": "x"}).encode())[0] == 400
        assert running.ask(path="/v1/image/generations")[0] == 404
        report = running.report()
    assert (report.verdict, report.requests, report.accepted, report.images) == ("findings", 3, 1, 1)
    assert rules(report) == {"body.maximum", "path.unknown"}
    assert any("body.maximum" in line for line in running.said)
    assert KEY not in (tmp_path / "t.ndjson").read_text()
    back = list(cassette.read(str(tmp_path / "t.ndjson")))
    assert [one.response.status for one in back if one.response] == [200, 400, 404]
    assert run("check", str(tmp_path / "t.ndjson")).returncode == 1


def test_an_answer_that_drifts_is_a_finding() -> None:
    drifted = (GOOD % time.time()).replace(b'"total_tokens": 2', b'"total_tokens": "2"')
    with upstream(says(answered(drifted))) as (url, _):
        with proxy(url) as running:
            assert running.ask()[2] == drifted
            assert rules(running.report()) >= {"body.type"}
        with proxy(url, Policy(response="ignore")) as running:
            running.ask()
            assert running.report().verdict == "clean"
        with proxy(url, Policy(response="enforce")) as running:
            status, headers, content = running.ask()
            assert (status, headers["Content-Type"]) == (502, "application/problem+json")
            assert "must be an integer" in json.loads(content)["detail"]
            assert rules(running.report()) >= {"body.type"}


def test_enforce_on_requests_sends_nothing_on() -> None:
    with upstream(says(answered(GOOD % time.time()))) as (url, seen):
        with proxy(url, Policy(request="enforce")) as running:
            status, headers, content = running.ask(b'{"n": 0, "size": "auto", "prompt": "x"}')
            assert (status, headers["Content-Type"]) == (400, "application/problem+json")
            assert headers["Proxy-Status"] == "quickrouter-contract; error=http_request_denied"
            assert "n must be at least 1" in json.loads(content)["detail"]
            assert seen == []
            assert running.ask(path="/nowhere")[0] == 404
            assert running.ask()[0] == 200
            assert rules(running.report()) == {"body.minimum", "path.unknown"}
        assert len(seen) == 1
        with proxy(url, Policy(request="ignore")) as running:
            running.ask(b'{"n": 0, "size": "auto", "prompt": "x"}')
            assert {f.violation.side for f in running.report().findings} <= {"response"}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_an_api_that_is_not_there_is_502_and_inconclusive() -> None:
    with proxy(f"http://127.0.0.1:{free_port()}") as running:
        status, headers, content = running.ask()
        report = running.report()
    assert (status, headers["Proxy-Status"]) == (502, "quickrouter-contract; error=connection_refused")
    assert json.loads(content)["detail"].endswith("cannot be reached: Connection refused")
    assert (report.verdict, report.findings, report.reason) == (
        "inconclusive", (), "1 of 1 requests did not reach the API",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "status", "error", "rule"),
    [
        (b"", 502, "http_protocol_error", "wire.failure"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", 502, "http_protocol_error", "wire.failure"),
        (None, 504, "http_response_timeout", "wire.timeout"),
    ],
)
def test_an_api_that_gives_no_answer(reply: bytes | None, status: int, error: str, rule: str) -> None:
    def silent(connection: socket.socket, _: bytes) -> None:
        time.sleep(3)

    with upstream(silent if reply is None else says(reply)) as (url, _), proxy(url, silence=0.7) as running:
        got, headers, content = running.ask()
        report = running.report()
    assert (got, headers["Proxy-Status"]) == (status, f"quickrouter-contract; error={error}")
    assert json.loads(content)["status"] == status
    assert rules(report) == {rule}


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_cut_answer_is_cut_for_the_client_too(framing: bytes) -> None:
    start = b"5\r\n{" + b'"a":\r\n' if b"chunked" in framing else b'{"a":'
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing + b"\r\n\r\n" + start
    with upstream(says(reply)) as (url, _), proxy(url) as running:
        with pytest.raises(http.client.IncompleteRead) as caught:
            running.ask()
        assert caught.value.partial == b'{"a":'
        assert "wire.cut" in rules(running.report())


def test_a_client_that_goes_away_accuses_nobody() -> None:
    told = threading.Event()

    def slow(connection: socket.socket, _: bytes) -> None:
        while connection.recv(65536):
            pass
        told.set()  # the proxy hangs up as well

    with upstream(slow) as (url, _), proxy(url) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
            client.sendall(f"POST {PATH} HTTP/1.1\r\nHost: h\r\n{head}Content-Length: {len(OK)}\r\n\r\n".encode() + OK)
            time.sleep(0.5)
        assert told.wait(10)
        report = running.report()
    assert (report.requests, report.findings) == (1, ())
    assert any("the client went away" in note for note in report.notes)


def test_loops_are_seen() -> None:
    port = free_port()
    with (
        pytest.raises(UsageError, match="the address of this proxy itself"),
        proxying_at(port, f"http://localhost:{port}"),
    ):
        pass
    listener = socket.create_server(("127.0.0.1", 0))
    ports: list[int] = []

    def back() -> None:
        """A way back to the proxy under another address: what comes is passed on, Via included."""
        connection, _ = listener.accept()
        with connection, socket.create_connection(("127.0.0.1", ports[0])) as onward:
            onward.sendall(connection.recv(65536))
            connection.sendall(received(onward))

    threading.Thread(target=back, daemon=True).start()
    with proxy(f"http://127.0.0.1:{listener.getsockname()[1]}") as running:
        ports.append(running.port)
        status, headers, _ = running.ask(None, "/x", "GET")
    listener.close()
    assert (status, headers["Proxy-Status"]) == (502, "quickrouter-contract; error=proxy_loop_detected")


@contextmanager
def proxying_at(port: int, to: str) -> Iterator[str]:
    loaded = openapi.load("quickrouter")
    inspector = Inspector(Examiner(Judge(loaded), Redactor(loaded)), to, Policy(), [], lambda _: None)
    with proxying(inspector, to, "127.0.0.1", port) as url:
        yield url


def test_a_certificate_that_nobody_trusts_is_named(tmp_path: Path) -> None:
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
         "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")],
        capture_output=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        try:
            context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    with proxy(f"https://localhost:{listener.getsockname()[1]}") as running:
        status, headers, content = running.ask()
    listener.close()
    assert (status, headers["Proxy-Status"]) == (502, "quickrouter-contract; error=tls_certificate_error")
    assert "self-signed certificate" in json.loads(content)["detail"]


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


def test_the_command_ends_the_proxy(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, urllib.request, sys\n"
        "given = {'Content-Type': 'application/json', 'Accept': '*/*', 'Authorization': 'Bearer ' + os.environ['OPENAI_API_KEY']}\n"
        f"ask = urllib.request.Request(os.environ['OPENAI_BASE_URL'] + '/images/generations', {OK!r}, given)\n"
        "print(urllib.request.urlopen(ask).status)\nsys.exit(int(sys.argv[1]))\n"
    )
    with background(Settings()) as mock:
        target = [*("proxy", mock.url, "--record", str(tmp_path / "t.har")), "--", sys.executable, str(program)]
        done = run(*target, "0", OPENAI_API_KEY=KEY)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "200")
        assert done.stdout.splitlines()[-1].startswith("clean: 1 request, 1 image")
        assert KEY not in (tmp_path / "t.har").read_text() + done.stdout
        assert mock.journal.entries()[0].violations == ()
        done = run(*target, "7", OPENAI_API_KEY=KEY)
        assert done.returncode == 1
        assert "failed with exit code 7" in done.stderr
        assert run("proxy", mock.url, "--", sys.executable, "-c", "pass").returncode == 3
    assert len(list(cassette.read(str(tmp_path / "t.har")))) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_verdict(number: signal.Signals) -> None:
    with background(Settings()) as mock:
        command = [*COMMAND, "proxy", mock.url, "--port", "0"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True)
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
            connection.request("POST", PATH, b"{}", HEADERS)
            assert connection.getresponse().status == 400
        os.kill(child.pid, number)
        out, _ = child.communicate(timeout=20)
    assert child.returncode == 1
    assert out.splitlines()[-1].startswith("findings: 3 errors")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ftp://a.example"], "is not a base URL"),
        (["http://u:p@a.example"], "must not hold credentials"),
        (
            ["http://a.example", "--record", "/no/such/folder/x.har"],
            "traffic cannot be recorded in /no/such/folder/x.har",
        ),
        ([], "Missing argument 'UPSTREAM_URL'"),
        (["http://127.0.0.1:1", "--", "no-such-command"], "there is no command 'no-such-command'"),
    ],
)
def test_usage_errors_are_one_line(arguments: list[str], said: str) -> None:
    done = run("proxy", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
