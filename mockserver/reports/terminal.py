"""The report for a person at a terminal: readable at 80 columns, with and without colour.

Colour only where ``NO_COLOR`` is unset and stdout is a terminal or ``FORCE_COLOR`` is set.  ``rich`` measures texts, so
that Chinese quotes do not break the layout; it is imported here and nowhere on the way to the mock.
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

from mockserver.reports import summary
from mockserver.reports.clean import one_line

_WIDEST = 110
"""Columns beyond which lines become hard to read."""
_NARROW = 70
"""Columns that a line of a shell command should keep to."""
_SHOWN = 12
"""Open suspicions that are listed; a small budget leaves hundreds."""
_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}
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
    for finding in summary.sorted_findings(data):
        _finding(console, finding)
    _suspicions(console, data["suspicions"]["open"])
    for note in data["notes"]:
        console.print(Padding(Text(f"note: {one_line(note)}", overflow="fold"), 0))
    if data["notes"]:
        console.print()
    console.print(Text(one_line(summary.verdict(data)), style=_VERDICTS[data["verdict"]], overflow="fold"))
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _colour() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _finding(console: Console, finding: Mapping[str, Any]) -> None:
    severity = finding["severity"]
    head = Text.assemble((severity.upper(), _STYLES[severity]), "  ", (summary.title(finding["rule"]), "bold"))
    head.append(f"  [{one_line(finding['rule'])}]", style="dim")
    console.print(head, overflow="fold")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, min_width=10, style="dim")
    grid.add_column(overflow="fold")
    for label, value in _rows(finding):
        grid.add_row(Text(label), Text(value))
    console.print(Padding(grid, (0, 0, 0, 2)))
    if finding["reproduce"]:
        console.print(Text("  reproduce", style="dim"))
        for line in _broken(finding["reproduce"]):
            console.print(Text(f"    {line}"), soft_wrap=True)
    console.print()


def _rows(finding: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    source = finding["source"]
    quoted = one_line(source.get("quote", ""))
    said = "convention" if source.get("convention") else "documented"
    rows = (
        ("where", summary.where(finding)),
        (said, finding["documented"]),
        ("", one_line(source.get("convention", ""))),
        ("", f"「{quoted}」" if quoted else ""),
        ("", summary.citation(source)),
        ("came", finding["observed"]),
        ("how often", summary.frequency(finding)),
        ("also", "; ".join(finding["also"])),
        ("accepted", finding["accepted"] or ""),
    )
    for label, value in rows:
        if value:
            yield label, one_line(value)


def _suspicions(console: Console, suspicions: list[Mapping[str, Any]]) -> None:
    if not suspicions:
        return
    console.print(Text(f"Not tested ({len(suspicions)}), and what each would take", style="bold"))
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for suspicion in suspicions[:_SHOWN]:
        line = f"{suspicion['name']}: {suspicion['reason']} ({summary.price(suspicion)})"
        grid.add_row(Text("-"), Text(one_line(line)))
    if len(suspicions) > _SHOWN:
        grid.add_row(Text("-"), Text(f"and {len(suspicions) - _SHOWN} more; the json report lists all"))
    console.print(Padding(grid, (0, 0, 0, 2)))
    console.print()


def _broken(command: str) -> list[str]:
    """A shell command in several lines, broken before its options and nowhere inside quotes."""
    lines: list[str] = []
    for part in _options(command):
        if lines and len(lines[-1]) + len(part) < _NARROW:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return " \\\n  ".join(lines).split("\n")


def _options(command: str) -> list[str]:
    """The command's parts: a new one begins at every option."""
    parts, quote, start = [], "", 0
    for place, character in enumerate(command):
        if quote:
            escaped = quote == '"' and command[place - 1] == "\\"
            quote = "" if character == quote and not escaped else quote
        elif character in "'\"":
            quote = character
        elif character == " " and command[place + 1 : place + 2] == "-":
            parts.append(command[start:place])
            start = place + 1
    return [*parts, command[start:]]
