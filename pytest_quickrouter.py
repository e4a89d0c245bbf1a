"""The pytest plugin: a fixture with a mock that listens on a free port of this machine.

It is a top-level module and imports nothing of the toolkit, because pytest loads it in every project in which the
toolkit is installed, also in one that has a folder of its own called ``mockserver`` or ``contract_tests``.  For the same
reason the mock is a process of its own that looks neither into the current folder nor into PYTHONPATH.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class MockServer:
    """A mock that answers; ``url`` is its base URL, the base path of the contract included, without a slash at its end."""

    url: str


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "mock_server_args", "what to start the mock with, such as --seed 1 (fixture mock_server)", type="args"
    )


@pytest.fixture(scope="session")
def mock_server(pytestconfig: pytest.Config) -> Iterator[MockServer]:
    """A running mock, one for the session; fails with the mock's own words when it cannot start."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    arguments = [str(argument) for argument in pytestconfig.getini("mock_server_args")]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "mockserver", "mock", "--port", "0", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                reason = process.communicate()[1].strip()
                pytest.fail(f"the mock did not start: {reason}", pytrace=False)
            yield MockServer(url)
        finally:
            process.terminate()
            process.communicate()
