"""``Prefer``: what a client asks of the mock for one request."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mockserver.preferences import Preferences, preferences_of
from mockserver.server import Running
from tests.conftest import KEY, ask, received


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("code=404", Preferences(code=404)),
        ("Code = 404 , DELAY=0.25", Preferences(code=404, delay=0.25)),
        ('example="two words"; x=1, cut=0', Preferences(example="two words", cut=0)),
        ('example="a\\"b, c=1"', Preferences(example='a"b, c=1')),
        ("seed=a, seed=b", Preferences(seed="a")),
        ("", Preferences()),
        (" , ,", Preferences()),
    ],
)
def test_what_can_be_read(header: str, wanted: Preferences) -> None:
    assert preferences_of(header) == wanted


@pytest.mark.parametrize(
    "header",
    [
        "respond-async",
        "wait=3",
        "code=99",
        "code=abc",
        "code=404.5",
        "delay=-1",
        "delay=nan",
        "delay=1e9",
        "cut=x",
        "=1",
        '"',
        "a b",
    ],
)
def test_what_cannot_be_met_is_noted_and_ignored(header: str) -> None:
    read = preferences_of(header)
    assert (read.code, read.delay, read.cut) == (None, None, None)
    assert len(read.notes) == 1


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_documented_status(mock: Running, good: dict[str, Any], status: int) -> None:
    answer = ask(mock, value=good, headers={"Prefer": f"code={status}"})
    assert answer.status == status
    assert answer.headers["preference-applied"] == f"code={status}"
    assert answer.json()["error"]["message"]
    assert answer.headers["contract-violations"] == "0"


@pytest.mark.parametrize(("status", "held"), [(201, True), (204, False), (205, False), (302, False), (304, False)])
def test_a_status_that_is_not_documented_is_given_too(
    mock: Running, good: dict[str, Any], status: int, held: bool
) -> None:
    answer = ask(mock, value=good, headers={"Prefer": f"code={status}"})
    assert (answer.status, answer.headers["preference-applied"]) == (status, f"code={status}")
    assert bool(answer.body) is held
    assert not held or answer.json()["choices"]


def test_an_error_that_is_not_documented_has_the_form_of_the_others(garden: Running) -> None:
    gate = {"X-Gate-Pass": "abc-123-def", "Authorization": None}
    answer = ask(garden, "GET", "/garden/v9/beds/plot_aaaa", headers={**gate, "Prefer": "code=418"})
    assert answer.status == 418
    assert "418" in answer.body.decode()


def test_an_unknown_wish_is_ignored(mock: Running, good: dict[str, Any]) -> None:
    answer = ask(mock, value=good, headers={"Prefer": "example=nowhere, wait=5"})
    assert answer.status == 200
    assert "preference-applied" not in answer.headers
    notes = " ".join(mock.journal.entries()[-1].notes)
    assert "nowhere" in notes
    assert "wait" in notes


def test_a_named_example(mock: Running, garden: Running, good: dict[str, Any]) -> None:
    answer = ask(mock, value=good, headers={"Prefer": "example=unknown-parameter"})
    assert answer.status == 400
    assert answer.json()["error"]["param"] == "response_format"
    gate = {"X-Gate-Pass": "abc-123-def", "Authorization": None}
    answer = ask(garden, "GET", "/garden/v9/beds/plot_aaaa", headers={**gate, "Prefer": "code=404, example=withered"})
    assert (answer.status, answer.json()) == (404, {"fault": "withered", "severity": 2})
    assert answer.headers["preference-applied"] == "code=404, example=withered"
    answer = ask(garden, "GET", "/garden/v9/beds/plot_aaaa", headers={**gate, "Prefer": "example=none-such"})
    assert (answer.status, "preference-applied" in answer.headers) == (200, False)


def test_a_refused_request_is_refused_whatever_it_prefers(mock: Running) -> None:
    answer = ask(mock, value={}, headers={"Prefer": "code=200"})
    assert answer.status == 400
    assert "refused" in mock.journal.entries()[-1].notes[0]


def test_delay(mock: Running, good: dict[str, Any]) -> None:
    before = time.monotonic()
    answer = ask(mock, value=good, headers={"Prefer": "delay=0.3"})
    assert time.monotonic() - before >= 0.3
    assert (answer.status, answer.headers["preference-applied"]) == (200, "delay=0.3")


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_cut(mock: Running, good: dict[str, Any], cut: int) -> None:
    answer = ask(mock, value=good, headers={"Prefer": f"cut={cut}", "Connection": "keep-alive"})
    assert len(answer.body) == cut < int(answer.headers["content-length"])
    assert mock.journal.entries()[-1].cut


def test_a_cut_behind_the_end_cuts_nothing(mock: Running, good: dict[str, Any]) -> None:
    answer = ask(mock, value=good, headers={"Prefer": "cut=100000"})
    assert len(answer.json()["choices"]) == 1


def test_several_lines_of_the_header_count_as_one(mock: Running) -> None:
    body = b'{"prompt": "a", "n": 1, "size": "auto"}'
    head = (
        "POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\nPrefer: seed=1\r\n"
        f"Prefer: code=429\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    data = received(mock.port, head.encode() + body)
    assert data.startswith(b"HTTP/1.1 429 ")
    assert b"preference-applied: code=429, seed=1\r\n" in data
