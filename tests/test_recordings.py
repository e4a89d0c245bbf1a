"""Recordings that browsers, Playwright and mitmproxy really wrote: the same visit, so the same verdict by all of them.

What they are and how they were made stands in ``recordings/README.md``.
"""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from test_cli import COMMAND, ROOT, environment, run

RECORDINGS = Path(__file__).parent / "recordings"
FOREIGN = {"firefox.har": 5}
"""The page, its picture, its beacon, and a path that is not the API's; Firefox records the icon in a data: URL too."""
WRONG = {("body.maximum", "/body/n"), ("json.cut", "/body")}
"""What two of the six requests did wrong, wherever their bodies were recorded."""
NAMES = (
    "devtools.har",
    "devtools-with-sensitive-data.har",
    "firefox.har",
    "mitmproxy.har",
    "playwright.har",
    "playwright-minimal.har",
    "playwright-attached",
    "playwright.har.zip",
)


def checked(tmp_path: Path, *names: str) -> tuple[int, dict[str, Any]]:
    report = tmp_path / "report.json"
    done = run("check", *(str(RECORDINGS / name) for name in names), "--report", f"json={report}")
    return done.returncode, json.loads(report.read_text())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_visit_gets_the_same_verdict(tmp_path: Path, name: str) -> None:
    code, report = checked(tmp_path, name)
    (file,) = report["files"]
    assert (code, file["judged"], file["skipped"]) == (1, 6, FOREIGN.get(name, 4))
    errors = [finding for finding in report["findings"] if finding["severity"] == "error"]
    assert {(finding["rule"], finding["pointer"]) for finding in errors} == WRONG
    assert {finding["side"] for finding in errors} == {"request"}
    given_up = [finding for finding in report["findings"] if finding["rule"] == "wire.failure"]
    assert given_up[0]["severity"] == "info"
    assert any(word in given_up[0]["observed"] for word in ("ERR_ABORTED", "CANCEL", "no answer was recorded"))
    assert not any("cookie" in finding["reproduce"].lower() for finding in report["findings"])


def test_a_record_without_bodies_is_no_clean_one(tmp_path: Path) -> None:
    code, report = checked(tmp_path, "playwright-without-bodies.har")
    assert (code, report["verdict"]) == (3, "inconclusive")
    assert "no body was recorded" in report["reason"]
    assert any("6 without the request's body" in note for note in report["notes"])
    assert all(finding["severity"] != "error" for finding in report["findings"])


def test_all_of_them_at_once(tmp_path: Path) -> None:
    code, report = checked(tmp_path, "")
    assert code == 1
    assert len(report["files"]) == len(NAMES) + 1
    assert report["requests"] == 6 * len(report["files"])


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ((), "a zip with one .har in it is expected; it has 0"),
        (("a.har", "b.har"), "a zip with one .har in it is expected; it has 2"),
        (("a.txt",), "a zip with one .har in it is expected; it has 0"),
        (None, "the zip cannot be read"),
    ],
)
def test_zips_of_something_else_are_said(tmp_path: Path, members: tuple[str, ...] | None, said: str) -> None:
    file = tmp_path / "t.har.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for name in members or ():
            packed.writestr(name, '{"log": {"entries": []}}')
    if members is None:
        file.write_bytes((RECORDINGS / "playwright.har.zip").read_bytes()[:3000])
    done = run("check", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_zip_from_a_pipe_is_said() -> None:
    archive = (RECORDINGS / "playwright.har.zip").read_bytes()
    done = subprocess.run([*COMMAND, "check", "-"], input=archive, capture_output=True, cwd=ROOT, env=environment())
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"stdin is a zip, which cannot be read from a pipe" in done.stderr
