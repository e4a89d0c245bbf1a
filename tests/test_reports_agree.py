"""All formats tell the same findings, and none of them a key, whatever a server does with it."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from mockserver import reports
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Source, Violation
from mockserver.messages import Exchange, Request, Response
from mockserver.reports.masks import masked

EVERY = ("terminal", *reports.FORMATS)
KEY = 'sk-live/12"34+56\\78&long-enough'
KEYS = [KEY, "sk-0123456789abcdefghijklmnop", "short+/1"]


def found(name: str, severity: Severity, accepted: str = "") -> Finding:
    """A finding at a pointer of its own."""
    violation = Violation("body.type", severity, "response", "make", f"/body/{name}", f"{name} must be a string")
    return Finding(violation, ("e1", "e2"), "", "constant", "curl -sS http://127.0.0.1:1", accepted=accepted)


FOUND = (
    found("a", Severity.ERROR),
    found("b", Severity.ERROR),
    found("c", Severity.WARNING),
    found("d", Severity.INFO),
    found("e", Severity.ERROR, "known | to <us>"),
    found("f", Severity.INFO, "known as well"),
)
EXCHANGES = tuple(Exchange(name, Request("GET", "/"), Response(200)) for name in ("e1", "e2", "e3"))


def report(*findings: Finding, **fields: Any) -> Report:
    """A report of ``test`` with these findings."""
    return Report("test", "quickrouter", "http://127.0.0.1:1", "findings", findings, requests=3, **fields)


@pytest.mark.parametrize("form", EVERY)
def test_every_format_has_every_fingerprint(form: str) -> None:
    text = reports.text(form, report(*FOUND), exchanges=EXCHANGES)
    expected = {finding.violation.fingerprint for finding in FOUND}
    assert len(expected) == len(FOUND)
    assert set(re.findall(r"\b[0-9a-f]{16}\b", text)) == expected


def test_har_marks_the_exchanges_that_show_a_finding() -> None:
    entries = json.loads(reports.text("har", report(FOUND[0]), exchanges=EXCHANGES))["log"]["entries"]
    mark = [FOUND[0].violation.fingerprint]
    assert [entry["_findings"] for entry in entries] == [mark, mark, []]


def test_an_accepted_finding_fails_nothing_anywhere() -> None:
    """Its reason stands in every format for people."""
    made = report(FOUND[4])
    assert "<failure" not in reports.text("junit", made)
    assert "::error" not in reports.text("github", made)
    (result,) = json.loads(reports.text("sarif", made))["runs"][0]["results"]
    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "known | to <us>"},
    ]
    for form in ("terminal", "html", "junit", "github", "json", "ndjson"):
        assert "known | to" in reports.text(form, made), form


def test_findings_of_the_same_answers_share_their_command() -> None:
    text = reports.text("terminal", report(*FOUND[:2]))
    assert text.count("reproduce") == 1
    assert "2 times, constant; the 2 findings above, in the same answers" in text
    other = Finding(FOUND[1].violation, ("e3",), "", "constant", FOUND[1].reproduce)
    assert reports.text("terminal", report(FOUND[0], other)).count("reproduce") == 2


def spellings(key: str) -> Iterator[str]:
    """The key as servers echo it."""
    yield key
    yield json.dumps(key)
    yield json.dumps(json.dumps(key))
    yield "".join(f"\\u{ord(character):04x}" for character in key)
    yield key.replace("/", "\\/")
    yield quote(key, safe="")
    yield quote(key)
    yield re.sub("%..", lambda found: found.group().lower(), quote(key, safe=""))
    for user in ("", "u", "me", "you"):
        token = f"{user}:{key}".encode()
        yield "Basic " + base64.b64encode(token).decode()
        yield base64.urlsafe_b64encode(token).decode()


def traces(key: str) -> list[str]:
    """What must not stand in a report: the key's spellings, and pieces that would be enough to put it together."""
    inner = [base64.b64encode(b"x" * before + key.encode()).decode()[4:-4] for before in range(3)]
    return [key, json.dumps(key)[1:-1], quote(key, safe=""), key[:12], key[-12:], *inner]


@pytest.mark.parametrize("key", KEYS)
def test_no_spelling_of_a_key_is_left(key: str) -> None:
    for spelling in spellings(key):
        for text in (spelling, f'{{"a": "{spelling}"}}', f"{spelling}, {spelling}"):
            left = masked(text, [key])
            assert [trace for trace in traces(key) if trace in left] == [], (text, left)
            assert "***" in left


@pytest.mark.parametrize(
    "text",
    [
        KEY[:8] + "..." * 200_000,
        f"{KEY[:9]}...{KEY[:6]}" * 50_000,
        f"{base64.b64encode(KEY.encode()).decode()} " * 50_000,
        f"%{KEY}" * 50_000,
        "\\" * 1_000_000,
    ],
)
def test_masking_takes_no_time_to_speak_of(text: str) -> None:
    """An API that got the key can fill an answer with whatever makes a search slow."""
    started = time.perf_counter()
    left = masked(text, (KEY,))
    assert time.perf_counter() - started < 5
    assert KEY not in left
    assert f"{KEY[:8]}..." not in left


def test_a_key_that_a_quotation_cuts_is_masked() -> None:
    for length in range(6, len(KEY)):
        assert masked(f'"{KEY[:length]}... (90 characters)', [KEY]) == '"***... (90 characters)'
    assert masked("1, 2, ... and so on", [KEY]) == "1, 2, ... and so on"
    dotted = "eyJhbGci.eyJzdWI..c2lnbmF0dXJl"
    for length in range(6, len(dotted)):
        assert masked(f'"{dotted[:length]}..."', [dotted]) == '"***..."'
        spelt = "".join(f"\\u{ord(character):04x}" for character in dotted[:length])
        assert masked(f'"{spelt}..."', [dotted]) == '"***..."'


@pytest.mark.parametrize("code", ["\\u{:04x}", "\\\\u{:04X}", "%{:02x}"])
def test_a_key_in_codes_that_a_quotation_cuts_is_masked(code: str) -> None:
    spelt = "".join(code.format(ord(character)) for character in KEY)
    one = len(code.format(0))
    for length in range(6 * one, len(spelt)):
        assert masked(f'"{spelt[:length]}... (90 characters)', [KEY]) == '"***... (90 characters)'


@pytest.mark.parametrize("key", ["error", "rule", "findings", "response", "constant", "test", "name"])
def test_a_key_like_a_word_of_the_report_takes_nothing_apart(key: str) -> None:
    for form in EVERY:
        text = reports.text(form, report(*FOUND, open_suspicions=(OpenSuspicion("a", "b"),)), (key,), EXCHANGES)
        assert FOUND[0].violation.fingerprint in text


class _Echo(BaseHTTPRequestHandler):
    """Refuses everything and hands the key back in one spelling after the other."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[list[str]] = list(spellings(KEY))
    served = 0

    def do_POST(self) -> None:
        """Answer with a spelling in header and body; a refusal for most, a success now and then."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = type(self)
        spelling = kind.answers[kind.served % len(kind.answers)]
        kind.served += 1
        body = f'{{"id": "{spelling}", "error": {{"message": "Incorrect API key: {spelling}"}}}}'.encode()
        self.send_response(200 if kind.served % 4 == 0 else 400)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.send_header("X-Key", spelling)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """The same."""
        self.do_POST()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def echo() -> Iterator[str]:
    """The address of a server that echoes the key."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_that_echoes_the_key_gets_it_into_no_report(tmp_path: Path) -> None:
    targets = [f"--report={form}={tmp_path / form}" for form in reports.FORMATS]
    surroundings = {**os.environ, "QUICKROUTER_API_KEY": KEY, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    with echo() as address:
        done = subprocess.run(
            [sys.executable, "-m", "mockserver", "test", address, "--max-requests=40", *targets],
            env=surroundings,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )
    assert done.returncode == 1, done.stderr
    assert _Echo.served > 20
    texts = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(texts) == {*reports.FORMATS, "summary"}
    texts |= {"stdout": done.stdout, "stderr": done.stderr}
    for name, text in texts.items():
        assert [trace for trace in traces(KEY) if trace in text] == [], name
    assert "error.key-leaked" in texts["json"]


def test_a_server_that_echoes_the_key_gets_it_into_no_file_that_is_kept(tmp_path: Path) -> None:
    runs = {
        1: [f"--record={tmp_path / 'run.ndjson'}", f"--propose={tmp_path / 'proposal'}"],
        3: [f"--baseline={tmp_path / 'accepted.yaml'}", "--update-baseline"],  # nothing is accepted but by the baseline
    }
    for code, options in runs.items():
        with echo() as address:
            done = subprocess.run(
                [sys.executable, "-m", "mockserver", "test", address, "--max-requests=40", *options],
                env={**os.environ, "QUICKROUTER_API_KEY": KEY},
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=60,
            )
        assert done.returncode == code, done.stderr
    texts = {str(path): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file()}
    assert any("accepted.yaml" in name for name in texts)
    assert any("run.ndjson" in name for name in texts)
    codes = "".join(f"\\u{ord(character):04x}" for character in KEY[:12])
    for name, text in texts.items():
        assert [trace for trace in [*traces(KEY), codes] if trace in text.replace("\\\\", "\\")] == [], name


def test_ci_is_told_unasked_and_only_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(target))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    stream = io.StringIO()
    reports.annotate(report(*FOUND), stream)
    assert (stream.getvalue(), target.exists()) == ("", False)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    reports.annotate(report(*FOUND), stream)
    commands = [line.split(" ", 1)[0] for line in stream.getvalue().splitlines()]
    assert commands == ["::error", "::error", "::warning", *["::notice"] * 4]
    assert "### quickrouter" in target.read_text()


def test_the_suite_tells_ci_beside_a_report_on_stdout(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    done = subprocess.run(
        [sys.executable, "-m", "mockserver", "test", "--max-requests=3", "--max-images=1", "--report=json=-"],
        env={**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    verdict = json.loads(done.stdout)["verdict"]
    assert f"\n::notice title=quickrouter-contract::{verdict}: " in done.stderr
    assert summary.read_text(encoding="utf-8").count("### quickrouter-contract test") == 1


def test_no_answer_speaks_to_a_ci_runner() -> None:
    """GitHub obeys a line that begins with two colons, also behind blanks; long words are folded to such a line."""
    for width in range(60, 68):
        words = "x" * width + " ::stop-commands::a ##[error]b"
        violation = Violation("body.type", Severity.ERROR, "response", "make", "/body", words, words, words)
        text = reports.text("terminal", report(Finding(violation, ("e1",), also=(words,)), notes=(words,)))
        assert [line for line in text.splitlines() if line.lstrip().startswith(("::", "##["))] == []


def test_markdown_of_an_answer_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "a | b\n| c [x](https://x.example) **bold** `code` <img src=x> ![i](u) ~~~ #1 @name"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "s.md"))
    violation = Violation(
        "body.type", Severity.ERROR, "response", "make", "/body", words, words, words, Source(quote=words)
    )
    reports.write("github", str(tmp_path / "a.txt"), report(Finding(violation, ("e1",), reproduce="curl '```'")))
    rows = [line for line in (tmp_path / "s.md").read_text().splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [7, 7, 7]
    assert not re.search(r"(?<!\\)[\[*~!#]|<img", rows[2])
    text = (tmp_path / "s.md").read_text()
    assert text.count("````") == 2
    long = Violation("body.type", Severity.ERROR, "response", "make", "/body", "m", "d", "o" * 100_000)
    reports.write("github", str(tmp_path / "b.txt"), report(*[Finding(long, ("e1",), reproduce="c" * 100_000)] * 50))
    assert (tmp_path / "s.md").stat().st_size < 200_000
