"""What the usage in answers comes to in money, beside the estimate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mockserver import openapi
from mockserver.contract import Operation
from mockserver.findings import Report, Usage
from mockserver.reports import summary

PRICES = {
    "currency": "USD",
    "per": 1_000_000,
    "rows": [
        {
            "when": {"/model": "gpt-image-1.5"},
            "usd": {
                "/usage/input_tokens_details/text_tokens": 5,
                "/usage/input_tokens_details/image_tokens": 8,
                "/usage/output_tokens": 32,
            },
        }
    ],
}
ANSWER = {"usage": {"input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens": 50}}


def priced(prices: Any) -> Operation:
    return replace(openapi.load().operations[0], usage_prices=prices)


def test_tokens_of_several_kinds_have_several_prices() -> None:
    # 10 text and 40 image tokens in, 50 out on gpt-image-1.5: LiteLLM 1.106.2 returned exactly this
    assert priced(PRICES).usage_price({"model": "gpt-image-1.5"}, ANSWER) == pytest.approx(0.00197)


@pytest.mark.parametrize(
    ("prices", "model", "answer"),
    [
        (None, "gpt-image-1.5", ANSWER),
        (PRICES, "dall-e-2", ANSWER),
        (PRICES, "gpt-image-1.5", {}),
        (PRICES, "gpt-image-1.5", {"usage": {**ANSWER["usage"], "output_tokens": "50"}}),
        (PRICES, "gpt-image-1.5", {"usage": {**ANSWER["usage"], "output_tokens": -1}}),
    ],
)
def test_nothing_is_made_up(prices: Any, model: str, answer: Any) -> None:
    assert priced(prices).usage_price({"model": model}, answer) is None


def test_the_sentence_names_both_sums() -> None:
    usage = Usage(answers=4, usd=0.3111, estimated_usd=0.35)
    told = summary.used(Report("test", "quickrouter", "", "clean", usage=usage).as_dict())
    assert told == "about 0.31 USD by the usage of 4 answers, for which 0.35 USD were estimated"
    assert summary.used(Report("test", "quickrouter", "", "clean").as_dict()) == ""
