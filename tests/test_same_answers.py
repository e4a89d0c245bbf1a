"""With a seed a mock gives the same bytes whatever it is made of: one process, several workers, a file or Redis between them.

A course of requests, wishes, scenarios and sessions is drawn and followed by all of them; what each answers is held against
what a single process answers.  The name of an exchange is no part of it: it is another one every time.
``tests/machines`` does the same with mocks that share a Redis server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.test_mock_server import at, process
from tests.test_workers import wait_for

Told = tuple[Any, ...]
Step = Callable[[str], Told]

GOOD = {
    "quickrouter": {"size": "1024x1536", "prompt": "a man walks", "model": "gpt-image-1.5", "n": 1},
    "openai-images": {"size": "1024x1024", "prompt": "a man walks", "model": "gpt-image-1.5", "quality": "low"},
}
SESSIONS = st.sampled_from(["", "a", "é"])
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "prompt": st.sampled_from(["", "人", "a \x00 \U0001f600", "a man runs", 7]),
        "n": st.sampled_from([1.0, 2, 3, 0, 99, "1"]),
        "size": st.sampled_from(["auto", "1536x1024", "1x1"]),
        "model": st.sampled_from(["gpt-image-1", "none"]),
        "more": st.just(None),
    },
)
WISHES = st.sampled_from(
    ["", "", "", "seed=9", "code=429", "scenario=rate-limited", "scenario=none", "cut=10", "code=204, seed=x", "odd"]
)
SCENARIOS = st.sampled_from(
    [
        {"name": "rate-limited"},
        {"name": "own", "steps": [{"times": 2, "response": {"status": 418, "text": "ü"}}, {"delivery": {}}]},
        {"name": "again", "steps": [{"response": {"status": 299}}, {"times": 2}], "then": "repeat"},
    ]
)


def told(url: str, method: str, path: str, session: str, **more: Any) -> Told:
    headers = {**more.pop("headers", {}), **({"Mock-Session": session} if session else {})}
    answer = at(url, method, path, headers=headers, **more)
    seen = {name: value for name, value in answer.headers.items() if name not in ("date", "mock-exchange")}
    return answer.status, seen, answer.body


def asking(change: dict[str, Any], wish: str, session: str) -> Callable[[dict[str, Any]], Step]:
    headers = {"Prefer": wish} if wish else {}
    path = "/v1/images/generations"
    return lambda good: lambda url: told(url, "POST", path, session, value={**good, **change}, headers=headers)


def arming(scenario: dict[str, Any], session: str) -> Callable[[dict[str, Any]], Step]:
    return lambda _: lambda url: told(url, "PUT", "/__admin/scenarios", session, value=scenario)


def plainly(method: str, path: str, session: str) -> Callable[[dict[str, Any]], Step]:
    return lambda _: lambda url: told(url, method, path, session)


def listing(session: str) -> Callable[[dict[str, Any]], Step]:
    """What the journal holds, without names and times."""

    def kept(url: str) -> Told:
        headers = {"Mock-Session": session} if session else {}
        found = at(url, "GET", "/__admin/requests", headers=headers).json()
        hidden = ("id", "started", "duration_s")
        return found["total"], [{k: v for k, v in one.items() if k not in hidden} for one in found["requests"]]

    return lambda _: kept


PLAIN = [("DELETE", "/__admin/scenarios"), ("GET", "/__admin/scenarios"), ("DELETE", "/__admin/requests"),
         ("POST", "/__admin/reset"), ("GET", "/v1/nowhere"), ("GET", "/__admin/contract")]  # fmt: skip
asked = st.builds(asking, ASKED, WISHES, SESSIONS)
others = st.one_of(
    st.builds(arming, SCENARIOS, SESSIONS),
    st.builds(listing, SESSIONS),
    st.builds(lambda one, session: plainly(*one, session), st.sampled_from(PLAIN), SESSIONS),
)
COURSES = st.lists(st.one_of(asked, asked, others), min_size=4, max_size=16)


@pytest.fixture
def makings() -> list[list[dict[str, Any]]]:
    """How each of the mocks is made that are held against a single process: the settings of its processes."""
    return [[{"workers": 3}]]


@pytest.fixture(params=sorted(GOOD))
def mocks(
    request: pytest.FixtureRequest, makings: list[list[dict[str, Any]]]
) -> Iterator[tuple[dict[str, Any], str, list[list[str]]]]:
    """What is asked for, the URL of a single process, and those of each of the others."""
    good = GOOD[request.param]
    common = {"port": 0, "seed": 5, "contract": request.param, "image_style": "plain"}
    with ExitStack() as stack:
        _, single = stack.enter_context(process(**common))
        others = [[stack.enter_context(process(**common, **own))[1] for own in making] for making in makings]
        for making, urls in zip(makings, others, strict=True):
            for own, url in zip(making, urls, strict=True):
                wait_for(url, own.get("workers", 1), good)
        yield good, single, others


def test_whatever_a_mock_is_made_of(mocks: tuple[dict[str, Any], str, list[list[str]]]) -> None:
    good, single, others = mocks

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(COURSES)
    def followed(course: list[Callable[[dict[str, Any]], Step]]) -> None:
        steps = [make(good) for make in course]
        for url in (single, *(urls[0] for urls in others)):
            assert at(url, "POST", "/__admin/reset?session=*").status == 200
        expected = [step(single) for step in steps]
        for urls in others:
            assert [step(urls[number % len(urls)]) for number, step in enumerate(steps)] == expected

    followed()
