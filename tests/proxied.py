"""A proxy under test in front of servers that speak raw bytes."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from mockserver import openapi
from mockserver.cassette import Cassette
from mockserver.checking.examination import Examiner
from mockserver.findings import Report, Severity
from mockserver.proxy import Inspector, Policy, proxying
from mockserver.redaction import Redactor
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


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
