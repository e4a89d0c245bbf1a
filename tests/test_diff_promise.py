"""`diff`: what it calls harmless never breaks a client, by values that are drawn."""

from __future__ import annotations

import copy
import functools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contract_tests.strategies import values
from mockserver.diff import Effect
from tests.differences import Schema, changes, of_bodies


@functools.cache
def schemas() -> st.SearchStrategy[Schema]:
    """Small schemas that share names and bounds, so that two of them are often comparable; built once, which takes its time."""
    small = st.integers(0, 3)
    names = st.sampled_from(["a", "b", "c"])
    leaf = st.one_of(
        st.just(True),
        st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "number", "boolean", "null"])}),
        st.fixed_dictionaries({"type": st.just(["string", "null"])}),
        st.fixed_dictionaries({"type": st.just("integer")}, optional={"minimum": small, "maximum": st.integers(2, 5)}),
        st.fixed_dictionaries({"type": st.just("integer"), "multipleOf": st.sampled_from([1, 2, 4])}),
        st.fixed_dictionaries(
            {"type": st.just("string")}, optional={"minLength": small, "maxLength": st.integers(2, 5)}
        ),
        st.fixed_dictionaries({"type": st.just("string"), "pattern": st.sampled_from(["^a", "b$"])}),
        st.fixed_dictionaries({"enum": st.lists(st.sampled_from(["x", "y", 1, None]), min_size=1, unique=True)}),
        st.fixed_dictionaries({"const": st.sampled_from(["x", "y", 1])}),
        st.fixed_dictionaries({"not": st.fixed_dictionaries({"type": st.sampled_from(["string", "integer"])})}),
    )

    def grown(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
        objects = st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(names, inner, max_size=3)},
            optional={
                "required": st.lists(names, unique=True, max_size=2),
                "additionalProperties": st.one_of(st.booleans(), inner),
                "minProperties": small,
                "dependentRequired": st.just({"a": ["b"]}),
            },
        )
        arrays = st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={
                "minItems": small,
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
                "uniqueItems": st.just(True),
            },
        )
        pairs = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            objects,
            arrays,
            st.fixed_dictionaries({"anyOf": pairs}),
            st.fixed_dictionaries({"oneOf": pairs}),
            st.fixed_dictionaries({"allOf": st.lists(objects, min_size=1, max_size=2)}),
            st.fixed_dictionaries({"if": inner, "then": inner}, optional={"else": inner}),
        )

    return st.recursive(leaf, grown, max_leaves=6)


@st.composite
def revised(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """A schema and what an editor might make of it: one part replaced, dropped or put elsewhere."""
    old = draw(schemas())
    new = copy.deepcopy(old)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            places.append((node, key))
            walk(node[key])

    walk(new)
    for holder, key in draw(st.lists(st.sampled_from(places), max_size=2)) if places else ():
        if isinstance(holder, dict) and key not in holder:
            continue
        kind = draw(st.sampled_from(["drop", "wider", "other", "wrap"]))
        value = holder[key]
        schema_like = isinstance(value, dict) and key not in ("properties", "dependentRequired")
        if kind == "drop" and isinstance(holder, dict) and key not in ("if", "then"):
            del holder[key]
        elif kind == "wider" and isinstance(value, int) and not isinstance(value, bool):
            holder[key] = value + draw(st.sampled_from([-1, 1])) if value > 1 else value + 1
        elif kind == "other" and schema_like:
            holder[key] = draw(schemas())
        elif kind == "wrap" and schema_like:
            holder[key] = {draw(st.sampled_from(["allOf", "anyOf"])): [value]}
    return old, draw(st.one_of(st.just(new), schemas()))


STEADY = settings(
    max_examples=120,
    database=None,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def sound(schema: Schema) -> bool:
    """Whether two bounds of the grammar did not come out as nonsense for the meta-schema."""
    return Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)


@pytest.mark.parametrize("side", ["request", "response"])
def test_what_is_called_harmless_harms_no_drawn_value(side: str) -> None:
    """Requests of the old contract stay valid under the new one, answers of the new one were valid under the old."""
    seen = {"harmless": 0, "values": 0}

    @STEADY
    @given(revised(), st.data())
    def check(pair: tuple[Schema, Schema], data: st.DataObject) -> None:
        old, new = pair
        if not (sound(old) and sound(new)):
            return
        found = of_bodies(old, new)
        area = "request" if side == "request" else "response 200"
        if any(change.effect is Effect.BREAKING for change in changes(found, area)):
            return
        seen["harmless"] += old != new
        source, judge = (old, new) if side == "request" else (new, old)
        drawn = values({"s": source}, "#/s", side="request")
        if drawn.is_empty:
            return
        value = data.draw(drawn)
        seen["values"] += 1
        assert Draft202012Validator(judge).is_valid(value), (old, new, value)

    check()
    assert seen["harmless"] > 10
    assert seen["values"] > 25


@given(schemas())
@settings(STEADY, max_examples=60)
def test_nothing_differs_from_itself(schema: Schema) -> None:
    assert of_bodies(schema, copy.deepcopy(schema)).changes == ()
