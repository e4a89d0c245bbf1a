"""The report for a person at a terminal: readable at 80 columns, with and without colour.

Errors and warnings in full, notes in two lines, what a baseline accepts dimmed, what was not tested by reason, and one line
with the verdict.  Long texts are cut here and nowhere else.  Colour only where ``NO_COLOR`` is unset and stdout is a
terminal or ``FORCE_COLOR`` is set.  ``rich`` measures texts, so that Chinese quotes do not break the layout; it is imported
here and nowhere on the way to the mock.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mockserver.reports import summary, untested
from mockserver.reports.clean import disarmed, one_line
from mockserver.reports.commands import broken

_WIDEST = 110
"""Columns beyond which lines become hard to read."""
_LONGEST = 300
"""Characters of an observed or documented sentence that are shown."""
_COMMAND = 800
"""Characters of a command that are shown; a prompt of a thousand characters would drown the finding."""
_NAMES = 3
"""Open suspicions that are named of each group."""
_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}
_VERDICTS = {"clean": "bold green", "findings": "bold red", "inconclusive": "bold yellow"}


def text(data: Mapping[str, Any]) -> str:
    """Findings, open suspicions, notes and one line with the verdict."""
    colour = _colour()
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=min(shutil.get_terminal_size((80, 24)).columns, _WIDEST),
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    counting = summary.counting(data)
    for group in summary.together([finding for finding in counting if finding["severity"] != "info"]):
        _group(console, group)
    _short(console, [finding for finding in counting if finding["severity"] == "info"])
    _accepted(console, summary.accepted(data))
    _untested(console, data["suspicions"]["open"])
    for note in data["notes"]:
        console.print(_hanging("note:", Text(one_line(note))))
    if told := summary.used(data):
        console.print(_hanging("usage:", Text(told)))
    if data["notes"] or told:
        console.print()
    console.print(Text(one_line(summary.verdict(data)), style=_VERDICTS[data["verdict"]], overflow="fold"))
    return "".join(f"{disarmed(line).rstrip()}\n" for line in buffer.getvalue().splitlines())


def _colour() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _group(console: Console, findings: list[summary.Found]) -> None:
    """Findings of the same exchanges; what they have in common stands once, after the last."""
    for finding in findings:
        _head(console, finding)
        _table(console, _rows(finding))
    last = findings[-1]
    often = summary.frequency(last)
    if len(findings) > 1:
        often += f"; the {len(findings)} findings above, in the same answers"
    _table(console, [("how often", often)])
    if last["reproduce"]:
        console.print(Text("  reproduce", style="dim"))
        for line in _command(last["reproduce"]):
            console.print(Text(f"    {line}"), soft_wrap=True)
    console.print()


def _head(console: Console, finding: summary.Found) -> None:
    severity = finding["severity"]
    label = Text(severity.upper(), style=_STYLES[severity])
    console.print(_hanging(label, Text(summary.cut(one_line(finding["message"]), _LONGEST), style="bold")))


def _rows(finding: summary.Found) -> Iterator[tuple[str, str]]:
    source = finding["source"]
    quoted = summary.cut(one_line(source.get("quote", "")), _LONGEST)
    said = "convention" if source.get("convention") else "documented"
    yield "rule", f"{summary.title(finding['rule'])} [{one_line(finding['rule'])}]"
    yield "where", summary.where(finding)
    yield said, finding["documented"]
    yield "", source.get("convention", "")
    yield "", f"「{quoted}」" if quoted else ""
    yield "", summary.citation(source)
    yield "came", finding["observed"]
    yield "also", "; ".join(finding["also"])
    yield "fingerprint", finding["fingerprint"]


def _table(console: Console, rows: Any) -> None:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, min_width=11, style="dim")
    grid.add_column(overflow="fold")
    for label, value in rows:
        if value:
            grid.add_row(Text(label), Text(summary.cut(one_line(value), _LONGEST)))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _command(command: str) -> list[str]:
    """The command as it can be pasted, or its beginning: an open quotation, which no shell runs."""
    if len(command) <= _COMMAND:
        return broken(command)
    told = f"… ({len(command):,} characters; full line in the JSON report)"
    return [*broken(command[:_COMMAND].rstrip()), told]


def _short(console: Console, findings: list[summary.Found]) -> None:
    """Notes: what came and where, without quotation and command."""
    for finding in findings:
        label = Text("INFO", style=_STYLES["info"])
        line = Text(summary.cut(one_line(finding["message"]), _LONGEST // 2))
        about = f"{finding['rule']} {summary.where(finding)}, {summary.frequency(finding)}, {finding['fingerprint']}"
        line.append(f"\n{summary.cut(one_line(about), _LONGEST // 2)}", style="dim")
        console.print(_hanging(label, line))
    if findings:
        console.print()


def _accepted(console: Console, findings: list[summary.Found]) -> None:
    if not findings:
        return
    console.print(Text(f"Accepted by the baseline ({len(findings)})", style="dim bold"))
    for finding in findings:
        line = Text(summary.cut(one_line(finding["message"]), _LONGEST // 2), style="dim")
        about = f"{finding['severity']} {finding['rule']} {summary.where(finding)}, {finding['fingerprint']}"
        line.append(f"\n{one_line(about)}\nbecause: {summary.cut(one_line(finding['accepted']), _LONGEST)}")
        console.print(Padding(_hanging(Text("-", style="dim"), line), (0, 0, 0, 2)))
    console.print()


def _untested(console: Console, suspicions: list[Mapping[str, Any]]) -> None:
    if not suspicions:
        return
    console.print(Text(f"Not tested ({len(suspicions)})", style="bold"))
    groups = untested.groups(suspicions)
    width = max(len(str(len(group.suspicions))) for group in groups)
    for group in groups:
        names = "; ".join(one_line(name) for name in group.names[:_NAMES])
        left = len(group.names) - _NAMES
        more = f"; and {left} more, all in the JSON report" if left > 0 else ""
        reason = f"{one_line(group.reason)} ({group.price})"
        line = Text(summary.cut(reason, _LONGEST))
        operation = f"{one_line(group.operation)}: " if group.operation else ""
        line.append(f"\n{summary.cut(operation + names, _LONGEST)}{more}", style="dim")
        console.print(Padding(_hanging(str(len(group.suspicions)).rjust(width), line), (0, 0, 0, 2)))
    console.print()


def _hanging(label: str | Text, content: Text) -> Table:
    """A label and a text whose further lines are indented as far as the first."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(label, content)
    return grid
