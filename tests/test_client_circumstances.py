"""``client`` on machines that are short of something, and everything it can write down."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import COMMAND, ROOT, environment, run
from test_client_command import ASK, REAL_KEY

from mockserver.server import background
from mockserver.settings import Settings

FORMATS = ("json", "junit", "ndjson", "sarif", "html", "github", "har")
HOLDS = """
import resource, socket
from urllib.parse import urlsplit
address = urlsplit(os.environ["OPENAI_BASE_URL"])
few, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = [socket.create_connection((address.hostname, address.port)) for _ in range(300)]
for one in held[:100]:
    one.sendall(b"POST /v1/images/generations HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 50\\r\\n\\r\\n{")
assert ask() == 200
"""


def program(tmp_path: Path, code: str) -> list[str]:
    file = tmp_path / "program.py"
    file.write_text(ASK + code)
    return [sys.executable, str(file)]


def test_connections_that_are_held_open_silence_nobody(tmp_path: Path) -> None:
    """300 of them, where the system gives a process 100 open files unless it asks for more."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 1000
    limited = ["sh", "-c", 'ulimit -S -n 100; exec "$@"', "sh", *COMMAND]
    done = subprocess.run(
        [*limited, "client", "--timeout", "30", "--", *program(tmp_path, HOLDS)],
        capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("clean: 1 request,")
    assert "100 requests had no end, not counted or judged: the client went away" in " ".join(done.stdout.split())


def test_a_request_without_an_end_is_none(tmp_path: Path) -> None:
    """As of a client that counts characters where bytes are meant."""
    half = HOLDS.partition("held =")[0] + (
        "socket.create_connection((address.hostname, address.port)).sendall("
        'b"POST /v1/images/generations HTTP/1.1\\r\\nHost: h\\r\\nContent-Length: 50\\r\\n\\r\\n{")\n'
    )
    done = subprocess.run(
        [*COMMAND, "client", "--", *program(tmp_path, half)],
        capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=60,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "inconclusive: 0 requests (no request came to its end)"
    assert "may have its address in its code" not in done.stdout


def test_without_ipv4_everything_of_ours_is_on_ipv6(tmp_path: Path) -> None:
    """In a network of its own, which has ``::1`` and nothing else."""
    alone = ["unshare", "--net", "--map-root-user"]
    if (
        not (shutil.which("unshare") and shutil.which("ip"))
        or subprocess.run([*alone, "true"], capture_output=True).returncode
    ):
        pytest.skip("this system gives no process a network of its own")
    bare = 'ip link set lo up && ip addr del 127.0.0.1/8 dev lo && exec "$@"'
    seen = program(tmp_path, "print(os.environ['OPENAI_BASE_URL'], ask())")
    for arguments in (["client", "--", *seen], ["test", "--max-requests", "3"]):
        done = subprocess.run(
            [*alone, "sh", "-c", bare, "sh", *COMMAND, *arguments],
            capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=60,
        )  # fmt: skip
        assert done.returncode in (0, 3), done.stdout + done.stderr
        assert "cannot listen" not in done.stderr
        if arguments[0] == "client":
            assert done.stdout.startswith("http://[::1]:")
            assert done.stdout.split()[1] == "200"


@pytest.mark.parametrize("command", ["client", "proxy"])
def test_every_format_of_report(tmp_path: Path, command: str) -> None:
    targets = [f"--report={form}={tmp_path / f'r.{form}'}" for form in FORMATS]
    with background(Settings()) as mock:
        address = [mock.url] if command == "proxy" else []
        asks = program(tmp_path, "ask({**OK, 'n': 11})")
        done = run(command, *address, *targets, "--", *asks, OPENAI_API_KEY=REAL_KEY)
    assert done.returncode == 1, done.stderr
    assert REAL_KEY not in done.stdout + done.stderr
    for form in FORMATS:
        text = (tmp_path / f"r.{form}").read_text()
        assert REAL_KEY not in text
        assert "n must be at most 10" in text, form
    assert len(json.loads((tmp_path / "r.har").read_text())["log"]["entries"]) == 1
