"""The suite against broken and faithful servers: a detector that was not seen to fail proves nothing.

A spread of the catalogue runs here; ``python -m tests.measure`` runs all of it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faulty import FAULTS
from tests.measure import IMAGES, REQUESTS, Result, examine

CHOSEN = (
    # shape, wire
    "images-b64", "created-string", "redirect-302", "connection-reset", "gbk",
    # conditional
    "text-cjk-500", "n-two-no-usage", "auto-usage-null", "dall-e-3-images", "third-no-id", "after-ten-no-choices",
    "written-pretty", "written-exponent", "landscape-and-cjk",
    # stricter, looser
    "size-auto", "prompt-long-word", "n-eleven-dall-e-2", "prompt-in-graphemes", "auth-other-header",
    # errors, meaning
    "refusal-200", "error-leaks-key", "created-milliseconds", "created-frozen", "cached-answer", "success-with-error",
)  # fmt: skip
"""A few of each category, and whatever needs a way of its own to be found."""

FAITHFUL = (
    *("plain", "strict-headers", "gpt-only", "relay"),
    *("unprocessable", "sparse", "gzip-chunked"),
)


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(CHOSEN, pool.map(examine, CHOSEN), strict=True))


@pytest.mark.parametrize("name", CHOSEN)
def test_finds_the_fault(results: dict[str, Result], name: str) -> None:
    result = results[name]
    assert not result.problems
    assert result.found, FAULTS[name].wrong
    assert result.requests <= REQUESTS
    assert result.images <= IMAGES


def test_a_request_without_any_key_is_told_from_one_with_the_key_elsewhere(results: dict[str, Result]) -> None:
    (finding,) = results["auth-other-header"].findings
    assert "the key in api-key and x-api-key" in finding["message"]
    assert "x-api-key: $QUICKROUTER_API_KEY" in finding["reproduce"]


CONDITIONS = {
    "text-cjk-500": "prompt has Chinese or Japanese text",
    "auto-usage-null": 'size is "auto"',
    "n-two-no-usage": "n is above 1",
    "dall-e-3-images": 'model is "dall-e-3"',
    "third-no-id": "every 3rd accepted request",
    "after-ten-no-choices": "from accepted request number 11 on",
    "written-pretty": "written pretty",
    "landscape-and-cjk": 'size is "1536x1024" and prompt has Chinese or Japanese text',
}


@pytest.mark.parametrize(("name", "condition"), CONDITIONS.items())
def test_says_under_which_condition(results: dict[str, Result], name: str, condition: str) -> None:
    conditions = [finding["condition"] for finding in results[name].findings]
    assert any(condition in told for told in conditions), conditions


@pytest.mark.parametrize("name", ["images-b64", "redirect-302", "refusal-200", "created-milliseconds", "size-auto"])
def test_one_cause_is_one_finding(results: dict[str, Result], name: str) -> None:
    assert len(results[name].findings) == 1, [f["message"] for f in results[name].findings]


@pytest.fixture(scope="module")
def faithful() -> dict[str, Result]:
    with ThreadPoolExecutor(2) as pool:
        jobs = [(profile, seed) for seed, profile in enumerate(FAITHFUL)]
        return dict(zip(FAITHFUL, pool.map(lambda job: examine(None, *job), jobs), strict=True))


@pytest.mark.parametrize("profile", FAITHFUL)
def test_no_alarm_on_a_faithful_server(faithful: dict[str, Result], profile: str) -> None:
    result = faithful[profile]
    assert result.exit_code == 0, result.problems
    assert result.findings == ()
    assert result.requests <= REQUESTS
    assert result.images <= IMAGES


def test_the_key_is_never_written() -> None:
    assert "sk-very-secret" not in str(examine("error-leaks-key", key="sk-very-secret-0123456789"))
