"""The report as SARIF 2.1.0 (OASIS), for code scanning: every finding points at the keyword of the contract it breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mockserver import __version__
from mockserver.reports import summary
from mockserver.reports.places import place_of

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_NAMES = {"error": "an error", "warning": "a warning", "info": "a note"}
_WORD = re.compile("[a-z]+")


def text(data: Mapping[str, Any]) -> str:
    """One run with its rules and results."""
    findings = summary.sorted_findings(data)
    names = list(dict.fromkeys(finding["rule"] for finding in findings))
    run = {
        "tool": {
            "driver": {
                "name": "quickrouter-contract",
                "version": __version__,
                "rules": [_rule(name) for name in names],
            }
        },
        "invocations": [
            {
                "executionSuccessful": data["verdict"] != "inconclusive",
                "exitCodeDescription": summary.verdict(data),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, names.index(finding["rule"]), data) for finding in findings],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _rule(name: str) -> dict[str, Any]:
    rule = summary.rule(name)
    if rule is None:
        return {"id": name}
    severity = rule.severity.value
    help_text = (
        f"{rule.explanation} A breach is {_NAMES[severity]}. Each result says what the documentation says and where, "
    )
    help_text += "what came instead, under which condition, and gives a command that shows it again."
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in _WORD.findall(name)),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": help_text, "markdown": help_text},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(finding: Mapping[str, Any], index: int, data: Mapping[str, Any]) -> dict[str, Any]:
    place = place_of(finding, data)
    physical: dict[str, Any] = {"artifactLocation": {"uri": place.uri or "unknown"}}
    if place.line:
        physical["region"] = {"startLine": place.line}
    return {
        "ruleId": finding["rule"],
        "ruleIndex": index,
        "level": _LEVELS[finding["severity"]],
        "message": {"text": _message(finding)},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"fullyQualifiedName": place.pointer or "/", "kind": "member"}],
            }
        ],
        "partialFingerprints": {"contractFinding/v1": finding["fingerprint"]},
        "occurrenceCount": max(1, finding["count"]),
        "suppressions": _suppressions(finding),
        "properties": {
            key: finding[key]
            for key in ("side", "operation", "pointer", "documented", "observed", "condition", "source", "reproduce")
        },
    }


def _message(finding: Mapping[str, Any]) -> str:
    """Sentences for the place where code scanning shows one text and no properties."""
    parts = (
        f"{summary.where(finding)}: {finding['message']}",
        finding["condition"],
        finding["source"].get("quote", ""),
    )
    return "\n".join(part for part in parts if part)


def _suppressions(finding: Mapping[str, Any]) -> list[dict[str, str]]:
    """Present in every result, because an absent list would say that nobody knows (SARIF 3.27.23)."""
    if not finding["accepted"]:
        return []
    return [{"kind": "external", "status": "accepted", "justification": finding["accepted"]}]
