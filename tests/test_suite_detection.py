"""The suite against broken and faithful servers: a detector that was not seen to fail proves nothing.

A spread of the catalogue runs here; ``python -m tests.measure`` runs all of it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faulty import FAULTS, PROFILES
from tests.measure import IMAGES, REQUESTS, Result, examine

CHOSEN = (
    # shape
    "choices-missing", "usage-missing", "created-string", "images-b64", "list-on-top", "choices-of-strings",
    # wire
    "media-html", "truncated-json", "duplicate-key", "byte-order-mark", "utf-8-invalid", "redirect-302",
    "gzip-unannounced", "empty-body", "length-too-long", "connection-reset",
    # conditional
    "text-cjk-500", "text-emoji-cuts-json", "n-two-no-usage", "n-ten-500", "auto-usage-null", "dall-e-3-images",
    "third-no-id", "after-ten-no-choices", "written-pretty", "landscape-and-cjk",
    # stricter
    "prompt-above-500", "prompt-in-bytes", "n-above-4", "size-auto", "demands-user", "prompt-of-1000",
    # looser
    "prompt-absent", "n-eleven", "n-zero", "n-string", "size-any", "auth-absent", "body-malformed", "method-any",
    # errors
    "refusal-200", "refusal-500", "error-html", "error-text", "error-leaks-key", "error-stack-trace",
    # meaning
    "count-always-one", "index-all-zero", "usage-off-by-one", "created-milliseconds", "id-constant", "cached-answer",
)  # fmt: skip


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
        jobs = [(profile, seed) for seed, profile in enumerate(PROFILES)]
        return dict(zip(PROFILES, pool.map(lambda job: examine(None, *job), jobs), strict=True))


@pytest.mark.parametrize("profile", PROFILES)
def test_no_alarm_on_a_faithful_server(faithful: dict[str, Result], profile: str) -> None:
    result = faithful[profile]
    assert result.exit_code == 0, result.problems
    assert result.findings == ()
    assert result.requests <= REQUESTS
    assert result.images <= IMAGES


def test_the_key_is_never_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    for fault in ("error-leaks-key", None):
        result = examine(fault, key="sk-very-secret-0123456789")
        assert "sk-very-secret" not in str(result)
