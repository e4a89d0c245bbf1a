"""What the answers themselves say was used, in money, beside what was estimated for them before they were sent."""

from __future__ import annotations

from collections.abc import Iterable

from contract_tests.examination import Trial
from mockserver.findings import Usage
from mockserver.media import decode, read_json


def implied(trials: Iterable[Trial]) -> Usage | None:
    """The usage of all answers that state one whose price the contract knows; None where none does."""
    answers, usd, estimated = 0, 0.0, 0.0
    for trial in trials:
        response, recipe = trial.exchange.response, trial.probe.recipe
        if response is None or response.status >= 300 or recipe.operation.usage_prices is None:
            continue
        answer = read_json(decode(response.body, response.header("content-encoding"))[0]).value
        price = recipe.operation.usage_price(recipe.body, answer)
        if price is not None:
            answers, usd, estimated = answers + 1, usd + price, estimated + recipe.price
    return Usage(answers, round(usd, 6), round(estimated, 4)) if answers else None
