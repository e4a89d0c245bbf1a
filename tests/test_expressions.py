"""Regular expressions of contracts: read as ECMA 262 reads them, and searched in bounded time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from mockserver import lint
from mockserver.accelerator import Accelerator
from mockserver.dialect import dialect_of
from mockserver.expressions import Expression, ExpressionError, matches
from mockserver.patterns import candidates
from mockserver.server import background
from mockserver.settings import Settings

# pattern, texts in which it is found, texts in which it is not (node -e '/.../u.test("...")' says the same)
TABLE = [
    (r"^\d+$", ["7", "42"], ["٣", "7\n", ""]),
    (r"^[\d.]$", ["7", "."], ["٣"]),
    (r"^\w$", ["a", "_"], ["é"]),
    (r"^\W\D$", ["éé"], ["a7"]),
    (r"^\s$", ["\u00a0", "\ufeff", " "], ["x"]),
    (r"^[\s\S]$", ["\n", "x", "\ufeff"], ["", "xy"]),
    (r"^.$", ["猪", "🐷"], ["\n", "\r", "\u2028"]),
    (r"^\p{L}+$", ["é猪", "Ж"], ["a1", ""]),
    (r"^[\p{Lu}\d-]+$", ["É-3"], ["é"]),
    (r"^\P{Lu}$", ["é"], ["É"]),
    (r"^\p{Script=Han}+$", ["一只猪"], ["ねこ"]),
    (r"^\p{Emoji_Presentation}$", ["🐷"], ["a"]),
    (r"^(?<year>\d{4})-\k<year>$", ["2024-2024"], ["2024-2025"]),
    (r"^\u{1F600}|[\u{1F64F}]$", ["😀", "🙏"], ["u"]),
    (r"^\cA[\cB]$", ["\x01\x02"], ["AB"]),
    (r"^[^]$", ["\n", "x"], [""]),
    (r"[]", [], ["", "]"]),
    (r"^[[$.]+$", ["[", "$.["], ["]"]),
    (r"^a\/b\-c$", ["a/b-c"], ["ab"]),
    (r"^(?!foo)(?=.*\d).{3,}$", ["bar1"], ["foo1", "bar"]),
    (r"(?<=\$)\d", ["$5"], ["5"]),
]


@pytest.mark.parametrize(("pattern", "fitting", "others"), TABLE)
def test_patterns_are_read_as_ecma_262_reads_them(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert [text for text in fitting if not matches(pattern, text)] == []
    assert [text for text in others if matches(pattern, text)] == []


@pytest.mark.parametrize(("pattern", "fitting", "others"), TABLE)
def test_the_fast_opinion_never_says_yes_where_the_judge_says_no(
    pattern: str, fitting: list[str], others: list[str]
) -> None:
    document = {"x": {"type": "string", "pattern": pattern}, "y": {"patternProperties": {pattern: False}}}
    fast, judge = Accelerator(document), dialect_of(document)
    for text in (*fitting, *others, "a\n", "\u212a", "é", "\u0660", "\u0085", "\ufeff"):
        assert judge(document["x"]).is_valid(text) or not fast.accepts("/x", text), (pattern, text)
        assert judge(document["y"]).is_valid({text: 1}) or not fast.accepts("/y", {text: 1}), (pattern, text)


@pytest.mark.parametrize("pattern", [row[0] for row in TABLE if row[1] and "(?<" not in row[0]])
def test_texts_are_found_for_a_pattern(pattern: str) -> None:
    assert any(matches(pattern, text) for text in candidates(pattern, Random(3), 0, None)), pattern


@pytest.mark.parametrize(
    "pattern", ["(a", "[z-a]", "*", "a{99999999999}", "\\", "(" * 5000 + ")" * 5000, "[" * 100_000]
)
def test_a_pattern_that_cannot_be_read_is_one_error(pattern: str) -> None:
    with pytest.raises(ExpressionError, match="cannot be read"):
        Expression(pattern)


CATASTROPHES = [r"^(a|aa)+$", r"^(a+)+\1?$(?<!b)", r"^(([a-z]{1,99}){1,99}){1,99}$", r"(x+x+)+y", r"^(?:(.*),)*z$"]


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_a_search_ends_and_is_not_begun_again(pattern: str) -> None:
    slow = Expression(pattern)
    started = time.process_time()
    for text in ("a" * 40 + "!", "x" * 100_000, "ab,," * 5000, "a" * 1000 + "!") * 50:
        slow.found_in(text)
    assert time.process_time() - started < 5


def contract_with(tmp_path: Path, schema: dict[str, Any], answer: dict[str, Any] | None = None) -> Path:
    made = {"description": "made", "content": {"application/json": {"schema": answer or {"type": "object"}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/things": {
                "post": {
                    "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
                    "responses": {"201": made},
                }
            }
        },
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document, ensure_ascii=False))
    return path


def test_a_catastrophic_pattern_neither_stops_the_mock_nor_lint(tmp_path: Path) -> None:
    texts = {"type": "array", "items": {"type": "string", "pattern": r"^(a|aa)+$"}}
    names = {"type": "object", "patternProperties": {r"^(b|bb)+$": {}}, "unevaluatedProperties": False}
    path = contract_with(tmp_path, {"type": "object", "properties": {"t": texts, "n": names}}, names)
    started = time.monotonic()
    result = lint.check(str(path))
    assert result.problems == ()
    assert any("takes too long" in note.message for note in result.notes)
    body = {"t": ["a" * 60 + "!"] * 500, "n": {"b" * 60 + "!": 1}}
    with background(Settings(contract=str(path))) as mock:
        assert httpx.post(f"{mock.url}/things", json=body, timeout=20).status_code == 201
        assert httpx.post(f"{mock.url}/things", json={"t": ["b"]}, timeout=20).status_code == 400
    assert time.monotonic() - started < 20


def test_unicode_properties_and_named_groups_work_from_lint_to_the_answer(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "pattern": r"^\p{Lu}\p{Ll}{2,8}$"}},
        "patternProperties": {r"^(?<key>\p{L})x": {"type": "integer"}},
        "additionalProperties": False,
    }
    path = contract_with(tmp_path, schema, schema)
    assert lint.check(str(path)).problems == ()
    with background(Settings(contract=str(path))) as mock:
        answer = httpx.post(f"{mock.url}/things", json={"name": "Émile", "éx": 1})
        assert answer.status_code == 201
        assert matches(r"^\p{Lu}\p{Ll}{2,8}$", answer.json()["name"])
        refused = httpx.post(f"{mock.url}/things", json={"name": "émile"})
        assert (refused.status_code, "must match the pattern" in refused.text) == (400, True)
        assert httpx.post(f"{mock.url}/things", json={"name": "Émile", "1x": 1}).status_code == 400


def test_unevaluated_properties_see_patterns_through_references() -> None:
    document = {
        "base": {"patternProperties": {r"^\p{Lu}": {"type": "integer"}}},
        "whole": {
            "allOf": [{"$ref": "#/base"}],
            "if": {"properties": {"k": {"const": 1}}, "required": ["k"]},
            "then": {"properties": {"then": True}},
            "else": {"properties": {"k": True}},
            "unevaluatedProperties": False,
        },
    }
    judge = dialect_of(document)({**document, "$ref": "#/whole"})
    assert judge.is_valid({"Éx": 1, "k": 1, "then": 2})
    assert judge.is_valid({"Éx": 1, "k": 2})
    errors = [error.message for error in judge.iter_errors({"éx": 1, "k": 2, "then": 1})]
    assert errors == ["Unevaluated properties are not allowed ('then', 'éx' were unexpected)"]
