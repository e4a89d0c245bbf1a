"""``proxy``: whatever is wrong with the API's address has a plain answer."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mockserver import openapi
from mockserver.checking.examination import Examiner
from mockserver.errors import UsageError
from mockserver.proxy import Inspector, Policy, proxying
from mockserver.redaction import Redactor
from mockserver.validation import Judge
from tests.proxied import free_port, proxy, received, rules, says, upstream


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
    detail = json.loads(content)["detail"]
    assert "self-signed certificate; SSL_CERT_FILE may name" in detail
    assert "_ssl.c" not in detail


def test_plain_http_at_an_https_address_is_said() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def plain() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=plain, daemon=True).start()
    with listener, proxy(f"https://127.0.0.1:{listener.getsockname()[1]}") as running:
        status, headers, content = running.ask()
    assert (status, headers["Proxy-Status"]) == (502, "quickrouter-contract; error=tls_protocol_error")
    assert json.loads(content)["detail"].endswith("perhaps it speaks plain http")


def test_authorities_that_are_not_there_are_a_mistake_in_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    with (
        pytest.raises(UsageError, match="SSL_CERT_FILE=/no/such/file cannot be used: No such file"),
        proxy("https://a.example"),
    ):
        pass
