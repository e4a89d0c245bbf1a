"""The administration: journal, verification, sessions, and who may ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.server import Running
from tests.conftest import ask


def admin(
    mock: Running, method: str, path: str, value: Any = None, headers: dict[str, str | None] | None = None
) -> Any:
    return ask(mock, method, f"/__admin/{path}", value=value, headers=headers)


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    document = answer.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return dict(document)


def test_health_and_contract(mock: Running) -> None:
    health = admin(mock, "GET", "health").json()
    assert (health["status"], health["contract"], health["requests"]) == ("ok", "quickrouter", 0)
    assert admin(mock, "GET", "contract").json()["openapi"].startswith("3.1")


def test_requests_are_listed_shown_and_forgotten(mock: Running, good: dict[str, Any]) -> None:
    first = ask(mock, value=good).headers["mock-exchange"]
    ask(mock, value={**good, "n": 11})
    listed = admin(mock, "GET", "requests").json()
    assert listed["total"] == 2
    assert [one["status"] for one in listed["requests"]] == [200, 400]
    assert listed["requests"][1]["violations"] == ["body.maximum"]
    shown = admin(mock, "GET", f"requests/{first}").json()
    assert shown["request"]["body"]["json"] == good
    assert shown["response"]["body"]["json"]["object"] == "chat.completion"
    assert ["authorization", "Bearer [redacted]"] in shown["request"]["headers"]
    assert admin(mock, "DELETE", "requests").json() == {"forgotten": 2}
    assert admin(mock, "GET", "requests").json()["total"] == 0
    problem(admin(mock, "GET", f"requests/{first}"), 404)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 4),
        ({"method": "post"}, 3),
        ({"path": "/v1/images/generations"}, 3),
        ({"path": "/v1/*"}, 3),
        ({"path": "/nowhere"}, 1),
        ({"path": "/v1*gen*"}, 3),
        ({"path": "*images*images*"}, 0),
        ({"path": "/v1/images/generations*generations"}, 0),
        ({"path": "**"}, 4),
        ({"path": "/v1/.*"}, 0),
        ({"status": 200}, 2),
        ({"operation": "createImage"}, 3),
        ({"violated": True}, 2),
        ({"violated": False}, 2),
        ({"violated": "body.maximum"}, 1),
        ({"violated": "body.*"}, 1),
        ({"violated": "bod"}, 0),
        ({"body": {"/n": 2}}, 1),
        ({"body": {"/n": 2, "/prompt": "other"}}, 0),
        ({"body": {"/n": True}}, 0),
        ({"status": 200, "body": {"/prompt": "a man walks"}}, 2),
    ],
)
def test_find(mock: Running, good: dict[str, Any], query: dict[str, Any], count: int) -> None:
    for body in (good, {**good, "n": 2}, {**good, "n": 11}):
        ask(mock, value=body)
    ask(mock, "GET", "/nowhere")
    found = admin(mock, "POST", "requests/find", query).json()
    assert found["total"] == len(found["requests"]) == count


def test_no_pattern_of_a_path_takes_longer_than_the_path(mock: Running) -> None:
    ask(mock, "GET", "/" + "a" * 20_000)
    started = time.perf_counter()
    assert admin(mock, "POST", "requests/find", {"path": "*a" * 200 + "*b"}).json()["total"] == 0
    assert admin(mock, "POST", "requests/find", {"path": "*a" * 200 + "*"}).json()["total"] == 1
    assert time.perf_counter() - started < 5


def test_verify(mock: Running, good: dict[str, Any]) -> None:
    ask(mock, value=good)
    ask(mock, value=good)
    asked = {"method": "POST", "path": "/v1/images/generations", "body": {"/n": 1}}
    for bounds in ({}, {"times": 2}, {"at_least": 1}, {"at_most": 2}, {"at_least": 2, "at_most": 2}):
        answer = admin(mock, "POST", "verify", {**asked, **bounds})
        assert (answer.status, answer.json()["verified"], answer.json()["count"]) == (200, True, 2)
    for bounds, words in (({"times": 3}, "exactly 3"), ({"at_least": 3}, "at least 3"), ({"at_most": 1}, "at most 1")):
        found = problem(admin(mock, "POST", "verify", {**asked, **bounds}), 422)
        assert (found["verified"], found["count"], found["asked"]) == (False, 2, {**asked, **bounds})
        assert f"{words} expected, 2 found among 2 recorded requests" in found["detail"]
    found = problem(admin(mock, "POST", "verify", {**asked, "body": {"/n": 5}, "status": 400}), 422)
    assert [near["missed"] for near in found["nearest"]] == [["body", "status"]] * 2
    assert admin(mock, "POST", "verify", {"path": "/never", "times": 0}).status == 200


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("verify", {"methd": "POST"}, "did you mean 'method'"),
        ("verify", {"times": -1}, "times must be a whole number"),
        ("verify", {"times": True}, "times"),
        ("verify", [], "object"),
        ("requests/find", {"times": 1}, "no condition 'times'"),
        ("requests/find", {"status": "200"}, "status must be a number"),
        ("requests/find", {"path": 3}, "path must be a string"),
        ("requests/find", {"body": {"n": 1}}, "JSON Pointers"),
    ],
)
def test_questions_that_cannot_be_understood(mock: Running, path: str, value: Any, words: str) -> None:
    assert words in problem(admin(mock, "POST", path, value), 400)["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1, "a": 2}'])
@pytest.mark.parametrize(("method", "path"), [("POST", "verify"), ("POST", "requests/find"), ("PUT", "scenarios")])
def test_bodies_that_cannot_be_read(mock: Running, body: bytes, method: str, path: str) -> None:
    problem(ask(mock, method, f"/__admin/{path}", body=body), 400)


def test_limits_and_unknown_places(mock: Running) -> None:
    problem(ask(mock, "POST", "/__admin/verify", body=b" " * (2 << 20)), 413)
    problem(admin(mock, "GET", "nothing"), 404)
    wrong = admin(mock, "PATCH", "requests")
    problem(wrong, 405)
    assert set(wrong.headers["allow"].split(", ")) >= {"GET", "DELETE"}
    problem(admin(mock, "PUT", "scenarios", {"name": "none-such"}), 404)
    problem(admin(mock, "PUT", "scenarios", {"steps": []}), 400)
    assert (
        problem(admin(mock, "PUT", "scenarios", {"name": "x", "steps": [{"time": 1}]}), 400)["pointer"]
        == "/steps/0/time"
    )
    assert ask(mock, "GET", "/__adminx").json()["error"], "what only begins like the administration is the API's"


def test_sessions_partition_the_journal(mock: Running, good: dict[str, Any]) -> None:
    for name, count in (("", 1), ("a", 2), ("b", 3)):
        for _ in range(count):
            ask(mock, value=good, headers={"Mock-Session": name} if name else {})
    assert admin(mock, "GET", "requests").json()["total"] == 1
    assert admin(mock, "GET", "requests", headers={"Mock-Session": "a"}).json()["total"] == 2
    assert admin(mock, "GET", "requests?session=b").json()["total"] == 3
    assert admin(mock, "GET", "requests?session=*").json()["total"] == 6
    assert admin(mock, "POST", "verify", {"times": 2}, {"Mock-Session": "a"}).status == 200
    assert admin(mock, "POST", "reset", headers={"Mock-Session": "a"}).json() == {"forgotten": 2}
    assert admin(mock, "GET", "requests?session=*").json()["total"] == 4
    assert admin(mock, "POST", "reset?session=*").json() == {"forgotten": 4}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:4010"},
        {"Host": "127.evil.example"},
        {"Host": None},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("DELETE", "requests"), ("POST", "reset"), ("PUT", "scenarios")])
def test_pages_of_other_sites_are_refused(
    mock: Running, good: dict[str, Any], headers: dict[str, str | None], method: str, path: str
) -> None:
    ask(mock, value=good)
    problem(admin(mock, method, path, {"name": "rate-limited"}, headers), 403)
    assert len(mock.journal) == 1
    assert mock.mock.stage.armed("") is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
    ],
)
def test_pages_of_other_sites_load_nothing_by_themselves(mock: Running, headers: dict[str, str], status: int) -> None:
    answer = admin(mock, "GET", "requests", headers=headers)
    assert answer.status == status
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_name_that_is_refused_comes_with_what_would_take_it(mock: Running) -> None:
    answer = admin(mock, "GET", "health", headers={"Host": "mock.example"})
    assert answer.status == 403
    assert "not as 'mock.example'; a mock that others reach is started with --host" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "mock.example:4010"}, 200),
        ({"Host": "mock.example", "Origin": "https://evil.example"}, 403),
        ({"Host": "mock.example", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "mock:4010", "Origin": "https://mock.example", "Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_a_mock_for_others_takes_nothing_from_pages_of_other_sites(
    start: Callable[..., Running], headers: dict[str, str], status: int
) -> None:
    assert admin(start(host="0.0.0.0"), "POST", "reset", headers=headers).status == status


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "localhost"])
def test_loopback_names_are_welcome(mock: Running, host: str) -> None:
    name = host.format(port=mock.port)
    assert admin(mock, "GET", "health", headers={"Host": name, "Origin": f"http://{name}"}).status == 200


def test_the_administration_is_not_journalled(mock: Running) -> None:
    admin(mock, "GET", "health")
    assert len(mock.journal) == 0
