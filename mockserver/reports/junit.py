"""The report as JUnit XML, as CI servers read it: findings fail, cleared groups pass, open suspicions are skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as Tree

from mockserver.findings import Severity
from mockserver.reports import summary


def text(data: Mapping[str, Any]) -> str:
    """One suite with one case per finding, per cleared group (``details["cleared_groups"]``) and open suspicion.

    Findings below ``details["fail_on"]`` (``error`` unless said), and those that a baseline accepts, pass and carry their
    text as output.
    """
    suite = Tree.Element("testsuite", {"name": f"{data['command']} {data['contract']}".strip()})
    limit = Severity(data.get("fail_on") or "error").rank
    for finding in summary.sorted_findings(data):
        case = _case(suite, data, f"{finding['rule']} {finding['pointer']} [{finding['fingerprint']}]", finding)
        if Severity(finding["severity"]).rank >= limit and not finding["accepted"]:
            failure = Tree.SubElement(case, "failure", {"message": finding["message"], "type": finding["severity"]})
            failure.text = _body(finding)
        else:
            Tree.SubElement(case, "system-out").text = _body(finding)
    for group in data.get("cleared_groups") or ():
        _case(suite, data, group["name"] if isinstance(group, Mapping) else str(group), group)
    for suspicion in data["suspicions"]["open"]:
        case = _case(suite, data, suspicion["name"], suspicion)
        message = f"not tested: {suspicion['reason']}; it would take {summary.price(suspicion)}"
        Tree.SubElement(case, "skipped", {"message": message})
    verdict = _case(suite, data, "verdict", {})
    if data["verdict"] == "inconclusive":
        Tree.SubElement(verdict, "error", {"message": summary.verdict(data), "type": "inconclusive"})
    Tree.SubElement(verdict, "system-out").text = summary.verdict(data)
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    numbers = {name: str(len(suite.findall(f"testcase/{tag}"))) for name, tag in counts.items()}
    numbers |= {"tests": str(len(suite)), "time": f"{data['duration_s']:.3f}"}
    for name, value in numbers.items():
        suite.set(name, value)
    root = Tree.Element("testsuites", {"name": "quickrouter-contract", **numbers})
    root.append(suite)
    Tree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Tree.tostring(root, encoding="unicode") + "\n"


def _case(suite: Tree.Element, data: Mapping[str, Any], name: str, owner: Any) -> Tree.Element:
    operation = owner.get("operation", "") if isinstance(owner, Mapping) else ""
    classname = ".".join(part for part in (data["contract"].replace(".", "_"), operation) if part)
    return Tree.SubElement(suite, "testcase", {"classname": classname, "name": name, "time": "0"})


def _body(finding: Mapping[str, Any]) -> str:
    rows = {
        "accepted": finding["accepted"] or "",
        "rule": f"{summary.title(finding['rule'])} ({finding['rule']})",
        "where": summary.where(finding),
        "documented": finding["documented"],
        "quote": finding["source"].get("quote", ""),
        "source": summary.citation(finding["source"]),
        "came": finding["observed"],
        "how often": summary.frequency(finding),
        "fingerprint": finding["fingerprint"],
        "reproduce": finding["reproduce"],
    }
    return "\n".join(f"{label}: {value}" for label, value in rows.items() if value)
