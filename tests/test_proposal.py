"""`test --propose`: what an API answers becomes a contract that lints, that the API keeps, and that says where it comes from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract_tests.evidence import Observation
from contract_tests.inference import OFTEN, infer
from mockserver import lint, openapi
from mockserver.contract import Units
from tests.faulty.server import serve

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"


def suite(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mockserver", "test", url, "--seed", "1", "--request-timeout", "5", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def proposed(
    fault: str | None, folder: Path, twice: bool = True
) -> tuple[subprocess.CompletedProcess[str], int | None]:
    """The run that proposes, and the exit code of a run by the proposal against the same server (None: none was made)."""
    with serve(fault) as server:
        first = suite(server.url, "--propose", str(folder))
        if not (folder.exists() and twice):
            return first, None
        return first, suite(server.url, "--contract", str(folder)).returncode


def response_schema(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "models/create-image-response.json").read_text(encoding="utf-8"))
    return found


def sources(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("x-source"), dict):
            yield node["x-source"]
        for inner in node.values():
            yield from sources(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from sources(inner)


@pytest.mark.parametrize(("fault", "member"), [("images-b64", "b64_json")])
def test_another_shape_becomes_a_contract_that_the_server_keeps(tmp_path: Path, fault: str, member: str) -> None:
    folder = tmp_path / "seen"
    first, again = proposed(fault, folder)
    assert first.returncode == 1, first.stderr
    assert again == 0
    result = lint.check(str(folder))
    assert result.problems == ()
    schema = response_schema(folder)
    assert {"created", "data"} <= set(schema["required"])
    assert "choices" not in schema["properties"]
    data = schema["properties"]["data"]
    assert data["x-length"] == {"request": "/n"}
    assert data["items"]["required"] == [member]
    # what held is kept as it was, with its page
    assert schema["properties"]["created"]["x-source"]["page"] == "gpt-image-15-create"
    own = [source for source in sources(schema) if source["page"] == "observed"]
    assert own
    assert all(s["confidence"] == "low" and "exchanges x" in s["at"] and "127.0.0.1" in s["at"] for s in own)
    assert any("Required: id, object, created, choices, usage." in text for text in schema["x-contradiction"])
    text = (folder / "CHANGES.md").read_text(encoding="utf-8")
    assert "member choices" in text
    assert "## Not sound yet" not in text
    assert json.loads((folder / "openapi.json").read_text())["x-pages"]["observed"]["url"].startswith(
        "http://127.0.0.1"
    )
    example = json.loads((folder / "examples/createImage/response.json").read_text())
    assert member in example["value"]["data"][0]
    assert example["x-source"]["page"] == "observed"


@pytest.mark.parametrize(
    ("fault", "pointer", "wanted"),
    [
        ("created-string", "/properties/created/type", "string"),
        ("count-always-one", "/properties/choices/x-length", None),
    ],
)
def test_the_smallest_statement_is_changed(tmp_path: Path, fault: str, pointer: str, wanted: str | None) -> None:
    folder = tmp_path / "seen"
    _, again = proposed(fault, folder, twice=wanted is None)
    assert again in (0, None)
    assert lint.check(str(folder)).problems == ()
    found: Any = response_schema(folder)
    for part in pointer.split("/")[1:]:
        found = found.get(part)
    assert found == wanted
    assert "id" in response_schema(folder)["properties"]


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("n-eleven", lambda schema: "maximum" not in schema["properties"]["n"]),
        ("n-above-4", lambda schema: {"maximum"} <= {k for p in schema["properties"]["n"]["allOf"] for k in p}),
        ("prompt-absent", lambda schema: schema["required"] == ["n", "size"]),
        ("prompt-any-length", lambda schema: "maxLength" not in schema["properties"]["prompt"]),
    ],
)
def test_limits_of_requests_move_to_where_the_server_has_them(tmp_path: Path, fault: str, check: Any) -> None:
    folder = tmp_path / "seen"
    proposed(fault, folder, twice=False)
    assert lint.check(str(folder)).problems == ()
    schema = json.loads((folder / "models/create-image-request.json").read_text(encoding="utf-8"))
    assert check(schema), schema
    assert any(source["page"] == "observed" for source in sources(schema))


def test_nothing_is_written_where_nothing_differs(tmp_path: Path) -> None:
    first, again = proposed(None, tmp_path / "seen")
    assert (first.returncode, again) == (0, None)
    assert "nothing to propose" in first.stderr


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = suite("http://127.0.0.1:9", "--propose", str(tmp_path))
    assert done.returncode == 2
    assert "--propose" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_single_file_without_sources_is_proposed_too(tmp_path: Path) -> None:
    plain = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/v1/images/generations": {
                "post": {
                    "operationId": "make",
                    "security": [{"bearer": []}],
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "required": ["prompt"]},
                                "example": {"prompt": "a man walks", "n": 1, "size": "auto"},
                            }
                        },
                    },
                    "responses": {
                        "200": {
                            "description": "OK",
                            "content": {
                                "application/json": {
                                    "schema": {
                                        "type": "object",
                                        "required": ["id", "url"],
                                        "properties": {"id": {"type": "integer"}, "url": {"type": "string"}},
                                    }
                                }
                            },
                        },
                        "4XX": {"description": "no"},
                    },
                }
            }
        },
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }
    path, folder = tmp_path / "plain.json", tmp_path / "seen"
    path.write_text(json.dumps(plain))
    with serve() as server:
        suite(server.url, "--contract", str(path), "--propose", str(folder))
    assert lint.check(str(folder)).problems == ()
    schema = openapi.load(str(folder)).document.data["paths"]["/v1/images/generations"]["post"]["responses"]["200"]
    made = schema["content"]["application/json"]["schema"]
    assert made["properties"]["id"]["type"] == "string"
    assert "url" not in made["properties"]
    assert made["x-convention"].startswith("Observed")
    assert "choices" in made["required"]


# --------------------------------------------------------------------------------------------- from values to schemas


def seen(*values: Any, request: Any = None) -> list[Observation]:
    return [Observation(value, request, f"x{index}") for index, value in enumerate(values)]


def test_what_values_have_in_common() -> None:
    assert infer(seen({"a": 1, "b": "x"}, {"a": 2.5})) == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "string"}},
        "required": ["a"],
    }
    assert infer(seen([1, None], ["x"]))["items"] == {"type": ["integer", "null", "string"]}
    assert infer(seen(PIXEL)) == {"type": "string", "contentEncoding": "base64"}
    assert infer(seen("https://a.example.com/x.png")) == {"type": "string", "format": "uri"}
    assert infer(seen("a man walks", "painted")) == {"type": "string"}
    assert infer(seen(5, 6)) == {"type": "integer"}


def test_one_value_needs_many_witnesses() -> None:
    assert infer(seen(*["stop"] * OFTEN)) == {"type": "string", "enum": ["stop"]}
    assert infer(seen(*["stop"] * (OFTEN - 1))) == {"type": "string"}
    assert infer(seen(*["stop"] * OFTEN, "length")) == {"type": "string"}
    assert infer(seen(*["Hello there, how are you?"] * OFTEN)) == {"type": "string"}


def test_a_length_needs_two_numbers() -> None:
    units = Units("image", "/n", 1)
    one, two = Observation([1], {"n": 1}, "x1"), Observation([1, 2], {"n": 2}, "x2")
    assert infer([one, two], units)["x-length"] == {"request": "/n"}
    assert "x-length" not in infer([one, one], units)
    assert "x-length" not in infer([one, Observation([1], {"n": 3}, "x3")], units)
