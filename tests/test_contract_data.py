"""The contract is data: what it names stands in ``schemas/`` and in no program, and the page's examples stand verbatim."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver import library, lint, openapi, reports
from mockserver.contract import Contract
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Violation
from mockserver.lint.keywords import definitions, validator
from mockserver.lint.vocabulary import KEYWORDS
from mockserver.messages import Exchange, Request, Response
from mockserver.pictures import FORMATS
from mockserver.rules import RULES
from mockserver.validation import Judge

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = sorted(
    file
    for place in ("mockserver", "contract_tests", "pytest_quickrouter.py")
    for file in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    if file.is_file() and "_schemas" not in file.parts
)

HAR = ("content", "created", "size", "status", "text", "url", "name", "value", "version", "time", "comment")
PROBLEM = ("type", "title", "status", "detail", "instance")
OURS = {
    "message": "what a refusal says, in x-envelope and in reports",
    "type": "the kind of a refusal, in x-envelope",
    "param": "the field that a refusal is about, in x-envelope",
    "code": "the code of a refusal, in x-envelope; an option of Prefer",
    "error": "a severity",
    "index": "the number of an item, in the answers of the mock",
    "id": "the name of a rule in SARIF, of an exchange in the journal",
    "data": "the root of a closed document",
    "n": "the escape of a line break",
    "none": "what a message says of an empty list",
    "low": "a confidence",
    "high": "a confidence",
    "markup": "a kind of text",
    "stream": "an answer in events, the value of x-stream",
    "image": "the name of a unit where a contract names none",
    "standard": "the colours of an ordinary terminal",
}
"""Words of our own that a contract may use as names as well, each with what it means in a program."""


READS_PICTURES = ("pictures.py", "drawing.py", "sentences.py")
"""Programs that read ``x-image``, whose members and values have names that a contract may give to its own members."""


def vocabulary() -> set[str]:
    """Words that belong to what the programs read and write: JSON Schema, OpenAPI, HAR, RFC 9457, our reports."""
    openapi_schema = library.parse(library.bundled_root() / "openapi-3.1.schema.json")
    openapi_words = set(_properties(openapi_schema))
    violation = Violation("r", Severity.ERROR, "request", "o", "/body", "m")
    finding = Finding(violation, ("e1",))
    report = Report("test", "c", "t", "clean", (finding,), open_suspicions=(OpenSuspicion("s", "r"),)).as_dict()
    ours = {*report, *report["findings"][0], *report["suspicions"], *report["suspicions"]["open"][0]}
    kinds = {"array", "boolean", "integer", "null", "number", "object", "string"}
    return {*KEYWORDS, *kinds, *openapi_words, *HAR, *PROBLEM, *OURS, *ours, *reports.FORMATS}


def picture_words() -> set[str]:
    """The members of ``x-image``, and the formats and backgrounds that pictures have."""
    return {*definitions()["x-image"]["properties"], *FORMATS, "transparent", "opaque"}


def _properties(node: Any) -> Iterator[str]:
    """The names of ``properties``, wherever they stand."""
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _properties(item)
    if isinstance(node, dict) and isinstance(node.get("properties"), dict):
        yield from node["properties"]


def _enumerated(node: Any) -> Iterator[str]:
    """The values of ``enum`` and ``const``, wherever they stand."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "enum" and isinstance(value, list):
                yield from (item for item in value if isinstance(item, str))
            if key == "const" and isinstance(value, str):
                yield value
            yield from _enumerated(value)
    elif isinstance(node, list):
        for item in node:
            yield from _enumerated(item)


def _leaves(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _leaves(value)
    elif isinstance(node, list):
        for item in node:
            yield from _leaves(item)
    elif isinstance(node, str):
        yield node


def names_of(contract: Contract) -> set[str]:
    """Everything that a contract names: paths, operations, fields, enumerated values, models of examples and prices."""
    data = contract.document.data
    names = {operation.path for operation in contract.operations} | {operation.id for operation in contract.operations}
    for part in (data["paths"], data.get("components", {}).get("schemas", {})):
        names |= set(_enumerated(part)) | set(_properties(part))
    for operation in contract.operations:
        for option in operation.body:
            for example in option.examples.values():
                names |= {text for text in _leaves(example) if re.search(r"\d", text) and " " not in text}
        for row in (operation.prices or {}).get("rows", ()):
            names |= set(_leaves(row["when"]))
    names |= {data["servers"][0]["url"].split("//")[1]} if data.get("servers") else set()
    return {name for name in names if name}


def distinctive(name: str) -> bool:
    """A name that no ordinary text contains by chance: it has digits, slashes, underscores, dots or camel case."""
    return len(name) >= 6 and bool(re.search(r"[0-9/_.-]|[a-z][A-Z]", name))


def literals(file: Path) -> Iterator[tuple[int, str]]:
    """The string literals of a program with their lines, docstrings excluded, parts of f-strings included."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documentation = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                documentation.add(statement.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in documentation:
            if isinstance(node.value, bytes):
                yield node.lineno, node.value.decode("utf-8", "replace")
            elif isinstance(node.value, str):
                yield node.lineno, node.value


@pytest.mark.parametrize("name", library.bundled_names())
def test_no_program_names_what_a_contract_names(name: str) -> None:
    names = names_of(openapi.load(name))
    whole = names - vocabulary()
    inside = {word for word in whole if distinctive(word)}
    assert inside, "a contract has distinctive names"
    members = picture_words()
    found = [
        f"{file.relative_to(ROOT)}:{line}: {text[:60]!r}"
        for file in PROGRAM
        for line, text in literals(file)
        if not (file.name in READS_PICTURES and text in members)
        if text.strip("/") in whole or text in whole or any(word in text for word in inside)
    ]
    assert found == []


def test_the_search_sees_what_it_looks_for(tmp_path: Path) -> None:
    """The test above would not be empty-handed if there were something to find."""
    names = names_of(openapi.load("quickrouter"))
    assert {"/v1/images/generations", "createImage", "prompt", "gpt-image-1.5", "1024x1536", "choices"} <= names
    file = tmp_path / "program.py"
    file.write_text('"""createImage"""\nx = f"see {1} /v1/images/generations"\ny = b"prompt"\n')
    assert sorted(text for _, text in literals(file)) == [" /v1/images/generations", "prompt", "see "]
    assert len(PROGRAM) > 30


def test_the_vocabulary_allows_no_distinctive_name() -> None:
    names = {name for shipped in library.bundled_names() for name in names_of(openapi.load(shipped))}
    assert sorted(name for name in names & vocabulary() if distinctive(name)) == []


PAGE_REQUEST = """{
"size": "1024x1536",
"prompt": "a man walks",
"model": "gpt-image-1.5",
"n": 1
}"""

PAGE_CURL = f"""curl --location --request POST 'https://api.quickrouter.ai/v1/images/generations' \\
--header 'Accept: application/json' \\
--header 'Authorization: Bearer YOUR_API_KEY' \\
--header 'Content-Type: application/json' \\
--data-raw '{PAGE_REQUEST}'"""

PAGE_RESPONSE = """{
"id": "chatcmpl-123",
"object": "chat.completion",
"created": 1677652288,
"choices": [
{
"index": 0,
"message": {
"role": "assistant",
"content": "\\n\\nHello there, how may I assist you today?"
},
"finish_reason": "stop"
}
],
"usage": {
"prompt_tokens": 9,
"completion_tokens": 12,
"total_tokens": 21
}
}"""


def test_the_examples_of_the_page_stand_verbatim() -> None:
    """Values, and the order in which the page writes them."""
    folder = library.bundled_root() / "quickrouter" / "examples" / "createImage"
    for file, page in (("request.json", PAGE_REQUEST), ("response.json", PAGE_RESPONSE)):
        value = json.loads((folder / file).read_text(encoding="utf-8"))["value"]
        assert json.dumps(value) == json.dumps(json.loads(page))
    assert (folder / "curl.sh").read_text(encoding="utf-8").strip() == PAGE_CURL


def readme_files() -> dict[str, str]:
    """The files of the example in ``schemas/README.md``."""
    text = (library.bundled_root() / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- file: (\S+) -->\n```json\n(.*?)```", text, flags=re.DOTALL))


@pytest.fixture
def sketches(tmp_path: Path) -> Path:
    """The README's example as a folder."""
    for name, content in readme_files().items():
        file = tmp_path / "sketches" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tmp_path / "sketches"


def test_the_example_of_the_readme_is_sound(sketches: Path) -> None:
    result = lint.check(str(sketches))
    assert [str(problem) for problem in result.problems] == []
    assert (result.examples, result.statements >= 12) == (1, True)


def test_the_example_of_the_readme_judges(sketches: Path) -> None:
    judge = Judge(openapi.load(str(sketches)))
    operation = judge.contract.operation("orderSketch")
    assert operation.price({"count": 3, "paper": "large"}) == pytest.approx(0.6)
    headers = (("Content-Type", "application/json"), ("Sketch-Key", "k"))

    def ordered(body: str) -> Request:
        return Request("POST", "/sketches", "", headers, body.encode())

    good = ordered('{"motif": "a heron", "count": 2}')
    assert judge.request(good).violations == ()
    bad = judge.request(ordered('{"motif": "a heron", "count": 5}')).violations
    assert [(v.rule, v.pointer, v.source.quote) for v in bad] == [("body.maximum", "/body/count", "1 to 4, default 1")]
    answer = Response(201, (("Content-Type", "application/json"),), b'{"order": "a", "made": 1, "sketches": ["x"]}')
    found = judge.exchange(Exchange("e1", good, answer, started=1.7e9, duration=1.0))
    assert {(v.rule, v.severity) for v in found} == {
        ("meaning.length", Severity.ERROR),
        ("meaning.time", Severity.WARNING),
    }


def test_the_scenario_of_the_readme_is_sound(sketches: Path) -> None:
    text = (library.bundled_root() / "README.md").read_text(encoding="utf-8")
    (scenario,) = re.findall(r"## Scenarios.*?```json\n(.*?)```", text, flags=re.DOTALL)
    (sketches / "scenarios").mkdir()
    (sketches / "scenarios" / "full.json").write_text(scenario, encoding="utf-8")
    assert [str(problem) for problem in lint.check(str(sketches)).problems] == []


def test_every_keyword_is_described_with_examples_that_fit() -> None:
    known = definitions()
    keywords = {name: definition for name, definition in known.items() if name.startswith("x-")}
    assert len(keywords) == 24
    readme = (library.bundled_root() / "README.md").read_text(encoding="utf-8")
    for name, definition in keywords.items():
        assert len(definition["description"]) > 40
        assert definition["examples"]
        assert f"| `{name}` |" in readme
        for example in definition["examples"]:
            assert [error.message for error in validator(known, name).iter_errors(example)] == []


def test_the_judge_and_the_schema_know_the_same_keywords() -> None:
    from mockserver.meaning import KEYWORDS

    assert set(KEYWORDS) <= set(definitions())
    assert {f"meaning.{name[2:]}" for name in KEYWORDS} <= set(RULES)
