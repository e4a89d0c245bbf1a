"""The normal form: which alternatives are left of a schema, what they say about children, and that it stays lazy."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest

from mockserver import openapi
from mockserver.branches import Branch, kind_of
from mockserver.literals import identity
from mockserver.shapes import Shape, shape_of

CASES = json.loads((Path(__file__).parent / "shape_cases.json").read_text(encoding="utf-8"))
PREFIX = "#/components/schemas/"


def shape(schema: object, side: str = "response") -> Shape:
    return shape_of({"s": schema}, "#/s", side)


def only(schema: object) -> Branch:
    (branch,) = shape(schema).branches
    return branch


def test_all_of_becomes_one_conjunction() -> None:
    branch = only({"allOf": [{"minLength": 3, "pattern": "a"}, {"minLength": 5, "maxLength": 9}], "maxLength": 7})
    assert (branch.min_length, branch.max_length, branch.patterns) == (5, 7, ("a",))


def test_integer_is_a_number_and_a_number_may_be_a_fraction() -> None:
    assert only({"type": "number"}).kinds == {"integer", "fraction"}
    assert only({"type": "number", "not": {"type": "integer"}}).kinds == {"fraction"}
    assert only({"allOf": [{"type": "number"}, {"type": ["integer", "string"]}]}).kinds == {"integer"}


@pytest.mark.parametrize(("value", "kind"), [(True, "boolean"), (1.0, "integer"), (1.5, "fraction"), ({}, "object")])
def test_kind_of(value: object, kind: str) -> None:
    assert kind_of(value) == kind


def test_identity_is_json_equality() -> None:
    assert identity({"a": [1.0], "b": 2}) == identity({"b": 2.0, "a": [1]})
    assert len({identity(value) for value in (1, True, "1", [1], None, "null")}) == 6


def test_stricter_of_two_bounds_wins() -> None:
    branch = only({"minimum": 3, "allOf": [{"exclusiveMinimum": 3}, {"maximum": 9}, {"exclusiveMaximum": 9}]})
    assert branch.low == (3, True)
    assert branch.high == (9, True)


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        (False, "false"),
        ({"allOf": [{"type": "string"}, {"type": "array"}]}, "type"),
        ({"type": "integer", "enum": ["a"]}, "enum"),
        ({"allOf": [{"const": 1}, {"const": 2}]}, "enum"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "maximum"),
        ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4}, "maximum"),
        ({"type": "integer", "multipleOf": 7, "minimum": 8, "maximum": 13}, "multipleOf"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "maxLength"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "maxItems"),
        ({"type": "object", "required": ["a", "b"], "maxProperties": 1}, "maxProperties"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "required"),
        ({"type": "null", "not": {"const": None}}, "not"),
        ({"not": True}, "not"),
        ({"not": {}}, "not"),
    ],
)
def test_contradiction_leaves_no_branch_and_names_the_keyword(schema: object, keyword: str) -> None:
    assert shape(schema).branches == ()
    assert shape(schema).conflict == keyword


def test_contradictory_alternatives_are_dropped() -> None:
    branches = shape({"type": "string", "anyOf": [{"type": "integer"}, {"minLength": 2}, {"maxLength": 1}]}).branches
    assert [(branch.min_length, branch.max_length) for branch in branches] == [(2, None), (0, 1)]


def test_conditions_pair_each_model_with_its_sizes() -> None:
    found = shape_of(CASES, PREFIX + "size depends on model")
    sizes = {
        tuple(found.member(branch, "model").branches[0].allowed or ()): tuple(
            found.member(branch, "size").branches[0].allowed or ()
        )
        for branch, _, _ in found.live
    }
    assert sizes == {
        ('"gpt-image-1.5"',): ('"1024x1024"', '"1536x1024"', '"auto"'),
        ('"dall-e-2"',): ('"256x256"', '"512x512"'),
        ('"dall-e-3"',): ('"1792x1024"', '"1024x1792"'),
    }


def test_one_of_excludes_the_others_where_that_is_short() -> None:
    first, second = shape({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"}).branches
    assert first.required == ("a",)
    assert first.property_schemas("b") == [False]
    assert second.property_schemas("a") == [False]
    assert not first.residual


def test_what_cannot_be_expressed_is_marked_for_the_judge() -> None:
    assert all(branch.residual for branch in shape({"type": "string", "not": {"pattern": "a"}}).branches)
    assert not only({"type": "string", "pattern": "a"}).residual


def test_children_merge_the_rules_of_every_schema() -> None:
    schema = {
        "properties": {"ab": {"minimum": 1}},
        "allOf": [{"patternProperties": {"^a": {"maximum": 5}}, "additionalProperties": {"type": "null"}}],
    }
    found = shape(schema)
    assert found.member(found.branches[0], "ab").schemas == ({"minimum": 1}, {"maximum": 5})
    assert found.member(found.branches[0], "zz").schemas == ({"type": "null"},)


def test_items_merge_tuple_positions_with_the_rest() -> None:
    found = shape({"prefixItems": [{"type": "integer"}], "items": {"maximum": 1}, "allOf": [{"items": {"minimum": 0}}]})
    assert found.item(found.branches[0], 0).schemas == ({"type": "integer"}, {"minimum": 0})
    assert found.item(found.branches[0], 1).schemas == ({"maximum": 1}, {"minimum": 0})


def test_unevaluated_sees_its_own_subschemas_but_not_its_siblings() -> None:
    inner = {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}
    assert only(inner).property_schemas("a") == [True]
    assert only(inner).property_schemas("b") == [False]
    beside = only({"allOf": [{"properties": {"c": True}}, inner]})
    assert beside.property_schemas("c") == [True, False]


def test_dependent_names_are_closed_transitively() -> None:
    branch = only({"dependentRequired": {"a": ["b"], "b": ["c"], "x": ["y"]}})
    assert branch.with_dependents(["a"]) == ["a", "b", "c"]


def test_recursion_is_one_shape_that_meets_itself() -> None:
    found = shape_of(CASES, PREFIX + "list")
    following = found.member(found.branches[0], "next")
    assert following.member(following.branches[0], "next") is following


def test_height_is_that_of_the_flattest_value() -> None:
    heights = {name: shape_of(CASES, PREFIX + name).flattest for name in ("expression", "list", "tree", "string")}
    assert heights == {"expression": 0, "list": 1, "tree": 1, "string": 0}
    endless = {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/s"}}}
    assert shape(endless).flattest == math.inf
    assert shape(endless).live == ()


def test_reference_that_leads_back_to_itself_is_a_contradiction() -> None:
    assert shape({"allOf": [{"$ref": "#/s"}]}).conflict == "$ref"


def test_hidden_follows_the_side() -> None:
    schema = {"readOnly": True, "type": "string"}
    assert shape({"$ref": "#/s/x", "x": schema}, "request").hidden
    assert not shape({"$ref": "#/s/x", "x": schema}, "response").hidden
    assert shape({"writeOnly": True}, "response").hidden


def test_pointers_are_unescaped() -> None:
    assert shape_of({"a/b~c d": {"type": "null"}}, "#/a~1b~0c%20d").branches[0].kinds == {"null"}


@pytest.mark.parametrize("pointer", ["#/nowhere", "#/s/type"])
def test_pointer_without_a_schema_raises(pointer: str) -> None:
    with pytest.raises(KeyError):
        shape_of({"s": {"type": "null"}}, pointer)


def test_branches_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        only({"type": "string"}).min_length = 3  # a frozen dataclass refuses at run time


def test_products_of_alternatives_are_bounded() -> None:
    many = {"allOf": [{"anyOf": [{"minLength": i}, {"maxLength": 90 + i}, {"pattern": f"{i}"}]} for i in range(12)]}
    assert len(shape({"type": "string", **many}).branches) == 64


def test_document_whose_root_is_a_schema_is_judged_by_the_pointer_alone() -> None:
    found = shape_of({"type": "object", "properties": {"x": {"type": "integer"}}}, "#/properties/x")
    assert found.accepts(3)
    assert found.refusal("3") == "type"


def test_many_conditions_on_lists_that_stand_elsewhere_leave_ways() -> None:
    """What contradicts itself only behind references is not kept as one of the few ways that are looked at."""
    contract = openapi.load("openai-images")
    schemas = [option.schema for operation in contract.operations for option in operation.body]
    assert len(schemas) == 3
    for schema in schemas:
        shape = shape_of(contract.document.data, f"#{schema}", "request")
        assert len(shape.live) > 10
