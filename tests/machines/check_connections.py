"""Connections to a Redis server that break in mid-call: what was asked for is done once, and the client sees nothing of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from machines.conftest import KEPT, Server
from machines.relay import Relay, relayed

from mockserver.errors import StateError
from mockserver.state import scripts
from mockserver.state.places import store_at
from mockserver.state.store import Limits, Standing, Store
from tests.test_mock_server import at, process
from tests.test_state import rows


@pytest.fixture
def relay(redis: Server) -> Iterator[Relay]:
    with relayed(redis.port) as made:
        yield made


def url_of(relay: Relay) -> str:
    return f"redis://127.0.0.1:{relay.port}/0"


def call_of(data: bytes) -> bool:
    """Whether a request runs one of the scripts."""
    return b"EVALSHA" in data


def lost(relay: Relay) -> None:
    """Lose the answer to the next call."""
    before = relay.lost
    relay.losing = lambda data: call_of(data) and relay.lost == before


def opened(url: str) -> Store:
    return store_at(url, "c", Limits(100, 10**6))


def test_what_was_done_before_the_answer_was_lost_is_not_done_again(relay: Relay, redis: Server) -> None:
    store, other = opened(url_of(relay)), opened(redis.url)
    for number in range(20):
        lost(relay)
        assert store.advance("a", "busy") == number
        lost(relay)
        assert store.follow("t") == number
        lost(relay)
        store.append(rows(number))
    assert relay.lost == 60
    assert other.rows(None) == [b"%d\n\0" % number for number in range(20)]
    lost(relay)
    assert store.clear(None) == 20
    assert other.standing() == Standing(0, 0, 1, "")
    seen = [store.version()]
    for change in (lambda: store.arm("a", b"1"), store.reset):
        lost(relay)
        change()
        seen.append(other.version())
    assert len(set(seen)) == 3
    lost(relay)
    store.rewind()
    assert other.follow("t") == 0


def test_what_comes_late_is_not_done_again(relay: Relay, redis: Server) -> None:
    store, other = opened(url_of(relay)), opened(redis.url)
    assert store.advance("a", "busy") == 0
    relay.late = True
    lost(relay)
    assert store.advance("a", "busy") == 1, "asked for again on another connection"
    assert (other.advance("a", "busy"), store.advance("a", "busy")) == (2, 3)
    relay.deliver()
    assert store.advance("a", "busy") == 4
    relay.late = False
    store.arm("a", b"1")
    relay.late = True
    lost(relay)
    store.arm("a", b"2")
    other.arm("a", b"3")
    relay.deliver()
    assert store.armed() == {"a": b"3"}


def test_a_scenario_goes_on_step_by_step_whatever_breaks(relay: Relay, redis: Server, good: dict[str, Any]) -> None:
    random.seed(7)
    with process(port=0, state=url_of(relay)) as (_, url), process(port=0, state=redis.url) as (_, other):
        steps = [{"response": {"status": 400 + number}} for number in range(60)]
        assert at(other, "PUT", "/__admin/scenarios", value={"name": "own", "steps": steps}).status == 200
        lost = [False]

        def losing(data: bytes) -> bool:
            if call_of(data):  # never one twice in a row: a client asks once more, then the request is refused
                lost.append(not lost[-1] and random.random() < 0.4)
            return call_of(data) and lost[-1]

        relay.losing = losing
        told = [at((url, other)[number % 2], value=good).status for number in range(60)]
        assert told == [400 + number for number in range(60)]
        assert relay.lost > 10
        relay.losing = lambda _: False
        kept = at(other, "GET", "/__admin/requests").json()["requests"]
        assert [one["status"] for one in kept] == told


def test_a_server_that_does_nothing_is_given_up_and_asked_again(redis: Server, good: dict[str, Any]) -> None:
    with process(port=0, state=redis.url) as (_, url):
        assert at(url, value=good).status == 200
        redis.pause()
        try:
            began = time.monotonic()
            assert at(url, value=good).status == 503
            assert time.monotonic() - began < 6
            began = time.monotonic()
            assert at(url, value=good).status == 503
            assert time.monotonic() - began < 1, "at once, where it just did not answer"
        finally:
            redis.pause(over=True)
        time.sleep(0.6)
        assert at(url, value=good).status == 200
        assert len(at(url, "GET", "/__admin/requests").json()["requests"]) <= 3


def test_a_server_that_lost_everything_is_begun_with_anew(tmp_path: Path, good: dict[str, Any]) -> None:
    server = Server(tmp_path)
    server.start()
    try:
        with process(port=0, state=server.url) as (_, url), process(port=0, state=server.url) as (_, other):
            limited = {"name": "rate-limited"}
            assert at(url, "PUT", "/__admin/scenarios", value=limited).status == 200
            assert [at(place, value=good).status for place in (url, other)] == [429, 429]
            server.stop()
            server.start()
            own = {"name": "own", "steps": [{"times": 9, "response": {"status": 418}}]}
            assert at(url, "PUT", "/__admin/scenarios", value=own).status == 200
            assert [at(place, value=good).status for place in (other, url)] == [418, 418]
            assert at(other, "GET", "/__admin/requests").json()["total"] == 2
    finally:
        server.stop()


def test_a_mock_keeps_what_a_restarted_server_kept(tmp_path: Path) -> None:
    server = Server(tmp_path, *KEPT, "--appendfsync", "always")
    server.start()
    try:
        store = opened(server.url)
        store.append(rows(1, 2))
        store.arm("a", b"1")
        assert store.advance("a", "busy") == 0
        server.stop()
        with pytest.raises(StateError, match="cannot reach the state"):
            store.advance("a", "busy")
        server.start()
        time.sleep(0.6)
        assert (store.advance("a", "busy"), store.armed(), store.rows(None)) == (1, {"a": b"1"}, [b"1\n\0", b"2\n\0"])
    finally:
        server.stop()


def test_what_a_process_is_remembered_by_goes_away(redis: Server) -> None:
    import redis as client

    opened(redis.url).advance("a", "busy")
    with client.Redis.from_url(redis.url) as direct:
        names = {name.decode() for name in direct.scan_iter()}
        callers = [name for name in names if ":caller:" in name]
        assert callers
        assert all(name.startswith("quickrouter-contract:") for name in names)
        assert all(0 < direct.ttl(name) <= 600 for name in callers)
    assert len(scripts.ALL) == len(set(scripts.ALL))
