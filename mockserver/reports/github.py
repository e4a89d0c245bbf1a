"""The report as workflow commands, which GitHub shows as annotations, and as a summary of the step in Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.reports import summary, untested
from mockserver.reports.clean import one_line
from mockserver.reports.commands import broken
from mockserver.reports.places import place_of

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}
_LONGEST = 300
"""Characters of a cell; an annotation may have twice as many."""
_COMMAND = 4000
"""Characters of a command; the summary of a step may have a million bytes."""
_COMMANDS = 20
"""Commands that the summary shows."""
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~:-])")


def text(data: Mapping[str, Any]) -> str:
    """One annotation per finding, pointing at the line of the contract that it breaks, and the verdict as a line.

    The worst come first, because GitHub shows ten of each level; what a baseline accepts is a notice.
    """
    lines = []
    for finding in summary.sorted_findings(data):
        place = place_of(finding, data)
        properties = {"title": f"{summary.title(finding['rule'])} ({finding['rule']})"}
        if place.line:
            properties |= {"file": place.path, "line": str(place.line)}
        packed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        level = "notice" if finding["accepted"] else _LEVELS[finding["severity"]]
        lines.append(f"::{level} {packed}::{_data(_message(finding))}")
    level = "error" if data["verdict"] == "inconclusive" else "notice"
    lines.append(f"::{level} title=quickrouter-contract::{_data(summary.verdict(data))}")
    return "\n".join(lines)


def _message(finding: summary.Found) -> str:
    parts = [summary.cut(f"{summary.where(finding)}: {finding['message']}", 2 * _LONGEST), summary.frequency(finding)]
    if finding["accepted"]:
        parts.append(f"accepted: {summary.cut(finding['accepted'], _LONGEST)}")
    return "\n".join([*parts, f"fingerprint {finding['fingerprint']}"])


def summary_text(data: Mapping[str, Any]) -> str:
    """The step summary in Markdown; every observed text is escaped, so that none of it is markup."""
    lines = [f"### quickrouter-contract {_cell(data['command'])}", "", f"**{_cell(summary.verdict(data))}**", ""]
    if told := summary.used(data):
        lines += [f"Usage: {_cell(told)}", ""]
    counting, accepted = summary.counting(data), summary.accepted(data)
    if counting:
        lines += [*_table(counting), ""]
        for group in summary.together(counting)[:_COMMANDS]:
            lines += _reproduce(group)
    if accepted:
        lines += ["<details><summary>Accepted by the baseline</summary>", "", *_table(accepted), "", "</details>", ""]
    if data["suspicions"]["open"]:
        lines += ["Not tested:", ""]
        lines += [
            f"- {len(group.suspicions)}: {_cell(group.reason)} ({_cell(group.price)})"
            for group in untested.groups(data["suspicions"]["open"])
        ]
        lines.append("")
    return "\n".join(lines) + "\n"


def _table(findings: list[summary.Found]) -> Iterator[str]:
    heads = ["severity", "finding", "where", "documented", "came", "how often"]
    if findings[0]["accepted"]:
        heads.append("because")
    yield _row(heads)
    yield _row(["---"] * len(heads))
    for finding in findings:
        title = f"{_cell(finding['message'])}<br>{_cell(finding['rule'])} `{finding['fingerprint']}`"
        texts = (summary.where(finding), finding["documented"], finding["observed"], summary.frequency(finding))
        cells = [finding["severity"], title, *map(_cell, texts)]
        yield _row([*cells, _cell(finding["accepted"])] if finding["accepted"] else cells)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _reproduce(group: list[summary.Found]) -> Iterator[str]:
    """The command behind a heading that opens; a fence longer than any in the command ends where it should."""
    command = group[0]["reproduce"]
    if not command:
        return
    shown = "\n".join(broken(command)) if len(command) <= _COMMAND else summary.cut(command, _COMMAND)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", shown)), 3)
    yield f"<details><summary>Reproduce: {_html(group[0]['message'])}</summary>"
    yield from ("", f"{fence}sh", shown, fence, "", "</details>", "")


def _cell(value: str) -> str:
    """A text of one line in which nothing is markup: neither Markdown's nor HTML's."""
    return _MARKUP.sub(r"\\\1", _html(value))


def _html(value: str) -> str:
    return html.escape(summary.cut(one_line(value), _LONGEST), quote=False)


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
