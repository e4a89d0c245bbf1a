"""``proxy``: both sides are judged, and held back where that is asked for."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

from test_cli import run

from mockserver import cassette
from mockserver.proxy import Policy
from mockserver.server import background
from mockserver.settings import Settings
from tests.proxied import GOOD, HEADERS, KEY, OK, PATH, answered, proxy, rules, says, upstream


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
