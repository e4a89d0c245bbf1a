"""The report as SARIF 2.1.0 (OASIS), for code scanning: every finding points at the keyword of the contract it breaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mockserver import __version__
from mockserver.reports import summary
from mockserver.reports.places import locate
from mockserver.rules import rule_for

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


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
    try:
        rule = rule_for(name)
    except KeyError:
        return {"id": name}
    return {
        "id": name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "defaultConfiguration": {"level": _LEVELS[rule.severity.value]},
    }


def _result(finding: Mapping[str, Any], index: int, data: Mapping[str, Any]) -> dict[str, Any]:
    place = locate(finding["schema"], data)
    physical: dict[str, Any] = {"artifactLocation": {"uri": place.uri or "unknown"}}
    if place.line:
        physical["region"] = {"startLine": place.line}
    return {
        "ruleId": finding["rule"],
        "ruleIndex": index,
        "level": _LEVELS[finding["severity"]],
        "message": {"text": f"{summary.where(finding)}: {finding['message']}"},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"fullyQualifiedName": place.pointer or "/", "kind": "member"}],
            }
        ],
        "partialFingerprints": {"contractFinding/v1": finding["fingerprint"]},
        "occurrenceCount": max(1, finding["count"]),
        "properties": {
            key: finding[key]
            for key in ("side", "operation", "pointer", "documented", "observed", "condition", "source", "reproduce")
        },
    }
