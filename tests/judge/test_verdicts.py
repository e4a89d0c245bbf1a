"""The judge's whole verdict on messages of many kinds, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.findings import Severity
from mockserver.meaning import Session
from mockserver.messages import Exchange
from tests.judge import verdicts
from tests.judge.messages import JOB, RESULT, request, response
from tests.judge.verdicts import ANSWERS, GOLDEN

EXPECTED: dict[str, list[dict[str, Any]]] = json.loads(GOLDEN.read_text(encoding="utf-8"))


JUDGE = verdicts.judge()


@pytest.mark.parametrize("case", verdicts.CASES)
def test_verdict(case: str) -> None:
    assert verdicts.verdict(JUDGE, case) == EXPECTED[case]


def test_no_verdict_is_without_a_case() -> None:
    assert list(EXPECTED) == verdicts.CASES


def test_a_session_remembers_between_exchanges() -> None:
    judge, session = verdicts.judge(), Session()
    for name, rules in (("x1", []), ("x2", ["meaning.unique"])):
        exchange = Exchange(name, request(), response(), started=1_800_000_000.0, duration=1.0)
        assert [violation.rule for violation in judge.exchange(exchange, session)] == rules
    assert judge.exchange(Exchange("x3", request(), response(), started=1_800_000_000.0)) == ()


def test_the_end_of_an_exchange_is_its_start_and_its_duration() -> None:
    judge = verdicts.judge()
    late = response({**RESULT, "done": 1_800_001_000})
    for duration, rules in ((99.0, ["meaning.time"]), (101.0, [])):
        exchange = Exchange("x1", request(), late, started=1_800_000_000.0, duration=duration)
        assert [violation.rule for violation in judge.exchange(exchange)] == rules


def test_what_a_request_means() -> None:
    judge = verdicts.judge()
    judged = judge.request(request({**JOB, "coats": 0}, X_Shop=""))
    assert judged.body == {**JOB, "coats": 0}
    assert judged.operation is judge.contract.operations[0]
    assert [violation.severity for violation in judged.violations] == [Severity.WARNING, Severity.INFO]
    assert judged.blocking == (), "neither a header nor information is refused"
    assert [violation.rule for violation in judge.request(request(b"{")).blocking] == ["json.cut"]
    assert judge.request(request(path="/jobs")).operation is None
    assert judge.request(request(b'{"title": "\xff"}')).body == {"title": "\ufffd"}


def test_a_body_alone() -> None:
    judge = verdicts.judge()
    order, look, _, bring, _ = judge.contract.operations
    assert [violation.rule for violation in judge.body_violations(order, {})] == ["body.required", "body.required"]
    assert {violation.pointer for violation in judge.body_violations(order, {})} == {"/body/title", "/body/parts"}
    assert {(violation.side, violation.operation) for violation in judge.body_violations(order, {})} == {
        ("request", "order")
    }
    assert (
        judge.body_violations(order, JOB) == judge.body_violations(look, {}) == judge.body_violations(bring, {}) == []
    )


def test_the_quick_yes_and_the_strict_way_agree() -> None:
    judge = verdicts.judge()
    tools = ANSWERS["a range"][0]
    assert judge.admission(judge.contract.operations[2]) is not None
    assert judge.admission(judge.contract.operations[0]) is None, "its path has a parameter"
    assert judge.request(tools) == judge.strictly(tools)
