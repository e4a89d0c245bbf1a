"""The pytest plugin as projects meet it: what its fixtures see, demand and leave behind."""

from __future__ import annotations

import re
from pathlib import Path

from tests.projects import outcome, results

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


COMMANDS = """
def test_lines(mock_api):
    body = b'{\\n::error::x\\n ##[error]y\\n"prompt": 1}'
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(mock_api.url + "/v1/images/generations", body))
"""


def test_what_was_sent_does_not_speak_to_a_ci_runner(tmp_path: Path) -> None:
    code, text = outcome(tmp_path, COMMANDS)
    assert (code, "::error::x" in text, "##[error]y" in text) == (1, True, True), text
    assert not re.search(r"^\s*(::|##\[)", text.partition("short test summary")[0], re.MULTILINE), text
