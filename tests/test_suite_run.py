"""A run of the suite as a user starts it: limits, ends without a verdict, cassettes and baselines, on real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mockserver.server import background
from mockserver.settings import Settings
from tests.faulty.server import serve

KEY = "sk-very-secret-0123456789"
FEW = ("--max-requests", "24", "--max-images", "6")
"""Enough for the plain request and one that carries much: what a run does around its requests needs no more."""


def suite(*arguments: str, key: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mockserver", "test", *arguments],
        capture_output=True,
        text=True,
        env=environment(key),
        cwd=cwd,
        timeout=100,
        check=False,
    )


def environment(key: str | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "QUICKROUTER_API_KEY"}
    return {**kept, "QUICKROUTER_API_KEY": key} if key else kept


def report_of(path: Path) -> Any:
    return json.loads(path.read_text())


@contextmanager
def listening(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with every connection whatever it is told to."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def loop() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=behave, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def banner(connection: socket.socket) -> None:
    with connection:
        connection.recv(65536)
        connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")


ASKED = threading.Event()


def silence(connection: socket.socket) -> None:
    with connection:
        connection.recv(65536)
        ASKED.set()
        time.sleep(30)


def test_the_embedded_mock_is_clean_within_the_default_limits(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    done = suite("--report", f"json={path}", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = report_of(path)
    assert report["verdict"] == "clean"
    assert report["findings"] == []
    assert report["suspicions"]["open"] == []
    assert report["requests"] <= 60
    assert report["images"] <= 30
    assert 0 < report["cost_usd"] < 2
    assert 0 < report["usage"]["usd"] < report["usage"]["estimated_usd"] < report["cost_usd"]
    assert f"by the usage of {report['usage']['answers']} answers" in " ".join(done.stdout.split())


def test_pytest_from_a_checkout_gives_the_same_findings(tmp_path: Path) -> None:
    with serve("count-always-one") as server:
        command, checkout = tmp_path / "command.json", tmp_path / "checkout.json"
        suite(server.url, "--seed", "3", *FEW, "--report", f"json={command}")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "contract_tests"),
                *("--base-url", server.url, "--seed", "3", *FEW, "--report", f"json={checkout}"),
            ],
            capture_output=True,
            text=True,
            env=environment(None),
            cwd=Path(__file__).resolve().parent.parent,
            timeout=100,
            check=False,
        )
    assert done.returncode == 1, done.stdout + done.stderr
    assert [f["fingerprint"] for f in report_of(command)["findings"]] == [
        f["fingerprint"] for f in report_of(checkout)["findings"]
    ]


def test_the_same_seed_gives_the_same_report() -> None:
    runs = []
    for _ in range(2):
        with serve("text-cjk-500") as server:
            done = suite(server.url, "--seed", "7", *FEW, "--report", "ndjson=-")
            runs.append([json.loads(line).get("fingerprint") for line in done.stdout.splitlines()])
    assert runs[0] == runs[1]
    assert any(runs[0])


def test_an_unreachable_target_is_inconclusive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = suite(f"http://127.0.0.1:{port}")
    assert done.returncode == 3
    assert "cannot be reached" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_target_that_is_not_http_is_inconclusive(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with listening(banner) as url:
        done = suite(url, "--report", f"json={path}")
    assert done.returncode == 3
    assert report_of(path)["findings"] == []
    assert "does not answer as an HTTP server" in report_of(path)["reason"]


def test_a_refused_key_is_inconclusive_at_once(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with background(Settings(api_key="sk-the-only-valid-key")) as mock:
        done = suite(mock.url, "--report", f"json={path}", key=KEY)
    report = report_of(path)
    assert done.returncode == 3
    assert "key was refused" in report["reason"]
    assert report["requests"] < 10
    assert KEY not in done.stdout + done.stderr + path.read_text()


def test_ctrl_c_keeps_what_was_paid_for(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with listening(silence) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "mockserver", "test", url, "--report", f"json={path}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(KEY),
        )
        assert ASKED.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    report = report_of(path)
    assert report["reason"] == "interrupted"
    assert report["images"] == 1, "a request that was under way may have been paid for"


def test_another_machine_needs_a_limit() -> None:
    done = suite("https://api.example.com", key=KEY)
    assert done.returncode == 2
    assert "--max-images" in done.stderr
    assert "requests," in done.stdout, "the priced plan is shown"


def test_a_dry_run_sends_nothing() -> None:
    with serve() as server:
        done = suite(server.url, "--dry-run")
        assert server.requests == 0
    assert done.returncode == 0
    assert "USD" in done.stdout


@pytest.mark.parametrize("limit", [0, 1, 7, 12])
def test_limits_hold(limit: int, tmp_path: Path) -> None:
    with serve() as server:
        done = suite(server.url, "--max-images", str(limit), "--max-requests", "40")
        assert server.images <= limit
        assert server.requests <= 40
    assert done.returncode == (0 if limit else 3)


def test_a_budget_holds_by_estimate(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with serve() as server:
        suite(server.url, "--budget", "0.20usd", "--report", f"json={path}")
    assert 0 < report_of(path)["cost_usd"] <= 0.20


def test_a_killed_run_goes_on_from_its_cassette(tmp_path: Path) -> None:
    tape, path, again = tmp_path / "run.ndjson", tmp_path / "report.json", tmp_path / "again.json"
    with serve("count-always-one") as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "mockserver", "test", server.url, "--record", str(tape), "--rate-limit", "40/s"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(KEY),
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (tape.exists() and tape.read_bytes().count(b"\n") >= 10):
            time.sleep(0.02)
        process.kill()
        process.wait()
        had = tape.read_bytes().count(b"\n")
        with tape.open("ab") as file:
            file.write(b'{"cut in the middle of a li')
        before = server.requests
        done = suite(server.url, "--record", str(tape), "--report", f"json={path}", key=KEY)
        report = report_of(path)
        assert done.returncode == 1
        assert had >= 10
        assert server.requests - before <= report["requests"] - had
        sent = server.requests
        replayed = suite("--replay", str(tape), "--report", f"json={again}")
        assert server.requests == sent, "a replay sends nothing"
    assert replayed.returncode == 1
    findings = [(f["fingerprint"], f["count"], f["condition"]) for f in report["findings"]]
    assert [(f["fingerprint"], f["count"], f["condition"]) for f in report_of(again)["findings"]] == findings
    assert KEY not in tape.read_text()


def test_a_baseline_accepts_until_its_day(tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    with serve("count-always-one") as server:
        assert suite(server.url, *FEW, "--baseline", str(path)).returncode == 2, "there is none yet"
        assert server.requests == 0
        assert suite(server.url, *FEW, "--baseline", str(path), "--update-baseline").returncode == 0
        assert suite(server.url, *FEW, "--baseline", str(path)).returncode == 0
        text = path.read_text()
        day = text.partition("expires: ")[2][:10]
        path.write_text(text.replace(day, "2020-01-01"))
        expired = suite(server.url, *FEW, "--baseline", str(path), "--fail-on", "warning")
        assert expired.returncode == 1
        assert "which is past" in expired.stdout
    path.write_text(text)
    with serve() as server:
        gone = suite(server.url, *FEW, "--baseline", str(path))
        assert gone.returncode == 0
        assert "not seen in this run" in gone.stdout
    with serve("usage-missing") as server:
        assert suite(server.url, *FEW, "--baseline", str(path)).returncode == 1, "what is new fails"
    path.write_text("version: 1\nfindings:\n  - rule: [unclosed\n")
    broken = suite("--baseline", str(path))
    assert broken.returncode == 2
    assert f"{path}:4" in broken.stderr or f"{path}:3" in broken.stderr
    nameless = suite("--baseline", "a" * 300)
    assert (nameless.returncode, "cannot be read: File name too long" in nameless.stderr) == (2, True)


def test_any_openapi_document_is_tested(tmp_path: Path) -> None:
    contract = Path(__file__).parent / "invented"
    with background(Settings(contract=str(contract))) as mock:
        done = suite(mock.url, "--contract", str(contract), "--max-requests", "200", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "clean" in done.stdout


def test_the_search_draws_with_what_is_left_over(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with serve() as server:
        done = suite(server.url, "--max-requests", "90", "--max-images", "45", "--report", f"json={path}")
    assert done.returncode == 0, done.stdout
    assert any("drawn" in trial["name"] for trial in report_of(path)["trials"])


def test_a_defect_of_the_suite_never_passes_for_a_clean_run(tmp_path: Path) -> None:
    (tmp_path / "breaks.py").write_text(
        "from contract_tests.diagnosis import Diagnosis\n"
        "def broken(self):\n    raise RuntimeError('on purpose')\n"
        "Diagnosis.take_apart = broken\n"
    )
    checkout = Path(__file__).resolve().parent.parent
    with serve() as server:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "breaks", "contract_tests"),
                *("--base-url", server.url),
            ],
            capture_output=True,
            text=True,
            env={**environment(None), "PYTHONPATH": f"{tmp_path}{os.pathsep}{checkout}"},
            cwd=checkout,
            timeout=100,
            check=False,
        )
    assert done.returncode == 2
    assert "the suite itself failed: RuntimeError: on purpose" in done.stderr
