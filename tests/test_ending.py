"""How a mock ends: told to, it answers what it has taken and is gone in bounded time; killed, it has kept what it answered."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mockserver import cassette
from mockserver.server import Running
from mockserver.settings import Settings
from mockserver.state import opened
from tests.conftest import parsed
from tests.load import Load
from tests.test_connections import HEAD, Connect, connect, refused, request_of, rest_of
from tests.test_mock_server import At, at, eventually, process
from tests.test_workers import wait_for

__all__ = ["connect"]


@pytest.mark.parametrize("workers", [1, 2])
def test_under_load_every_request_that_was_sent_is_answered(workers: int, good: dict[str, Any]) -> None:
    with process(port=0, workers=workers) as (script, url):
        wait_for(url, workers, good)
        load = Load(At(url).port, request_of(good), kept=12, fresh=4)
        eventually(lambda: len(load.answered) > 300)
        told = time.monotonic()
        script.send_signal(signal.SIGTERM)
        assert script.wait(10) == 0
        ended = time.monotonic()
        load.end()
        assert ended - told < 4
        assert [sent for sent in load.lost if sent < told] == []
        assert load.refused
        assert script.stderr
        assert script.stderr.read() == ""


def test_nothing_keeps_it_from_ending(connect: Connect, good: dict[str, Any]) -> None:
    streamed = {"model": "gpt-image-1", "prompt": "x", "stream": True, "partial_images": 2}
    with process(port=0, contract="openai-images", image_style="plain") as (script, url):
        mock = At(url)
        plain = {"model": "gpt-image-1", "prompt": "x"}
        idle, late, stream, feed, part, head, deaf = (connect(mock) for _ in range(7))
        late.sendall(request_of(plain, "Prefer: delay=60\r\n"))
        stream.sendall(request_of(streamed, "Prefer: delay=60\r\n"))
        feed.sendall(b"GET /__admin/live HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        part.sendall(request_of(plain)[:-3])
        head.sendall(HEAD.encode())
        deaf.sendall(b"GET /__admin/contract HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
        assert feed.recv(1000).startswith(b"HTTP/1.1 200")
        eventually(lambda: at(url, "GET", "/__admin/health").json()["requests"] == 2)
        told = time.monotonic()
        script.send_signal(signal.SIGTERM)
        answer = parsed(rest_of(late))
        assert (answer.status, len(answer.body)) == (200, int(answer.headers["content-length"]))
        assert rest_of(stream).endswith(b"\n\n\r\n0\r\n\r\n"), "the whole stream, without its pauses"
        assert rest_of(feed).endswith(b"0\r\n\r\n")
        assert rest_of(idle) == b""
        for client in (part, head):
            status, message = refused(rest_of(client))
            assert (status, "about to end" in message) == (503, True)
        assert time.monotonic() - told < 4
        with pytest.raises(ConnectionRefusedError):
            connect(mock)
        assert script.wait(10) == 0, "although one client takes nothing"
        assert time.monotonic() - told < 6
        assert script.stderr
        assert script.stderr.read() == ""


def test_a_second_interrupt_waits_for_nobody(connect: Connect) -> None:
    command = [sys.executable, "-m", "mockserver", "mock", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as script:
        assert script.stdout
        deaf = connect(At(script.stdout.readline()))
        deaf.sendall(b"GET /__admin/contract HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3000)
        time.sleep(0.3)
        script.send_signal(signal.SIGINT)
        time.sleep(0.4)
        assert script.poll() is None
        told = time.monotonic()
        script.send_signal(signal.SIGINT)
        assert script.wait(10) == 130
        assert time.monotonic() - told < 2
        assert script.stderr
        assert script.stderr.read().strip() == ""


def test_what_was_answered_is_kept_whenever_it_is_killed(good: dict[str, Any], tmp_path: Path) -> None:
    rng, place = random.Random(), str(tmp_path / "state")
    settings = {"state": place, "journal_entries": 100_000, "journal_bytes": 1 << 30}
    answered: set[str] = set()
    for workers in (1, 2):
        with process(port=0, workers=workers, **settings) as (script, url):
            wait_for(url, workers, good)
            load = Load(At(url).port, request_of(good), kept=6, fresh=2)
            eventually(partial(load.has_answered, 50))
            time.sleep(rng.uniform(0, 0.3))
            script.kill()
            script.wait(10)
            load.end()
            answered.update(load.answered)
    state = opened(Settings(**settings), "quickrouter", None)
    with contextlib.closing(state):
        kept = [entry.id for entry in state.journal.entries()]
    assert len(answered) > 100
    assert answered <= set(kept)
    assert len(kept) == len(set(kept))


def test_what_the_proxy_passed_on_is_recorded_when_it_is_killed(
    start: Callable[..., Running], good: dict[str, Any], tmp_path: Path
) -> None:
    record, mock = tmp_path / "record.ndjson", start()
    command = [sys.executable, "-m", "mockserver", "proxy", mock.url, "--port", "0", "--record", str(record)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as script:
        assert script.stdout
        load = Load(At(script.stdout.readline()).port, request_of(good), kept=3, fresh=1)
        eventually(partial(load.has_answered, 60))
        script.kill()
        script.wait(10)
        load.end()
    exchanges = list(cassette.read(str(record)))
    kept = {one.response.header("mock-exchange") for one in exchanges if one.response}
    assert len(set(load.answered) - kept) <= 4, "all but the last one of each client"
    assert len(load.answered) > 60


def test_what_the_suite_paid_for_is_recorded_when_it_is_killed(start: Callable[..., Running], tmp_path: Path) -> None:
    record, mock = tmp_path / "record.ndjson", start()
    command = [sys.executable, "-m", "mockserver", "test", mock.url, "--record", str(record)]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "QUICKROUTER_API_KEY": "sk-abcdef"},
    ) as script:
        eventually(lambda: len(mock.journal) >= 8)
        script.kill()
        script.wait(10)
    answered = [one.id for one in mock.journal.entries()]
    kept = [one.response.header("mock-exchange") for one in cassette.read(str(record)) if one.response]
    assert len(answered) < 60, "it was killed in the middle"
    assert set(answered[:-1]) <= set(kept), "all but the one that was under way"
