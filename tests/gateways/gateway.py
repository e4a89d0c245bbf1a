"""Programs of others between the suite and the mock: started on free ports, given time, and stopped again.

Where the system allows it, all of them run in a network namespace of their own, so that nothing can reach another
machine; elsewhere they run on loopback, and the result says so.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY = "sk-gateway-0123456789"
UPSTREAM_KEY = "sk-upstream-0123456789"
START_S, RUN_S = 120, 240
_WAIT = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()
        sys.exit(0)
    except OSError:
        time.sleep(0.2)
sys.exit(1)
"""


@dataclass(frozen=True)
class Home:
    """Where programs run: what stands before their commands, and in words."""

    prefix: tuple[str, ...]
    words: str

    def command(self, *parts: str) -> list[str]:
        return [*self.prefix, *parts]


@contextmanager
def home() -> Iterator[Home]:
    """A network namespace with nothing but loopback, or plain loopback where there can be none."""
    name = f"contract-{secrets.token_hex(4)}"
    tool = shutil.which("ip")
    made = tool and subprocess.run([tool, "netns", "add", name], capture_output=True, check=False).returncode == 0
    if not tool or not made:
        yield Home((), "plain loopback: no network namespace can be made here")
        return
    prefix = (tool, "netns", "exec", name)
    try:
        subprocess.run([*prefix, tool, "link", "set", "lo", "up"], check=True, timeout=10)
        yield Home(prefix, "a network namespace of its own")
    finally:
        subprocess.run([tool, "netns", "delete", name], check=False, timeout=10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
        return port


@contextmanager
def running(
    where: Home, command: Sequence[str], port: int, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A program that listens on a port, until the block ends; fails with its own words if it does not come up."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            where.command(*command),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    try:
        waited = subprocess.run(
            where.command(sys.executable, "-c", _WAIT, str(port), str(START_S)), timeout=START_S + 10, check=False
        )
        said = log.read_text(errors="replace")[-2000:]
        assert waited.returncode == 0, said
        assert process.poll() is None, said
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@contextmanager
def mock(where: Home, folder: Path) -> Iterator[str]:
    """The mock as the gateway's upstream, which takes the upstream's key only; gives its base URL."""
    port = free_port()
    command = [sys.executable, "-m", "mockserver", "mock", "--port", str(port), "--api-key-env", "UPSTREAM_KEY"]
    with running(where, command, port, folder / "mock.log", {"UPSTREAM_KEY": UPSTREAM_KEY}):
        yield f"http://127.0.0.1:{port}"


@dataclass(frozen=True)
class Result:
    """What the suite said about a gateway."""

    exit_code: int
    report: dict[str, Any]
    text: str

    def found(self, rule: str) -> list[str]:
        """The messages of the findings of a rule that are more than information."""
        findings = self.report["findings"]
        return [f["message"] for f in findings if f["rule"] == rule and f["severity"] != "info"]


def examine(where: Home, url: str, folder: Path, key: str, *options: str) -> Result:
    """Run the suite against a base URL."""
    path = folder / "report.json"
    done = subprocess.run(
        where.command(
            *(sys.executable, "-m", "mockserver", "test", url, "--seed", "1", "--request-timeout", "20"),
            *("--report", f"json={path}", "--max-requests", "60", "--max-images", "30", *options),
        ),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        env={**os.environ, "QUICKROUTER_API_KEY": key},
        check=False,
    )
    assert path.exists(), done.stderr
    return Result(done.returncode, json.loads(path.read_text()), done.stdout + done.stderr)


def installed() -> Path:
    """Where the tox environment put the gateways."""
    return Path(os.environ["GATEWAYS"])


def documented(gateway: str) -> list[tuple[str, str]]:
    """The findings that the documentation quotes for a gateway: rule and message."""
    page = Path(__file__).resolve().parent.parent.parent / "docs" / "gateways.md"
    section = page.read_text(encoding="utf-8").partition(f"## {gateway}")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("| `")]
    return [(rule.strip().strip("`"), message.strip()) for rule, message in rows]


def keeps(result: Result, gateway: str, secret: str) -> None:
    """What holds for any gateway: within the limits, no key in the report, and every documented finding is there."""
    assert result.exit_code == 1, result.text
    assert result.report["requests"] <= 60
    assert result.report["images"] <= 30
    assert secret not in result.text + json.dumps(result.report)
    rows = documented(gateway)
    assert rows
    for rule, message in rows:
        assert message in result.found(rule), (rule, message, result.found(rule))
