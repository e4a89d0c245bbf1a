"""The keywords about meaning: each alone, in the words that a reader gets."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.meaning import CURRENT, Context, MeaningValidator, Session, digest_of

NOW = 1_800_000_000.0


def told(
    schema: Any, value: Any, request: Any = None, *, exchange: str = "x1", session: Session | None = None,
    digest: str = "d", at: float = NOW, took: float = 1.0,
) -> list[str]:  # fmt: skip
    validator = schema if hasattr(schema, "iter_errors") else MeaningValidator(schema)
    token = CURRENT.set(Context(exchange, request, digest, at, at + took if at else took, session or Session()))
    try:
        return [error.message for error in validator.iter_errors(value)]
    finally:
        CURRENT.reset(token)


LENGTH = {"x-length": {"request": "/n", "default": 2}}
POSITIONS = {"x-positions": {"member": "/at"}}
SUM = {"x-sum": {"total": "/t", "of": ["/a", "/b"]}}
EQUALS = {"x-equals": {"request": "/size", "unless": ["auto"]}}


@pytest.mark.parametrize(
    ("schema", "value", "request_", "words"),
    [
        (LENGTH, [1], {"n": 3}, ["n asked for 3, the list has 1"]),
        (LENGTH, [1], {"n": 1.0}, []),
        (LENGTH, [1], {}, ["n asked for 2, the list has 1"]),
        (LENGTH, [1], {"n": True}, []),
        (LENGTH, [1, 2], {"n": True}, []),
        (LENGTH, [1], {"n": "3"}, []),
        (LENGTH, "ab", {"n": 3}, []),
        ({"x-length": {"request": "/n"}}, [1], {}, []),
        (POSITIONS, [{"at": 0}, {"at": 1}], None, []),
        (POSITIONS, [{"at": 1}, {"at": 0}], None, ["the positions run [1, 0] where [0, 1] is expected"]),
        (POSITIONS, [{"at": 0}, {}, {"at": 2}], None, []),
        (POSITIONS, [{"at": 0}, {"at": True}], None, []),
        (POSITIONS, [{"at": 0}, {"at": "x"}, {"at": 1}], None, ['the positions run [0, "x", 1] where [0, 1, 2] is expected']),
        (POSITIONS, {"at": 5}, None, []),
        (SUM, {"t": 3, "a": 1, "b": 2}, None, []),
        (SUM, {"t": 4, "a": 1, "b": 2}, None, ["the total is 4, its parts are 1 + 2 = 3"]),
        (SUM, {"t": 4, "a": 1}, None, []),
        (SUM, {"t": "4", "a": 1, "b": 2}, None, []),
        (SUM, {"t": 4, "a": True, "b": 2}, None, []),
        (SUM, [], None, []),
        (EQUALS, "1x1", {"size": "1x1"}, []),
        (EQUALS, "2x2", {"size": "1x1"}, ["the request says '1x1', the answer '2x2'"]),
        (EQUALS, "2x2", {"size": "auto"}, []),
        (EQUALS, "2x2", {}, []),
        ({"x-equals": {"request": "/size"}}, "2x2", {"size": "auto"}, ["the request says 'auto', the answer '2x2'"]),
    ],
)  # fmt: skip
def test_relations(schema: Any, value: Any, request_: Any, words: list[str]) -> None:
    assert told(schema, value, request_) == words


@pytest.mark.parametrize(("first", "cut"), [(100, False), (1000, True)])
def test_long_values_are_shortened(first: int, cut: bool) -> None:
    numbers = [first, *range(1, 17)]
    (words,) = told(POSITIONS, [{"at": number} for number in numbers])
    shown = str(numbers)
    assert len(shown) == 60 + cut
    assert words == f"the positions run {shown[:57] + '...' if cut else shown} where {list(range(17))} is expected"


TIME = {"x-time": "unix-seconds"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NOW, []),
        (NOW - 900, []),
        (NOW + 901, []),
        (NOW - 901, ["1799999099 is 15 minutes in the past; the time of the answer is expected"]),
        (NOW + 902, ["1800000902 is 15 minutes in the future; the time of the answer is expected"]),
        (NOW * 1e3, ["1800000000000 is a time in milliseconds; unix-seconds are expected"]),
        ((NOW - 900) * 1e3, ["1799999100000 is a time in milliseconds; unix-seconds are expected"]),
        ((NOW + 901) * 1e3, ["1800000901000 is a time in milliseconds; unix-seconds are expected"]),
        (NOW * 1e6, ["1800000000000000 is a time in microseconds; unix-seconds are expected"]),
        ((NOW - 900) * 1e6, ["1799999100000000 is a time in microseconds; unix-seconds are expected"]),
        ((NOW + 901) * 1e6, ["1800000901000000 is a time in microseconds; unix-seconds are expected"]),
        (0, ["0 is 57 years in the past; the time of the answer is expected"]),
        (NOW + 2 * 86400 + 1, ["1800172801 is 2 days in the future; the time of the answer is expected"]),
        (NOW - 2 * 3600, ["1799992800 is 2 hours in the past; the time of the answer is expected"]),
        (NOW - 2 * 3600 + 2, ["1799992802 is 120 minutes in the past; the time of the answer is expected"]),
        ("now", []),
        (True, []),
    ],
)
def test_times(value: Any, words: list[str]) -> None:
    assert told(TIME, int(value) if isinstance(value, float) else value) == words


def test_a_time_is_not_judged_where_ours_is_unknown() -> None:
    assert told(TIME, 5, at=0.0) == []
    assert list(MeaningValidator({**TIME, **LENGTH, **EQUALS, "x-unique": "s", "x-stable": True}).iter_errors(5)) == []


@pytest.mark.parametrize(
    ("first", "second", "later_by", "words"),
    [
        (NOW, NOW + 1, 10, []),
        (NOW, NOW, 6, []),
        (NOW, NOW, 6.5, ["1.8e+09 stood in exchange x1 already, 5.5 s before this one began"]),
        (NOW, NOW - 2, 10, []),
        (NOW, NOW - 3, 10, ["1799999997.0 is earlier than 1.8e+09 in the earlier exchange x1"]),
        (NOW, NOW - 3, 1, ["1799999997.0 is earlier than 1.8e+09 in the earlier exchange x1"]),
        (NOW, NOW - 3, 0.5, []),
    ],
)
def test_times_run_forward(first: float, second: float, later_by: float, words: list[str]) -> None:
    session, validator = Session(), MeaningValidator(TIME)
    assert told(validator, first, session=session) == []
    found = told(validator, second, exchange="x2", session=session, at=NOW + later_by)
    assert [word.replace("1800000000.0", "1.8e+09") for word in found] == words


def test_the_latest_time_counts() -> None:
    session, validator = Session(), MeaningValidator(TIME)
    for exchange, value in [("x1", NOW), ("x2", NOW + 8), ("x3", NOW + 7)]:
        assert told(validator, value, exchange=exchange, session=session, at=NOW + 9 * int(exchange[1])) == []
    (words,) = told(validator, NOW + 5, exchange="x4", session=session, at=NOW + 50)
    assert words.endswith("in the earlier exchange x2")


def test_values_that_name_one_answer() -> None:
    session, validator = Session(), MeaningValidator({"x-unique": "session"})
    assert told(validator, "a", session=session) == []
    assert told(validator, "a", session=session) == [], "the same exchange"
    assert told(validator, "a", exchange="x2", session=session) == [
        '"a" was already the value in exchange x1 of this session'
    ]
    assert told(validator, 1, session=session) == told(validator, "1", exchange="x2", session=session) == []
    for silent in (None, "", [1], {}):
        assert told(validator, silent, session=session) == told(validator, silent, exchange="x2", session=session) == []
    assert told({"x-unique": "session"}, "a", exchange="x2", session=session) == [], "another place"


def test_values_that_equal_requests_share() -> None:
    session, validator = Session(), MeaningValidator({"x-stable": True})
    assert told(validator, 1, session=session) == told(validator, 1, exchange="x2", session=session) == []
    assert told(validator, 2, session=session) == [], "the same exchange"
    assert told(validator, 2, exchange="x2", session=session) == ["2 here, 1 for the same request in exchange x1"]
    assert told(validator, 2, exchange="x2", session=session, digest="e") == []
    off = MeaningValidator({"x-stable": False})
    assert told(off, 1, session=session) == told(off, 2, exchange="x2", session=session) == []


def test_equal_requests_have_one_digest() -> None:
    assert digest_of("POST", "/a", b"x") == digest_of("POST", "/a", b"x")
    others = {digest_of(*row) for row in (("PUT", "/a", b"x"), ("POST", "/b", b"x"), ("POST", "/a", b"y"))}
    assert len(others | {digest_of("POST", "/a", b"x")}) == 4
    assert len(digest_of("POST", "/a", b"x")) == 16
