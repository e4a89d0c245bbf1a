"""``check``: recorded traffic judged as live traffic is, nobody accused for what a record left out."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from test_cli import run

from mockserver import openapi
from mockserver.cassette import Cassette
from mockserver.cli import main
from mockserver.messages import Exchange, Request, Response
from mockserver.redaction import Redactor

KEY = "sk-check-0a1b2c3d4e5f"
API = "https://api.quickrouter.ai/v1/images/generations"
ASKED = {"prompt": "a cat", "n": 1, "size": "auto", "model": "gpt-image-1.5"}
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1795428001,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
}


def entry(
    asked: Any = ASKED, answer: Any = ANSWER, *, url: str = API, method: str = "POST", status: int = 200, **changes: Any
) -> dict[str, Any]:
    def named(**headers: str) -> list[dict[str, str]]:
        return [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]

    kind = "application/json"
    given = {"Authorization": f"Bearer {KEY}"} if changes.pop("key", True) else {}
    given |= changes.pop("headers", {})
    content = {"size": 9, "mimeType": kind} | ({"text": json.dumps(answer)} if answer is not None else {})
    posted = {"postData": {"mimeType": kind, "text": json.dumps(asked)}} if asked is not None else {"bodySize": 80}
    return {
        "startedDateTime": "2026-11-23T10:00:00Z",
        "time": 1000,
        "request": {
            "method": method,
            "url": url,
            "headers": named(Content_Type=kind, Accept=kind, **given),
            **posted,
        },
        "response": {"status": status, "headers": named(Content_Type=kind), "content": content, **changes},
    }


def archive(path: Path, *entries: dict[str, Any]) -> str:
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")
    return str(path)


def checked(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON report of one run in this process."""
    report = tmp_path / "report.json"
    report.unlink(missing_ok=True)
    code = main(["check", *arguments, "--report", f"json={report}"])
    text = report.read_text() if report.exists() else "{}"
    assert KEY not in text
    return code, json.loads(text)


def rules(report: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(finding["rule"], finding["severity"], finding["pointer"]) for finding in report["findings"]}


def test_a_clean_record(tmp_path: Path) -> None:
    code, report = checked(tmp_path, archive(tmp_path / "t.har", entry(), entry(answer={**ANSWER, "id": "2"})))
    assert (code, report["verdict"], report["findings"]) == (0, "clean", [])
    assert (report["requests"], report["accepted"], report["images"]) == (2, 2, 2)
    assert report["cost_usd"] > 0


def test_findings_of_both_sides_and_drift_as_information(tmp_path: Path) -> None:
    answer = {**ANSWER, "usage": {**ANSWER["usage"], "total_tokens": "21"}}
    code, report = checked(tmp_path, archive(tmp_path / "t.har", entry({**ASKED, "n": 11, "quality": "hd"}, answer)))
    assert code == 1
    assert rules(report) >= {
        ("body.maximum", "error", "/body/n"),
        ("body.type", "error", "/body/usage/total_tokens"),
        ("looser.maximum", "info", "/body/n"),
        ("body.undocumented", "info", "/body/quality"),
    }
    (first,) = [finding for finding in report["findings"] if finding["rule"] == "body.maximum"]
    assert "介于 1 和 10 之间" in first["source"]["quote"]
    assert "$QUICKROUTER_API_KEY" in first["reproduce"]
    assert first["first_exchange"].endswith("t.har#1")


def test_a_valid_request_that_was_refused_is_information(tmp_path: Path) -> None:
    refusal = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
    code, report = checked(tmp_path, archive(tmp_path / "t.har", entry(answer=refusal, status=400)))
    assert (code, rules(report)) == (0, {("stricter.refused", "info", "/status")})
    code, report = checked(tmp_path, archive(tmp_path / "t.har", entry({}, refusal, status=400)))
    assert ("stricter.refused", "info", "/status") not in rules(report)


def test_what_an_archive_leaves_out_accuses_nobody(tmp_path: Path) -> None:
    gaps = (
        entry(None, ANSWER),
        entry(answer=None),
        entry(key=False, answer={**ANSWER, "id": "3"}),
        {**entry(), "response": {"status": 0, "_error": "net::ERR_ABORTED"}},
        entry(answer={**ANSWER, "id": "4", "choices": ANSWER["choices"] * 2}) | {"request": entry(None)["request"]},
    )
    code, report = checked(tmp_path, archive(tmp_path / "t.har", *gaps))
    assert (code, report["verdict"]) == (0, "clean")
    assert {(rule, severity) for rule, severity, _ in rules(report)} <= {
        ("security.missing", "info"),
        ("wire.failure", "info"),
        ("meaning.positions", "warning"),
    }
    refused = entry(key=False, status=401, answer={"error": {"message": "m", "type": "t", "param": None, "code": None}})
    code, report = checked(tmp_path, archive(tmp_path / "t.har", refused))
    assert ("security.missing", "error", "/headers/Authorization") in rules(report)


def test_foreign_entries_are_skipped_and_counted(tmp_path: Path) -> None:
    preflight = entry(method="OPTIONS", headers={"Access_Control_Request_Method": "POST"})
    foreign = [entry(url=f"https://cdn.example/{name}") for name in ("a.js", "v1/models", "generations")]
    odd = [entry(url=url) for url in ("data:text/plain,hello", "chrome-extension://abc/v1", "wss://a.example/x")]
    code, report = checked(tmp_path, archive(tmp_path / "t.har", preflight, *foreign, *odd, entry()))
    assert code == 0
    assert report["files"] == [
        {"file": str(tmp_path / "t.har"), "verdict": "clean", "judged": 1, "skipped": 7, "findings": 0}
    ]


def test_nothing_for_the_contract_is_inconclusive(tmp_path: Path) -> None:
    foreign = archive(tmp_path / "f.har", entry(url="https://api.other.example/v1/models"))
    clean = archive(tmp_path / "c.har", entry())
    code, report = checked(tmp_path, foreign)
    assert (code, report["verdict"]) == (3, "inconclusive")
    assert any("api.other.example" in note for note in report["notes"])
    assert checked(tmp_path, foreign, clean)[0] == 3
    (tmp_path / "empty.ndjson").write_text("")
    assert checked(tmp_path, str(tmp_path / "empty.ndjson"))[0] == 3
    code, report = checked(tmp_path, foreign, "--host", "API.other.example")
    assert (code, rules(report)) == (1, {("path.unknown", "error", "/path")})


def test_paths_behind_other_addresses_and_prefixes(tmp_path: Path) -> None:
    urls = ("https://relay.example/v1/images/generations", "http://127.0.0.1:1/up/x/v1/images/generations?a=1")
    code, report = checked(tmp_path, archive(tmp_path / "t.har", *(entry(url=url) for url in urls)))
    assert (code, report["requests"]) == (0, 2)
    assert any("unknown prefix /up/x" in note for note in report["notes"])
    wrong = archive(tmp_path / "w.har", entry(url=API[:-1]), entry(method="GET"))
    assert rules(checked(tmp_path, wrong)[1]) == {("path.unknown", "error", "/path"), ("path.method", "error", "/path")}


def test_a_long_path_of_slashes_costs_no_time(tmp_path: Path) -> None:
    url = "https://a.example" + "/" * 50_000 + "generations"
    started = time.perf_counter()
    assert checked(tmp_path, archive(tmp_path / "t.har", *[entry(url=url)] * 50))[0] == 3
    assert time.perf_counter() - started < 10


def recorded(path: Path, *exchanges: Exchange) -> str:
    record = Cassette(str(path), Redactor(openapi.load("quickrouter")))
    for one in exchanges:
        record.write(one)
    record.close()
    return str(path)


def exchange(identifier: str, body: Any = ASKED, **changes: Any) -> Exchange:
    headers = (("Content-Type", "application/json"), ("Accept", "*/*"), ("Authorization", f"Bearer {KEY}"))
    request = Request("POST", "/v1/images/generations", "", headers, json.dumps(body).encode())
    kind = (("Content-Type", "application/json"), ("Set-Cookie", f"a={KEY}"))
    answer = Response(200, kind, json.dumps({**ANSWER, "id": identifier}).encode())
    return Exchange(identifier, **{"request": request, "response": answer, "started": 1795428000.0, **changes})


def test_ndjson_is_judged_strictly_and_a_cut_end_is_noted(tmp_path: Path) -> None:
    file = Path(recorded(tmp_path / "t.ndjson", exchange("a"), exchange("b", response=None, failure="timeout")))
    code, report = checked(tmp_path, str(file))
    assert (code, rules(report)) == (1, {("wire.timeout", "error", "/status")})
    with file.open("ab") as out:
        out.write(b'{"id": "c", "requ')
    _, report = checked(tmp_path, str(file))
    assert any("the last line is cut" in note for note in report["notes"])


def test_folders_stdin_and_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder" / "deep"
    folder.mkdir(parents=True)
    recorded(folder / "a.ndjson", exchange("a"))
    archive(folder / "b.har", entry({**ASKED, "n": 0}))
    (folder / "ignored.txt").write_text("x")
    code, report = checked(tmp_path, str(tmp_path / "folder"), str(folder / "a.ndjson"))
    assert (code, [row["verdict"] for row in report["files"]]) == (1, ["clean", "findings", "clean"])
    raw = (folder / "b.har").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(raw))))
    code, report = checked(tmp_path, "-")
    assert (code, report["files"][0]["file"]) == (1, "stdin")


def test_single_bodies(tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text(json.dumps(ASKED))
    assert checked(tmp_path, "--as", "request", str(file))[0] == 0
    file.write_text('{"prompt": "x", "prompt": "y", "n": 1.5, "size": "auto"}')
    code, report = checked(tmp_path, "--as", "request", "--operation", "createImage", str(file))
    assert code == 1
    assert {rule for rule, _, _ in rules(report)} == {"json.duplicate-key"}
    file.write_text(json.dumps({**ANSWER, "choices": ANSWER["choices"] * 3}))
    code, report = checked(tmp_path, "--as", "response", str(file))
    assert (code, {rule for rule, _, _ in rules(report)}) == (0, {"meaning.positions"})
    file.write_text("")
    assert rules(checked(tmp_path, "--as", "response", str(file))[1]) == {("json.empty", "error", "/body")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such.har"], "no-such.har cannot be read: No such file"),
        (["--status", "200", "{file}"], "--operation and --status describe a single body"),
        (["--as", "request", "--operation", "nope", "{file}"], "has no operation 'nope'; it has createImage"),
        (["{file}"], "needs --as request or --as response"),
        (["{folder}"], "holds no .har, .ndjson, .jsonl, .har.zip file"),
        (["{file}", "--report", "har=-"], "the exchanges need a file"),
        (["{file}", "--report", "json=/no/such/folder/x"], "cannot be written"),
        ([], "Missing argument"),
    ],
)
def test_usage_errors_are_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "body.json").write_text('{"a":\n1}')
    (tmp_path / "empty").mkdir()
    names = {"file": str(tmp_path / "body.json"), "folder": str(tmp_path / "empty")}
    done = run("check", *(argument.format(**names) for argument in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_every_format_of_report(tmp_path: Path) -> None:
    file = archive(tmp_path / "t.har", entry({**ASKED, "n": 11}))
    formats = ("json", "junit", "ndjson", "sarif", "html", "github", "har")
    targets = [f"--report={form}={tmp_path / f'r.{form}'}" for form in formats]
    done = run("check", file, *targets)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("findings: ")
    for form in formats:
        text = (tmp_path / f"r.{form}").read_text()
        assert KEY not in text
        assert "11" in text
    assert len(json.loads((tmp_path / "r.har").read_text())["log"]["entries"]) == 1
