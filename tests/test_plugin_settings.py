"""The pytest plugin beside what a project has of its own: settings, folders of our names, fixtures, a sudden end."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

import pytest

from mockserver.errors import UsageError
from mockserver.fixtures import settings_of
from tests.projects import outcome, results


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


@pytest.mark.parametrize("options", [["--port", "4010"], ["--workers", "2"], ["--state", "here"], ["--watch"]])
def test_a_mock_for_tests_decides_some_options_itself(options: list[str]) -> None:
    with pytest.raises(UsageError, match=f"{options[0]} is not for a mock in tests"):
        settings_of(options)
