"""``check`` on the cassette of a test run: the findings of the run, also where the plan or the contract is another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEY
from tests.faulty.server import serve
from tests.test_suite_run import report_of, suite

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The cassette and the report of a run against a server with another shape that also takes too much."""
    folder = tmp_path_factory.mktemp("run")
    with serve("images-b64") as server:
        suite(
            server.url,
            "--record",
            str(folder / "run.ndjson"),
            "--max-requests",
            "50",
            "--report",
            f"json={folder / 'run.json'}",
            key=KEY,
        )
    return folder / "run.ndjson", report_of(folder / "run.json")


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mockserver", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_same_findings_as_the_run(recorded: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    tape, live = recorded
    done = check(str(tape), "--report", f"json={tmp_path / 'again.json'}")
    again = report_of(tmp_path / "again.json")
    assert done.returncode == 1, done.stderr
    for field in ("findings", "requests", "images", "seed"):
        assert (
            [strip(f) for f in again[field]] == [strip(f) for f in live[field]]
            if field == "findings"
            else again[field] == live[field]
        )


def strip(finding: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in finding.items() if key != "reproduce"}


def test_what_a_cassette_lacks_is_left_open(recorded: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    tape, live = recorded
    lines = tape.read_text().splitlines(keepends=True)
    cut = tmp_path / "cut.ndjson"
    cut.write_text("".join(lines[:3] + lines[8:]))
    done = check(str(cut), "--report", f"json={tmp_path / 'again.json'}")
    again = report_of(tmp_path / "again.json")
    assert done.returncode == 1
    assert again["requests"] < live["requests"]
    reasons = {suspicion["reason"] for suspicion in again["suspicions"]["open"]}
    assert "the cassette does not hold it, and nothing is sent in a replay" in reasons


def test_another_contract_judges_the_answers_and_not_the_probes(
    recorded: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """What the run sent on purpose is no client's fault; what was accepted is the API's."""
    tape, _ = recorded
    other = tmp_path / "other"
    other.mkdir()
    for file in (SCHEMAS / "quickrouter").rglob("*.json"):
        to = other / file.relative_to(SCHEMAS / "quickrouter")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(file.read_bytes())
    done = check(str(tape), "--contract", str(other), "--report", f"json={tmp_path / 'again.json'}")
    found = report_of(tmp_path / "again.json")["findings"]
    assert done.returncode == 1
    assert {finding["side"] for finding in found} == {"response"}
    shape = next(finding for finding in found if finding["message"].startswith("another shape"))
    assert shape["observed"].startswith("none of them is, but created, data")
