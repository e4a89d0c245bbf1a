"""What others send, record and write must stay inside its bounds: numbers, nesting, compression, header lines, terminals."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver import lint, media
from mockserver.server import Running, background
from mockserver.settings import Settings
from tests.conftest import ask, received
from tests.test_broken_contracts import contract, reference, written
from tests.test_suite_run import listening, report_of, suite

MEGABYTE = 1 << 20
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"


# -------------------------------------------------------------------------------------- bodies of requests


@pytest.mark.parametrize(
    "body",
    [
        b'{"n": 1e400}', b'{"n": -1e400}', b'{"n": ' + b"9" * 5000 + b"}", b'{"n": 1' + b"0" * 300 + b".5}",
        b"[" * (MEGABYTE - 10), b'{"a":' * 150_000, b"[" * 190 + b"]" * 190, b'{"prompt": "\\ud800"}',
    ],
    ids=["huge", "minus huge", "long", "long fraction", "brackets", "braces", "deep", "surrogate"],
)  # fmt: skip
def test_every_odd_body_is_refused_in_the_form_of_the_api(mock: Running, body: bytes) -> None:
    started = time.monotonic()
    answer = ask(mock, body=body)
    assert answer.status == 400
    assert answer.json()["error"]["message"]
    assert time.monotonic() - started < 3


def test_a_value_too_deep_for_its_schema_is_refused(tmp_path: Path) -> None:
    tree = {"anyOf": [{"type": "null"}, {"allOf": [{"type": "object", "properties": {"a": reference("T")}}]}]}
    document = contract({}, components={"schemas": {"T": tree}})
    body = document["paths"]["/things"]["post"]["requestBody"]
    body["content"]["application/json"]["schema"] = reference("T")
    with background(Settings(contract=written(tmp_path, document))) as mock:
        for levels, inner, status in ((20, "{}", 200), (190, "{}", 200), (20, '{"a": 7}', 400), (190, '{"a": 7}', 400)):
            content = '{"a":' * levels + inner + "}" * levels
            answer = httpx.post(f"{mock.url}/things", content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == status, (levels, inner, answer.text[:200])


# ------------------------------------------------------------------------------------------- compression


def squeezed(piece: bytes, times: int, before: bytes = b"", after: bytes = b"") -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(
        [
            packer.compress(before),
            *(packer.compress(piece) for _ in range(times)),
            packer.compress(after),
            packer.flush(),
        ]
    )


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "zeros": (lambda: squeezed(b"\0" * MEGABYTE, 80), "gzip"),
    "brackets": (lambda: squeezed(b"[" * MEGABYTE, 30), "gzip"),
    "values": (lambda: squeezed(b"1," * (MEGABYTE // 2), 40, b'{"choices":[', b"1]}"), "gzip"),
    "layers": (lambda: gzip.compress(squeezed(b"\0" * MEGABYTE, 80)), "gzip, gzip"),
    "many layers": (lambda: b"x", ", ".join(["gzip"] * 1000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_compressed_bomb_is_one_problem(name: str) -> None:
    made, coding = BOMBS[name]
    body, problem = media.decode(made(), coding)
    assert len(body) <= media.MAX_DECODED
    reading = media.read_json(body)
    assert problem or next(one.rule for one in reading.problems) in ("json.depth", "json.size")
    assert reading.value is media.MISSING


def test_a_record_with_a_bomb_is_judged_in_seconds(tmp_path: Path) -> None:
    made, coding = BOMBS["values"]
    text = base64.b64encode(made()).decode()
    headers = [{"name": "Content-Type", "value": "application/json"}, {"name": "Content-Encoding", "value": coding}]
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "time": 1,
        "request": {"method": "POST", "url": "https://api.quickrouter.ai/v1/images/generations", "headers": []},
        "response": {"status": 200, "headers": headers, "content": {"mimeType": "application/json", "text": text, "encoding": "base64"}},
    }  # fmt: skip
    path = tmp_path / "bomb.har"
    path.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [entry]}})
    )
    call = [sys.executable, "-m", "mockserver", "check", str(path)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "more than 1000000 values" in " ".join(done.stdout.split())


# ------------------------------------------------------------------------------------ lines that are injected


def test_no_contract_and_no_scenario_splits_the_head_of_an_answer(tmp_path: Path) -> None:
    document = contract({"type": "object"})
    answer = document["paths"]["/things"]["post"]["responses"]["200"]
    answer["headers"] = {
        "X-A\r\nX-Evil: 1": {"schema": {}, "example": "v"},
        "X-B": {"schema": {}, "example": "v\r\nX-Evil: 2"},
    }
    path = written(tmp_path, document)
    assert any("no header can be called" in problem.message for problem in lint.check(path).problems)
    with background(Settings(contract=path)) as mock:
        head, _, _ = received(
            mock.port, b"POST /things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        ).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"evil" not in head.lower()
        for value in ("a\r\nX-Evil: 3", "a\nb", "a\x00b"):
            steps = [{"response": {"status": 200, "headers": {"X": value}, "text": "t"}}]
            put = httpx.put(f"http://127.0.0.1:{mock.port}/__admin/scenarios", json={"name": "x", "steps": steps})
            assert (put.status_code, "cannot be sent" in put.text) == (400, True)


@pytest.mark.parametrize(
    "edit",
    [
        lambda document, content: content.update({"application/json; a=\r\nX-Evil: 1": {}}),
        lambda document, content: document.update({"x-envelope": {"media": "a/b\r\nX-Evil: 2", "body": {"e": "{message}"}, "x-convention": "c"}}),
    ],
)  # fmt: skip
def test_a_media_type_that_splits_lines_is_refused(tmp_path: Path, edit: Callable[[Any, Any], None]) -> None:
    document = contract({"type": "object"})
    edit(document, document["paths"]["/things"]["post"]["responses"]["200"]["content"])
    done = subprocess.run(
        [sys.executable, "-m", "mockserver", "mock", "--port", "0", "--contract", written(tmp_path, document)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


# --------------------------------------------------------------------------------- what reaches a terminal


def test_answers_of_a_server_do_not_reach_the_terminal_as_they_are(tmp_path: Path) -> None:
    """Status line, header, body and their quotations in every report, from a server that would rather draw."""
    text = json.dumps(
        {"error": {"message": ESCAPES + "=HYPERLINK(1)<script>alert(1)</script>"}}, ensure_ascii=False
    ).encode()
    head = f"HTTP/1.1 200 {ESCAPES}\r\nContent-Type: text/{ESCAPES}html\r\nLocation: /{ESCAPES}\r\nContent-Length: {len(text)}\r\n\r\n"

    def rude(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(head.encode("utf-8") + text)

    reports = {form: tmp_path / f"report.{form}" for form in ("json", "junit", "html", "sarif", "github", "ndjson")}
    options = [word for form, path in reports.items() for word in ("--report", f"{form}={path}")]
    with listening(rude) as url:
        done = suite(url, "--max-requests", "6", "--max-images", "2", *options)
    assert done.returncode in (1, 3)
    shown = [done.stdout, done.stderr, *(path.read_text() for path in reports.values())]
    assert [name for name in ("\x1b", "\x9b", "\x07", "\u202e") if any(name in one for one in shown)] == []
    assert "<script>alert" not in reports["html"].read_text()
    assert report_of(reports["json"])


def test_a_record_does_not_reach_the_terminal_as_it_is(tmp_path: Path) -> None:
    body = tmp_path / f"body{ESCAPES}.json"
    body.write_text(json.dumps({"model": ESCAPES, ESCAPES: 1}))
    call = [sys.executable, "-m", "mockserver", "check", "--as", "request", str(body)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert [name for name in ("\x1b", "\x9b", "\x07", "\u202e") if name in done.stdout + done.stderr] == []
