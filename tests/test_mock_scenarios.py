"""Scenarios: shipped, armed, wished for, spelt out; and what is wrong with a file that is none."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockserver import openapi
from mockserver.errors import ContractError, UsageError
from mockserver.scenarios import MalformedScenarioError, Stage, read_scenarios, scenario_of
from mockserver.server import Running
from tests.conftest import KEY, ask

SHIPPED = read_scenarios(openapi.load().document)


def wished(mock: Running, good: dict[str, Any], name: str, **more: str) -> Any:
    return ask(mock, value=good, headers={"Prefer": f"scenario={name}", **more})


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("rate-limited", 429, "rate_limit_exceeded"),
        ("rate-limited-bare", 429, ""),
        ("insufficient-quota", 403, "insufficient_user_quota"),
        ("model-not-found", 503, "model_not_found"),
        ("moderation-blocked", 400, "moderation_blocked"),
        ("invalid-token", 401, ""),
        ("error-in-success", 200, "do_request_failed"),
        ("server-error", 500, "server_error"),
    ],
)
def test_shipped_errors(mock: Running, good: dict[str, Any], name: str, status: int, code: str) -> None:
    answer = wished(mock, good, name)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["preference-applied"] == f"scenario={name}"
    assert ("retry-after" in answer.headers) == (name == "rate-limited")
    assert mock.journal.entries()[-1].scenario == name


def test_shipped_oddities(mock: Running, good: dict[str, Any]) -> None:
    empty = wished(mock, good, "empty-body-429")
    assert (empty.status, empty.body, empty.headers["content-length"]) == (429, b"", "0")
    for name, status in (("html-502", 502), ("html-200", 200)):
        page = wished(mock, good, name)
        assert (page.status, page.headers["content-type"][:9], b"<html>" in page.body) == (status, "text/html", True)
    cut = wished(mock, good, "cut")
    assert len(cut.body) == 40 < int(cut.headers["content-length"])
    assert SHIPPED["slow"].steps[0].delivery.delay_s == 5


def test_reset_is_a_reset(mock: Running, good: dict[str, Any]) -> None:
    with pytest.raises(ConnectionResetError):
        wished(mock, good, "reset")
    assert mock.journal.entries()[-1].cut == "connection reset before the answer"
    assert ask(mock, value=good).status == 200


def test_a_reset_in_the_middle(mock: Running, good: dict[str, Any]) -> None:
    steps = [{"delivery": {"cut_after_bytes": 10, "reset": True}}]
    assert ask(mock, "PUT", "/__admin/scenarios", value={"name": "mine", "steps": steps}).status == 200
    body = json.dumps(good).encode()
    head = f"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", mock.port), timeout=5) as connection:
        connection.sendall(head.encode() + body)
        data = b""
        while len(data.partition(b"\r\n\r\n")[2]) < 10:
            data += connection.recv(65536)
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    assert len(data.partition(b"\r\n\r\n")[2]) == 10


def test_every_shipped_scenario_says_what_it_is_and_where_it_is_from() -> None:
    folder = openapi.load().document.folder / "scenarios"
    needed = {
        "rate-limited",
        "rate-limited-bare",
        "insufficient-quota",
        "model-not-found",
        "moderation-blocked",
        "html-502",
    }
    assert needed | {"slow", "cut", "reset", "empty-body-429", "error-in-success"} <= set(SHIPPED)
    for file in folder.glob("*.json"):
        data = json.loads(file.read_text(encoding="utf-8"))
        assert data["description"]
        assert "x-source" in data or "x-convention" in data


def test_armed_from_the_start_and_disarmed(start: Callable[..., Running], good: dict[str, Any]) -> None:
    mock = start(scenario="rate-limited-twice")
    assert [ask(mock, value=good).status for _ in range(4)] == [429, 429, 200, 200]
    ask(mock, "POST", "/__admin/reset", body=b"")
    assert ask(mock, value=good).status == 429
    ask(mock, "DELETE", "/__admin/scenarios")
    assert [ask(mock, value=good).status for _ in range(2)] == [200, 200]
    assert "preference-applied" not in ask(mock, value=good).headers


def test_an_unknown_scenario_is_a_usage_error_or_a_note(
    start: Callable[..., Running], mock: Running, good: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="rate-limited"):
        start(scenario="none-such")
    assert wished(mock, good, "none-such").status == 200
    assert "none-such" in mock.journal.entries()[-1].notes[0]


def test_armed_by_the_administration_for_one_session(mock: Running, good: dict[str, Any]) -> None:
    mine, other = {"Mock-Session": "mine"}, {"Mock-Session": "other"}
    answer = ask(mock, "PUT", "/__admin/scenarios", value={"name": "rate-limited-twice"}, headers=mine)
    assert answer.json()["armed"] == "rate-limited-twice"
    assert [ask(mock, value=good, headers=h).status for h in (other, {}, mine, mine, mine)] == [200, 200, 429, 429, 200]
    listed = ask(mock, "GET", "/__admin/scenarios", headers=mine).json()
    assert listed["answered"] == 3
    assert {"name": "slow", "description": SHIPPED["slow"].description} in listed["scenarios"]
    assert ask(mock, "GET", "/__admin/scenarios").json()["armed"] is None


def test_a_scenario_spelt_out(mock: Running, good: dict[str, Any]) -> None:
    steps = [
        {"times": 1, "response": {"status": 418, "headers": {"X-Pot": "tea"}, "text": "short and stout"}},
        {"times": 1},
        {"response": {"status": 200, "body": {"mine": ["猫"]}}, "delivery": {"delay_s": 0.2}},
    ]
    value = {"name": "teapot", "description": "x", "steps": steps, "then": "repeat"}
    assert ask(mock, "PUT", "/__admin/scenarios", value=value).status == 200
    pot, normal = ask(mock, value=good), ask(mock, value=good)
    assert (pot.status, pot.headers["x-pot"], pot.body) == (418, "tea", b"short and stout")
    assert normal.json()["object"] == "chat.completion"
    before = time.monotonic()
    assert ask(mock, value=good).json() == {"mine": ["猫"]}
    assert time.monotonic() - before >= 0.2
    assert ask(mock, value=good).status == 418


def test_a_scenario_answers_invalid_requests_too_but_not_unknown_paths(mock: Running) -> None:
    ask(mock, "PUT", "/__admin/scenarios", value={"name": "rate-limited"})
    answer = ask(mock, value={})
    assert (answer.status, answer.headers["contract-violations"]) == (429, "3")
    assert ask(mock, path="/nowhere", value={}).status == 404


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ([], ""),
        ({}, "/steps"),
        ({"steps": []}, "/steps"),
        ({"steps": [{}], "then": "stop"}, "/then"),
        ({"steps": [{}], "than": "repeat"}, "/than"),
        ({"steps": [{"time": 1}]}, "/steps/0/time"),
        ({"steps": [{}, {"times": 0}]}, "/steps/1/times"),
        ({"steps": [{"times": 1.5}]}, "/steps/0/times"),
        ({"steps": [{"response": {"status": 42}}]}, "/steps/0/response/status"),
        ({"steps": [{"response": {"status": True}}]}, "/steps/0/response/status"),
        ({"steps": [{"response": {"body": 1, "text": "x"}}]}, "/steps/0/response"),
        ({"steps": [{"response": {"headers": {"X": "a\r\nY: b"}}}]}, "/steps/0/response/headers"),
        ({"steps": [{"response": {"headers": {"Content-Length": "3"}}}]}, "/steps/0/response/headers"),
        ({"steps": [{"delivery": {"delay_s": -1}}]}, "/steps/0/delivery/delay_s"),
        ({"steps": [{"delivery": {"delay_s": float("nan")}}]}, "/steps/0/delivery/delay_s"),
        ({"steps": [{"delivery": {"reset": 1}}]}, "/steps/0/delivery/reset"),
    ],
)
def test_what_is_no_scenario(data: Any, pointer: str) -> None:
    with pytest.raises(MalformedScenarioError) as wrong:
        scenario_of("mine", data)
    assert wrong.value.pointer == pointer


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "invented", tmp_path / "garden")
    file = tmp_path / "garden/scenarios/bad.json"
    file.write_text('{\n "description": "x",\n "steps": [\n  {"times": -1}\n ]\n}', encoding="utf-8")
    with pytest.raises(ContractError) as wrong:
        read_scenarios(openapi.load(str(tmp_path / "garden")).document)
    assert (wrong.value.file, wrong.value.line) == (str(file), 4)


def test_an_invented_contract_s_scenario(garden: Running) -> None:
    headers = {"X-Gate-Pass": "abc-123-def", "Authorization": None, "Prefer": "scenario=flooded"}
    answers = [ask(garden, "GET", "/garden/v9/beds/plot_aaaa", headers=headers) for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 503, 200]
    assert answers[0].headers["x-depth"] == "2m"
    assert "preference-applied" in answers[0].headers


def test_the_stage_remembers_a_bounded_number_of_sessions() -> None:
    stage = Stage()
    for number in range(5000):
        stage.arm(str(number), SHIPPED["slow"])
        stage.play(str(number), SHIPPED["slow"])
    assert stage.armed("0") is None
    assert stage.armed("4999") is not None
    assert len(stage._armed) <= 1000 >= len(stage._turns)
