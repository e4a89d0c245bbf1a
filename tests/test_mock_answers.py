"""What the mock answers to valid requests: by the contract, and as asked."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.findings import Severity
from mockserver.meaning import Session
from mockserver.messages import Exchange, Request, Response
from mockserver.server import Running
from tests.conftest import KEY, Answer, ask

ROOT = Path(__file__).resolve().parent.parent
HEADERS = {"Accept": "application/json", "Authorization": f"Bearer {KEY}"}


def judged(running: Running, exchange: Exchange, session: Session) -> list[str]:
    found = running.mock.pipeline.judge.exchange(exchange, session)
    return [f"{v.rule} {v.pointer}: {v.message}" for v in found if v.severity is not Severity.INFO]


def test_the_documented_request_gets_the_documented_answer(mock: Running, good: dict[str, Any]) -> None:
    answer = ask(mock, value=good)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["contract-violations"] == "0"
    assert answer.headers["mock-exchange"]
    body = answer.json()
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert abs(body["created"] - time.time()) < 5
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]


@pytest.mark.parametrize("n", [1, 2, 10, 3.0])
def test_as_many_choices_as_asked_for_in_order(mock: Running, good: dict[str, Any], n: float) -> None:
    body = ask(mock, value={**good, "n": n, "prompt": 'ein "Hund"\n猫 100%'}).json()
    assert [choice["index"] for choice in body["choices"]] == list(range(int(n)))
    texts = [choice["message"]["content"] for choice in body["choices"]]
    assert f"1 of {int(n)}" in texts[0]
    assert all(good["size"] in text and "猫" in text and "100%" in text for text in texts)


def test_every_answer_keeps_the_contract(mock: Running, good: dict[str, Any]) -> None:
    session = Session()
    for n in (1, 2, 7, 10):
        for prompt in ("", "x" * 1000, "猫" * 1000, "\x00\u202e\U0001f600", '"}]', "50% \\u0041 \\/"):
            ask(mock, value={**good, "n": n, "prompt": prompt})
    exchanges = [entry.exchange for entry in mock.journal.entries()]
    assert len(exchanges) == 24
    assert {e.response.status for e in exchanges if e.response} == {200}
    assert [problem for e in exchanges for problem in judged(mock, e, session)] == []


def test_ids_are_fresh_and_tokens_follow_the_text(mock: Running, good: dict[str, Any]) -> None:
    first, again = ask(mock, value=good).json(), ask(mock, value=good).json()
    longer = ask(mock, value={**good, "prompt": "word " * 100}).json()
    assert first["id"] != again["id"]
    assert first["usage"] == again["usage"]
    assert longer["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]


def test_the_page_s_curl_line_works(mock: Running) -> None:
    script = (ROOT / "schemas/quickrouter/examples/createImage/curl.sh").read_text(encoding="utf-8")
    script = script.replace("https://api.quickrouter.ai", mock.url)
    done = subprocess.run(["sh", "-c", script], capture_output=True, timeout=30, check=True)
    assert json.loads(done.stdout)["object"] == "chat.completion"


def test_httpx_and_an_sdk_s_request(mock: Running, good: dict[str, Any]) -> None:
    sdk = {
        "user-agent": "OpenAI/Python 3.54.0",
        "x-stainless-lang": "python",
        "x-stainless-retry-count": "0",
        "accept-encoding": "gzip, deflate",
    }
    with httpx.Client(base_url=mock.url + "/v1", headers={**HEADERS, **sdk}) as client:
        compact = json.dumps(good, separators=(",", ":")).encode()
        for _ in range(3):
            answer = client.post("/images/generations", content=compact, headers={"content-type": "application/json"})
            assert answer.status_code == 200
            assert len(answer.json()["choices"]) == 1


def test_pipelined_requests_are_answered_in_order(mock: Running, good: dict[str, Any]) -> None:
    from tests.conftest import received

    requests = b""
    for number in (1, 2, 3):
        body = json.dumps({**good, "n": number}).encode()
        end = "Connection: close\r\n" if number == 3 else ""
        requests += (
            f"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nAuthorization: bearer {KEY}\r\n{end}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
    data = received(mock.port, requests)
    assert [data.count(f"Image {n} of 3".encode()) for n in (1, 2, 3)] == [1, 1, 1]
    assert data.index(b"Image 1 of 1") < data.index(b"Image 1 of 2") < data.index(b"Image 1 of 3")


def test_expect_100_continue(mock: Running, good: dict[str, Any]) -> None:
    done = subprocess.run(
        [
            *("curl", "-s", "-H", "Expect: 100-continue", "-H", f"Authorization: Bearer {KEY}"),
            *("-H", "Content-Type: application/json", "-H", "Accept: */*"),
            *("-d", json.dumps(good), f"{mock.url}/v1/images/generations"),
        ],
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert json.loads(done.stdout)["choices"]


def test_seeds_make_equal_bytes(start: Callable[..., Running], good: dict[str, Any]) -> None:
    one, two, other = start(seed=7), start(seed=7), start(seed=8)
    bodies = [ask(m, value=good).body for m in (one, one, two, other)]
    assert bodies[0] == bodies[1] == bodies[2] != bodies[3]
    assert ask(one, value={**good, "prompt": "another"}).json()["id"] != json.loads(bodies[0])["id"]


def test_a_preferred_seed_makes_equal_bytes(mock: Running, good: dict[str, Any]) -> None:
    answers = [ask(mock, value=good, headers={"Prefer": f"seed={seed}"}) for seed in (1, 1, 2)]
    assert answers[0].body == answers[1].body != answers[2].body
    assert answers[0].headers["preference-applied"] == "seed=1"


def test_a_key_that_is_not_the_one(start: Callable[..., Running], good: dict[str, Any]) -> None:
    mock = start(api_key=KEY)
    assert ask(mock, value=good).status == 200
    refused = ask(mock, value=good, headers={"Authorization": "Bearer sk-wrong-0123456789"})
    assert (refused.status, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert refused.headers["contract-violations"] == "1"
    assert KEY not in repr(mock.mock.settings)


@pytest.mark.parametrize(
    ("mode", "status", "violations"), [("enforce", 400, "1"), ("report", 200, "1"), ("ignore", 200, "0")]
)
def test_on_violation(
    start: Callable[..., Running], good: dict[str, Any], mode: str, status: int, violations: str
) -> None:
    answer = ask(start(on_violation=mode), value={**good, "n": 10**30})
    assert (answer.status, answer.headers["contract-violations"]) == (status, violations)


def test_without_accept_it_is_served_and_counted(mock: Running, good: dict[str, Any]) -> None:
    answer = ask(mock, value=good, headers={"Accept": None})
    assert (answer.status, answer.headers["contract-violations"]) == (200, "1")
    assert [v.rule for v in mock.journal.entries()[-1].violations] == ["header.required"]


def exchange_of(answer: Answer, request: Request) -> Exchange:
    response = Response(answer.status, tuple(answer.headers.items()), answer.body)
    return Exchange("1", request, response, started=time.time())


GATE = {"X-Gate-Pass": "let-me-in-123", "Authorization": None}


@pytest.mark.parametrize(
    ("method", "path", "value", "status"),
    [
        ("GET", "/beds?kind=fern&limit=3", None, 200),
        ("POST", "/beds", {"title": "Basil", "soil": "sand", "seedlings": 4}, 201),
        ("POST", "/beds", {"title": "Basil", "soil": {"ph": 6.5}, "seedlings": 12, "shade": None}, 201),
        ("POST", "/beds", {"title": "Basil", "soil": "sand", "seedlings": 0}, 201),
        ("GET", "/beds/plot_aaaa", None, 200),
        ("DELETE", "/beds/plot_aaaa", None, 204),
        ("GET", "/weather", None, 200),
        ("PUT", "/compost", {"kilos": 1.5}, 200),
        ("PUT", "/compost", None, 200),
    ],
)
def test_another_contract_s_operations(garden: Running, method: str, path: str, value: Any, status: int) -> None:
    headers = {**GATE, "X-Gardener": "Ada Lovelace"}
    answer = ask(garden, method, "/garden/v9" + path, value=value, headers=headers)
    assert answer.status == status, answer.body
    assert answer.headers["contract-violations"] == "0"
    if status == 204:
        assert answer.body == b""
        assert "content-length" not in answer.headers
    body = json.dumps(value).encode() if value is not None else b""
    sent = tuple((k, str(v)) for k, v in {**headers, "Content-Type": "application/json"}.items() if v)
    bare, _, query = path.partition("?")
    exchange = exchange_of(answer, Request(method, bare, query, sent, body))
    assert judged(garden, exchange, Session()) == []


def test_meaning_of_another_contract(garden: Running) -> None:
    order = {"title": "Thyme", "soil": "sand", "seedlings": 3}
    first, again = (ask(garden, path="/garden/v9/beds", value=order, headers=GATE).json() for _ in range(2))
    assert first["title"] == "Thyme"
    assert [seedling["row"] for seedling in first["seedlings"]] == [0, 1, 2]
    labels = {seedling["label"] for bed in (first, again) for seedling in bed["seedlings"]}
    assert len(labels) == 6
    assert all(label.startswith("sd-") for label in labels)
    assert first["water"]["whole"] == first["water"]["rain"] + first["water"]["can"]
    assert {seedling["note"] for seedling in first["seedlings"]} == {"a seedling"}, "a summary would be too long"


def test_documented_headers_and_other_media_types(garden: Running) -> None:
    headers = {**GATE, "X-Gardener": "Ada"}
    listed = ask(garden, "GET", "/garden/v9/beds?kind=herb", headers=headers)
    assert listed.headers["x-total"] == "7"
    weather = ask(garden, "GET", "/garden/v9/weather", headers={"Authorization": None})
    assert (weather.headers["content-type"], weather.body) == ("text/plain", b"rain, then sun")


def test_head_is_answered_like_get_without_a_body(garden: Running) -> None:
    head = ask(garden, "HEAD", "/garden/v9/weather")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "14")
