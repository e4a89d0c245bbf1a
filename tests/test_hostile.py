"""What a stranger tried and what must not happen again."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import httpx
import pytest

from mockserver import lint, openapi
from mockserver.errors import ContractError
from mockserver.messages import Exchange, Request, Response
from mockserver.server import background
from mockserver.settings import Settings
from mockserver.validation import Judge
from tests.test_suite_run import listening, report_of, suite


def test_a_long_run_of_letters_is_judged_at_once() -> None:
    judge = Judge(openapi.load())
    operation = judge.contract.operations[0]
    answer = Response(200, (("Content-Type", "application/json"),), b"a" * 5_000_000)
    started = time.process_time()
    judge.response(operation, {}, Exchange("x", Request("POST", operation.path), answer))
    assert time.process_time() - started < 20  # it took hours


def test_a_service_that_is_down_is_not_accused(tmp_path: Path) -> None:
    def down(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\ndown"
            )

    path = tmp_path / "report.json"
    with listening(down) as url:
        done = suite(url, "--report", f"json={path}")
    assert done.returncode == 3, done.stdout
    assert report_of(path)["findings"] == []


def test_aliases_that_unfold_to_a_bomb_are_refused(tmp_path: Path) -> None:
    lines = ["openapi: 3.1.0", "a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    with pytest.raises(ContractError, match="unfold"):
        openapi.load(str(path))


def test_a_report_that_cannot_be_written_at_the_end_is_told_by_the_exit_code() -> None:
    done = suite("--max-requests", "4", "--max-images", "1", "--report", "json=/dev/full")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("value", ["nan", "inf", "0"])
def test_a_timeout_is_a_number_of_seconds(value: str) -> None:
    assert suite("--request-timeout", value).returncode == 2


def test_control_characters_in_an_address_are_a_mistake() -> None:
    done = suite("http://127.0.0.1:9/\x1b[31m")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


def test_server_variables_take_their_defaults(tmp_path: Path) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://{r}.example/{v}", "variables": {"r": {"default": "eu"}, "v": {"default": "v2"}}}],
        "paths": {},
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    assert openapi.load(str(path)).server_url == "https://eu.example/v2"
    document["servers"] = [{"url": "http://[bad"}]
    path.write_text(json.dumps(document))
    with pytest.raises(ContractError, match="server's URL"):
        openapi.load(str(path))


def test_a_contract_that_cannot_be_followed_is_told_and_shows_no_inside(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/things": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
                    "responses": {"201": {"description": "made"}},
                }
            }
        },
        "components": {"schemas": {"A": {"type": "strng"}}},
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    assert lint.check(str(path)).problems
    with background(Settings(contract=str(path))) as mock:
        answer = httpx.post(f"{mock.url}/things", json={"a": "x"})
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert "lint says" in capfd.readouterr().err
