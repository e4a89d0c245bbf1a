"""``client --resilience``: what programs of known manners make of an API that fails."""

from __future__ import annotations

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from test_cli import run
from test_client_command import ASK

from mockserver import library

WILD = """
import time
for attempt in range(12):
    if ask() == 200:
        break
else:
    time.sleep(60) if os.environ["QUICKROUTER_TEST_STAY"] else None
"""
CALM = """
import time
for attempt in range(3):
    try:
        status = ask()
    except OSError:
        sys.exit(1)
    if status not in (429, 500, 503):
        sys.exit(status != 200)
    time.sleep(1.05)
sys.exit(1)
"""
AGAIN = """
for _ in range(2):
    try:
        ask()
    except OSError:
        pass
"""
FOLLOWS = """
class Follow(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, fp, code, msg, headers, url):
        return urllib.request.Request(url, request.data, dict(request.header_items()), method=request.get_method())

urllib.request.install_opener(urllib.request.build_opener(Follow))
ask()
"""
"""Follows a redirect of a POST with all its headers."""

CALM_SCENARIOS = ("rate-limited", "moderation-blocked", "invalid-token", "server-error", "reset")
RUNS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    "wild": (WILD, ("rate-limited", "moderation-blocked", "rate-limited-bare"), (), ""),
    "calm": (CALM, CALM_SCENARIOS, (), ""),
    "again": (AGAIN, ("reset",), (), ""),
    "hanging": (WILD, ("moderation-blocked",), ("--timeout", "3"), "1"),
    "following": (FOLLOWS, (), (), ""),
}
"""Program, scenarios, options and whether it stays, by name."""


def contract(tmp_path: Path, *scenarios: str) -> str:
    """A copy of the shipped contract with some of its scenarios."""
    folder = tmp_path / "quickrouter"
    shutil.copytree(library.bundled_root() / "quickrouter", folder)
    for file in (folder / "scenarios").iterdir():
        if file.stem not in scenarios:
            file.unlink()
    return str(folder)


def resilience(
    tmp_path: Path, code: str, scenarios: tuple[str, ...], *options: str, stay: str = ""
) -> tuple[int, Any, str]:
    program, report = tmp_path / "program.py", tmp_path / "report.json"
    program.write_text(ASK + code)
    done = run(
        *("client", "--resilience", "--contract", contract(tmp_path, *scenarios), "--report", f"json={report}"),
        *(*options, "--", sys.executable, str(program)),
        QUICKROUTER_TEST_STAY=stay,
    )
    return done.returncode, json.loads(report.read_text()), done.stdout


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, Any, str]]:
    """Status, report and output of every run; they wait most of the time, so they wait together."""

    folders = {name: tmp_path_factory.mktemp(name) for name in RUNS}

    def one(name: str) -> tuple[int, Any, str]:
        code, scenarios, options, stay = RUNS[name]
        return resilience(folders[name], code, scenarios, *options, stay=stay)

    with ThreadPoolExecutor(len(RUNS)) as pool:
        return dict(zip(RUNS, pool.map(one, RUNS), strict=True))


def found(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["rule"], finding["message"].partition(":")[0]) for finding in report["findings"]}


def test_a_program_without_manners(ran: dict[str, tuple[int, Any, str]]) -> None:
    status, report, out = ran["wild"]
    assert (status, report["verdict"]) == (1, "findings")
    assert found(report) >= {
        ("client.early-retry", "rate-limited"),
        ("client.endless-retry", "rate-limited"),
        ("client.endless-retry", "rate-limited-bare"),
        ("client.retried-refusal", "moderation-blocked"),
        ("client.silent-failure", "moderation-blocked"),
    }
    assert ("client.early-retry", "rate-limited-bare") not in found(report)
    rows = {row["scenario"]: row for row in report["resilience"]}
    assert rows["normal"] | {"seconds": 0} == {
        "scenario": "normal", "answer": "200", "requests": 1, "attempts": 1, "waits_s": [], "paid": 1, "exit": 0, "seconds": 0,
    }  # fmt: skip
    assert rows["rate-limited"]["attempts"] == 12
    assert "rate-limited        429, Retry-After 1" in out


def test_a_program_with_manners(ran: dict[str, tuple[int, Any, str]]) -> None:
    status, report, _ = ran["calm"]
    assert (status, report["verdict"], found(report)) == (0, "clean", set())
    rows = {row["scenario"]: row for row in report["resilience"]}
    assert (rows["rate-limited"]["attempts"], rows["server-error"]["paid"]) == (3, 1)
    assert (rows["server-error"]["exit"], rows["invalid-token"]["exit"]) == (0, 1)


def test_paying_twice(ran: dict[str, tuple[int, Any, str]]) -> None:
    status, report, _ = ran["again"]
    twice = {("client.paid-twice", "reset"), ("client.paid-twice", "normal")}
    assert (status, found(report)) == (0, twice | _again(report))


def test_hanging(ran: dict[str, tuple[int, Any, str]]) -> None:
    _, report, _ = ran["hanging"]
    assert ("client.hung", "moderation-blocked") in found(report)
    assert {row["scenario"]: row["exit"] for row in report["resilience"]}["moderation-blocked"] == "hung"


def test_giving_the_key_away(ran: dict[str, tuple[int, Any, str]]) -> None:
    status, report, _ = ran["following"]
    assert (status, ("client.key-elsewhere", "redirected") in found(report)) == (1, True)


def _again(report: dict[str, Any]) -> set[tuple[str, str]]:
    """The ordinary finding about equal requests in the run with normal answers."""
    return {
        pair for pair in found(report) if pair[0] == "client.paid-twice" and pair[1].startswith("the same request as")
    }


def test_without_a_request_there_is_nothing_to_try(tmp_path: Path) -> None:
    done = run("client", "--resilience", "--", sys.executable, "-c", "pass")
    assert done.returncode == 3
    assert "no request was seen" in done.stderr
    done = run("client", "--resilience", "--scenario", "slow", "--", "true")
    assert done.returncode == 2
