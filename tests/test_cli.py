"""The real command: exit codes, one line per error, no traceback, no key, and only what a command needs is imported."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver import library
from mockserver.cli import main

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "mockserver"]
KEY = "sk-test-9f8e7d6c5b4a"


def environment(**variables: str) -> dict[str, str]:
    """The process's environment with a key, and with the checkout importable from anywhere."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "QUICKROUTER_API_KEY": KEY, "COLUMNS": "80", **variables}


def run(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**variables),
        cwd=cwd or ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option: str) -> None:
    done = run(option)
    assert done.returncode == 0
    for command in ("mock", "test", "lint", "export"):
        assert re.search(rf"^  {command} ", done.stdout, flags=re.MULTILINE)
        assert run(command, option).returncode == 0


def test_help_of_test_names_every_option() -> None:
    text = run("test", "-h").stdout
    options = (
        "contract max-requests max-images budget dry-run seed baseline update-baseline fail-on report rate-limit "
        "request-timeout api-key-env"
    )
    for option in options.split():
        assert f"--{option}" in text


def test_help_of_mock_names_every_option() -> None:
    text = run("mock", "-h").stdout
    for option in ["host", "port", "contract", "scenario", "seed", "workers", "state", "on-violation", "api-key-env"]:
        assert f"--{option}" in text


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"quickrouter-contract \d+\.\d+\.\S+\n", done.stdout)


USAGE = {
    "unknown command": (("tset",), "No such command"),
    "unknown option": (("test", "--budgte", "1"), "No such option"),
    "budget": (("test", "--budget", "much"), "'much' is not an amount in US dollars, such as 0.50usd"),
    "negative budget": (("test", "--budget", "-1"), "not an amount"),
    "rate": (("test", "--rate-limit", "fast"), "not a rate above zero, such as 5/s"),
    "no rate": (("test", "--rate-limit", "0/s"), "not a rate above zero"),
    "report without path": (("test", "--report", "json"), "lacks a path, as in json=report.json"),
    "report format": (("test", "--report", "yaml=x"), "no report format 'yaml'; there are json, junit"),
    "report folder": (("test", "--report", "json=/no/such/folder/x.json"), "cannot be written to /no/such/folder"),
    "report twice": (("test", "--report", "json=-", "--report", "junit=-"), "two reports would be written to stdout"),
    "baseline": (("test", "--update-baseline"), "--update-baseline needs --baseline"),
    "address": (("test", "api.example.com"), "is not a base URL such as https://"),
    "credentials": (("test", f"https://u:{KEY}@api.example.com"), "must not hold credentials"),
    "query": (("test", "https://api.example.com?a=b"), "neither a query nor a fragment"),
    "key as an option": (("test", "--api-key-env", KEY), "never the key"),
    "no such variable": (("mock", "--api-key-env", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE, which is not set"),
    "port": (("mock", "--port", "70000"), "not in the range"),
    "no number": (("mock", "--workers", "x"), "'x' is not a valid integer."),
    "no time": (("mock", "--request-timeout", "abc"), "'abc' is not a valid number of seconds."),
    "time below zero": (("mock", "--send-timeout", "-1"), "-1.0 is not in the range 0<=x<=86400"),
    "time that never ends": (
        ("mock", "--port", "0", "--request-timeout", "nan"),
        "'nan' is not a valid number of seconds",
    ),
    "delay that never ends": (("mock", "--port", "0", "--delay", "nan"), "'nan' is not a valid number of seconds"),
    "time of a command": (("client", "--timeout", "inf", "--", "true"), "'inf' is not a valid number of seconds"),
    "foreign address": (("mock", "--host", "192.0.2.1", "--port", "0"), "it is no address of this machine; --host"),
    "no such contract": (("mock", "--contract", "nothing-there"), "no such contract"),
    "contract of test": (("test", "--contract", "nothing-there"), "no such contract"),
    "contract of lint": (("lint", "nothing-there"), "no such contract"),
    "no scenario": (("mock", "--port", "0", "--scenario", "no-such-scenario"), "no-such-scenario"),
    "output": (("export", "openapi", "-o", "/no/such/folder/x.json"), "cannot be written"),
}


@pytest.mark.parametrize("name", USAGE)
def test_what_is_wrong_with_a_command_line_is_one_line(name: str) -> None:
    arguments, words = USAGE[name]
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert words in first
    assert [line for line in rest if not re.fullmatch(r"see quickrouter-contract[a-z ]* --help", line)] == []


def test_no_command_shows_the_help() -> None:
    done = run()
    assert done.returncode == 2
    assert "Usage: quickrouter-contract" in done.stderr


def test_a_key_that_no_header_can_carry_is_refused() -> None:
    done = run("test", "--dry-run", QUICKROUTER_API_KEY="sk-with\nbreak")
    assert done.returncode == 2
    assert "QUICKROUTER_API_KEY" in done.stderr
    assert "sk-with" not in done.stderr


def test_an_unexpected_failure_is_one_line_and_its_traceback_can_be_had(tmp_path: Path) -> None:
    """A dependency that cannot be imported stands for every mistake that nobody foresaw; it even tells the key."""
    (tmp_path / "referencing.py").write_text(f"raise RuntimeError('boom {KEY}')\n")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    done = run("lint", PYTHONPATH=path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "unexpected RuntimeError: boom ***" in done.stderr
    assert "QUICKROUTER_CONTRACT_DEBUG=1" in done.stderr
    shown = subprocess.run(
        [*COMMAND, "lint"],
        env=environment(PYTHONPATH=path, QUICKROUTER_CONTRACT_DEBUG="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 2
    assert "Traceback (most recent call last)" in shown.stderr
    assert KEY not in shown.stderr


def test_lint_of_a_sound_contract() -> None:
    done = run("lint")
    assert done.returncode == 0
    assert re.search(
        r"^quickrouter: sound; \d+ statements, \d+ sources, \d+ examples$", done.stdout, flags=re.MULTILINE
    )


def test_a_terminal_that_knows_no_chinese() -> None:
    done = run("lint", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0
    assert "\\u9ed8\\u8ba4\\u503c" in done.stdout


def test_a_contract_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    """A contract may come from anywhere; its texts are shown, not obeyed."""
    file = tmp_path / "x.json"
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {},
        "\x1b[2J": 1,
        "x-contradiction": ["\x1b]0;t\x07"],
    }
    file.write_text(json.dumps(document))
    done = run("lint", str(file))
    assert done.returncode == 2
    assert "\x1b" not in done.stdout
    assert "\\u001b[2J" in done.stdout
    assert "\\u001b]0;t" in done.stdout


def test_lint_of_a_spoilt_contract(tmp_path: Path) -> None:
    folder = shutil.copytree(library.bundled_root() / "quickrouter", tmp_path / "spoilt")
    file = folder / "models" / "create-image-request.json"
    file.write_text(file.read_text().replace("maxLength", "maxLenght"))
    done = run("lint", str(folder))
    assert done.returncode == 2
    assert re.search(r"^spoilt/models/create-image-request\.json:\d+: .*'maxLength'\?", done.stdout, flags=re.MULTILINE)
    assert done.stdout.splitlines()[-1].startswith("spoilt: 1 problem; ")


def test_an_exported_contract_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "whole.json"
    assert run("export", "openapi", "--contract", "quickrouter", "-o", str(file)).returncode == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    assert all(reference.startswith("#/") for reference in re.findall(r'"\$ref": "([^"]+)"', file.read_text()))
    assert document == library.read(str(file)).data
    linted = run("lint", str(file))
    assert linted.returncode == 0
    assert linted.stdout.splitlines()[-1].partition(": ")[2] == run("lint").stdout.splitlines()[-1].partition(": ")[2]
    assert run("export", "openapi", "--contract", str(file)).stdout == file.read_text(encoding="utf-8")


def test_a_reader_that_goes_away_is_no_error_to_tell() -> None:
    process = subprocess.Popen(
        [*COMMAND, "export", "openapi"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert errors == b""


@pytest.fixture
def mock() -> Iterator[subprocess.Popen[str]]:
    """A mock started by the real command, which has printed nothing yet."""
    process = subprocess.Popen(
        [*COMMAND, "mock", "--port", "0", "--api-key-env", "QUICKROUTER_API_KEY"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_mock_prints_its_address_first_and_ends_on_ctrl_c(mock: subprocess.Popen[str]) -> None:
    assert mock.stdout is not None
    address = mock.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 404")
    mock.send_signal(signal.SIGINT)
    _, errors = mock.communicate(timeout=20)
    assert mock.returncode == 130
    assert "Traceback" not in errors
    assert KEY not in errors


def test_mock_ends_on_sigterm(mock: subprocess.Popen[str]) -> None:
    assert mock.stdout is not None
    mock.stdout.readline()
    mock.terminate()
    _, errors = mock.communicate(timeout=20)
    assert (mock.returncode, errors) == (0, "")


def test_a_taken_port_is_one_line(mock: subprocess.Popen[str]) -> None:
    assert mock.stdout is not None
    port = mock.stdout.readline().strip().rpartition(":")[2]
    done = run("mock", "--port", port)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert port in done.stderr
    assert len(done.stderr.splitlines()) == 1


def imported_by(*arguments: str) -> set[str]:
    """Top-level packages that stand in ``sys.modules`` after a command line has ended."""
    program = (
        "import sys; from mockserver.cli import main; code = main(sys.argv[1:]); "
        "print('\\n' + ' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("-h",), ("mock", "-h"), ("test", "-h"), ("test", "--budget", "x"), ("tset",)])
def test_no_command_imports_what_it_does_not_need(arguments: tuple[str, ...]) -> None:
    heavy = {"hypothesis", "pytest", "rich", "jsonschema", "starlette", "uvicorn", "httpx", "yaml", "watchfiles", "PIL"}
    assert imported_by(*arguments) & heavy == set()


def test_main_returns_and_raises_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Who calls it from a program gets a number, whatever the arguments."""
    assert main(["--version"]) == 0
    assert main(["lint", "nothing-there"]) == 2
    assert main(["test", "--fail-on", "fatal"]) == 2
    assert "error: " in capsys.readouterr().err
