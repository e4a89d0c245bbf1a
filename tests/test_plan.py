"""The plan: few valid requests that carry much, refusals that each break one rule, and what stands for many."""

from __future__ import annotations

import json
import unicodedata
from functools import cache

import pytest

from contract_tests import texts
from contract_tests.plan import Plan, make_plan
from contract_tests.recipes import Recipe, build
from mockserver import openapi
from mockserver.meaning import CURRENT, STANDING_ANSWERS, STANDING_S, Context, MeaningValidator, Session
from mockserver.validation import Judge


@cache
def judge() -> Judge:
    return Judge(openapi.load())


@cache
def plan(max_requests: int | None = 60) -> Plan:
    return make_plan(judge(), 1, max_requests, key_is_known=True, stand_in=False)


def test_valid_requests_are_few_and_reach_beyond_the_tenth_answer() -> None:
    valid = plan().valid + plan().breadth
    assert len(valid) == 11
    assert sum(probe.planned_units for probe in valid) <= 25
    assert len({json.dumps(probe.recipe.body, sort_keys=True) for probe in valid}) == len(valid) - 1, "one repeat"


def test_every_documented_value_is_asked_for() -> None:
    bodies = [probe.recipe.body for probe in plan().valid + plan().breadth]
    asked = {(body.get("model"), body["size"]) for body in bodies}
    assert {("dall-e-2", size) for size in ("256x256", "512x512", "1024x1024")} <= asked
    assert {("dall-e-3", size) for size in ("1792x1024", "1024x1792", "1024x1024")} <= asked
    assert {"1024x1024", "1536x1024", "1024x1536", "auto"} <= {size for model, size in asked if model != "dall-e-2"}
    assert any(body["size"] == "auto" and body["n"] > 2 for body in bodies)


def test_every_refusal_with_a_body_of_its_own_breaks_one_rule() -> None:
    for probe in plan(None).refusals:
        recipe = probe.recipe
        if recipe.raw is None and recipe.method is None and recipe.path is None:
            found = judge().request(build(recipe, "sk-trial-key")).blocking
            assert len(found) == 1 or (probe.breaks and probe.breaks.rule == "security.refused"), probe.name


def test_the_first_refusals_reach_every_field_in_many_ways() -> None:
    first = [probe for probe in plan().refusals if probe.breaks]
    pointers = [probe.breaks.pointer for probe in first if probe.breaks]
    for pointer in ("/body/prompt", "/body/n", "/body/size"):
        assert pointers.count(pointer) >= 4, pointer
    assert len({probe.id for probe in plan().refusals + plan().left_out}) == len(plan().refusals + plan().left_out)
    # what reports call not tested does not grow with what is only varied
    assert all(probe.rank >= 5 for probe in plan().left_out[13:])


@pytest.mark.parametrize("limit", [1, 10, 40, 255, 1000, 4000])
def test_a_text_that_is_too_long_by_one_has_many_excuses(limit: int) -> None:
    text = texts.beyond(limit)
    assert len(text) == limit + 1
    assert len(text.strip()) <= limit
    if limit >= 40:
        assert len(unicodedata.normalize("NFC", text)) <= limit
        assert len(text.replace("\r\n", "\n")) <= limit
        assert not text.isascii()
        assert len(text.encode()) <= limit + 16


def test_whole_floats_can_be_written_with_exponents() -> None:
    base = plan().bases["createImage"]
    body = {**base.body, "n": 2.0, "prompt": "1.0, and 2.5"}
    written = build(Recipe(base.operation, body, layout="exponents"), "key").body
    assert b'"n":2e0' in written
    assert json.loads(written) == body


# ---------------------------------------------------------------------------------------------- a clock that stands


def told(times: list[tuple[float, int]]) -> list[str]:
    """What is said about answers with (moment of the request, time in the answer)."""
    session, found = Session(), []
    validator = MeaningValidator({"x-time": "unix-seconds"})
    for number, (moment, value) in enumerate(times):
        token = CURRENT.set(Context(f"x{number}", {}, "", moment, moment, session))
        try:
            found += [error.message for error in validator.iter_errors(value)]
        finally:
            CURRENT.reset(token)
    return found


def test_a_time_that_never_moves_is_told() -> None:
    start = 1_760_000_000.9
    still = [(start + 0.3 * index, 1_760_000_000) for index in range(10)]
    assert told(still)
    assert "stood in exchange x0 already" in told(still)[0]


def test_whole_seconds_are_no_clock_that_stands() -> None:
    start = 1_760_000_000.0
    honest = [(start + 0.1 * index, int(start + 0.1 * index)) for index in range(40)]
    assert told(honest) == []
    few = [(start, int(start)), (start + STANDING_S + 0.5, int(start))]
    assert told(few) == [], f"fewer than {STANDING_ANSWERS} answers may come from servers whose clocks differ"
    assert told([(start, int(start)), (start + 6, int(start))])


def test_the_suite_waits_only_where_a_time_has_not_moved() -> None:
    session = Session()
    validator = MeaningValidator({"x-time": "unix-seconds"})
    for number in range(STANDING_ANSWERS):
        assert session.until_still(1_760_000_000.5) == 0.0
        token = CURRENT.set(Context(f"x{number}", {}, "", 1_760_000_000.5, 1_760_000_000.5, session))
        try:
            assert list(validator.iter_errors(1_760_000_000)) == []
        finally:
            CURRENT.reset(token)
    assert STANDING_S < session.until_still(1_760_000_000.5) < STANDING_S + 0.2
