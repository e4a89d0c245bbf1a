"""Mocks on request, for ``pytest_quickrouter``: the plugin starts ``python -P -m mockserver.fixtures`` and talks to it.

The plugin cannot import this package: pytest's own process may hold somebody else's ``mockserver``.  So the mocks run
here, and end when standard input does, however pytest ended.  One line each way, in JSON: a list of options of the command
``mock`` comes in, ``{"url", "variables"}`` or ``{"error"}`` goes out.  What a test asks of a mock is the administration's.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from typing import Any, Final

import click

from mockserver.cli.keys import required
from mockserver.cli.mock import command
from mockserver.client.environment import dummy_key, environment
from mockserver.errors import ContractToolError, UsageError
from mockserver.server import Running, background
from mockserver.settings import Settings

JOURNAL_ENTRIES: Final = 100_000
JOURNAL_BYTES: Final = 256 * 1024 * 1024
"""More than a mock keeps else: a test that sends many requests is judged by all of them."""
_OWN: Final = ("port", "workers", "state", "watch")
"""Options that a mock for tests decides itself."""


def settings_of(options: Sequence[str]) -> Settings:
    """The settings that options of ``mock`` stand for; raises click.ClickException and ContractToolError."""
    with command.make_context("mock", list(options)) as context:
        given: dict[str, Any] = {name: value for name, value in context.params.items() if name not in _OWN}
        for name in _OWN:
            source = context.get_parameter_source(name)
            if source is click.core.ParameterSource.COMMANDLINE:
                raise UsageError(f"--{name} is not for a mock in tests, which has a free port and one process")
    variable = given.pop("api_key_env")
    key = required(variable) if variable else None
    return replace(Settings(**given), port=0, api_key=key, journal_entries=JOURNAL_ENTRIES, journal_bytes=JOURNAL_BYTES)


def answer(options: Any, running: ExitStack) -> Mapping[str, Any]:
    """The reply to one line: the address of the mock that was started and left in ``running``, or what is wrong."""
    try:
        if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
            raise UsageError("a list of options is expected")
        with redirect_stdout(sys.stderr):  # where only replies go, no help text may
            settings = settings_of(options)
        mock = running.enter_context(background(settings))
    except click.exceptions.Exit:
        return {"error": "--help starts no mock"}
    except click.ClickException as wrong:
        return {"error": wrong.format_message()}
    except ContractToolError as failure:
        return {"error": str(failure)}
    return {"url": mock.url, "variables": variables(mock, settings.api_key)}


def variables(mock: Running, key: str | None) -> dict[str, str]:
    """The environment in which a program finds a mock: address, a key that it takes, and no proxy on the way."""
    return environment({}, mock.mock.contract, mock.url, key or dummy_key())


def main(lines: Iterable[str]) -> None:
    """Answer every line, then stop all mocks."""
    with ExitStack() as running:
        for line in lines:
            print(json.dumps(answer(json.loads(line), running)), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is pytest's, which then closes our standard input
    main(sys.stdin)
