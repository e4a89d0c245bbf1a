"""The verdict in one line and other sentences that several formats share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mockserver.rules import Rule, rule_for

SEVERITIES = ("error", "warning", "info")
FULL = "full text in the JSON report"
"""Where to look for what a report for people cuts."""
_SURE = {
    "constant": "constant: each time it was tried",
    "intermittent": "intermittent: not each time",
    "once": "seen once, not repeated",
}

Found = Mapping[str, Any]
"""A finding in its JSON form."""


def verdict(data: Mapping[str, Any]) -> str:
    """``clean: 58 requests, 27 images, about 1.05 USD``; findings with their numbers, and what nobody looked at."""
    parts = [counted(data["requests"], "request")]
    if data["images"]:
        parts.append(counted(data["images"], "image"))
    if data["cost_usd"] is not None:
        parts.append(f"about {data['cost_usd']:.2f} USD")
    opening = f"{data['verdict']}: "
    if data["findings"]:
        opening += f"{tally(data)}; "
    left = len(data["suspicions"]["open"])
    untested = f"; {counted(left, 'suspicion')} not tested" if left else ""
    reason = f" ({data['reason']})" if data["reason"] else ""
    return opening + ", ".join(parts) + untested + reason


def used(data: Mapping[str, Any]) -> str:
    """``about 0.31 USD by the usage of 4 answers, for which 0.35 USD were estimated``; "" where nothing is known."""
    usage = data["usage"]
    if not usage:
        return ""
    answers = counted(usage["answers"], "answer")
    return (
        f"{_cents(usage['usd'])} by the usage of {answers}, for which {usage['estimated_usd']:.2f} USD were estimated"
    )


def _cents(usd: float) -> str:
    return f"about {usd:.2f} USD" if usd >= 0.005 else "less than 0.01 USD"


def tally(data: Mapping[str, Any]) -> str:
    """``2 errors, 1 warning``: how many findings there are of each severity."""
    counts = Counter(finding["severity"] for finding in data["findings"] if not finding["accepted"])
    words = {"error": "error", "warning": "warning", "info": "note"}
    parts = [counted(counts[severity], words[severity]) for severity in SEVERITIES if counts[severity]]
    accepted = sum(1 for finding in data["findings"] if finding["accepted"])
    return ", ".join([*parts, f"{accepted} accepted by the baseline"] if accepted else parts)


def rule(name: str) -> Rule | None:
    """The rule of that name; None where nobody documented it."""
    try:
        return rule_for(name)
    except KeyError:
        return None


def title(name: str) -> str:
    """The title of a rule; the rule's own name where nobody documented it."""
    known = rule(name)
    return known.title if known else name


def where(finding: Found) -> str:
    """``createThing, request /body/a``: operation, message and pointer.

    Where the API took or refused a request wrongly, the place is in the request although the API is at fault.
    """
    about_request = finding["rule"].startswith(("looser.", "stricter.")) and finding["pointer"] != "/status"
    place = f"{'request' if about_request else finding['side']} {finding['pointer']}".strip()
    return f"{finding['operation']}, {place}" if finding["operation"] else place


def frequency(finding: Found) -> str:
    """``3 times, constant, only for ...``: how often it came, how sure that is, under which condition."""
    sure = finding["confirmation"]
    times = "once" if finding["count"] == 1 else f"{finding['count']} times"
    # one exchange that was made again to be sure is kept once, and "once, constant" would contradict itself
    parts = [sure] if finding["count"] == 1 and sure else [times, sure]
    return ", ".join(part for part in (*parts, finding["condition"]) if part)


def certainty(finding: Found) -> str:
    """How sure a finding is, as a sentence."""
    sure: str = finding["confirmation"]
    return _SURE.get(sure, sure)


def citation(source: Mapping[str, Any]) -> str:
    """Where the statement stands on which page; empty when nothing is known."""
    return ", ".join(source[key] for key in ("at", "page") if source.get(key))


def sorted_findings(data: Mapping[str, Any]) -> list[Found]:
    """All findings: those that count, the worst first, then those that a baseline accepts; else in order of sight."""
    return sorted(data["findings"], key=lambda f: (bool(f["accepted"]), SEVERITIES.index(f["severity"])))


def counting(data: Mapping[str, Any]) -> list[Found]:
    """The findings that no baseline accepts, the worst first."""
    return [finding for finding in sorted_findings(data) if not finding["accepted"]]


def accepted(data: Mapping[str, Any]) -> list[Found]:
    """The findings that a baseline accepts."""
    return [finding for finding in sorted_findings(data) if finding["accepted"]]


def together(findings: Sequence[Found]) -> list[list[Found]]:
    """Findings side by side that the same exchanges show under the same condition: most likely one cause."""
    groups: dict[tuple[Any, ...], list[Found]] = {}
    keys = ("severity", "operation", "side", "count", "condition", "confirmation", "reproduce")
    for place, finding in enumerate(findings):
        seen = finding["first_exchange"], finding["last_exchange"]
        own = () if finding["first_exchange"] else (place,)
        groups.setdefault((*(finding[key] for key in keys), *seen, *own), []).append(finding)
    return list(groups.values())


def price(suspicion: Mapping[str, Any]) -> str:
    """What clearing an open suspicion would cost."""
    return cost(suspicion["requests"], suspicion["images"])


def cost(requests: int, images: int) -> str:
    """``2 requests, 1 image``."""
    parts = [counted(requests, "request")]
    if images:
        parts.append(counted(images, "image"))
    return ", ".join(parts)


def cut(text: str, limit: int, told: str = FULL) -> str:
    """The text, or its beginning and where the rest is."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()}… ({told}: {len(text):,} characters)"


def counted(number: int, noun: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
