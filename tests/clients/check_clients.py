"""Clients that others wrote do against the mock what the documentation says they do.

Not collected unless named: the clients are installed by the tox environment ``clients``, which names their folder in CLIENTS.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.clients import resilience
from tests.clients.measure import CASES, MARK, PAGE, Result, measure
from tests.clients.program import Client, clients

HOME = Path(os.environ["CLIENTS"])
RATED, BARE, FORBIDDEN = "429, Retry-After: 1", "429, no Retry-After", "a forbidden size"
BACKOFF = {"AI SDK": (2.0, 4.0), "AI SDK compatible": (2.0, 4.0), "the page's curl": ()}
"""Waits in seconds before a second and a third try that nobody asked to wait; the other clients have OpenAI's."""
OPENAI = (0.5, 1.0)
JITTER, LATE = 0.3, 0.8
"""Seconds: OpenAI's SDKs take off up to a quarter, and a loaded machine is late."""


@pytest.fixture(scope="module", params=clients(HOME), ids=lambda client: f"{client.name}-{client.command[0]}")
def found(request: pytest.FixtureRequest) -> dict[str, Result]:
    """What one client did in every case."""
    client: Client = request.param
    return {case: measure(client, case) for case in CASES}


@pytest.fixture(scope="module")
def failures() -> list[resilience.Resilience]:
    """What all clients made of every failure."""
    return resilience.results(HOME)


def documented() -> list[list[str]]:
    rows = PAGE.read_text(encoding="utf-8").split(MARK)[1].strip().splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_the_page_says_what_it_does(found: dict[str, Result]) -> None:
    """All but the waits, which differ a little from run to run, and the version of a curl that came with the machine."""
    rows = [[re.sub(r"(curl) [\d.]+$", r"\1", row[0]), *row[1:3], *row[4:]] for row in documented()]
    for result in found.values():
        cells = list(result.cells)
        assert [re.sub(r"(curl) [\d.]+$", r"\1", cells[0]), *cells[1:3], *cells[4:]] in rows


def test_it_tries_again_when_it_should(found: dict[str, Result]) -> None:
    curl = found[RATED].client == "the page's curl"
    assert found[RATED].requests == found[BARE].requests == (1 if curl else 3)
    assert all(1 <= wait < 1 + LATE for wait in found[RATED].waits)
    expected = BACKOFF.get(found[BARE].client, OPENAI)
    assert len(found[BARE].waits) == len(expected)
    assert all(own - JITTER < wait < own + LATE for wait, own in zip(found[BARE].waits, expected, strict=True))


def test_its_mistake_is_found_and_sent_once(found: dict[str, Result]) -> None:
    assert (found[FORBIDDEN].requests, found[FORBIDDEN].broken, found[FORBIDDEN].exit_code) == (1, ("body.enum",), 1)
    assert [result.exit_code for case, result in found.items() if case != FORBIDDEN] == [0, 0, 0]


def test_it_sends_no_idempotency_key(found: dict[str, Result]) -> None:
    """So that a request which is tried again after it was accepted is paid for twice."""
    assert not any(result.keyed for result in found.values())


def test_the_page_says_what_they_make_of_failures(failures: list[resilience.Resilience]) -> None:
    written = PAGE.read_text(encoding="utf-8").split(resilience.MARK)[1].strip()
    measured = resilience.table(failures)
    assert re.sub(r"(curl) [\d.]+", r"\1", measured) == re.sub(r"(curl) [\d.]+", r"\1", written)


def test_what_is_wrong_by_any_reading_is_found_in_none_of_them(failures: list[resilience.Resilience]) -> None:
    """They pay twice for an answer that was lost; no one comes too early, goes on without end, or gives the key away."""
    for one in failures:
        assert set(one.found) <= {"client.paid-twice", "client.silent-failure"}, one.client
