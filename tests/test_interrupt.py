"""Ctrl-C while the program is still being imported: exit code 130 and not a word, a line break at most."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Presses Ctrl-C at the moment in which a module begins to be imported.
PRESSING = """
import os, signal, sys

class Presser:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Presser())
{start}
"""
STARTS = {
    "console script": "from mockserver.__main__ import run; sys.argv[:] = ['x', 'lint']; sys.exit(run())",
    "module": "import runpy; sys.argv[:] = ['x', 'lint']; runpy.run_module('mockserver', run_name='__main__')",
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize(
    "module", ["mockserver.cli", "click", "mockserver.errors", "mockserver.cli.lint", "jsonschema"]
)
def test_ctrl_c_during_the_start_is_silent(module: str, start: str) -> None:
    wanted = PRESSING.replace("sys.argv[1]", repr(module)).format(start=start)
    done = subprocess.run([sys.executable, "-c", wanted, "lint"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


def test_who_ignores_interrupts_goes_on_ignoring_them() -> None:
    start = "signal.signal(signal.SIGINT, signal.SIG_IGN); from mockserver.__main__ import run; sys.argv[:] = ['x', 'lint']; sys.exit(run())"
    wanted = PRESSING.replace("sys.argv[1]", "'click'").format(start=start)
    done = subprocess.run([sys.executable, "-c", wanted], capture_output=True, text=True, timeout=30)
    assert (done.returncode, "sound" in done.stdout) == (0, True)
