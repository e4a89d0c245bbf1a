"""A mock that gives recorded answers, on a real port."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from mockserver.cassette import Cassette
from mockserver.errors import RecordError
from mockserver.messages import Exchange, Request, Response
from mockserver.openapi import load
from mockserver.redaction import Redactor
from mockserver.server import background
from mockserver.settings import Settings

PATH = "/v1/images/generations"
BODY = {"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "auto"}
HEADERS = {"Authorization": "Bearer sk-any-key", "Accept": "application/json"}


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "run.ndjson"
    cassette = Cassette(str(path), Redactor(load()))
    request = Request("POST", PATH, "", (("Content-Type", "application/json"),), json.dumps(BODY).encode())
    for number in (1, 2):
        headers = (("Content-Type", "application/json"), ("X-Number", str(number)), ("Connection", "close"))
        answer = Response(200, headers, b'{"created": %d, "data": []}' % number)
        cassette.write(Exchange(f"x{number}", request, answer, None, 1.0, 0.1))
    cassette.close()
    return path


def test_recorded_answers_come_in_order_and_the_last_one_stays(tape: Path) -> None:
    with background(Settings(replay=str(tape))) as mock, httpx.Client(headers=HEADERS) as client:
        same_in_other_words = json.dumps(dict(reversed(BODY.items())), indent=1)
        content = {"Content-Type": "application/json"}
        answers = [
            client.post(f"{mock.url}{PATH}", json=BODY),
            client.post(f"{mock.url}{PATH}", content=same_in_other_words, headers=content),
            client.post(f"{mock.url}{PATH}", json=BODY),
        ]
    assert [answer.json()["created"] for answer in answers] == [1, 2, 2]
    assert answers[0].headers["x-number"] == "1"


def test_what_is_not_recorded_is_answered_as_without_a_cassette(tape: Path) -> None:
    with background(Settings(replay=str(tape))) as mock, httpx.Client(headers=HEADERS) as client:
        other = client.post(f"{mock.url}{PATH}", json={**BODY, "n": 2})
        refused = client.post(f"{mock.url}{PATH}", json={**BODY, "n": 11})
    assert len(other.json()["choices"]) == 2
    assert refused.status_code == 400


def test_a_cassette_that_cannot_be_used_is_told_before_the_mock_starts(tmp_path: Path) -> None:
    empty = tmp_path / "empty.ndjson"
    empty.write_text("")
    with pytest.raises(RecordError, match="no answer to replay"), background(Settings(replay=str(empty))):
        pass
    with pytest.raises(RecordError, match="cannot be read"), background(Settings(replay=str(tmp_path / "none"))):
        pass
