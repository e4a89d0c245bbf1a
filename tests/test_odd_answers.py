"""An answer can be anything at all: it is judged, in seconds, and stops no run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from mockserver import openapi
from mockserver.explanation import VIOLATIONS_AT_MOST
from mockserver.findings import Violation
from mockserver.meaning import Session
from mockserver.messages import Exchange, Request, Response
from mockserver.server import Running
from mockserver.validation import Judge
from tests.conftest import ask

HUGE = "9" * 4000


def judged(contract: str, body: bytes, asked: dict[str, Any], kind: str = "application/json") -> tuple[Violation, ...]:
    judge = Judge(openapi.load(contract))
    operation = judge.contract.operations[0]
    answer = Response(200, (("Content-Type", kind),), body)
    request = Request("POST", operation.path, "", (), json.dumps(asked).encode())
    return judge.response(operation, asked, Exchange("x", request, answer, None, time.time(), 1.0), Session())


@pytest.mark.parametrize("number", [HUGE, "-" + HUGE, "1e308", "-1e308"])
@pytest.mark.parametrize("place", ["created", "usage/total_tokens", "usage/prompt_tokens", "choices/0/index"])
def test_numbers_that_nothing_can_be_reckoned_with(
    mock: Running, good: dict[str, Any], place: str, number: str
) -> None:
    value = ask(mock, value=good).json()
    *path, last = place.split("/")
    node = value
    for part in path:
        node = node[int(part) if part.isdigit() else part]
    node[last] = "@"
    found = judged("quickrouter", json.dumps(value).replace('"@"', number).encode(), good)
    assert {violation.rule.split(".")[0] for violation in found} & {"body", "meaning"}
    assert all(len(violation.message) < 10_000 for violation in found)


def test_fractions_and_whole_numbers_without_bounds_add_up_to_nothing(mock: Running, good: dict[str, Any]) -> None:
    value = ask(mock, value=good).json()
    value["usage"] |= {"prompt_tokens": 0.5, "completion_tokens": int(HUGE)}
    assert "meaning.sum" in {v.rule for v in judged("quickrouter", json.dumps(value).encode(), good)}


def test_an_answer_of_wrong_items_alone_is_told_in_seconds() -> None:
    body = b'{"created": 1, "data": [' + b",".join([b'{"b64_json": 1}'] * 100_000) + b"]}"
    started = time.process_time()
    found = judged("openai-images", body, {"model": "gpt-image-1", "prompt": "a"})
    assert time.process_time() - started < 15
    assert 0 < len(found) <= VIOLATIONS_AT_MOST + 2


@pytest.mark.parametrize("event", [b"data: {}\n\n", b"event: x\ndata: 1\n\n"])
def test_a_stream_of_wrong_events_alone_is_told_in_seconds(event: bytes) -> None:
    asked = {"model": "gpt-image-1", "prompt": "a", "stream": True, "partial_images": 2}
    started = time.process_time()
    found = judged("openai-images", event * 50_000, asked, "text/event-stream")
    assert time.process_time() - started < 15
    assert 0 < len(found) <= VIOLATIONS_AT_MOST + 2


def test_a_request_of_wrong_items_alone_holds_up_nobody(start: Callable[..., Running]) -> None:
    mock = start(contract="openai-images")
    edit = next(o for o in mock.mock.contract.operations if o.path.endswith("/edits"))
    started = time.perf_counter()
    answer = ask(mock, "POST", mock.mock.base_path + edit.path, value={"model": "gpt-image-1", "images": [1] * 300_000})
    assert answer.status in (400, 415)
    assert time.perf_counter() - started < 15
