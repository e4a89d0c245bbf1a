"""Synthesised values: valid for every seed, the same for the same seed in every process, honest when there is none."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from mockserver.patterns import PatternError, candidates, writer_of
from mockserver.pointers import escape
from mockserver.shapes import shape_of
from mockserver.synthesis import Unsatisfiable, synthesize, value_of

CASES = json.loads((Path(__file__).parent / "shape_cases.json").read_text(encoding="utf-8"))
NAMES = sorted(CASES["components"]["schemas"])
SINGLE = {
    *("null", "const", "exclusive bounds", "empty text", "object", "any of with dead branch", "not enum"),
    "map without possible names",
    *("not object shape", "property names refuse optional", "example", "default", "nested examples"),
}


def pointer_to(name: str) -> str:
    return "#/components/schemas/" + quote(escape(name))


def made(schema: object, seed: int | str = 0, **options: object) -> object:
    return synthesize({"s": schema}, "#/s", seed=seed, **options)


@pytest.mark.parametrize("name", NAMES)
def test_twenty_seeds_give_valid_and_repeatable_values(name: str) -> None:
    pointer = pointer_to(name)
    judge = Draft202012Validator({**CASES, "$ref": pointer})
    values = [synthesize(CASES, pointer, seed=seed) for seed in range(20)]
    for value in values:
        judge.validate(value)
    assert values[:3] == [synthesize(CASES, pointer, seed=seed) for seed in range(3)]
    distinct = {json.dumps(value, sort_keys=True) for value in values}
    assert (len(distinct) == 1) == (name in SINGLE)


@pytest.mark.parametrize("name", NAMES)
def test_without_examples_values_are_valid_too(name: str) -> None:
    pointer = pointer_to(name)
    judge = Draft202012Validator({**CASES, "$ref": pointer})
    for seed in ("a", "b", -1):
        judge.validate(synthesize(CASES, pointer, seed=seed, side="request", prefer_examples=False))


def test_same_in_every_process() -> None:
    code = (
        "import json, sys; from mockserver.synthesis import synthesize; cases = json.load(open(sys.argv[1]));"
        "print(json.dumps([synthesize(cases, p, seed='s') for p in sys.argv[2:]]))"
    )
    pointers = [pointer_to(name) for name in ("chat completion", "tree", "map", "unique pairs", "anything")]
    here = json.dumps([synthesize(CASES, pointer, seed="s") for pointer in pointers])
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-c", code, str(Path(__file__).parent / "shape_cases.json"), *pointers]
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[1])}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == here


def test_imports_no_hypothesis() -> None:
    code = "import sys, mockserver.synthesis; print('hypothesis' in sys.modules)"
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        (False, "false"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "type"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "maximum"),
        ({"type": "string", "pattern": "^(a)\\1$"}, "pattern"),
        ({"type": "string", "pattern": "^a$", "minLength": 2}, "pattern"),
        ({"type": "string", "pattern": "^\\p{Nonsense}+$"}, "pattern"),
        ({"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 3}, "uniqueItems"),
        ({"type": "object", "additionalProperties": False, "minProperties": 1}, "minProperties"),
        ({"oneOf": [{"type": "integer"}, {"type": "integer"}]}, "type"),
        ({"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#/s"}}}, "required"),
        ({"type": "string", "enum": ["a", "b"], "pattern": "^c"}, "enum"),
    ],
)
def test_no_value_is_an_error_that_names_pointer_and_keyword(schema: object, keyword: str) -> None:
    with pytest.raises(Unsatisfiable) as caught:
        made(schema)
    assert caught.value.keyword == keyword
    assert "#/s" in str(caught.value)
    assert repr(keyword) in str(caught.value)


def test_error_names_the_place_in_the_value() -> None:
    with pytest.raises(Unsatisfiable) as caught:
        made(
            {
                "type": "array",
                "minItems": 1,
                "items": {"required": ["a/b"], "type": "object", "properties": BACK_REFERENCE},
            }
        )
    assert caught.value.path == "/0/a~1b"


BACK_REFERENCE = {"a/b": {"type": "string", "pattern": "^(x|y)\\1$"}}


def test_examples_come_first_when_valid() -> None:
    assert made({"type": "string", "example": "a man walks", "default": "b"}) == "a man walks"
    assert {made({"type": "integer", "examples": [4, "bad", 8]}, seed) for seed in range(20)} == {4, 8}
    assert made({"type": "string", "default": "auto"}) == "auto"
    assert made({"type": "integer", "example": "four"}, 1) != "four"
    assert made({"type": "string", "example": "a man walks"}, prefer_examples=False) != "a man walks"


def test_synthesised_values_are_copies() -> None:
    document = {"s": {"type": "array", "example": [1]}}
    synthesize(document, "#/s", seed=0).append(2)
    assert document["s"]["example"] == [1]


def test_each_side_leaves_out_what_belongs_to_the_other() -> None:
    pointer = pointer_to("read and write only")
    assert set(synthesize(CASES, pointer, seed=1, side="request")) == {"id", "secret"}
    assert set(synthesize(CASES, pointer, seed=1, side="response")) == {"id", "made"}
    example = {
        "properties": {"a": {"readOnly": True}, "b": {"type": "object", "properties": {"c": {"readOnly": True}}}}
    }
    schema = {**example, "example": {"a": 1, "b": {"c": 2, "d": 3}}}
    assert made(schema, side="request") == {"b": {"d": 3}}


def test_optional_properties_are_there_at_shallow_depth_and_recursion_ends() -> None:
    nest = {"type": "object", "properties": {"v": {"type": "integer"}, "a": {"$ref": "#/s"}, "b": {"$ref": "#/s"}}}
    value = made(nest)
    assert set(value) >= {"v"}
    assert len(json.dumps(value)) < 400


def test_formats_have_their_form() -> None:
    forms = {
        "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        "date": r"\d{4}-\d\d-\d\d",
        "time": r"\d\d:\d\d:\d\dZ",
        "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "email": r"\w+@example\.com",
        "uri": r"https://[\w.-]+/\w+",
        "hostname": r"[a-z0-9-]+\.example\.com",
        "ipv4": r"198\.1[89]\.\d+\.\d+",
        "ipv6": r"2001:db8:[0-9a-f:]+",
        "byte": r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    }
    for name, form in forms.items():
        text = made({"type": "string", "format": name}, name)
        assert re.fullmatch(form, str(text)), (name, text)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z][a-z]+( [A-Z][a-z]+)*$",
        r"^\w+@\w+\.(com|org)$",
        r"^#(?:[0-9a-fA-F]{3}){1,2}$",
        r"^(?P<year>\d{4})-(?<month>0[1-9]|1[0-2])$".replace("?<month>", "?:"),
        r"^[\]\-a]{2}\x41\u4e00$",
        r"^\/v1\/[^/]+?\/$",
        r"a|b|",
        r"^\S+\s\D\W$",
        r"^data:image\/(png|jpeg);base64,[A-Za-z0-9+\/]+={0,2}$",
    ],
)
def test_patterns_are_matched(pattern: str) -> None:
    texts = [text for seed in range(5) for text in candidates(pattern, random.Random(seed), 0, None)]
    assert texts
    assert all(re.search(pattern, text) for text in texts)


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?i)a", "(a", "a)", "[a", "*", r"\p{Nonsense}", "[]a"])
def test_unknown_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        writer_of(pattern)


def test_kept_shape_gives_the_same_values() -> None:
    pointer = pointer_to("chat completion")
    shape = shape_of(CASES, pointer)
    for seed in range(5):
        assert value_of(shape, pointer, seed=seed) == synthesize(CASES, pointer, seed=seed)


def test_a_normal_schema_takes_less_than_five_milliseconds() -> None:
    pointer = pointer_to("chat completion")
    times = []
    for seed in range(30):
        start = time.process_time()
        synthesize(CASES, pointer, seed=seed)
        times.append(time.process_time() - start)
    assert sorted(times)[len(times) // 2] < 0.005
