"""``test`` runs the installed suite, whatever the caller's own pytest set-up, and tells no key."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_cli import COMMAND, KEY, environment, run

FEW = ("--max-requests", "6", "--max-images", "4")


class _Echo(BaseHTTPRequestHandler):
    """Answers every request with everything that came, the key included."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
        self._say({"got": body, "headers": dict(self.headers.items())})

    def do_GET(self) -> None:
        self._say({"headers": dict(self.headers.items())})

    def _say(self, value: object) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """The test's own output is enough."""


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of a server that repeats the key in every answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_ctrl_c_ends_a_run_with_its_own_exit_code() -> None:
    """The server takes a request and never answers; that is when the user gives up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        process = subprocess.Popen(
            [*COMMAND, "test", f"http://127.0.0.1:{listener.getsockname()[1]}", *FEW],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(10)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in output + errors
    assert KEY not in output + errors


def test_no_key_stands_in_any_report(echo: str, tmp_path: Path) -> None:
    """The server repeats the key everywhere, so every report has occasion to tell it."""
    forms = ("json", "junit", "ndjson", "sarif", "html", "github")
    targets = [part for form in forms for part in ("--report", f"{form}={tmp_path / form}")]
    done = run("test", echo, *FEW, *targets)
    assert done.returncode == 1
    data = json.loads((tmp_path / "json").read_text(encoding="utf-8"))
    assert (data["verdict"], data["command"]) == ("findings", "test")
    assert "error.key-leaked" in {finding["rule"] for finding in data["findings"]}
    for form in forms:
        assert KEY not in (tmp_path / form).read_text(encoding="utf-8")
    ElementTree.parse(tmp_path / "junit")
    assert "Key in the answer" in done.stdout


def test_without_an_address_the_mock_is_tested(tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    done = run("test", *FEW, "--seed", "5", "--fail-on", "error", "--report", f"json={target}")
    data = json.loads(target.read_text(encoding="utf-8"))
    assert (data["seed"], data["contract"]) == (5, "quickrouter")
    assert data["target"].startswith("http://127.0.0.1:")
    assert 0 < data["requests"] <= 6
    assert data["images"] <= 4
    assert done.returncode == {"clean": 0, "findings": 1, "inconclusive": 3}[data["verdict"]]


def test_the_caller_s_own_pytest_set_up_is_left_out(tmp_path: Path) -> None:
    """Options and plugins from the environment, a configuration and a folder of the suite's name change nothing."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('this is not yours')\n")
    own = tmp_path / "contract_tests"
    own.mkdir()
    (own / "test_mine.py").write_text("def test_mine():\n    raise SystemExit(7)\n")
    plain = run("test", "--dry-run", "--seed", "1")
    done = run(
        "test",
        "--dry-run",
        "--seed",
        "1",
        cwd=tmp_path,
        PYTEST_ADDOPTS="--no-such-option",
        PYTEST_PLUGINS="no_such_plugin",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == plain.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["conftest.py", "contract_tests", "pytest.ini"]


@pytest.mark.parametrize(("address", "told"), [("http://api.invalid", True), ("https://api.invalid", False)])
def test_a_key_that_goes_over_http_is_warned_of_before(address: str, told: bool) -> None:
    done = run("test", address, "--dry-run", QUICKROUTER_API_KEY=KEY)
    assert (done.returncode, "warning: the key goes over http" in done.stderr) == (0, told), done.stderr


def test_a_dry_run_prints_the_plan_and_sends_nothing(echo: str, tmp_path: Path) -> None:
    target = tmp_path / "r.json"
    done = run("test", echo, "--dry-run", "--report", f"json={target}")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 5


def test_a_paid_address_needs_a_limit() -> None:
    """Nothing listens there and nothing is sent: the plan and its price are shown instead."""
    done = run("test", "https://api.example.invalid")
    assert done.returncode == 2
    assert "--budget" in done.stderr + done.stdout


def test_an_address_where_nobody_listens_is_inconclusive() -> None:
    done = run("test", "http://127.0.0.1:9", *FEW)
    assert done.returncode == 3
    assert "inconclusive" in done.stdout


def test_a_terminal_that_knows_no_chinese(echo: str) -> None:
    """Quotes are written with escapes there; nothing fails after the money is spent."""
    done = run("test", echo, *FEW, PYTHONIOENCODING="cp1252")
    assert done.returncode == 1
    assert "\\u8981\\u751f" in done.stdout or "\\u54cd\\u5e94" in done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/nowhere.pem"),
        ("SSL_CERT_FILE", __file__),
        ("HTTPS_PROXY", "nonsense://x"),
        ("HTTPS_PROXY", "http://me:topsecret/word@10.0.0.1:3128"),
        ("ALL_PROXY", "socks5://me:topsecret@10.0.0.1"),
        ("HTTPS_PROXY", "http://me:topsecret@10.0.0.1:port"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(name: str, value: str) -> None:
    done = run("test", "https://api.invalid", "--max-images", "1", QUICKROUTER_API_KEY=KEY, **{name: value})
    assert done.returncode == 2
    assert re.match(rf"error: (\w+, )*{name}(, \w+)* cannot be used: ", done.stderr), done.stderr
    assert KEY not in done.stdout + done.stderr
    assert "topsecret" not in done.stdout + done.stderr


def test_an_address_of_a_proxy_that_is_none_is_named_without_its_password() -> None:
    done = run("proxy", "https://api.invalid", "--", "true", HTTPS_PROXY="http://me:topsecret/word@10.0.0.1:3128")
    assert (done.returncode, "https_proxy cannot be used" in done.stderr) == (2, True), done.stderr
    assert "topsecret" not in done.stdout + done.stderr
