"""What an outcome says about the API: every pair of expectation and outcome, by the pure functions alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contract_tests import checks
from contract_tests.checks import Outcome
from contract_tests.credentials import Credentials
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe
from mockserver import openapi
from mockserver.findings import Severity, Source, Violation
from mockserver.messages import Exchange, Request, Response

OPERATION = openapi.load().operations[0]
BROKEN = Violation(
    "body.maximum", Severity.ERROR, "request", OPERATION.id, "/body/n", "m", "n must be at most 10", "11"
)
REFUSED = Probe("refuses n above 10", Recipe(OPERATION), "refused", (), 0, BROKEN)
OPEN = replace(REFUSED, name="tries more", expect="open", breaks=None)
ACCEPTED = replace(OPEN, expect="accepted")


def exchange(status: int | None, body: bytes = b"", failure: str | None = None, **headers: str) -> Exchange:
    response = None if status is None else Response(status, tuple(headers.items()), body)
    return Exchange("x1", Request("POST", OPERATION.path), response, failure)


def judged(rule: str) -> Violation:
    return Violation(rule, Severity.ERROR, "response", OPERATION.id, "/status", "m")


@pytest.mark.parametrize(
    ("status", "outcome", "infrastructure"),
    [
        (None, Outcome.SILENT, True),
        (199, Outcome.ODD, False),
        (200, Outcome.ACCEPTED, False),
        (299, Outcome.ACCEPTED, False),
        (300, Outcome.ODD, False),
        (399, Outcome.ODD, False),
        (400, Outcome.REFUSED, False),
        (428, Outcome.REFUSED, False),
        (429, Outcome.LIMITED, True),
        (499, Outcome.REFUSED, False),
        (500, Outcome.FAILED, True),
        (599, Outcome.FAILED, True),
    ],
)
def test_outcomes(status: int | None, outcome: Outcome, infrastructure: bool) -> None:
    assert checks.outcome(exchange(status), ()) is outcome
    assert outcome.infrastructure is infrastructure


def test_an_error_under_a_success_status_is_a_refusal() -> None:
    assert checks.outcome(exchange(200), (judged("body.type"), judged("error.in-success"))) is Outcome.REFUSED
    assert checks.outcome(exchange(200), (judged("body.type"),)) is Outcome.ACCEPTED


def found(probe: Probe, status: int | None, *judgement: Violation, **headers: str) -> list[Violation]:
    one = exchange(status, **headers)
    return list(checks.drift(probe, one, checks.outcome(one, judgement), judgement))


def rules(violations: list[Violation]) -> dict[str, str]:
    return {violation.rule: violation.severity.value for violation in violations}


def test_accepted_although_forbidden() -> None:
    (violation,) = found(REFUSED, 200)
    assert violation == replace(
        BROKEN,
        rule="looser.maximum",
        side="response",
        message="accepts n above 10: n must be at most 10",
        observed="status 200 for n above 10",
    )
    assert found(ACCEPTED, 200) == found(OPEN, 200) == []


@pytest.mark.parametrize(
    ("broken", "credentials", "status", "expected"),
    [
        ("body.maximum", Credentials.OWN, 400, {}),
        ("body.maximum", Credentials.OWN, 422, {}),
        ("body.maximum", Credentials.OWN, 404, {"error.status": "info"}),
        ("body.maximum", Credentials.OWN, 500, {"error.server-fault": "error"}),
        ("body.maximum", Credentials.OWN, 302, {}),
        ("body.maximum", Credentials.OWN, 429, {}),
        ("header.required", Credentials.OWN, 422, {}),
        ("media.unsupported", Credentials.OWN, 415, {}),
        ("media.unsupported", Credentials.OWN, 400, {"error.status": "info"}),
        ("path.unknown", Credentials.OWN, 404, {}),
        ("path.unknown", Credentials.OWN, 422, {"error.status": "info"}),
        ("path.method", Credentials.OWN, 405, {"error.allow": "warning"}),
        ("security.missing", Credentials.NONE, 401, {}),
        ("security.malformed", Credentials.SCHEME, 403, {}),
        ("security.missing", Credentials.NONE, 400, {"error.status": "info"}),
    ],
)
def test_how_a_refusal_is_given(broken: str, credentials: Credentials, status: int, expected: dict[str, str]) -> None:
    probe = replace(REFUSED, breaks=replace(BROKEN, rule=broken), recipe=Recipe(OPERATION, credentials=credentials))
    assert rules(found(probe, status)) == expected


def test_what_is_said_about_a_refusal() -> None:
    (unusual,) = found(REFUSED, 404)
    assert unusual.message == unusual.observed == "status 404 where 400 or 422 is usual"
    assert (unusual.side, unusual.operation, unusual.pointer) == ("response", OPERATION.id, "/status")
    assert unusual.place == "rule:error.status"
    assert unusual.documented == "The refusal has another status than such APIs give."
    assert "the page is silent" in unusual.source.convention
    (fault,) = found(REFUSED, 503)
    assert fault.message == "status 503 for n above 10"
    method = replace(REFUSED, breaks=replace(BROKEN, rule="path.method"))
    (silent,) = found(method, 405)
    assert silent.message == "405 without the header Allow"
    assert found(method, 405, Allow="POST") == []
    assert found(REFUSED, None) == []


@pytest.mark.parametrize("rule", ["body.type", "json.malformed", "media.undocumented", "status.undocumented"])
def test_the_answer_to_what_the_page_does_not_speak_of_is_information(rule: str) -> None:
    unknown = replace(REFUSED, breaks=replace(BROKEN, rule="path.unknown"))
    assert rules(found(unknown, 404, judged(rule)))[rule] == "info"
    assert rules(found(OPEN, 404, judged(rule)))[rule] == "info"
    assert rules(found(OPEN, 200, judged(rule)))[rule] == "error"
    assert rules(found(ACCEPTED, 404, judged(rule)))[rule] == "error"
    assert rules(found(unknown, 200, judged(rule)))[rule] == "error"


def test_which_4xx_a_refusal_has_is_nobodys_promise() -> None:
    assert rules(found(REFUSED, 400, judged("status.undocumented"))) == {"status.undocumented": "info"}
    assert rules(found(REFUSED, 400, judged("body.type"))) == {"body.type": "error"}
    assert rules(found(REFUSED, 500, judged("status.undocumented")))["status.undocumented"] == "error"
    assert rules(found(OPEN, 404, judged("error.key-leaked"))) == {"error.key-leaked": "error"}


def test_a_valid_request_that_is_refused() -> None:
    source = Source(page="https://page.example")
    for status, rule, words in [(400, "refused", "refuses"), (499, "refused", "refuses"), (500, "failed", "fails on")]:
        violation = checks.stricter(ACCEPTED, exchange(status, b"no"), "/body/n", "n of 10", source, "here")
        assert violation.rule == f"stricter.{rule}"
        assert violation.message == f"{words} a valid request: n of 10"
        assert violation.documented == "the page allows it: n of 10"
        assert violation.observed == f"status {status}: no"
        assert (violation.severity, violation.side, violation.operation) == (Severity.ERROR, "response", OPERATION.id)
        assert (violation.pointer, violation.place, violation.source) == ("/body/n", "here", source)
    assert checks.stricter(ACCEPTED, exchange(None), "", "", source, "").rule == "stricter.failed"


def test_a_valid_request_that_is_refused_now_and_then() -> None:
    refused = checks.unstable(ACCEPTED, exchange(400), "unstable.refused")
    failed = checks.unstable(ACCEPTED, exchange(500), "unstable.failed")
    assert (refused.severity, failed.severity) == (Severity.ERROR, Severity.WARNING)
    assert (refused.rule, refused.place) == ("unstable.refused", "rule:unstable.refused")
    assert (refused.side, refused.operation, refused.pointer) == ("response", OPERATION.id, "/status")
    assert refused.message == "the same valid request is accepted one time and not the other"
    assert refused.documented == "a valid request is answered, each time"
    assert refused.observed == "status 400 and an empty body"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"status": None}, "no answer"),
        ({"status": None, "failure": "timeout"}, "timeout"),
        ({"status": 200, "body": b" \n"}, "status 200 and an empty body"),
        ({"status": 200, "body": b"a \n b\xff"}, "status 200: a b\ufffd"),
        ({"status": 200, "body": b"a" * 160}, "status 200: " + "a" * 160),
        ({"status": 200, "body": b"a" * 161}, "status 200: " + "a" * 160 + "... (161 bytes)"),
    ],
)
def test_an_answer_in_words(made: dict[str, Any], words: str) -> None:
    assert checks.answer_in_words(exchange(**made)) == words
