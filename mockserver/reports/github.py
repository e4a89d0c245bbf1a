"""The report as workflow commands, which GitHub shows as annotations, and as a summary of the step in Markdown."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from mockserver.reports import summary
from mockserver.reports.clean import one_line
from mockserver.reports.places import locate

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def text(data: Mapping[str, Any]) -> str:
    """One annotation per finding, pointing at the line of the contract that it breaks, and the verdict as a line."""
    lines = []
    for finding in summary.sorted_findings(data):
        place = locate(finding["schema"], data)
        properties = {"title": f"{summary.title(finding['rule'])} ({finding['rule']})"}
        if place.line:
            properties |= {"file": place.path, "line": str(place.line)}
        packed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        message = f"{summary.where(finding)}: {finding['message']}"
        lines.append(f"::{_LEVELS[finding['severity']]} {packed}::{_data(message)}")
    level = "error" if data["verdict"] == "inconclusive" else "notice"
    lines.append(f"::{level} title=quickrouter-contract::{_data(summary.verdict(data))}")
    return "\n".join(lines)


def summary_rows(data: Mapping[str, Any]) -> list[str]:
    """The rows of the table of findings; every text is escaped, so that none of it is markup."""
    rows = []
    for finding in summary.sorted_findings(data):
        cells = (
            finding["severity"],
            summary.title(finding["rule"]),
            summary.where(finding),
            finding["documented"],
            finding["observed"],
            summary.frequency(finding),
        )
        rows.append("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in cells) + "</tr>")
    return rows


def summary_text(data: Mapping[str, Any]) -> str:
    """The step summary: the verdict and, if there are findings, a table (HTML, which needs no escaping of pipes)."""
    lines = [f"### quickrouter-contract {_cell(data['command'])}", "", f"<p>{_cell(summary.verdict(data))}</p>", ""]
    if rows := summary_rows(data):
        heads = "".join(f"<th>{head}</th>" for head in ("severity", "rule", "where", "documented", "came", "how often"))
        lines += ["<table>", f"<tr>{heads}</tr>", *rows, "</table>", ""]
    return "\n".join(lines) + "\n"


def _cell(value: str) -> str:
    return html.escape(one_line(str(value)))


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
