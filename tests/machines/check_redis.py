"""Mocks that share a Redis server, as on several machines: nothing of what one answered is lost with it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from machines.conftest import KEPT, Server

from mockserver.errors import StateError
from mockserver.state.places import PASSWORD, store_at
from mockserver.state.store import Limits
from tests.test_mock_server import at, process
from tests.test_state import (
    make,
    test_a_plain_exchange_counts_as_in_memory,
    test_a_row_is_replaced_where_it_stands,
    test_a_stage_plays_what_another_armed,
    test_every_change_of_what_is_armed_has_a_version,
    test_exchanges_come_back_as_they_were,
    test_rows_far_back_are_found,
    test_the_bounds_hold_for_all_together,
    test_the_oldest_sessions_make_room,
    test_turns_are_counted_once_each,
    test_what_one_wrote_the_other_reads,
)
from tests.test_workers import name_of, wait_for

__all__ = [
    "make",
    "test_a_plain_exchange_counts_as_in_memory",
    "test_a_row_is_replaced_where_it_stands",
    "test_a_stage_plays_what_another_armed",
    "test_every_change_of_what_is_armed_has_a_version",
    "test_exchanges_come_back_as_they_were",
    "test_rows_far_back_are_found",
    "test_the_bounds_hold_for_all_together",
    "test_the_oldest_sessions_make_room",
    "test_turns_are_counted_once_each",
    "test_what_one_wrote_the_other_reads",
]


@pytest.fixture
def place(redis: Server) -> str:
    return redis.url


def test_a_killed_mock_loses_nothing(redis: Server, good: dict[str, Any]) -> None:
    with process(port=0, state=redis.url) as (first, url), process(port=0, state=redis.url) as (_, other):
        answered: list[str] = []
        killed = threading.Event()

        def load() -> None:
            while not killed.is_set():
                with contextlib.suppress(OSError, IndexError):
                    answered.append(name_of(at(url, value=good)))
                    answered.append(name_of(at(other, value=good)))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(answered) < 200:
            time.sleep(0.01)
        first.kill()
        time.sleep(0.1)
        killed.set()
        for thread in threads:
            thread.join()
        kept = {one["id"] for one in at(other, "GET", "/__admin/requests").json()["requests"]}
        assert len({name.split("-")[0] for name in answered}) == 2
        assert 200 <= len(answered) < 900, "the journal holds the newest thousand"
        assert set(answered) <= kept


def test_two_mocks_with_workers_play_one_scenario(redis: Server, good: dict[str, Any]) -> None:
    with (
        process(port=0, state=redis.url, workers=2) as (_, url),
        process(port=0, state=redis.url) as (_, other),
        ThreadPoolExecutor(8) as pool,
    ):
        wait_for(url, 2, good)
        at(url, "POST", "/__admin/reset")
        scenario = {"name": "own", "steps": [{"times": 17, "response": {"status": 418}}], "then": "normal"}
        assert at(other, "PUT", "/__admin/scenarios", value=scenario).status == 200
        statuses = pool.map(lambda number: at((url, other)[number % 2], value=good).status, range(60))
        assert Counter(statuses) == {418: 17, 200: 43}
        assert at(url, "GET", "/__admin/scenarios").json()["answered"] == 60
        for _ in range(10):
            assert at(url, "PUT", "/__admin/scenarios", value={"name": "rate-limited"}).status == 200
            assert [at(place, value=good).status for place in (other, url, url)] == [429] * 3
            assert at(other, "DELETE", "/__admin/scenarios").status == 200
            assert [at(place, value=good).status for place in (url, other, url)] == [200] * 3


def test_mocks_of_different_contracts_keep_apart(redis: Server) -> None:
    one, other = (store_at(redis.url, name, Limits(10, 1000)) for name in ("a", "b"))
    one.arm("", b"1")
    assert (one.armed(), other.armed()) == ({"": b"1"}, {})
    one.close()
    other.close()


def test_without_its_server_a_mock_refuses_and_recovers(tmp_path: Path, good: dict[str, Any]) -> None:
    server = Server(tmp_path, *KEPT)
    server.start()
    try:
        with process(port=0, state=server.url) as (script, url):
            names = [name_of(at(url, value=good))]
            server.stop()
            for value in (good, {}):
                refused = at(url, value=value)
                assert refused.status == 503
                assert refused.headers["retry-after"] == "1"
                assert "cannot keep its state" in refused.json()["error"]["message"]
            health = at(url, "GET", "/__admin/health")
            assert (health.status, health.headers["content-type"]) == (503, "application/problem+json")
            server.start()
            time.sleep(0.6)
            names.append(name_of(at(url, value=good)))
            assert [one["id"] for one in at(url, "GET", "/__admin/requests").json()["requests"]] == names
            script.terminate()
            assert script.wait(10) == 0
            assert script.stderr
            (line,) = script.stderr.read().splitlines()
            assert line.startswith(f"error: cannot reach the state at {server.url}")
    finally:
        server.stop()


def test_the_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(tmp_path, "--requirepass", "geheim")
    server.start()
    try:
        with pytest.raises(StateError, match="wants a password, which belongs into") as told:
            store_at(server.url, "a", Limits(10, 1000))
        monkeypatch.setenv(PASSWORD, "falsch")
        with pytest.raises(StateError) as wrong:
            store_at(server.url, "a", Limits(10, 1000))
        assert "falsch" not in f"{told.value}{wrong.value}"
        monkeypatch.setenv(PASSWORD, "geheim")
        store = store_at(server.url, "a", Limits(10, 1000))
        assert store.version() == 0
        store.close()
    finally:
        server.stop()
