"""Every kind of mistake that a contract can hold is found, named by file, line and pointer, and all of them at once."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver import library, lint
from mockserver.errors import ContractError
from mockserver.pointers import descend

ENTRY, REQUEST, RESPONSE = "openapi.json", "models/create-image-request.json", "models/create-image-response.json"
POST = "/paths/~1v1~1images~1generations/post"

Change = Callable[[Any], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped contract that a test may spoil."""
    return Path(shutil.copytree(library.bundled_root() / "quickrouter", tmp_path / "copy"))


def change(folder: Path, file: str, pointer: str, edit: Change) -> None:
    """Apply an edit to the object at a pointer of a file."""
    path = folder / file
    content = json.loads(path.read_text())
    edit(descend(content, pointer))
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False))


def put(name: str, value: Any) -> Change:
    """Set a member."""
    return lambda node: node.__setitem__(name, value)


def drop(name: str) -> Change:
    """Remove a member."""
    return lambda node: node.pop(name)


def rename(old: str, new: str) -> Change:
    """Give a member another name."""
    return lambda node: node.__setitem__(new, node.pop(old))


MISTAKES: dict[str, tuple[str, str, Change, str, str]] = {
    "no info": (ENTRY, "", drop("info"), ENTRY, "'info' is required here and absent"),
    "unknown member": (ENTRY, POST, rename("summary", "sumary"), ENTRY, "did you mean 'summary'?"),
    "wrong type": (ENTRY, POST, put("tags", "images"), ENTRY, "it must be an array"),
    "no description": (ENTRY, f"{POST}/responses/200", drop("description"), ENTRY, "'description' is required"),
    "no parameter for the path": (
        ENTRY,
        "/paths",
        rename("/v1/images/generations", "/v1/{kind}/make"),
        ENTRY,
        "{kind}",
    ),
    "unresolved file": (ENTRY, f"{POST}/x-prices", put("$ref", "price.json"), ENTRY, "file that does not exist"),
    "file with NUL": (ENTRY, f"{POST}/x-prices", put("$ref", "a%00.json"), ENTRY, "file that does not exist"),
    "file with a long name": (ENTRY, f"{POST}/x-prices", put("$ref", "a" * 5000), ENTRY, "file that does not exist"),
    "unresolved pointer": (
        ENTRY,
        f"{POST}/requestBody/content/application~1json/schema",
        put("$ref", "models/create-image-request.json#/nothing"),
        ENTRY,
        "does not resolve",
    ),
    "network": (ENTRY, f"{POST}/x-prices", put("$ref", "https://example.com/p.json"), ENTRY, "leads to the network"),
    "wrong keyword value": (REQUEST, "/properties/prompt", put("maxLength", "1000"), REQUEST, "it must be an integer"),
    "wrong type name": (REQUEST, "/properties/prompt", put("type", "text"), REQUEST, "the types are array"),
    "misspelt keyword": (REQUEST, "/properties/prompt", rename("maxLength", "maxLenght"), REQUEST, "'maxLength'?"),
    "required member of another name": (
        REQUEST,
        "/properties",
        rename("size", "sise"),
        REQUEST,
        "did you mean 'sise'?",
    ),
    "missing security scheme": (ENTRY, "", drop("components"), ENTRY, "there is no member 'securitySchemes'"),
    "empty example": (
        "examples/createImage/request.json",
        "",
        drop("value"),
        "examples/createImage/request.json",
        "this example shows nothing",
    ),
    "unreadable pattern": (REQUEST, "/properties/prompt", put("pattern", "(a"), REQUEST, "cannot be read"),
    "misspelt x- keyword": (RESPONSE, "/properties/choices", rename("x-length", "x-lenght"), RESPONSE, "'x-length'?"),
    "malformed x- keyword": (
        RESPONSE,
        "/properties/choices/x-length",
        drop("request"),
        RESPONSE,
        "x-length: 'request'",
    ),
    "unknown member of ours": (RESPONSE, "/properties/choices/x-length", put("min", 1), RESPONSE, "'min' is not known"),
    "wrong severity": (
        RESPONSE,
        "/properties/choices",
        put("x-severity", "fatal"),
        RESPONSE,
        'it must be one of "error"',
    ),
    "misplaced keyword": (REQUEST, "", put("x-units", {"name": "image"}), REQUEST, "of the kind 'operation'"),
    "pointer to nothing": (
        RESPONSE,
        "/properties/choices/x-length",
        put("request", "/nn"),
        RESPONSE,
        "did you mean 'n'?",
    ),
    "position of nothing": (RESPONSE, "/properties/choices/x-positions", put("member", "/indx"), RESPONSE, "'index'?"),
    "sum of nothing": (RESPONSE, "/properties/usage/x-sum", put("total", "/total"), RESPONSE, "points at nothing"),
    "price of nothing": (
        "prices.json",
        "/rows/0",
        put("when", {"/modle": "x"}),
        "prices.json",
        "did you mean 'model'?",
    ),
    "usage price of nothing": (
        "usage-prices.json",
        "/rows/0",
        put("usd", {"/usage/promt_tokens": 5}),
        "usage-prices.json",
        "did you mean 'prompt_tokens'?",
    ),
    "negative price": ("prices.json", "/rows/0", put("usd", -1), "prices.json", "at least 0"),
    "operation without source": (ENTRY, POST, drop("x-source"), ENTRY, "this operation does not say where"),
    "parameter without source": (ENTRY, f"{POST}/parameters/1", drop("x-source"), ENTRY, "this parameter does not say"),
    "response without source": (ENTRY, f"{POST}/responses/200", drop("x-source"), ENTRY, "this response does not say"),
    "server without source": (ENTRY, "/servers/0", drop("x-source"), ENTRY, "this server does not say where"),
    "property without source": (
        REQUEST,
        "/properties/n",
        drop("x-source"),
        REQUEST,
        "this property does not say where",
    ),
    "scheme without source": (
        ENTRY,
        "/components/securitySchemes/bearer",
        drop("x-source"),
        ENTRY,
        "this security scheme does not say where",
    ),
    "example without source": (
        "examples/createImage/request.json",
        "",
        drop("x-source"),
        "examples/createImage/request.json",
        "this example does not say where",
    ),
    "unknown page": (REQUEST, "/properties/n/x-source", put("page", "gpt-image-15"), REQUEST, "'gpt-image-15-create'?"),
    "unknown page of a price": ("prices.json", "/rows/2/x-source", put("page", "x"), "prices.json", "no page 'x'"),
    "wrong confidence": (REQUEST, "/properties/n/x-source", put("confidence", "sure"), REQUEST, '"high"'),
    "request example breaks its schema": (
        "examples/createImage/request.json",
        "/value",
        put("n", 11),
        "examples/createImage/request.json",
        "n must be at most 10; got 11",
    ),
    "response example breaks its schema": (
        "examples/createImage/response.json",
        "/value",
        drop("usage"),
        "examples/createImage/response.json",
        "usage is required and absent",
    ),
    "response example breaks a convention": (
        "examples/createImage/response.json",
        "/value/usage",
        put("total_tokens", 20),
        "examples/createImage/response.json",
        "the total is 20",
    ),
    "parameter example": (ENTRY, f"{POST}/parameters/0", put("example", 5), ENTRY, "must be a string; got an integer"),
    "example inside a schema": (REQUEST, "/properties/n", put("examples", [1, 99]), REQUEST, "99 is greater than"),
    "unknown rule": (ENTRY, "/x-envelope/rules", rename("path.unknown", "path.unkown"), ENTRY, "'path.unknown'?"),
    "silent envelope": (ENTRY, "/x-envelope", put("body", {"error": "no"}), ENTRY, "{message} must stand in a text"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_found_where_it_stands(folder: Path, name: str) -> None:
    file, pointer, edit, where, words = MISTAKES[name]
    change(folder, file, pointer, edit)
    found = [problem for problem in lint.check(str(folder)).problems if words in str(problem)]
    assert found, [str(problem) for problem in lint.check(str(folder)).problems]
    assert found[0].file.endswith(where)
    assert found[0].line is not None


def test_a_single_mistake_is_one_problem(folder: Path) -> None:
    """No mistake is told a second time in other words."""
    change(folder, REQUEST, "/properties/prompt", put("maxLength", "1000"))
    assert [problem.pointer for problem in lint.check(str(folder)).problems] == ["/properties/prompt/maxLength"]


def test_all_mistakes_are_listed_at_once(folder: Path) -> None:
    change(folder, ENTRY, f"{POST}/x-prices", put("$ref", "price.json"))
    change(folder, ENTRY, POST, drop("x-source"))
    change(folder, REQUEST, "/properties/prompt", rename("maxLength", "maxLenght"))
    change(folder, RESPONSE, "/properties/choices", rename("x-length", "x-lenght"))
    words = ["does not exist", "this operation does not say", "'maxLength'?", "'x-length'?"]
    texts = [str(problem) for problem in lint.check(str(folder)).problems]
    assert [word for word in words if not any(word in text for text in texts)] == []


def test_a_misspelt_keyword_does_not_hide_a_wrong_example(folder: Path) -> None:
    change(folder, REQUEST, "/properties/prompt", rename("maxLength", "maxLenght"))
    change(folder, "examples/createImage/request.json", "/value", put("n", 11))
    texts = " ".join(str(problem) for problem in lint.check(str(folder)).problems)
    assert "'maxLength'?" in texts
    assert "n must be at most 10" in texts


def test_the_line_is_that_of_the_mistake(folder: Path) -> None:
    change(folder, REQUEST, "/properties/prompt", rename("maxLength", "maxLenght"))
    (problem,) = (p for p in lint.check(str(folder)).problems if "maxLenght" in p.message)
    lines = (folder / REQUEST).read_text().splitlines()
    assert problem.line is not None
    assert '"maxLenght"' in lines[problem.line - 1]
    assert problem.pointer == "/properties/prompt/maxLenght"


def test_shipped_contracts_are_sound_and_counted() -> None:
    for name in library.bundled_names():
        result = lint.check(name)
        assert [str(problem) for problem in result.problems] == []
        assert result.statements > 20
        assert result.sources > 20
        assert result.examples >= 3


def test_marked_contradictions_are_notes() -> None:
    notes = [str(note) for note in lint.check("quickrouter").notes]
    assert any("model is in every example and in no table" in note for note in notes)
    assert len(notes) >= 5


def test_scenarios_are_checked(folder: Path) -> None:
    scenarios = folder / "scenarios"
    scenarios.mkdir(exist_ok=True)
    (scenarios / "bad.json").write_text('{\n"description": "x",\n"x-convention": "y",\n"steps": [{"times": 0}]\n}')
    (scenarios / "cut.json").write_text("{")
    problems = [p for p in lint.check(str(folder)).problems if "/bad.json" in p.file or "cut.json" in p.file]
    assert {(p.line, p.pointer) for p in problems} >= {(4, "/steps/0/times")}
    assert any("not JSON" in p.message for p in problems)


JUNK: tuple[Any, ...] = (None, True, 5, "x", [], {}, [None], {"a": 1}, {"$ref": "#/nowhere"}, {"$ref": 5}, [{}])


def pointers(node: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The steps to every value below a value."""
    for key, item in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*steps, key)
        yield from pointers(item, (*steps, key))


@pytest.mark.parametrize("seed", range(30))
def test_no_contract_makes_lint_fail(folder: Path, seed: int) -> None:
    """Whatever stands anywhere: problems are listed, or one sentence says why the document cannot be read."""
    choice = random.Random(seed)
    file = folder / choice.choice([ENTRY, ENTRY, REQUEST, RESPONSE, "prices.json"])
    content = json.loads(file.read_text())
    *steps, last = choice.choice(list(pointers(content)))
    node = content
    for step in steps:
        node = node[step]
    node[last] = choice.choice(JUNK)
    file.write_text(json.dumps(content))
    with contextlib.suppress(ContractError):
        result = lint.check(str(folder))
        assert all(problem.file and problem.message for problem in result.problems)


def test_components_that_are_no_object_are_our_error(folder: Path) -> None:
    change(folder, ENTRY, "", put("components", ""))
    with pytest.raises(ContractError, match=r"openapi\.json:\d+: components is an object"):
        lint.check(str(folder))


FOREIGN = {
    "openapi": "3.1.0",
    "info": {"title": "Birds", "version": "1"},
    "paths": {
        "/birds/{ring}": {
            "get": {
                "x-unit": "a vendor's own keyword",
                "parameters": [{"name": "ring", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "one", "content": {"application/json": {"example": {"a": 1}}}}},
            }
        }
    },
}


def test_a_foreign_document_needs_no_sources(tmp_path: Path) -> None:
    file = tmp_path / "birds.json"
    file.write_text(json.dumps(FOREIGN))
    result = lint.check(str(file))
    assert result.problems == ()
    assert ["did you mean 'x-units'?" in str(note) for note in result.notes] == [True]


def test_tabs_do_not_hide_the_lines(tmp_path: Path) -> None:
    file = tmp_path / "birds.json"
    spoilt = {**FOREIGN, "info": {"title": "Birds"}}
    file.write_text(json.dumps(spoilt, indent="\t"))
    assert [(p.line, p.message) for p in lint.check(str(file)).problems] == [
        (3, "'version' is required here and absent")
    ]


def test_a_document_that_cannot_be_read_is_our_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{\n"openapi": }')
    with pytest.raises(ContractError, match=r"broken\.json:2: not JSON"):
        lint.check(str(broken))
