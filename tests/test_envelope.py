"""Refusals in the form of contracts with and without a documented one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver import openapi
from mockserver.envelope import Envelope, Refusal
from mockserver.explanation import Explainer
from mockserver.findings import Severity, Violation


def violation(rule: str = "body.maximum", message: str = "size must be at most 3; got 4") -> Violation:
    return Violation(rule, Severity.ERROR, "request", "op", "/body/size", message, param="size")


def refusal(folder: Path, responses: dict[str, Any], found: list[Violation], **more: Any) -> Refusal:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/things": {"post": {"operationId": "op", "responses": responses}}},
        **more,
    }
    file = folder / "api.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    contract = openapi.load(str(file))
    return Envelope(contract, Explainer(contract)).refusal(contract.operation("op"), found)


def answered(schema: dict[str, Any], **media: Any) -> dict[str, Any]:
    return {"description": "", "content": {media.pop("kind", "application/json"): {"schema": schema, **media}}}


def test_the_document_s_own_envelope(tmp_path: Path) -> None:
    own = {
        "media": "application/vnd.api+json",
        "body": {"errors": [{"detail": "Sorry: {message}", "code": "{code}", "source": {"pointer": "{param}"}}]},
        "default": {"code": "generic"},
        "rules": {"body.maximum": {"code": "too_much"}, "json.*": {"code": "json"}},
    }
    made = refusal(tmp_path, {}, [violation()], **{"x-envelope": own})
    assert (made.status, made.kind) == (400, b"application/vnd.api+json")
    error = json.loads(made.body)["errors"][0]
    assert error == {
        "detail": "Sorry: size must be at most 3; got 4",
        "code": "too_much",
        "source": {"pointer": "size"},
    }
    for rule, code in (("json.cut", "json"), ("body.minimum", "generic")):
        made = refusal(tmp_path, {}, [violation(rule)], **{"x-envelope": own})
        assert json.loads(made.body)["errors"][0]["code"] == code


@pytest.mark.parametrize("status", ["400", "4XX", "default"])
def test_a_documented_error_takes_the_message(tmp_path: Path, status: str) -> None:
    schema = {
        "type": "object",
        "required": ["id", "reason", "status"],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "reason": {"type": "string"},
            "status": {"type": "integer"},
        },
    }
    made = refusal(tmp_path, {status: answered(schema, kind="application/fault+json")}, [violation()])
    body = json.loads(made.body)
    assert (made.status, made.kind) == (400, b"application/fault+json")
    assert body["reason"] == "size must be at most 3; got 4"
    assert body["status"] == 400
    assert body["id"] != body["reason"]


def test_an_example_keeps_its_other_members(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"oops": {"type": "string", "maxLength": 20}, "team": {"const": "a-team"}},
    }
    made = refusal(tmp_path, {"400": answered(schema, example={"team": "a-team", "oops": "x"})}, [violation()])
    assert json.loads(made.body) == {"team": "a-team", "oops": "x"}, "the message is too long for its place"
    short = violation(message="too big")
    made = refusal(tmp_path, {"400": answered(schema, example={"team": "a-team", "oops": "x"})}, [short])
    assert json.loads(made.body) == {"team": "a-team", "oops": "too big"}


def test_an_error_that_is_a_list_or_a_string(tmp_path: Path) -> None:
    rows = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "object", "required": ["msg"], "properties": {"msg": {"type": "string"}}},
    }
    made = refusal(
        tmp_path,
        {"422": answered({"type": "object", "required": ["detail"], "properties": {"detail": rows}})},
        [violation()],
    )
    assert made.status == 422, "422 is documented and 400 is not"
    assert json.loads(made.body)["detail"][0]["msg"] == "size must be at most 3; got 4"
    made = refusal(tmp_path, {"400": answered({"type": "string"})}, [violation()])
    assert json.loads(made.body) == "size must be at most 3; got 4"


def test_without_any_documented_error_it_is_a_problem_document(tmp_path: Path) -> None:
    made = refusal(tmp_path, {"200": {"description": ""}}, [violation(), violation("body.required", "n is required")])
    assert made.kind == b"application/problem+json"
    assert json.loads(made.body) == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "size must be at most 3; got 4. n is required",
    }


def test_a_thousand_violations_are_counted_rather_than_listed(tmp_path: Path) -> None:
    made = refusal(tmp_path, {}, [violation()] * 1000)
    assert "and 980 more" in json.loads(made.body)["detail"]
    assert len(made.body) < 2000


def test_odd_characters_survive(tmp_path: Path) -> None:
    made = refusal(tmp_path, {}, [violation(message="got \ud800 \x00 猫")])
    assert json.loads(made.body)["detail"] == "got \ud800 \x00 猫"
