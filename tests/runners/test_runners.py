"""The examples for other test runners: they pass with a program that keeps the contract and fail with one that does not.

An example whose runtime is not on the machine is no test here; the one for Go is text alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "other-test-runners.md"
EXAMPLES = {
    "drawing.test.mjs": ("node", "--test"),
    "DrawingTest.java": ("java",),
    "drawing_test.sh": ("sh",),
}
RUNNABLE = {name: command for name, command in EXAMPLES.items() if shutil.which(command[0])}


def outcome(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [*RUNNABLE[name], str(HERE / name)],
        env={**os.environ, "PATH": path, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_program_that_keeps_the_contract_passes(name: str) -> None:
    done = outcome(name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_program_that_swallows_the_refusal_of_what_it_sent_fails(name: str) -> None:
    done = outcome(name, IMAGES="12")
    assert done.returncode != 0
    assert "body.maximum" in done.stdout + done.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_shows_what_is_tested(name: str) -> None:
    shown = re.findall(r"^```\w+\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert (HERE / name).read_text(encoding="utf-8") in shown
