"""Runs the installed contract suite under pytest, in this process, untouched by the caller's own pytest set-up.

The suite is found, never imported: it stands beside this package and belongs to a layer above it.  What it tests, what
it prints and its exit status are its own affair; here only what pytest adds to them is translated.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

import mockserver
from mockserver.errors import ContractToolError, UsageError

_PACKAGE = "contract_tests"


def run(options: Sequence[str]) -> int:
    """Run the suite with its options and return the exit code of the command.

    Raises what ended the run from within, and KeyboardInterrupt when the user did.
    """
    folder = _folder()
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    watch = _Watch()
    code = pytest.main(
        [
            *("-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "--import-mode=importlib"),
            *("-p", "no:cacheprovider", "-p", "no:terminal", "--capture=no"),
            *options,
            str(folder),
        ],
        plugins=[watch],
    )
    if watch.interrupted:
        raise KeyboardInterrupt
    if watch.ended is not None:
        raise watch.ended
    if watch.unreadable:
        raise RuntimeError(f"the contract suite cannot be loaded: {watch.unreadable}")
    if code == pytest.ExitCode.USAGE_ERROR:
        return UsageError.exit_code
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise ContractToolError(f"the contract suite in {folder} holds no test")
    return int(code)


def _folder() -> Path:
    """The suite's folder: beside this package, wherever that is installed, so that a user's own one is never taken."""
    beside = str(Path(mockserver.__file__).resolve().parent.parent)
    found = PathFinder.find_spec(_PACKAGE, [beside])
    if found is None or not found.submodule_search_locations:
        raise ContractToolError(f"the contract suite is not installed: there is no {_PACKAGE} in {beside}")
    return Path(next(iter(found.submodule_search_locations)))


class _Watch:
    """A pytest plugin that remembers how a run ended, so that no traceback of pytest's reaches the user."""

    def __init__(self) -> None:
        self.interrupted = False
        self.ended: BaseException | None = None
        self.unreadable = ""

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.interrupted = type(excinfo.value) is KeyboardInterrupt  # pytest ends a stopped session by a subclass

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        self.ended = excinfo.value
        return True

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and not self.unreadable:
            lines = [line for line in str(report.longrepr).splitlines() if line.strip()]
            self.unreadable = lines[-1].strip() if lines else str(report.nodeid)
