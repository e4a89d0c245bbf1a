"""Every format says the same, in its own way, and lets nothing through that a terminal, browser or reader obeys."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mockserver import library, reports
from mockserver.errors import RecordError
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Source, Violation
from mockserver.messages import Exchange, Request, Response

KEY = "sk-live-1234/5678+90"
PLACE = "quickrouter/models/create-image-request.json#/properties/n/maximum"
QUOTE = "要生成的图像数。必须介于 1 和 10 之间。" * 3
HOSTILE = (
    f"\x1b[31mred\x1b[0m \x07 \x9b2J \u202egnp.exe \u2028 \ud800 \x00 <script>alert(1)</script> ]]> {KEY} ::error::x"
)
COMMAND = (
    'curl -sS http://127.0.0.1:1/v1/make -H "Authorization: Bearer $QUICKROUTER_API_KEY" '
    "-H 'Content-Type: application/json' --data-binary '{\"a\": \"b -c\"}'"
)


def finding(severity: Severity = Severity.ERROR, text: str = "status 200", place: str = PLACE) -> Finding:
    """A finding whose every free text is ``text``."""
    source = Source("https://docs.example.com/page", "Body, row n", QUOTE, "high", "", place)
    violation = Violation(
        "looser.maximum", severity, "request", "make", "/body/n", text, "n must be at most 10", text, source, place, "n"
    )
    return Finding(violation, ("e1", "e2"), "only when size is auto", "constant", COMMAND, ("also " + text,))


def report(*findings: Finding, **fields: Any) -> Report:
    """A report of ``test`` with some numbers."""
    verdict = "findings" if findings else "clean"
    values = {"requests": 58, "accepted": 20, "images": 27, "cost_usd": 1.049, "seed": 7, "duration_s": 2.5}
    return Report(
        "test", "quickrouter", "http://127.0.0.1:1", **{"verdict": verdict, "findings": findings, **values, **fields}
    )


PAID = "58 requests, 27 images, about 1.05 USD"
OPEN = OpenSuspicion("refuses size auto", "the budget is spent", 2, 1)
EVERY = ("terminal", *reports.FORMATS)
HEADERS = (("Content-Type", "application/json"), ("Authorization", f"Bearer {KEY}"))
EXCHANGES = (
    Exchange(
        "e1",
        Request("POST", "/v1/make", f"a=1&key={KEY}", HEADERS, f'{{"a": "{KEY}"}}'.encode()),
        Response(
            200, (("Content-Type", "image/png"), ("X-Echo", KEY)), b"\x89PNG\xff" + KEY.encode(), "cut after 9 bytes"
        ),
        started=1_700_000_000.25,
        duration=0.5,
    ),
    Exchange("e2", Request("GET", "/v1/make"), None, f"connection refused for {KEY}"),
)


@pytest.mark.parametrize("form", EVERY)
def test_no_control_character_and_no_key_gets_through(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = report(
        finding(text=HOSTILE),
        open_suspicions=(OpenSuspicion(HOSTILE, HOSTILE),),
        notes=(HOSTILE,),
        reason=HOSTILE,
        details={"cleared_groups": [HOSTILE], "more": {HOSTILE: HOSTILE}},
    )
    reports.write(form, "-", hostile, (KEY,), EXCHANGES)
    text = capsys.readouterr().out
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028\ud800-\udfff]", text) == []
    assert KEY not in text
    assert "sk-live" not in text
    text.encode("utf-8")


@pytest.mark.parametrize("form", [form for form in EVERY if form != "har"])
def test_what_is_neutralised_stays_readable(form: str) -> None:
    assert "u001b[31mred" in reports.text(form, report(finding(text=HOSTILE)))


@pytest.mark.parametrize("form", EVERY)
def test_an_empty_report_has_every_format(form: str) -> None:
    assert reports.text(form, report(), exchanges=())


def test_json_has_the_binding_fields() -> None:
    data = json.loads(reports.text("json", report(finding())))
    fields = "version command contract target verdict requests accepted images cost_usd seed duration_s findings"
    assert set(fields.split()) <= set(data)
    assert (data["version"], data["verdict"], data["cost_usd"]) == (1, "findings", 1.049)
    members = "rule severity side operation pointer documented observed message source count fingerprint"
    (found,) = data["findings"]
    assert set(f"{members} first_exchange reproduce".split()) <= set(found)
    assert found["fingerprint"] == finding().violation.fingerprint
    assert found["source"]["quote"] == QUOTE


def test_a_fingerprint_survives_a_pointer_that_had_to_be_cleaned() -> None:
    """A baseline made from the report must fit the next run, whatever names the server sends."""
    odd = Violation("body.type", Severity.ERROR, "response", "make", "/body/\x1b[0m", "m")
    (found,) = json.loads(reports.text("json", report(Finding(odd, ("e1",)))))["findings"]
    assert found["fingerprint"] == odd.fingerprint
    assert found["pointer"] == "/body/\\u001b[0m"


def test_ndjson_is_one_object_per_line() -> None:
    made = report(
        finding(), finding(Severity.INFO), open_suspicions=(OPEN,), cleared=9, details={"trials": [{"number": 1}]}
    )
    lines = [json.loads(line) for line in reports.text("ndjson", made).splitlines()]
    assert [line["type"] for line in lines] == ["finding", "finding", "suspicion", "trial", "summary"]
    assert (lines[-1]["requests"], lines[-1]["cleared"], lines[-1]["findings"]) == (58, 9, 2)


def junit(made: Report) -> ElementTree.Element:
    """The suite of a JUnit report, once its numbers are proven."""
    root = ElementTree.fromstring(reports.text("junit", made))
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    for number, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert suite.get(number) == root.get(number) == str(len(suite.findall(f"testcase/{tag}")))
    assert all(case.get("name") and case.get("classname") and case.get("time") for case in suite)
    return suite


def test_junit_has_a_case_per_finding_group_and_suspicion() -> None:
    suite = junit(
        report(
            finding(),
            finding(Severity.WARNING),
            open_suspicions=(OPEN,),
            details={"cleared_groups": ["refusals of n", {"name": "texts"}]},
        )
    )
    names = [case.get("name", "") for case in suite]
    assert [name.split(" [")[0] for name in names] == [
        "looser.maximum /body/n",
        "looser.maximum /body/n",
        "refusals of n",
        "texts",
        "refuses size auto",
        "verdict",
    ]
    (failure,) = suite.findall("testcase/failure")
    assert QUOTE in (failure.text or "")
    (skipped,) = suite.findall("testcase/skipped")
    assert "2 requests, 1 image" in skipped.get("message", "")


def test_junit_fails_what_fails_the_command() -> None:
    warning = finding(Severity.WARNING)
    assert junit(report(warning)).get("failures") == "0"
    assert junit(report(warning, details={"fail_on": "warning"})).get("failures") == "1"
    accepted = junit(report(replace(finding(), accepted="a ticket")))
    assert accepted.get("failures") == "0"
    assert "accepted: a ticket" in (accepted.findtext("testcase/system-out") or "")
    inconclusive = junit(report(verdict="inconclusive", reason="the key was refused"))
    assert inconclusive.get("errors") == "1"


def test_sarif_points_at_the_line_of_the_keyword(monkeypatch: pytest.MonkeyPatch) -> None:
    file = library.bundled_root() / "quickrouter" / "models" / "create-image-request.json"
    monkeypatch.chdir(library.bundled_root().parent)
    document = json.loads(reports.text("sarif", report(finding(), finding(place=PLACE + "?required"))))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["looser.maximum"]
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("looser.maximum", 0, "error")
    (location,) = first["locations"]
    physical = location["physicalLocation"]
    assert Path(physical["artifactLocation"]["uri"]).resolve() == file.resolve()
    line = file.read_text(encoding="utf-8").splitlines()[physical["region"]["startLine"] - 1]
    assert '"maximum": 10' in line
    assert second["locations"][0]["physicalLocation"]["region"] == physical["region"]


SARIF = {
    "": {"$schema", "version", "runs"},
    "run": {"tool", "invocations", "columnKind", "results"},
    "rule": {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"},
    "result": {
        *("ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "occurrenceCount"),
        *("suppressions", "properties"),
    },
}
"""Members of ours that the schema of SARIF 2.1.0 (errata 01) knows; it allows no others."""


def test_sarif_has_the_members_of_its_schema() -> None:
    odd = replace(finding(Severity.INFO), violation=replace(finding(Severity.INFO).violation, rule="nobody.knows"))
    made = report(finding(), finding(Severity.WARNING), odd, replace(finding(), accepted="a ticket"))
    document = json.loads(reports.text("sarif", made))
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert set(document) == SARIF[""]
    assert set(run) == SARIF["run"]
    assert set(driver) == {"name", "version", "rules"}
    assert [set(rule) for rule in driver["rules"]] == [SARIF["rule"], {"id"}]
    assert driver["rules"][0]["help"].keys() == {"text", "markdown"}
    assert driver["rules"][0]["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
    for result in run["results"]:
        assert set(result) == SARIF["result"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert set(result["message"]) == {"text"}
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
        (location,) = result["locations"]
        assert set(location) == {"physicalLocation", "logicalLocations"}
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert re.fullmatch(r"[^\s<>\"{}|\\^`]+", location["physicalLocation"]["artifactLocation"]["uri"])
    assert [len(result["suppressions"]) for result in run["results"]] == [0, 0, 0, 1]


def test_sarif_falls_back_to_the_source_and_to_the_contract() -> None:
    """Some findings are about no single keyword; code scanning shows none without a file."""
    source = Source(place="quickrouter/models/create-image-request.json#/properties/n")
    sourced = replace(finding(place="make/n"), violation=replace(finding(place="make/n").violation, source=source))
    bare = replace(finding(place="rule:x"), violation=replace(finding(place="rule:x").violation, source=Source()))
    results = json.loads(reports.text("sarif", report(sourced, bare)))["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert [Path(place["artifactLocation"]["uri"]).name for place in places] == [
        "create-image-request.json",
        "openapi.json",
    ]
    assert places[1]["region"] == {"startLine": 1}


def test_sarif_of_a_contract_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file outside the working directory is named by a URI; one that is gone keeps its own words."""
    folder = tmp_path / "my api"
    folder.mkdir()
    (folder / "openapi.json").write_text('{\n  "openapi": "3.1.0",\n  "paths": {}\n}')
    monkeypatch.chdir(library.bundled_root())
    found = (finding(place="my api/openapi.json#/paths"), finding(place="my api/gone.json#/a"), finding(place=""))
    made = report(*found, details={"contract_file": str(folder)})
    results = json.loads(reports.text("sarif", made))["runs"][0]["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert places[0] == {
        "artifactLocation": {"uri": (folder / "openapi.json").resolve().as_uri()},
        "region": {"startLine": 3},
    }
    assert places[1] == {"artifactLocation": {"uri": "my%20api/gone.json"}}
    assert places[2] == {"artifactLocation": {"uri": "unknown"}}


def test_github_annotations_and_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.chdir(library.bundled_root().parent)
    target = tmp_path / "annotations.txt"
    text = "50%, a:b\n::stop-commands::x <b>|"
    reports.write("github", str(target), report(finding(text=text), finding(Severity.INFO)))
    lines = target.read_text().splitlines()
    assert [line.split(" ", 1)[0] for line in lines] == ["::error", "::notice", "::notice"]
    assert re.search(
        r",file=\S*create-image-request\.json,line=\d+::make, request /body/n: 50%25, a:b%0A::stop", lines[0]
    )
    written = summary.read_text()
    assert written.startswith("before\n### quickrouter-contract test")
    assert "&lt;b&gt;|" in written
    assert "<b>" not in written


def test_har_keeps_every_exchange_and_no_key() -> None:
    log = json.loads(reports.text("har", report(), (KEY,), EXCHANGES))["log"]
    assert log["version"] == "1.2"
    first, second = log["entries"]
    assert (first["startedDateTime"], first["time"]) == ("2023-11-14T22:13:20.250+00:00", 500.0)
    assert first["request"]["url"].startswith("http://127.0.0.1:1/v1/make?a=1&key=")
    assert first["request"]["postData"]["mimeType"] == "application/json"
    content = first["response"]["content"]
    body = base64.b64decode(content["text"])
    assert (content["encoding"], body[:5], KEY.encode() in body) == ("base64", b"\x89PNG\xff", False)
    assert first["response"]["_cut"] == "cut after 9 bytes"
    assert (second["response"]["status"], second["_failure"][:18]) == (0, "connection refused")
    needed = {"startedDateTime", "time", "request", "response", "cache", "timings"}
    assert needed <= set(first) & set(second)
    assert set(first["timings"]) == {"send", "wait", "receive"}
    parts = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize"}
    assert parts <= set(second["response"])


def test_har_has_no_cookie_that_the_api_sets_and_is_for_nobody_else(tmp_path: Path) -> None:
    answer = Response(200, (("Set-Cookie", "sid=topsecret; Path=/; Max-Age=3600"),), b"{}")
    target = tmp_path / "run.har"
    reports.write("har", str(target), report(), (KEY,), [replace(EXCHANGES[0], response=answer)])
    (entry,) = json.loads(target.read_text())["log"]["entries"]
    assert entry["response"]["headers"] == [{"name": "Set-Cookie", "value": "sid=***; Path=/; Max-Age=3600"}]
    assert target.stat().st_mode & 0o077 == 0


def test_har_needs_exchanges() -> None:
    with pytest.raises(RecordError, match="keeps none"):
        reports.text("har", report())


def test_an_unwritable_path_is_told_before_anything_is_paid(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "r.json"):
        with pytest.raises(RecordError, match="cannot be written"):
            reports.check_writable("json", str(path))
    with pytest.raises(RecordError, match="no report format 'yaml'; there are json"):
        reports.check_writable("yaml", "-")
    reports.check_writable("json", str(tmp_path / "new.json"))
    assert list(tmp_path.iterdir()) == []


def test_checking_keeps_what_is_there(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("yesterday")
    reports.check_writable("json", str(kept))
    assert kept.read_text() == "yesterday"
    reports.write("json", str(kept), report())
    assert json.loads(kept.read_text())["verdict"] == "clean"
