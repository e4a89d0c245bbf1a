"""Strategies: every drawn value is valid, what is drawn is varied, and drawing ends for recursive schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import find, given, settings
from hypothesis.errors import NoSuchExample, Unsatisfiable
from jsonschema import Draft202012Validator

from contract_tests.strategies import ALPHABET, values
from mockserver.pointers import escape

CASES = json.loads((Path(__file__).parent / "shape_cases.json").read_text(encoding="utf-8"))
NAMES = sorted(CASES["components"]["schemas"])
QUICK = settings(max_examples=15, database=None, derandomize=True, deadline=None)
SEARCH = settings(max_examples=500, database=None, derandomize=True, deadline=None)


def pointer_to(name: str) -> str:
    return "#/components/schemas/" + quote(escape(name))


def found(schema: object, wanted: Callable[[object], bool], side: str = "request") -> object:
    return find(values({"s": schema}, "#/s", side=side), wanted, settings=SEARCH)


@pytest.mark.parametrize("name", NAMES)
def test_every_drawn_value_is_valid(name: str) -> None:
    pointer = pointer_to(name)
    judge = Draft202012Validator({**CASES, "$ref": pointer})
    drawn = []

    @QUICK
    @given(values(CASES, pointer))
    def draw(value: object) -> None:
        drawn.append(value)
        judge.validate(value)

    draw()
    assert drawn
    json.dumps(drawn, allow_nan=False)


@pytest.mark.parametrize("char", ["猪", "🐷", "א", '"', "'", "\0", "\n", "\u200b"])
def test_text_reaches_every_class_of_character(char: str) -> None:
    assert char in ALPHABET
    assert found({"type": "string"}, lambda text: char in text) == char


def test_every_alternative_is_drawn() -> None:
    schema = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}, {"const": "only"}]}
    assert found(schema, lambda value: isinstance(value, int)) == 0
    assert found(schema, lambda value: isinstance(value, list) and len(value) > 1)
    assert found(schema, lambda value: value == "only")


def test_optional_properties_come_and_go() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "null"}, "b": {"type": "null"}}}
    assert found(schema, lambda value: "b" in value) == {"a": None, "b": None}
    assert found(schema, lambda value: "b" not in value) == {"a": None}


def test_bounds_are_reached() -> None:
    schema = {"type": "integer", "minimum": 1, "maximum": 10}
    assert found(schema, lambda value: value == 10) == 10
    assert found(schema, lambda value: value == 1) == 1


def test_each_model_is_drawn_with_its_own_size() -> None:
    pointer = pointer_to("size depends on model")
    for model in ("gpt-image-1.5", "dall-e-2", "dall-e-3"):
        drawn = find(values(CASES, pointer), lambda value, model=model: value["model"] == model, settings=SEARCH)
        assert drawn["model"] == model


def test_other_side_is_left_out() -> None:
    schema = {"type": "object", "properties": {"made": {"readOnly": True}, "secret": {"writeOnly": True}}}
    assert found(schema, lambda value: "secret" in value)
    with pytest.raises(NoSuchExample):
        found(schema, lambda value: "made" in value)
    with pytest.raises(NoSuchExample):
        found(schema, lambda value: "secret" in value, side="response")


def test_recursion_goes_down_and_ends() -> None:
    pointer = pointer_to("list")
    deep = find(values(CASES, pointer), lambda value: "next" in value.get("next", {}), settings=SEARCH)
    assert set(deep["next"]["next"]) == {"value"}


def test_schema_without_values_has_an_empty_strategy() -> None:
    for schema in (False, {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/s"}}}):
        with pytest.raises((NoSuchExample, Unsatisfiable)):
            found(schema, lambda value: True)
