"""Streams of events, bytes first: which events they hold, where they end, and how many a contract promises."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from mockserver import sequence, sse, streams
from mockserver.messages import Exchange
from mockserver.streams import EventSpec, StreamSpec, Times
from tests.judge import verdicts
from tests.judge.prints import DONE, SHEET, event, events, roll

CUT = "stream.cut: the stream ends inside an event: no empty line follows it"


@pytest.mark.parametrize(
    ("body", "found", "problems"),
    [
        (b"", [], []),
        (b"\n\n", [], []),
        (b"data: a\n\n", [("", "a")], []),
        (b"data:a\r\rdata:  b\r\n\r\n", [("", "a"), ("", " b")], []),
        (b"\xef\xbb\xbfevent: x\ndata: a:b\n\n", [("x", "a:b")], []),
        (b"event: x\ndata: a\ndata\ndata: b\n\ndata: c\n\n", [("x", "a\n\nb"), ("", "c")], []),
        (b"event: x\n\ndata: a\n\n", [("", "a")], []),
        (b"data: a\n\nevent: x\n\n", [("", "a")], []),
        (b": hello\nid: 1\nretry: 5\ndata: a\n\n", [("", "a")], []),
        (b"data: a\n", [], [CUT]),
        (b"data: a", [], [CUT]),
        (b"data: a\n\ndata: b\n", [("", "a")], [CUT]),
        (b"data: a\n\nevent: b\n", [("", "a")], [CUT]),
        (b"data: a\n\nev", [("", "a")], [CUT]),
        (b"{}\n{}\ndata: a\n\n", [("", "a")], ["stream.malformed: a line is no field of an event: '{}'"]),
        (b"x" * 70 + b"\n\n", [], [f"stream.malformed: a line is no field of an event: '{'x' * 60}'"]),
        (b"Data: a\n\n", [], ["stream.malformed: a line is no field of an event: 'Data: a'"]),
        (b"data: \xff\n\n", [("", "\ufffd")], ["stream.malformed: the stream is not UTF-8: invalid start byte at byte 6"]),
        (b"data: \xc3\n\n", [("", "\ufffd")], ["stream.malformed: the stream is not UTF-8: invalid continuation byte at byte 6"]),
        (b"data: a\n\ndata: \xc3", [("", "a")], [CUT]),
    ],
)  # fmt: skip
def test_reading(body: bytes, found: list[tuple[str, str]], problems: list[str]) -> None:
    stream = sse.read(body)
    assert [(one.name, one.data) for one in stream.events] == found
    assert [f"{problem.rule}: {problem.message}" for problem in stream.problems] == problems


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"a"],
        [b"data: a\n\n", b"b"],
        [b"a\r\n\r\n", b"b\r\r", b"c\n\n"],
        [b"a\nb\n\n", b"\nc"],
    ],
)
def test_a_stream_is_cut_after_each_event(pieces: list[bytes]) -> None:
    assert sse.pieces(b"".join(pieces)) == pieces


def test_an_event_is_written_as_it_is_read() -> None:
    assert sse.written("\u00e4", b'{"a": 1}') == 'event: \u00e4\ndata: {"a": 1}\n\n'.encode()


@pytest.mark.parametrize(
    ("times", "body", "bounds"),
    [
        (Times(), {}, (1, 1)),
        (Times("/n", 3), {"n": 2}, (2, 2)),
        (Times("/n", 3), {}, (3, 3)),
        (Times("/n", 3), {"n": 0}, (0, 0)),
        (Times("/n", 3), {"n": 2.0}, (2, 2)),
        (Times("/n", 3), {"n": True}, (3, 3)),
        (Times("/n", 3), {"n": "2"}, (3, 3)),
        (Times("/n", 3), {"n": -1}, (3, 3)),
        (Times("/n", 3), {"n": 100}, (100, 100)),
        (Times("/n", 3), {"n": 101}, (3, 3)),
        (Times("/n", 3), None, (3, 3)),
        (Times("", 3), 2, (3, 3)),
        (Times("/n", 3, fewer=True), {"n": 2}, (0, 2)),
    ],
)
def test_how_often_an_event_comes(times: Times, body: Any, bounds: tuple[int, int]) -> None:
    assert times.bounds(body) == bounds
    assert isinstance(times.of(body), int)


def test_what_a_contract_says_of_a_stream() -> None:
    said = {
        "when": True,
        "repeat": {"request": "/n", "default": 2, "fewer": True},
        "events": [
            {
                "name": "a",
                "schema": {},
                "count": {"request": "/c", "default": 4},
                "examples": {"x/y": {"value": [1]}, "z": {"$ref": "#/z"}, "none": {"externalValue": "a"}},
                "position": "/p",
            },
            {"schema": {}, "count": {"fewer": False}},
        ],
    }
    found = streams.stream_of({"m": {"x-stream": said}, "z": {"value": 2}, "n": {}, "o": {"x-stream": {}}}, "/m")
    assert found == StreamSpec(
        "/m/x-stream/when",
        (
            EventSpec(
                "a", "/m/x-stream/events/0/schema", {"x/y": [1], "z": 2}, Times("/c", 4), "/p", "/m/x-stream/events/0"
            ),
            EventSpec("", "/m/x-stream/events/1/schema", {}, Times(), "", "/m/x-stream/events/1"),
        ),
        Times("/n", 2, fewer=True),
        "/m/x-stream",
    )
    assert streams.stream_of({"n": {}}, "/n") is None
    empty = streams.stream_of({"o": {"x-stream": {}}}, "/o")
    assert empty is not None
    assert asdict(empty) == {
        "when": "/o/x-stream/when",
        "events": (),
        "repeat": asdict(Times()),
        "pointer": "/o/x-stream",
    }


@pytest.mark.parametrize(
    ("places", "rows", "rules"),
    [
        ([0, 1, 2], 1, []),
        ([0, 1, 2, 0, 1, 2], 2, []),
        ([0, 1, 2, 3, 4, 5], 2, ["meaning.positions /body/3/at", "meaning.positions /body/4/at", "meaning.positions /body/5/at"]),
        ([0, 1, 1], 1, ["meaning.positions /body/2/at"]),
        ([0, 1], 1, ["stream.count /body"]),
        ([0, 1, 2, 3], 1, ["stream.count /body"]),
        ([0, 1, 2, 0, 1, 2], 1, ["stream.count /body"]),
        ([0, 1, 2, 0, 1, 2, 0, 1, 2], 3, []),
    ],
)  # fmt: skip
def test_events_of_one_kind_are_counted_row_by_row(places: list[int], rows: int, rules: list[str]) -> None:
    judge = verdicts.judge()
    operation = judge.contract.operation("print")
    only = EventSpec("frame", "/components/schemas/Roll", {}, Times("", 3), "/at", operation.pointer)
    spec = StreamSpec("", (only,), Times("/rolls"), operation.pointer)
    body = b"".join(event("frame", {"at": place}) for place in places)
    found = sequence.violations(judge.explainer, operation, spec, body, {"rolls": rows}, cut=False)
    assert [f"{violation.rule} {violation.pointer}" for violation in found] == rules


def test_a_row_with_fewer_events_ends_where_it_may() -> None:
    judge = verdicts.judge()
    operation = judge.contract.operation("print")
    only = EventSpec("frame", "/components/schemas/Roll", {}, Times("", 3, fewer=True), "/at", operation.pointer)
    spec = StreamSpec("", (only,), Times("", 2), operation.pointer)
    body = b"".join(event("frame", {"at": place}) for place in (0, 1, 2, 0))
    assert list(sequence.violations(judge.explainer, operation, spec, body, {}, cut=False)) == []


def test_a_contract_without_events_promises_none() -> None:
    judge = verdicts.judge()
    operation = judge.contract.operation("print")
    spec = StreamSpec("", (), Times(), operation.pointer)
    (wrong,) = sequence.violations(judge.explainer, operation, spec, event("frame", {"at": 0}), {}, cut=False)
    assert wrong.rule == "stream.event"


@pytest.mark.parametrize(
    ("came", "rules"),
    [
        ([event("x", 1)] * 2, ["stream.event"] * 2 + ["stream.count"] * 2),
        ([event("x", 1)] * 3, ["stream.event"] * 3),
        ([event("x", 1)] * 9, ["stream.event"] * 3),
        ([SHEET, DONE, *[SHEET] * 3], ["stream.order"] * 3 + ["stream.count"]),
        ([SHEET, DONE, *[SHEET] * 9], ["stream.order"] * 3 + ["stream.count"]),
        ([event("error", {"error": 1}), SHEET], ["error.in-success"]),
    ],
)
def test_of_many_breaches_the_first_are_told(
    monkeypatch: pytest.MonkeyPatch, came: list[bytes], rules: list[str]
) -> None:
    monkeypatch.setattr(sequence, "VIOLATIONS_AT_MOST", 3)
    found = verdicts.judge().exchange(Exchange("x1", roll(), events(*came), started=1.8e9))
    assert [violation.rule for violation in found] == rules


def test_which_stream_a_request_asks_for() -> None:
    judge = verdicts.judge()
    operation = judge.contract.operation("print")
    assert judge.streamed(operation, {"live": True}) is operation.streams[0]
    assert judge.streamed(operation, {}) is None
    assert events(cut="x").cut == "x"
    assert judge.request(roll()).violations == ()
