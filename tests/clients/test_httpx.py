"""httpx, as a program would use it: with and without a key, one connection for many requests."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from pytest_quickrouter import MockServer

PATH = "/v1/images/generations"
BODY = {"model": "gpt-image-1.5", "prompt": "一只可爱的小猪", "n": 3, "size": "auto"}
HEADERS = {"Authorization": "Bearer any", "Accept": "application/json"}


def test_one_connection_carries_many_requests(mock_server: MockServer) -> None:
    with httpx.Client(base_url=mock_server.url, headers=HEADERS) as client:
        answers = [client.post(PATH, json=BODY) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [len(answer.json()["choices"]) for answer in answers] == [3] * 5
    assert len({answer.json()["id"] for answer in answers}) == 5
    assert {answer.headers["Contract-Violations"] for answer in answers} == {"0"}


def test_many_requests_at_the_same_time(mock_server: MockServer) -> None:
    async def together() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=mock_server.url, headers=HEADERS) as client:
            return await asyncio.gather(*(client.post(PATH, json={**BODY, "n": n}) for n in range(1, 11)))

    answers = asyncio.run(together())
    assert [len(answer.json()["choices"]) for answer in answers] == list(range(1, 11))


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [({"n": 11}, 400, "n"), ({"size": "1792x1024"}, 400, "size"), ({"prompt": "字" * 1001}, 400, "prompt")],
)
def test_a_refusal_names_the_field(mock_server: MockServer, change: dict[str, Any], status: int, param: str) -> None:
    answer = httpx.post(mock_server.url + PATH, json={**BODY, **change}, headers=HEADERS)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert param in error["message"]


def test_without_a_key(mock_server: MockServer) -> None:
    assert httpx.post(mock_server.url + PATH, json=BODY).status_code == 401


def test_a_slow_answer_runs_into_the_clients_own_timeout(mock_server: MockServer) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(mock_server.url + PATH, json=BODY, headers={**HEADERS, "Prefer": "delay=2"}, timeout=0.3)


def test_a_cut_answer_is_an_error_of_the_transport(mock_server: MockServer) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(mock_server.url + PATH, json=BODY, headers={**HEADERS, "Prefer": "cut=10"})
