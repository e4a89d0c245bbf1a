"""The verdict in one line and other sentences that several formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from mockserver.rules import rule_for

SEVERITIES = ("error", "warning", "info")


def verdict(data: Mapping[str, Any]) -> str:
    """``clean: 58 requests, 27 images, about 1.05 USD``; for findings with their numbers, else with the reason."""
    parts = [_counted(data["requests"], "request")]
    if data["images"]:
        parts.append(_counted(data["images"], "image"))
    if data["cost_usd"] is not None:
        parts.append(f"about {data['cost_usd']:.2f} USD")
    opening = f"{data['verdict']}: "
    if data["findings"]:
        opening += f"{tally(data)}; "
    reason = f" ({data['reason']})" if data["reason"] else ""
    return opening + ", ".join(parts) + reason


def tally(data: Mapping[str, Any]) -> str:
    """``2 errors, 1 warning``: how many findings there are of each severity."""
    counts = Counter(finding["severity"] for finding in data["findings"] if not finding["accepted"])
    words = {"error": "error", "warning": "warning", "info": "note"}
    parts = [_counted(counts[severity], words[severity]) for severity in SEVERITIES if counts[severity]]
    accepted = sum(1 for finding in data["findings"] if finding["accepted"])
    return ", ".join([*parts, f"{accepted} accepted by the baseline"] if accepted else parts)


def title(rule: str) -> str:
    """The title of a rule; the rule's own name where nobody documented it."""
    try:
        return rule_for(rule).title
    except KeyError:
        return rule


def where(finding: Mapping[str, Any]) -> str:
    """``createThing, request /body/a``: operation, side and pointer."""
    place = f"{finding['side']} {finding['pointer']}".strip()
    return f"{finding['operation']}, {place}" if finding["operation"] else place


def frequency(finding: Mapping[str, Any]) -> str:
    """``3 times, constant, only for ...``: how often it came, how sure that is, under which condition."""
    parts = ["once" if finding["count"] == 1 else f"{finding['count']} times"]
    if finding["confirmation"] and finding["confirmation"] != parts[0]:
        parts.append(finding["confirmation"])
    if finding["condition"]:
        parts.append(finding["condition"])
    return ", ".join(parts)


def citation(source: Mapping[str, Any]) -> str:
    """Where the statement stands on which page; empty when nothing is known."""
    return ", ".join(source[key] for key in ("at", "page") if source.get(key))


def sorted_findings(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings, the worst first, else in the order of first sight."""
    return sorted(data["findings"], key=lambda finding: SEVERITIES.index(finding["severity"]))


def price(suspicion: Mapping[str, Any]) -> str:
    """What clearing an open suspicion would cost."""
    parts = [_counted(suspicion["requests"], "request")]
    if suspicion["images"]:
        parts.append(_counted(suspicion["images"], "image"))
    return ", ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
