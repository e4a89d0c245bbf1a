"""The end of a command that judges traffic: its reports, and its exit code.

Beside the formats of :mod:`mockserver.reports` there is ``har`` here: the exchanges themselves, without keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from mockserver.cli import values
from mockserver.errors import UsageError
from mockserver.findings import Report, Severity

CODES = {"clean": 0, "findings": 1, "inconclusive": 3}
"""Verdict -> exit code."""

_HAR = "har"


def target(text: str) -> str:
    """``FORMAT=PATH`` of a report, or ``har=PATH`` for the exchanges."""
    form, separator, path = text.partition("=")
    if form != _HAR:
        return values.report(text)
    if not separator or path in ("", "-"):
        raise click.BadParameter("the exchanges need a file, as in har=traffic.har")
    return text


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options ``--contract``, ``--fail-on`` and ``--report``, the same for every command that judges traffic."""
    for add in (
        click.option(
            "--report", type=target, multiple=True, metavar="FORMAT=PATH", help="Also write a report; repeatable."
        ),
        click.option(
            "--fail-on",
            type=click.Choice(["error", "warning", "info"]),
            default="error",
            show_default=True,
            help="The least severity that makes the exit code 1.",
        ),
        click.option("--contract", metavar="NAME_OR_PATH", help="A shipped contract, a folder or an OpenAPI 3.1 file."),
    ):
        command = add(command)
    return command


def check_targets(targets: Sequence[str]) -> None:
    """Make sure that every report can be written before anything happens; raises UsageError or RecordError."""
    from mockserver import reports

    paths = [text.partition("=")[2] for text in targets]
    twice = next((path for index, path in enumerate(paths) if path in paths[:index]), None)
    if twice is not None:
        raise UsageError(f"two reports would be written to {'stdout' if twice == '-' else twice}")
    for text in targets:
        form, _, path = text.partition("=")
        reports.check_writable("json" if form == _HAR else form, path)


def wants_har(targets: Sequence[str]) -> bool:
    """Whether the exchanges are wanted as an archive."""
    return any(text.startswith(f"{_HAR}=") for text in targets)


def har_of(targets: Sequence[str]) -> str | None:
    """Where the exchanges are wanted as an archive; a file that is there is emptied, as every report's is."""
    path = next((text.partition("=")[2] for text in targets if text.startswith(f"{_HAR}=")), None)
    if path is not None:
        Path(path).unlink(missing_ok=True)
    return path


def finish(report: Report, targets: Sequence[str], secrets: Sequence[str] = ()) -> int:
    """Write the reports, the one for people on stdout unless another one takes it, and return the exit code."""
    from mockserver import reports

    chosen = [text.partition("=")[::2] for text in targets if not text.startswith(f"{_HAR}=")]
    hidden = tuple(secret for secret in secrets if secret)
    if "-" not in [path for _, path in chosen]:
        reports.write("terminal", "-", report, hidden)
    for form, path in chosen:
        reports.write(form, path, report, hidden)
    return CODES[report.verdict]


def severity(name: str) -> Severity:
    """The severity that ``--fail-on`` names."""
    return Severity(name)
