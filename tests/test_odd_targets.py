"""Targets that take their time, never end, change their mind or lead nowhere: a sane verdict, soon, within the limits."""

from __future__ import annotations

import itertools
import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_tests.budget import Budget
from contract_tests.examination import Examination
from contract_tests.plan import make_plan
from contract_tests.target import Target
from mockserver import openapi
from mockserver.validation import Judge
from tests.test_suite_run import environment, listening, report_of

ANSWER = {
    "id": "chatcmpl-{}",
    "object": "chat.completion",
    "created": 0,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "done"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
}
PROGRAM = (sys.executable, "-m", "mockserver")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def asked(connection: socket.socket) -> Any:
    """Read a request to its end; the value of its body, None where it is no documented request with a JSON object."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    try:
        value = json.loads(body)
    except ValueError:
        return None
    plain = head.startswith(b"POST /v1/images/generations HTTP") and b"authorization: bearer sk" in head.lower()
    return (
        value if plain and isinstance(value, dict) and b"content-type: application/json\r\n" in head.lower() else None
    )


def run(url: str, path: Path, *more: str, timeout_s: float = 20) -> tuple[Any, int, float]:
    """A run with a time-out for each request: its report, its exit code and how long it took."""
    started = time.monotonic()
    done = subprocess.run(
        [*PROGRAM, "test", url, "--request-timeout", str(timeout_s), "--report", f"json={path}", *more],
        capture_output=True, text=True, env=environment(None), timeout=100, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return report_of(path), done.returncode, time.monotonic() - started


def late(connection: socket.socket) -> None:
    with connection:
        asked(connection)
        time.sleep(20)


def trickle(start: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        with connection:
            asked(connection)
            try:
                connection.sendall(start)
                for _ in range(400):
                    connection.sendall(b"a")
                    time.sleep(0.05)
            except OSError:
                return

    return behave


@pytest.mark.parametrize(
    ("behave", "exit_code"),
    [
        pytest.param(late, 3, id="late"),
        pytest.param(trickle(b"HTTP/1.1 200 OK\r\nX-Long: "), 3, id="head trickles"),
        pytest.param(trickle(HEAD + b"\r\n"), 1, id="body trickles"),
    ],
)
def test_what_takes_too_long_ends_the_run(
    behave: Callable[[socket.socket], None], exit_code: int, tmp_path: Path
) -> None:
    with listening(behave) as url:
        report, code, seconds = run(url, tmp_path / "report.json", timeout_s=0.25)
    assert code == exit_code, report["reason"]
    assert "0.25 s" in report["reason"]
    assert report["requests"] <= 6
    assert seconds < 15


def test_an_endless_answer_is_neither_kept_nor_read_to_its_end(tmp_path: Path) -> None:
    block = b"x" * (1 << 20)

    def endless(connection: socket.socket) -> None:
        with connection:
            asked(connection)
            try:
                connection.sendall(HEAD + b"Content-Length: 314572800\r\n\r\n")
                for _ in range(300):
                    connection.sendall(block)
            except OSError:
                return

    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with listening(endless) as url:
        report, code, _ = run(url, tmp_path / "report.json", "--max-requests", "3")
    assert code == 1
    assert any("longer than" in finding["message"] for finding in report["findings"])
    assert report["images"] <= 30
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after <= max(before, 400_000), "KiB of the largest child so far"


def test_a_target_that_changes_its_mind_is_unstable(tmp_path: Path) -> None:
    turns, names = itertools.count(), itertools.count()

    def fickle(connection: socket.socket) -> None:
        with connection:
            value = asked(connection)
            valid = value is not None and value.get("n") == 1 and str(value.get("size")).startswith("1024x1")
            answer: Any = {"error": {"message": "prompt is wrong", "type": "invalid", "param": None, "code": None}}
            status = b"HTTP/1.1 400 Bad Request\r\n"
            if valid and next(turns) % 2:
                status = b"HTTP/1.1 200 OK\r\n"
                answer = {**ANSWER, "id": f"chatcmpl-{next(names)}", "created": int(time.time())}
            body = json.dumps(answer).encode()
            fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall(status + fields.encode() + body)

    with listening(fickle) as url:
        report, code, _ = run(url, tmp_path / "report.json")
    assert code == 1
    assert report["requests"] <= 60
    assert any(f["rule"] == "unstable.refused" and f["confirmation"] == "intermittent" for f in report["findings"])


@pytest.mark.parametrize(("status", "charged"), [(502, 2), (504, 2), (524, 2), (500, 0), (400, 0)])
def test_an_answer_that_a_gateway_lost_stays_charged(status: int, charged: int) -> None:
    """The server behind it may have worked, and is paid for that; a repeat is charged as well."""

    def lose(connection: socket.socket) -> None:
        with connection:
            asked(connection)
            connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}" % status)

    contract = openapi.load("quickrouter")
    judge = Judge(contract)
    with listening(lose) as url:
        target = Target(url, contract, "sk-contract-test")
        examination = Examination(judge, target, Budget(max_units=10))
        probe = make_plan(judge, 1, 60, False, True).valid[0]
        examination.send(probe)
        target.close()
    assert examination.budget.requests == 2
    assert examination.budget.units == charged * probe.planned_units
    assert bool(examination.budget.usd) is bool(charged)


def test_a_redirect_that_leads_nowhere_is_a_finding(tmp_path: Path) -> None:
    def away(connection: socket.socket) -> None:
        with connection:
            asked(connection)
            connection.sendall(
                b"HTTP/1.1 302 Found\r\nLocation: http://[not an address/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )

    with listening(away) as url:
        report, code, _ = run(url, tmp_path / "report.json")
    assert code == 1
    redirects = [finding for finding in report["findings"] if finding["rule"] == "status.redirect"]
    assert redirects
    assert "[not an address" in redirects[0]["observed"]
