"""``client``: a real program in a real process against a mock of its own, judged by what it sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from test_cli import COMMAND, ROOT, environment, run

from mockserver import openapi
from mockserver.client.advice import fix, marked
from mockserver.client.environment import versioned
from mockserver.messages import Request
from mockserver.validation import Judge

REAL_KEY = "sk-real-key-of-the-user"
ASK = """
import json, os, sys, urllib.error, urllib.request

OK = {"prompt": "a cat", "n": 1, "size": "auto", "model": "gpt-image-1.5"}

def ask(body=OK, path="/images/generations", base=None, method=None, **headers):
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Accept": "*/*",
             "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], **headers}
    request = urllib.request.Request((base or os.environ["OPENAI_BASE_URL"]) + path, data, given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
"""


def client(tmp_path: Path, code: str, *options: str, **variables: str) -> tuple[int, dict[str, Any], str, str]:
    """Exit code, JSON report, stdout and stderr of one run of a Python program."""
    report = tmp_path / "report.json"
    program = tmp_path / "program.py"
    program.write_text(ASK + code)
    done = run(
        *("client", "--report", f"json={report}", *options, "--", sys.executable, str(program)),
        cwd=ROOT,
        OPENAI_API_KEY=REAL_KEY,
        **variables,
    )
    assert REAL_KEY not in done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text()) if report.exists() else {}, done.stdout, done.stderr


def found(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{finding['rule']} {finding['pointer']}": finding for finding in report["findings"]}


def test_a_clean_client(tmp_path: Path) -> None:
    code = "assert sys.stdin.read() == ''; print('out', ask()); print('err', ask({**OK, 'n': 2}), file=sys.stderr)"
    status, report, out, err = client(tmp_path, code)
    assert (status, report["verdict"], report["findings"], report["requests"]) == (0, "clean", [], 2)
    assert (report["accepted"], report["images"]) == (2, 3)
    assert "out 200" in out
    assert "err 200" in err
    assert out.splitlines()[-1].startswith("clean: 2 requests")


def test_the_environment(tmp_path: Path) -> None:
    code = "print(json.dumps({k: v for k, v in os.environ.items() if 'OPENAI' in k or 'QUICK' in k or 'proxy' in k.lower()}))"
    _, _, out, _ = client(tmp_path, code, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="a.example")
    seen = json.loads(out.splitlines()[0])
    plain = seen["QUICKROUTER_BASE_URL"]
    assert plain.startswith("http://127.0.0.1:")
    assert seen["OPENAI_BASE_URL"] == seen["OPENAI_API_BASE"] == f"{plain}/v1"
    assert seen["OPENAI_API_KEY"] == seen["QUICKROUTER_API_KEY"] != REAL_KEY
    assert seen["NO_PROXY"] == "a.example,127.0.0.1,localhost"
    assert client(tmp_path, "ask()", HTTP_PROXY="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9")[0] == 0


def test_requests_are_judged_although_every_error_is_swallowed(tmp_path: Path) -> None:
    code = """
assert [ask({**OK, "n": 11, "quality": "hd"}), ask({"n": 1}), ask(b'{"n": 1')] == [400, 400, 400]
assert ask(path="/v1/images/generations") == 404 == ask(path="/image/generations")
assert ask(None, method="GET") == 405
assert ask(Authorization="") == 401
"""
    status, report, out, _ = client(tmp_path, code)
    assert (status, report["verdict"], report["requests"]) == (1, "findings", 7)
    rules = found(report)
    assert rules["body.maximum /body/n"]["observed"].endswith(
        'sent was {"prompt": "a cat", "n": >>> 11 <<<, "size": "auto", "model": "gpt-image-1.5", "quality": "hd"}'
    )
    assert rules["body.maximum /body/n"]["documented"].endswith("to mend it, make n at most 10")
    assert "介于 1 和 10 之间" in rules["body.maximum /body/n"]["source"]["quote"]
    assert '>>> "prompt" is missing <<<' in rules["body.required /body/prompt"]["observed"]
    assert rules["body.undocumented /body/quality"]["severity"] == "info"
    assert "the base URL ends in /v1 already" in rules["path.unknown /path"]["documented"]
    assert rules["path.unknown /path"]["also"] == ["POST /v1/image/generations"]
    assert {"json.cut /body", "path.method /path"} <= rules.keys()
    assert any(rule.startswith("security.") for rule in rules)
    assert "createImage: 4 requests, 4 of them break" in " ".join(out.split())
    assert report["operations"] == {
        "createImage": {"requests": 4, "breaking": 4},
        "no known operation": {"requests": 3, "breaking": 3},
    }


def test_report_serves_what_enforce_refuses(tmp_path: Path) -> None:
    status, report, _, _ = client(tmp_path, "assert ask({**OK, 'n': 11}) == 200", "--on-violation", "report")
    assert (status, set(found(report))) == (1, {"body.maximum /body/n"})


def test_what_is_paid_for_twice(tmp_path: Path) -> None:
    code = "ask(); ask(); ask({**OK, 'n': 2}); ask({**OK, 'n': 2}, **{'x-stainless-retry-count': '1'})"
    status, report, _, _ = client(tmp_path, code)
    (twice,) = [finding for finding in report["findings"] if finding["rule"] == "client.paid-twice"]
    assert (status, twice["severity"], twice["count"]) == (0, "warning", 2)
    assert "as attempt 1 by its x-stainless-retry-count" in twice["observed"]
    assert client(tmp_path, code, "--fail-on", "warning")[0] == 1
    assert client(tmp_path, "assert ask() == 400 == ask()", "--scenario", "moderation-blocked")[1]["findings"] == []


def test_no_request_is_inconclusive_with_advice(tmp_path: Path) -> None:
    status, report, out, _ = client(tmp_path, "print('nothing')")
    assert (status, report["verdict"], report["reason"]) == (3, "inconclusive", "no request was seen")
    assert "OPENAI_BASE_URL=http://127.0.0.1:" in out


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ask(); sys.exit(7)", "the command itself failed with exit code 7"),
        ("sys.exit(7)", "the command itself failed with exit code 7"),
        ("ask(); os.kill(os.getpid(), 9)", "the command itself was ended by SIGKILL"),
        ("ask(); import time; time.sleep(60)", "the command was stopped after 1.5 s (--timeout)"),
    ],
)
def test_the_commands_own_failure_is_1_and_said(tmp_path: Path, code: str, said: str) -> None:
    started = time.monotonic()
    status, report, _, err = client(tmp_path, code, "--timeout", "1.5" if "sleep" in code else "30")
    assert (status, report["reason"].split("; ")[0]) == (1, said)
    assert f"{said}; that is why this exits with 1" in err
    assert time.monotonic() - started < 15


def test_a_broken_request_comes_before_the_commands_own_failure(tmp_path: Path) -> None:
    status, _, _, err = client(tmp_path, "ask({}); sys.exit(7)")
    assert status == 1
    assert "that is why" not in err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["no-such-command"], "there is no command 'no-such-command'"),
        (["python -c pass"], "give the command and its arguments one by one"),
        (["pyproject.toml"], "./pyproject.toml would be the file in this folder"),
        (["./pyproject.toml"], "it may not be executed"),
        (["/"], "it is a folder"),
        ([], "Missing argument '-- COMMAND...'"),
    ],
)
def test_a_missing_command_is_2_in_one_line(command: list[str], said: str) -> None:
    done = run("client", "--", *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_options_of_the_command_are_its_own(tmp_path: Path) -> None:
    done = run("client", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--timeout", "-h", "--")
    assert "['--timeout', '-h', '--']" in done.stdout


def test_a_child_that_stays_does_not_hold_us_up(tmp_path: Path) -> None:
    late = "import sys, time; sys.stderr.close(); time.sleep(0.4); exec(open(sys.argv[1]).read().split('FORK')[0]); ask({**OK, 'n': 0}); time.sleep(3)"
    code = f"""
# FORK
import subprocess
ask()
subprocess.Popen([sys.executable, "-c", {late!r}, __file__])
"""
    started = time.monotonic()
    status, report, _, _ = client(tmp_path, code)
    assert time.monotonic() - started < 15
    assert status == (1 if found(report) else 0)
    assert report["requests"] >= 1
    if not _terminal():
        assert any("left processes running" in note for note in report["notes"])


def _terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("number", "stubborn"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True)]
)
def test_an_interrupt_is_passed_on_and_exits_130(tmp_path: Path, number: signal.Signals, stubborn: bool) -> None:
    ignore = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" if stubborn else ""
    program = tmp_path / "program.py"
    program.write_text(ASK + ignore + "ask(); print('ready', os.getpid(), flush=True)\nimport time; time.sleep(60)")
    command = [*COMMAND, "client", "--", sys.executable, str(program)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True)
    assert child.stdout is not None
    pid = int(child.stdout.readline().split()[1])
    child.send_signal(number)
    out, _ = child.communicate(timeout=20)
    assert child.returncode == 130
    assert " ".join(out.split()).endswith("clean: 1 request, 1 image, about 0.05 USD (interrupted)")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_thousands_of_requests_and_a_large_body(tmp_path: Path) -> None:
    code = """
import http.client
from urllib.parse import urlsplit
url = urlsplit(os.environ["OPENAI_BASE_URL"])
connection = http.client.HTTPConnection(url.hostname, url.port)
headers = {"Content-Type": "application/json", "Accept": "*/*", "Authorization": "Bearer k-12345678"}
for number in range(2_000):
    body = json.dumps({**OK, "n": 0 if number % 10 == 0 else 1, "prompt": str(number)})
    connection.request("POST", url.path + "/images/generations", body, headers)
    connection.getresponse().read()
print(ask({**OK, "prompt": "a" * 10_000_000}))
"""
    status, report, out, _ = client(tmp_path, code)
    rules = found(report)
    assert (status, report["requests"], rules["body.minimum /body/n"]["count"]) == (1, 2_001, 200)
    assert "10000000 characters" in rules["body.maxLength /body/prompt"]["observed"]
    assert len(json.dumps(report)) < 1_000_000
    assert "400" in out


def test_advice_for_every_kind_of_place() -> None:
    contract = openapi.load("quickrouter")
    judge = Judge(contract)
    headers = (("Content-Type", "text/plain"), ("Authorization", "Bearer k-12345678"), ("Accept", "*/*"))
    wrong = Request("POST", "/v1/images/generations", "", headers, b"{}")
    (violation,) = judge.request(wrong).violations
    assert marked(wrong, violation) == "Content-Type: >>> text/plain <<<"
    assert fix(contract, wrong, violation) == "name the documented media type in Content-Type"
    without = Request("POST", "/images/generations")
    (violation,) = judge.request(without).violations
    assert fix(contract, without, violation) == "the base URL lacks /v1 at its end"
    empty = Request("POST", "/v1/images/generations", "", (("Content-Type", "application/json"), *headers[1:]), b"")
    (violation,) = judge.request(empty).violations
    assert marked(empty, violation) == ">>> an empty body <<<"


def test_the_version_of_the_base_url_comes_from_the_paths() -> None:
    assert versioned(openapi.load("quickrouter"), "http://h") == "http://h/v1"
