"""The pytest plugin as projects meet it: pytest in a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from mockserver.errors import UsageError
from mockserver.fixtures import settings_of

CALL = """
import json, os, sys, urllib.error, urllib.request
import pytest

def call(url, **change):
    body = {"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "auto", **change}
    headers = {"Authorization": "Bearer sk-secret-0123456789", "Content-Type": "application/json"}
    headers["Accept"] = "application/json"
    request = urllib.request.Request(url + "/v1/images/generations", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
"""


def outcome(
    folder: Path, tests: str = "", *options: str, files: Mapping[str, str] | None = None, **variables: str
) -> tuple[int, str]:
    """Exit code and output of ``python -m pytest -W error`` in a folder with these files."""
    for name, text in {**({"test_it.py": CALL + tests} if tests else {}), **(files or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    hidden = ("PYTEST", "PYTHON", "QUICKROUTER", "OPENAI", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "--strict-markers", *options],
        cwd=folder,
        env={**kept, "COLUMNS": "160", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def results(text: str) -> dict[str, str]:
    """Test -> outcome, from the lines of ``pytest -v``; an error while tidying up counts."""
    return dict(re.findall(r"^test_it\.py::(\S+) ([A-Z]+)", text, re.MULTILINE))


JUDGED = """
def test_kept(mock_api):
    assert call(mock_api.url) == 200
    [came] = mock_api.requests
    assert (came.method, came.path, came.status, came.json["n"]) == ("POST", "/v1/images/generations", 200, 1)
    assert mock_api.violations == []
    assert "sk-secret" not in repr(came)

def test_swallowed(mock_api):
    call(mock_api.url, n=12)

@pytest.mark.mock_api(on_violation="report")
def test_reported(mock_api):
    call(mock_api.url, n=13)

@pytest.mark.mock_api(on_violation="ignore")
def test_ignored(mock_api):
    assert call(mock_api.url, n=14) == 400
    assert [violation.rule for violation in mock_api.violations] == ["body.maximum"]

def test_forgotten(mock_api):
    call(mock_api.url, n=15)
    mock_api.reset()
    assert mock_api.requests == []

def test_failed_itself(mock_api):
    call(mock_api.url, n=16)
    raise RuntimeError("its own failure")

@pytest.fixture
def tidy(mock_api):
    yield
    call(mock_api.url, n=17)

def test_tidied(tidy):
    pass

def test_wrong_statuses_of_a_scenario_break_nothing(mock_api):
    mock_api.arm({"steps": [{"response": {"status": 418}}]})
    assert [call(mock_api.url), call(mock_api.url)] == [418, 200]
    mock_api.arm("rate-limited")
    assert call(mock_api.url) == 429
    mock_api.arm(None)
    assert call(mock_api.url) == 200
    with pytest.raises(ValueError, match="there is no scenario 'lost'"):
        mock_api.arm("lost")
"""


def test_a_test_fails_when_its_code_breaks_the_contract(tmp_path: Path) -> None:
    code, text = outcome(tmp_path, JUDGED, "-v")
    assert code == 1, text
    assert results(text) == {
        "test_kept": "PASSED",
        "test_swallowed": "FAILED",
        "test_reported": "PASSED",
        "test_ignored": "PASSED",
        "test_forgotten": "FAILED",
        "test_failed_itself": "FAILED",
        "test_tidied": "ERROR",
        "test_wrong_statuses_of_a_scenario_break_nothing": "PASSED",
    }
    told = re.search(r"_ test_swallowed _+\n(.*?)\n_+ ", text, re.DOTALL)
    assert told, text
    assert "1 request breaks the contract\nPOST /v1/images/generations -> 400" in told[1]
    assert (
        "n must be at most 10; got 12 (body.maximum)\n    documented: n must be at most 10\n    source: https://"
        in told[1]
    )
    assert "必须介于 1 和 10 之间" in told[1], "the documented statement is quoted"
    assert "RuntimeError: its own failure" in text
    for number in (15, 16, 17):
        assert f"n must be at most 10; got {number}" in text
    reported = text.partition("violations of the contract, reported only")[2]
    assert "test_it.py::test_reported: 1 request breaks the contract" in reported
    assert "got 14" not in text
    assert "sk-secret" not in text


CALLED = """
def test_called(mock_api):
    call(mock_api.url), call(mock_api.url, n=2)
    both = mock_api.assert_called(method="POST", path="/v1/*", times=2, violated=False)
    assert [one.json["n"] for one in both] == [1, 2]
    assert [one.json["n"] for one in mock_api.assert_called(body={"n": 2, "/size": "auto"})] == [2]
    assert mock_api.assert_called(body={"n": 3}, times=0) == []

def test_another_value(mock_api):
    call(mock_api.url)
    mock_api.assert_called(path="/v1/images/generations", times=1, body={"n": 2})

def test_too_often(mock_api):
    call(mock_api.url), call(mock_api.url)
    mock_api.assert_called(path="/v1/images/generations", times=1)

def test_nothing(mock_api):
    mock_api.assert_called(method="GET")

def test_a_condition_that_is_none(mock_api):
    with pytest.raises(ValueError, match="there is no condition 'paht'; .*did you mean 'path'"):
        mock_api.assert_called(paht="/v1/x")
"""


def test_assert_called_says_what_was_asked_what_came_and_what_was_nearest(tmp_path: Path) -> None:
    code, text = outcome(tmp_path, CALLED, "-v")
    assert code == 1, text
    assert results(text) == {
        "test_called": "PASSED",
        "test_another_value": "FAILED",
        "test_too_often": "FAILED",
        "test_nothing": "FAILED",
        "test_a_condition_that_is_none": "PASSED",
    }
    text = text.replace("\nE   ", "\n")
    sent = '{"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "auto"}'
    assert 'asked for: exactly 1 with path "/v1/images/generations", body {"/n": 2}' in text
    assert re.search(
        rf"came: 0\n +nearest, but for body:\n +POST /v1/images/generations -> 200  {re.escape(sent)}", text
    )
    assert re.search(rf"came: 2\n( +POST /v1/images/generations -> 200  {re.escape(sent)}\n){{2}}", text)
    assert re.search(r'asked for: at least 1 with method "GET"\n +came: 0\n +no request came at all', text)


FOUND = """
import unittest

VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "QUICKROUTER_BASE_URL", "OPENAI_API_KEY", "QUICKROUTER_API_KEY")

def test_variables(mock_api_env):
    versioned, also, plain, key, other = (os.environ[name] for name in VARIABLES)
    assert versioned == also == mock_api_env.url + "/v1"
    assert plain == mock_api_env.url
    assert key == other != ""
    assert "127.0.0.1" in os.environ["NO_PROXY"].split(",")
    assert call(os.environ["QUICKROUTER_BASE_URL"]) == 200

def test_variables_are_gone_again():
    assert not set(VARIABLES) & set(os.environ)

def test_each_test_begins_with_nothing(mock_api):
    assert mock_api.requests == []

@pytest.mark.mock_api(on_violation="ignore")
def test_other_sessions_count_too(mock_api):
    headers = {"Mock-Session": "mine"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(mock_api.url + "/v1/x", headers=headers))
    refused.value.close()
    assert [one.path for one in mock_api.requests] == ["/v1/x"]

@pytest.mark.mock_api(scenario="rate-limited", seed=7)
class TestMarks:
    def test_from_the_class(self, mock_api):
        assert call(mock_api.url) == 429

    @pytest.mark.mock_api(scenario="server-error")
    def test_nearest_one_decides(self, mock_api, mock_server):
        assert call(mock_api.url) == 500
        assert mock_api.url != mock_server.url, "another seed is another mock"

@pytest.mark.usefixtures("mock_api_env")
class InTheStyleOfUnittest(unittest.TestCase):
    def test_kept(self):
        self.assertEqual(call(os.environ["QUICKROUTER_BASE_URL"]), 200)

    def test_broken(self):
        call(os.environ["QUICKROUTER_BASE_URL"], n="x")

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_async(mock_api):
    import httpx
    async with httpx.AsyncClient(base_url=mock_api.url) as client:
        await client.get("/v1/nothing")
"""


def test_variables_marks_unittest_and_async_tests(tmp_path: Path) -> None:
    code, text = outcome(tmp_path, FOUND, "-v", http_proxy="http://127.0.0.1:9", no_proxy="127.0.0.1")
    assert code == 1, text
    assert results(text) == {
        "test_variables": "PASSED",
        "test_variables_are_gone_again": "PASSED",
        "test_each_test_begins_with_nothing": "PASSED",
        "test_other_sessions_count_too": "PASSED",
        "TestMarks::test_from_the_class": "PASSED",
        "TestMarks::test_nearest_one_decides": "PASSED",
        "InTheStyleOfUnittest::test_kept": "PASSED",
        "InTheStyleOfUnittest::test_broken": "FAILED",
        "test_async": "FAILED",
    }
    assert "n must be an integer" in text
    assert "GET /v1/nothing -> 404" in text


def test_wrong_marks_and_settings_are_said(tmp_path: Path) -> None:
    tests = """
@pytest.mark.mock_api(colour="red")
def test_mark(mock_api): pass

@pytest.mark.mock_api(on_violation="shout")
def test_word(mock_api): pass

@pytest.mark.mock_api(contract="missing")
def test_contract(mock_api): pass

@pytest.mark.mock_api(scenario="lost")
def test_scenario(mock_api): pass
"""
    code, text = outcome(tmp_path, tests, "-v")
    assert code == 1
    assert set(results(text).values()) == {"ERROR"}
    assert "the marker mock_api has no colour: mock_api(scenario=NAME" in text
    assert "on_violation is one of enforce, report, ignore; got 'shout'" in text
    assert "the mock did not start: error: missing: no such contract" in text
    assert "there is no scenario 'lost'" in text


def test_ini_file_chooses_contract_and_consequence(tmp_path: Path) -> None:
    ini = "[pytest]\nquickrouter_contract = api.yaml\nquickrouter_on_violation = report\nmock_server_args = --seed 1\n"
    api = """
openapi: 3.1.0
info: {title: garden, version: "1"}
paths:
  /v2/beds:
    get:
      operationId: beds
      responses: {"200": {description: ok, content: {application/json: {schema: {type: string}}}}}
"""
    tests = """
def test_it(mock_api_env):
    assert os.environ["OPENAI_BASE_URL"].endswith("/v2")
    urllib.request.urlopen(mock_api_env.url + "/v2/beds").close()
    assert call(mock_api_env.url) == 404
"""
    code, text = outcome(tmp_path, tests, files={"pytest.ini": ini, "api.yaml": api})
    assert code == 0, text
    assert "reported only" in text
    assert "POST /v1/images/generations -> 404" in text


STRANGER = """
def test_strangers(mock_api):
    import contract_tests, mockserver
    assert (mockserver.OWNER, contract_tests.OWNER) == ("the project", "the project")
    assert call(mock_api.url) == 200
"""


def test_own_folders_with_our_names_stay_the_projects(tmp_path: Path) -> None:
    """Also where a conftest puts them first, has imported them, and PYTHONPATH and the current folder lead there."""
    own = {f"{name}/__init__.py": 'OWNER = "the project"\n' for name in ("mockserver", "contract_tests")}
    first = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport mockserver, contract_tests\n"
    files = {**own, "mockserver/fixtures.py": "raise SystemExit('the wrong one')\n", "conftest.py": first}
    code, text = outcome(tmp_path, STRANGER, files=files, PYTHONPATH=str(tmp_path))
    assert code == 0, text


def test_nothing_of_ours_is_imported_whatever_is_used(tmp_path: Path) -> None:
    tests = """
def ours():
    return {"mockserver", "contract_tests"} & {name.partition(".")[0] for name in sys.modules}

def test_before():
    assert "pytest_quickrouter" in sys.modules
    assert not ours()

def test_after(mock_api):
    call(mock_api.url)
    assert not ours()
"""
    code, text = outcome(tmp_path, tests)
    assert code == 0, text


def test_a_project_can_do_without(tmp_path: Path) -> None:
    tests = "\n@pytest.fixture\ndef mock_api():\n    return 'own'\n\ndef test_own(mock_api):\n    assert mock_api == 'own'\n"
    asked = tests + "\ndef test_ours(mock_server):\n    pass\n"
    assert outcome(tmp_path, tests)[0] == 0, "a project's own fixture comes first"
    code, text = outcome(tmp_path, asked, files={"pytest.ini": "[pytest]\nquickrouter_fixtures = false\n"})
    assert code == 1
    assert "fixture 'mock_server' not found" in text
    assert "1 passed, 1 error" in text


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


def test_mocks_end_with_pytest_however_it_ends(tmp_path: Path) -> None:
    tests = """
def test_killed(mock_api):
    print(mock_api.url, flush=True)
    os.kill(os.getpid(), 9)
"""
    code, text = outcome(tmp_path, tests, "-s")
    assert code == -signal.SIGKILL
    found = re.search(r"http://127\.0\.0\.1:(\d+)", text)
    assert found
    until = time.monotonic() + 10
    while (there := listens(int(found[1]))) and time.monotonic() < until:
        time.sleep(0.05)
    assert not there


@pytest.mark.parametrize("options", [["--port", "4010"], ["--workers", "2"], ["--watch"]])
def test_a_mock_for_tests_decides_some_options_itself(options: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{options[0]} is not for a mock in tests"):
        settings_of(options)
