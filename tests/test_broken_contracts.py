"""Contracts that cannot be trusted: one sentence with file and line, exit code 2, before anything is served or judged."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mockserver import lint
from mockserver.errors import ContractError
from mockserver.parsing import LEVELS_AT_MOST, parse


def contract(schema: Any, **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/things": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                    "responses": {"200": {"description": "d", "content": content}},
                }
            }
        },
        **more,
    }


def written(tmp_path: Path, document: Any) -> str:
    path = tmp_path / "api.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
    return str(path)


def problems_of(tmp_path: Path, document: Any) -> list[str]:
    return [str(problem) for problem in lint.check(written(tmp_path, document)).problems]


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def nested(levels: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("a.json", '{"a": 1,\n"b": {"c": 1,\n"c": 2}}', 3, "the key 'c' stands twice"),
        ("a.yaml", "a: 1\nb:\n  c: 1\n  d: 1\n  c: 2\n", 5, "the key 'c' stands twice"),
        ("a.yaml", 'a:\n  200: x\n  "200": y\n', 3, "the key '200' stands twice"),
        ("a.json", '{"a":\n1e400}', 2, "1e400 is out of the range"),
        ("a.json", '{"a":\n' + "9" * 5000 + "}", 2, "has 5000 digits"),
        ("a.json", '{"a":\nNaN}', 2, "NaN is no number of JSON"),
        ("a.yaml", "a:\n  b: -.inf\n", 2, "out of the range"),
        ("a.yaml", "a:\n  b: " + "9" * 5000, 2, "has 5000 digits"),
        ("a.json", '{"a":\n' + "[" * 120 + "]" * 120 + "}", 2, "nested more than 100 levels"),
        ("a.yaml", "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 130)), 101, "nested more than 100 levels"),
        ("a.json", "[" * 1_000_000, 1, "nested more than 100 levels"),
        ("a.yaml", "[" * 100_000, 1, "nested more than 100 levels"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence_with_its_line(
    tmp_path: Path, name: str, text: str, line: int, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ContractError, match=said) as caught:
        parse(path)
    assert caught.value.line == line
    assert "recursion" not in str(caught.value)


def test_keys_of_yaml_are_texts_and_merges_still_work(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("base: &b {x: 1}\n2024-01-01: {<<: *b, y: 2}\n200: {on: yes}\n")
    assert parse(path) == {"base": {"x": 1}, "2024-01-01": {"x": 1, "y": 2}, "200": {"on": True}}


def test_what_nests_up_to_the_limit_is_proven_and_served(tmp_path: Path) -> None:
    levels = (LEVELS_AT_MOST - 9) // 2
    path = written(tmp_path, contract(nested(levels)))
    assert lint.check(path).problems == ()
    assert lint.prove(path) == ()
    with pytest.raises(ContractError, match="nested more than"):
        lint.check(written(tmp_path, contract(nested(levels + 1))))


@pytest.mark.parametrize(
    ("schema", "components", "said"),
    [
        ({"type": "object", "required": ["a"], "properties": {"a": {"minimum": 5, "maximum": 1, "type": "integer"}}}, {},
         "no value fits this schema: 'maximum'"),
        ({"properties": {"a": {"type": "string", "minLength": 2, "maxLength": 1}}}, {}, "no value fits"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, {}, "no answer could ever fit this schema: 'type'"),
        ({"type": "string", "enum": [1, 2]}, {}, "no answer could ever fit this schema: 'enum'"),
        (False, {}, "no answer could ever fit"),
        (reference("N"), {"N": {"type": "object", "required": ["n"], "properties": {"n": reference("N")}}},
         "no answer could ever fit this schema: 'required'"),
        (reference("A"), {"A": {"anyOf": [{"type": "null"}, reference("A")]}}, "refers to itself"),
        (reference("A40"), {"A0": {}, **{f"A{n}": {"allOf": [reference(f"A{n - 1}")] * 2} for n in range(1, 41)}},
         "more than 60 schemas refer|unfolds to more than"),
        (reference("A20"), {"A0": {}, **{f"A{n}": {"allOf": [reference(f"A{n - 1}")] * 2} for n in range(1, 21)}},
         "unfolds to more than 20000 schemas"),
        (reference("A90"), {"A0": {}, **{f"A{n}": {"not": reference(f"A{n - 1}")} for n in range(1, 91)}},
         "more than 60 schemas refer to one another"),
    ],
)  # fmt: skip
def test_schemas_that_nothing_fits_or_that_never_end_are_named(
    tmp_path: Path, schema: Any, components: Any, said: str
) -> None:
    started = time.process_time()
    found = problems_of(tmp_path, contract(schema, components={"schemas": components}))
    assert any(re.search(said, line) and re.search(r"api\.json:\d+: ", line) for line in found), found
    assert time.process_time() - started < 10


def test_what_is_forbidden_on_purpose_is_no_problem(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"never": False, "nor": {"not": {}}, "tree": reference("T")},
        "if": {"properties": {"a": {"minimum": 2, "maximum": 1}}},
    }
    tree = {"type": "object", "properties": {"below": reference("T")}}
    assert problems_of(tmp_path, contract(schema, components={"schemas": {"T": tree}})) == []


def test_an_answer_that_cannot_be_made_up_is_a_note(tmp_path: Path) -> None:
    result = lint.check(written(tmp_path, contract({"type": "string", "pattern": r"^(a)\1$"})))
    assert result.problems == ()
    assert ["no answer could be made up" in note.message for note in result.notes] == [True]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "mockserver", *arguments]
    return subprocess.run(call, capture_output=True, text=True, timeout=60)


GRAVE = [
    ({"type": "strng"}, {}, "'type' is \"strng\"; the types are"),
    ({"pattern": "(a"}, {}, "the regular expression '(a' cannot be read"),
    (reference("A"), {"components": {"schemas": {"A": {"allOf": [reference("A")]}}}}, "refers to itself"),
    ({"x-length": {"request": 5}}, {}, "x-length"),
    ({}, {"servers": 5}, "got 5; it must be an array"),
    ({"$ref": "../../../etc/passwd"}, {}, "leads out of the contract's folder"),
    ({"$ref": "https://api.example/x.json"}, {}, "leads to the network, which is never asked"),
]


@pytest.mark.parametrize(("schema", "more", "said"), GRAVE)
def test_lint_has_the_sentence_with_which_the_others_refuse(tmp_path: Path, schema: Any, more: Any, said: str) -> None:
    path = written(tmp_path, contract(schema, **more))
    assert any(said in str(problem) for problem in lint.check(path).problems)
    with pytest.raises(ContractError) as caught:
        lint.prove(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ["mock", "--port", "0"],
        ["test"],
        ["client", "--", "true"],
        ["check"],
        ["proxy", "http://127.0.0.1:9", "--", "true"],
    ],
)
def test_no_command_begins_with_a_broken_contract(tmp_path: Path, arguments: list[str]) -> None:
    path = written(tmp_path, contract({"type": "strng"}))
    record = tmp_path / "traffic.har"
    record.write_text('{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": []}}')
    at = arguments.index("--") if "--" in arguments else len(arguments)
    files = [str(record)] if arguments == ["check"] else []
    done = command(*arguments[:at], "--contract", path, *files, *arguments[at:])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "'type' is \"strng\"" in done.stderr


def test_what_breaks_nothing_is_a_warning(tmp_path: Path) -> None:
    document = contract({"type": "object"})
    del document["info"]["version"]
    document["paths"]["/things"]["post"]["\x1b[31mred"] = 1
    done = command("client", "--contract", written(tmp_path, document), "--", "true")
    assert done.returncode == 3  # nothing was sent
    assert "warning: " in done.stderr
    assert "'version' is required here and absent" in done.stderr
    assert "\x1b" not in done.stderr
