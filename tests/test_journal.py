"""The journal: what it keeps, how much, and that no key gets into it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from mockserver.journal import Entry, Journal, Kind
from mockserver.server import Running
from tests.conftest import KEY, ask

SECRET = "sk-very/secret+key=0123"


def everything(mock: Running) -> str:
    """All that the journal and the administration could show, escapes undone."""
    entries = mock.journal.entries()
    shown = [repr(mock.journal._rows), repr(entries), *(repr(entry.exchange) for entry in entries)]
    for path in ("/__admin/", "/__admin/requests", *(f"/__admin/requests/{entry.id}" for entry in entries)):
        shown.append(ask(mock, "GET", path, headers={"Authorization": None}).body.decode())
    found = ask(mock, "POST", "/__admin/requests/find", value={}, headers={"Authorization": None}).body.decode()
    return "\n".join([*shown, found, found.encode().decode("unicode_escape", "replace")])


def test_an_exchange_is_kept_whole(mock: Running, good: dict[str, Any]) -> None:
    answer = ask(mock, value={**good, "prompt": "line\nbreak"}, headers={"X-Mine": "yes"})
    (entry,) = mock.journal.entries()
    exchange = entry.exchange
    assert entry.id == answer.headers["mock-exchange"] == exchange.id
    assert exchange.request.header("x-mine") == "yes"
    assert json.loads(exchange.request.body)["prompt"] == "line\nbreak"
    assert exchange.response is not None
    assert exchange.response.body == answer.body
    assert {k: v for k, v in answer.headers.items() if k not in ("date", "connection")} == dict(
        exchange.response.headers
    )
    assert 0 <= entry.duration < 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": f"bearer  {SECRET}"},
        {"Authorization": SECRET},
        {"Authorization": f"Bearer {KEY}", "X-Api-Key": SECRET},
        {"Authorization": f"Bearer {KEY}", "api-key": SECRET},
        {"Authorization": f"Bearer {KEY}", "X-Goog-Api-Key": SECRET},
        {"Authorization": f"Bearer {KEY}", "Proxy-Authorization": f"Basic {SECRET}"},
        {"Authorization": f"Bearer {KEY}", "Cookie": f"a=bbbbb; session={SECRET}"},
        {"Authorization": f"Bearer {SECRET}", "X-Copy": SECRET, "User-Agent": f"app/{SECRET}"},
        {"Authorization": f"Bearer {SECRET}", "X-Copy": quote(SECRET, safe="")},
        {"Authorization": f"Bearer {SECRET}", "Prefer": f"scenario={SECRET}"},
        {"Authorization": f"Bearer {SECRET}", "Mock-Session": "s"},
        {"Authorization": f"Bearer {SECRET}", "Content-Type": f"text/{SECRET}"},
    ],
)
@pytest.mark.parametrize("leak", [False, True])
def test_no_key_is_kept_wherever_it_stood(
    mock: Running, good: dict[str, Any], headers: dict[str, str], leak: bool
) -> None:
    body = dict(good)
    if leak:
        body |= {"prompt": f"my key is {SECRET}!", "model": SECRET, SECRET: 1}
    answer = ask(mock, value=body, headers={"Prefer": "seed=1", **headers})
    text = everything(mock)
    for form in (SECRET, quote(SECRET, safe=""), quote(SECRET), json.dumps(SECRET)[1:-1]):
        assert form not in text
    assert SECRET.encode() not in answer.body
    assert "[redacted]" in text


@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "token", "Api-Key"])
def test_no_key_of_the_query_is_kept(mock: Running, good: dict[str, Any], name: str) -> None:
    ask(mock, path=f"/v1/images/generations?a=1&{name}={quote(SECRET, safe='')}&b=2", value={**good, "prompt": SECRET})
    text = everything(mock)
    assert SECRET not in text
    assert quote(SECRET, safe="") not in text
    assert "a=1" in text
    assert "b=2" in text


@pytest.mark.parametrize("how", ["unicode", "solidus", "percent", "lower"])
def test_no_key_is_kept_in_another_spelling(mock: Running, good: dict[str, Any], how: str) -> None:
    spelt = {
        "unicode": "".join(f"\\u{ord(c):04X}" for c in SECRET),
        "solidus": SECRET.replace("/", "\\/"),
        "percent": quote(SECRET, safe=""),
        "lower": quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    }[how]
    body = json.dumps(good).replace("a man walks", f"see {spelt} there")
    ask(mock, body=body.encode(), headers={"Authorization": f"Bearer {SECRET}"})
    text = everything(mock)
    assert spelt not in text
    assert SECRET not in text
    assert "there" in text


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Authorization": "Bearer sk-abcdefgh"}, "\\" * 200_000),
        ({"Authorization": "Bearer " + "\\" * 30 + "x"}, "\\" * 200_000),
        ({"Authorization": 'Bearer "/"/"/'}, '\\"' * 100_000),
        ({"Cookie": ";".join(f"a=aaaaaaaa{index}" for index in range(2000))}, "\\%" + "a" * 300_000),
    ],
)
def test_looking_for_keys_takes_no_time_to_speak_of(
    mock: Running, good: dict[str, Any], headers: dict[str, str], text: str
) -> None:
    started = time.perf_counter()
    assert ask(mock, value={**good, "prompt": text}, headers=headers).status == 400
    assert time.perf_counter() - started < 5


def test_a_key_that_json_has_to_escape(mock: Running, good: dict[str, Any]) -> None:
    odd = 'sk-a"b\\c/0123'
    for leak in (odd, json.dumps(odd)):
        answer = ask(mock, value={**good, "prompt": leak}, headers={"Authorization": f"Bearer {odd}"})
        assert answer.status == 200
        for text in (answer.body.decode(), everything(mock)):
            assert not [part for part in ("b\\c", "c/0123", "c\\/0123") if part in text.replace("\\\\", "\\")]


def test_a_contract_s_own_key_header_and_query(garden: Running) -> None:
    headers = {"X-Gate-Pass": SECRET, "Authorization": None}
    ask(garden, "GET", f"/garden/v9/beds/{quote(SECRET, safe='')}", headers=headers)
    ask(garden, "PUT", f"/garden/v9/compost?badge={quote(SECRET, safe='')}", headers={"Authorization": None}, value={})
    text = everything(garden)
    assert SECRET not in text
    assert quote(SECRET, safe="") not in text


def test_the_valid_key_is_kept_nowhere_even_if_it_came_in_a_body(
    start: Callable[..., Running], good: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    mock = start(api_key=SECRET)
    ask(mock, value={**good, "prompt": SECRET}, headers={"Authorization": "Bearer sk-another-0123"})
    ask(mock, value={**good, "prompt": SECRET}, headers={"Authorization": f"Bearer {SECRET}"})
    ask(mock, value={**good, "n": SECRET}, headers={"Authorization": f"Bearer {SECRET}"})
    assert SECRET not in everything(mock)
    assert SECRET not in repr(mock.mock.settings)
    assert SECRET not in "".join(capfd.readouterr())


def entry(number: int, size: int, session: str = "") -> Entry:
    return Entry(
        str(number), 0.0, 0.0, session, "GET", b"/", b"", (), (), b"x" * size, 200, (), (), b"", "", (), "", (), None
    )  # fmt: skip


def plain(number: int, size: int) -> tuple[bytes, bytes, float, float, Kind, tuple[bytes, ...], int]:
    kind = Kind("POST", b"/p", 200, "op", (b"content-length", b"contract-violations", b"mock-exchange"), ())
    record = b"\n".join((b"v1", b"v2", b"a\nb" + b"x" * size, b"answer"))
    return record, b"%d" % number, 0.0, 0.0, kind, (b"h1", b"h2"), 6


def test_a_packed_exchange_is_the_same_unpacked() -> None:
    journal = Journal(10, 10**6)
    journal.append(plain(1, 3))
    (found,) = journal.entries()
    assert found.headers == ((b"h1", b"v1"), (b"h2", b"v2"))
    assert (found.body, found.answer_body) == (b"a\nbxxx", b"answer")
    assert found.answer_headers == (
        (b"content-length", b"6"),
        (b"contract-violations", b"0"),
        (b"mock-exchange", b"1"),
    )


@pytest.mark.parametrize("make", [entry, plain])
def test_it_is_bounded_by_number_and_by_bytes(make: Callable[[int, int], Any]) -> None:
    journal = Journal(5, 100_000)
    for number in range(12):
        journal.append(make(number, 10))
    assert [one.id for one in journal.entries()] == ["7", "8", "9", "10", "11"]
    assert journal.dropped == 7
    for number in range(12, 16):
        journal.append(make(number, 40_000))
    assert [one.id for one in journal.entries()] == ["14", "15"]
    journal.append(make(16, 500_000))
    assert [one.id for one in journal.entries()] == ["16"], "the newest is kept even when it is alone too large"
    assert journal.clear() == 1
    assert (len(journal), journal._size) == (0, 0)


def test_sessions_are_forgotten_apart() -> None:
    journal = Journal(10, 10**6)
    for number in range(6):
        journal.append(entry(number, 1, "a" if number % 2 else ""))
    assert journal.clear("a") == 3
    assert [one.id for one in journal.entries()] == ["0", "2", "4"]
    assert journal.get("3") is None
    assert journal.get("4") is not None
    assert journal.clear("") == 3
    assert journal._size == 0
