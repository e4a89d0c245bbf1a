"""`diff`: every kind of change is told where it stands."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mockserver.diff import Effect
from mockserver.diff.writing import written
from tests.differences import (
    ITEM,
    Edit,
    Schema,
    between,
    changes,
    document,
    edited,
    of_bodies,
    operation,
    request_schema,
)

STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("old", "new", "request_", "response"),
    [
        ({"maxLength": 5}, {"maxLength": 9}, "additive", "breaking"),
        ({"maximum": 5}, {"exclusiveMaximum": 5}, "breaking", "additive"),
        ({"minimum": 1}, {}, "additive", "breaking"),
        ({"type": "integer"}, {"type": "number"}, "additive", "breaking"),
        ({"type": "string"}, {"type": ["string", "null"]}, "additive", "breaking"),
        ({"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}, "additive", "breaking"),
        ({"enum": ["a", "b"]}, {"const": "a"}, "breaking", "additive"),
        ({"enum": ["a", "b"]}, {"enum": ["a", "c"]}, "breaking", "breaking"),
        ({"type": "integer"}, {"type": "string"}, "breaking", "breaking"),
        ({"pattern": "a"}, {"pattern": "b"}, "breaking", "breaking"),
        ({"pattern": "a"}, {}, "additive", "breaking"),
        ({"not": STRING}, {"not": {"type": "integer"}}, "breaking", "breaking"),
        ({"multipleOf": 4}, {"multipleOf": 2}, "additive", "breaking"),
        ({"format": "uri"}, {"format": "email"}, "breaking", "breaking"),
        ({"type": "array", "items": STRING}, {"type": "array"}, "additive", "breaking"),
        ({"type": "array"}, {"type": "array", "uniqueItems": True}, "breaking", "additive"),
        ({"anyOf": [STRING, {"type": "null"}]}, {"anyOf": [STRING]}, "breaking", "additive"),
        ({"anyOf": [STRING]}, {"anyOf": [{"type": "null"}, STRING]}, "additive", "breaking"),
        ({"allOf": [STRING]}, {"allOf": [STRING, {"maxLength": 3}]}, "breaking", "additive"),
        ({"oneOf": [STRING, {"type": "null"}]}, {"oneOf": [STRING, {"type": "null"}, {"type": "array"}]}, "additive", "breaking"),
        ({"oneOf": [STRING, {"minLength": 2}]}, {"oneOf": [STRING, {"minLength": 3}]}, "additive", "breaking"),
        ({"oneOf": [{"pattern": "a"}, {"pattern": "b"}]}, {"oneOf": [{"pattern": "a"}, {"pattern": "c"}]}, "breaking", "breaking"),
        ({"type": "object", "properties": {"a": STRING}}, {"type": "object"}, "breaking", "breaking"),
        ({"type": "object"}, {"type": "object", "properties": {"a": STRING}}, "additive", "additive"),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}, "additive", "breaking"),
        ({"default": 1}, {"default": 2}, "breaking", "editorial"),
        ({"description": "x"}, {"description": "y"}, "editorial", "editorial"),
        ({"type": "string", "enum": ["a"]}, {"allOf": [{"const": "a"}]}, "editorial", "editorial"),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, {"enum": ["a", "b"]}, "editorial", "editorial"),
        ({"type": "array", "x-length": {"request": "/n"}}, {"type": "array"}, "editorial", "breaking"),
    ],
)  # fmt: skip
def test_one_keyword(old: Schema, new: Schema, request_: str, response: str) -> None:
    found = of_bodies({"type": "object", "properties": {"p": old}}, {"type": "object", "properties": {"p": new}})
    for area, effect in (("request", request_), ("response 200", response)):
        effects = [change.effect.value for change in changes(found, area)]
        assert effects, area
        assert max(effects, key=lambda name: Effect(name).rank) == effect


def test_the_place_is_named_through_references_and_conditions() -> None:
    def edit(data: dict[str, Any]) -> None:
        data["components"]["schemas"]["Tag"]["maxLength"] = 8
        request_schema(data)["then"]["properties"]["count"]["maximum"] = 4

    found = changes(between(document(ITEM), edited(edit)), "request")
    home = "/paths/~1items/post/requestBody/content/application~1json/schema"
    assert {(c.pointer, c.old if isinstance(c.old, int) else None, c.new) for c in found} == {
        ("/components/schemas/Tag/maxLength", None, 8),
        (f"{home}/then/properties/count/maximum", 5, 4),
    }
    assert all(change.effect is Effect.BREAKING and change.operations == ("POST /items",) for change in found)


def test_a_member_that_another_part_knew_already_is_no_new_member() -> None:
    old = {"allOf": [{"properties": {}}, {"properties": {"a": STRING}}], "type": "object"}
    new = {"allOf": [{"properties": {"a": {"maxLength": 3}}}, {"properties": {"a": STRING}}], "type": "object"}
    assert [c.effect for c in changes(of_bodies(old, new), "request")] == [Effect.BREAKING]


def test_a_member_that_is_only_demanded_is_known_too() -> None:
    old = {"allOf": [{"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"]}}]}
    new = {"type": "object", "properties": {"b": STRING}}
    assert Effect.BREAKING in {c.effect for c in changes(of_bodies(old, new), "request")}


@pytest.mark.parametrize(
    ("edit", "what", "effect"),
    [
        (lambda d: d["paths"].update({"/more": {"get": {"responses": {"200": {"description": "x"}}}}}), "operation", "additive"),
        (lambda d: d["paths"].pop("/items"), "operation", "breaking"),
        (lambda d: operation(d)["parameters"][0].update(required=True), "required", "breaking"),
        (lambda d: operation(d)["parameters"].pop(), "parameter", "breaking"),
        (lambda d: operation(d)["parameters"].append({"name": "q", "in": "query", "schema": STRING}), "parameter", "additive"),
        (lambda d: operation(d)["parameters"].append({"name": "q", "in": "query", "required": True}), "parameter", "breaking"),
        (lambda d: operation(d)["parameters"][0]["schema"].update(minimum=1), "minimum", "breaking"),
        (lambda d: operation(d)["requestBody"].update(required=False), "required", "additive"),
        (lambda d: operation(d)["requestBody"]["content"].update({"text/plain": {}}), "media type", "additive"),
        (lambda d: operation(d)["responses"]["200"]["content"].update({"text/plain": {}}), "media type", "breaking"),
        (lambda d: operation(d)["responses"]["200"].pop("content"), "content", "breaking"),
        (lambda d: operation(d)["responses"]["200"].pop("headers"), "header X-Id", "breaking"),
        (lambda d: operation(d)["responses"].update({"202": {"description": "x"}}), "response", "breaking"),
        (lambda d: operation(d)["responses"].update({"4XX": {"description": "x"}}), "response", "additive"),
        (lambda d: operation(d)["responses"].pop("200"), "response", "breaking"),
        (lambda d: operation(d).update(security=[{"bearer": []}]), "security", "breaking"),
        (lambda d: operation(d).update({"x-prices": {"currency": "USD", "rows": []}}), "x-prices", "editorial"),
        (lambda d: d["servers"][0].update(url="https://other.example.com"), "server", "breaking"),
        (lambda d: d["servers"].append({"url": "https://second.example.com"}), "server", "additive"),
        (lambda d: operation(d).update({"x-source": {"page": "p"}}), "x-source", "editorial"),
        (lambda d: operation(d).update(summary="other words"), "summary", "editorial"),
    ],
)  # fmt: skip
def test_outside_the_bodies(edit: Edit, what: str, effect: str) -> None:
    found = between(document(ITEM), edited(edit))
    assert (what, effect) in {(change.what, change.effect.value) for change in found.changes}
    worst = max(change.effect.rank for change in found.changes)
    assert worst == Effect(effect).rank


def test_less_security_breaks_nobody() -> None:
    base = edited(lambda d: operation(d).update(security=[{"bearer": []}]))
    found = between(base, edited(lambda d: operation(d).update(security=[{"bearer": []}, {}]), base))
    assert [(change.what, change.effect) for change in found.changes] == [("security", Effect.ADDITIVE)]


def test_a_shared_schema_is_told_once_and_names_its_operations() -> None:
    def twice(data: dict[str, Any]) -> None:
        other = copy.deepcopy(data["paths"]["/items"])
        other["post"]["operationId"] = "again"
        data["paths"]["/again"] = other

    base = edited(twice)
    found = between(base, edited(lambda d: d["components"]["schemas"]["Tag"].update(pattern="^[0-9]+$"), base))
    one = [change for change in found.changes if change.area == "request"]
    assert [change.operations for change in one] == [("POST /items", "POST /again")]
    assert "cannot be compared" in one[0].reason


def test_circles_end() -> None:
    def circle(limit: int) -> dict[str, Any]:
        tree = {"type": "object", "properties": {"v": {"type": "integer", "maximum": limit}}}
        tree["properties"]["next"] = {"oneOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]}
        data = document({"$ref": "#/components/schemas/Tree"})
        data["components"]["schemas"]["Tree"] = tree
        return data

    assert between(circle(3), circle(3)).changes == ()
    found = between(circle(3), circle(4))
    assert Effect.BREAKING not in {c.effect for c in changes(found, "request")}
    assert Effect.BREAKING in {c.effect for c in changes(found, "response 200")}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mockserver", "diff", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_exit_codes_and_forms(tmp_path: Path) -> None:
    old, new, wider = tmp_path / "old.json", tmp_path / "new.json", tmp_path / "wider.json"
    old.write_text(json.dumps(document(ITEM, {"type": "object"})))
    response = {"type": "object"}
    new.write_text(json.dumps(edited(lambda d: request_schema(d)["required"].append("kind"), document(ITEM, response))))
    wide = edited(lambda d: request_schema(d)["properties"]["count"].update(maximum=12), document(ITEM, response))
    wider.write_text(json.dumps(wide))
    assert run(str(old), str(old)).returncode == 0
    broken = run(str(old), str(new))
    assert broken.returncode == 1
    assert "required kind" in broken.stdout
    assert max(map(len, broken.stdout.splitlines())) <= 80
    assert run(str(old), str(wider)).returncode == 0
    assert run(str(old), str(wider), "--fail-on", "any").returncode == 1
    assert run(str(old), str(new), "--fail-on", "never").returncode == 0
    missing = run(str(old), str(tmp_path / "nothing.json"))
    assert missing.returncode == 2
    assert missing.stderr.startswith("error: ")
    told = json.loads(run(str(old), str(new), "--format", "json").stdout)
    assert told["counts"] == {"breaking": 1, "additive": 0, "editorial": 0}
    assert told["changes"][0]["new"] == "kind"
    assert "old" not in told["changes"][0]
    assert "## Breaking" in run(str(old), str(new), "--format", "markdown").stdout


def test_hostile_texts_are_shown_and_never_obeyed() -> None:
    evil = "\x1b[2J`</code>\n# not a heading"
    old, new = document({"enum": [evil]}), document({"enum": ["a", evil * 9]})
    new["info"]["title"] = evil
    found = between(old, new)
    for form in ("terminal", "markdown"):
        text = written(found, form)
        assert "\x1b" not in text
        assert "\n# not a heading" not in text
        assert form == "markdown" or max(map(len, text.splitlines())) <= 80
