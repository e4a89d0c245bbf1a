"""The report for people at a terminal: it fits, errors stand out, and nothing that is long drowns a finding."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rich.cells import cell_len

from mockserver import reports
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Source, Violation
from mockserver.reports.commands import broken

QUOTE = "要生成的图像数。必须介于 1 和 10 之间。" * 3
PAID = "58 requests, 27 images, about 1.05 USD"
COMMAND = (
    'curl -sS http://127.0.0.1:1/v1/make -H "Authorization: Bearer $QUICKROUTER_API_KEY" '
    "-H 'Content-Type: application/json' --data-binary '{\"a\": \"b -c\"}'"
)


def finding(severity: Severity = Severity.ERROR, text: str = "status 200", **fields: Any) -> Finding:
    """A finding whose every free text is ``text``."""
    source = Source("https://docs.example.com/page", "Body, row n", QUOTE, "high")
    violation = Violation(
        "looser.maximum", severity, "request", "make", "/body/n", text, "n must be at most 10", text, source, "a/b#/c"
    )
    values = {"condition": "only when size is auto", "confirmation": "constant", "reproduce": COMMAND, **fields}
    return Finding(violation, ("e1", "e2"), **values)


def report(*findings: Finding, **fields: Any) -> Report:
    """A report of ``test`` with some numbers."""
    verdict = "findings" if findings else "clean"
    values = {"requests": 58, "accepted": 20, "images": 27, "cost_usd": 1.049, "seed": 7, "duration_s": 2.5}
    return Report(
        "test", "quickrouter", "http://127.0.0.1:1", **{"verdict": verdict, "findings": findings, **values, **fields}
    )


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty columns, no colour."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def test_the_terminal_report_fits_eighty_columns() -> None:
    many = tuple(OpenSuspicion(f"suspicion {n}", "the budget is spent", 1, 0) for n in range(40))
    text = reports.text("terminal", report(finding(text="a" * 200), open_suspicions=many))
    assert [line for line in text.splitlines() if cell_len(line) > 80] == []
    assert "Accepts what the page forbids" in text
    assert re.sub(r"\s", "", QUOTE) in re.sub(r"\s", "", text)
    for said in ("make, request /body/n", "n must be at most 10", "2 times, constant, only when size is auto"):
        assert said in text
    assert "Not tested (40)" in text
    assert "and 37 more" in text
    assert " ".join(text.splitlines()[-2:]) == f"findings: 1 error; {PAID}; 40 suspicions not tested"


def test_the_command_can_be_pasted_as_it_stands() -> None:
    text = reports.text("terminal", report(finding()))
    pasted = text.partition("reproduce\n")[2].partition("\n\n")[0]
    assert re.sub(r" \\\n\s+", " ", pasted).strip() == COMMAND


def test_the_verdict_is_the_last_line() -> None:
    assert reports.text("terminal", report()) == "clean: 58 requests, 27 images, about 1.05 USD\n"
    ended = report(verdict="inconclusive", reason="the key was refused", requests=1, images=0, cost_usd=None)
    assert reports.text("terminal", ended) == "inconclusive: 1 request (the key was refused)\n"


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = reports.text("terminal", report(finding()))
    assert "\x1b[1;31mERROR" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    plain = reports.text("terminal", report(finding()))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_what_counts_comes_first_and_the_verdict_last() -> None:
    found = [finding(Severity.INFO, "a note"), finding(text="known", accepted="ticket 7"), finding(text="broken")]
    text = reports.text("terminal", report(*found, open_suspicions=(OpenSuspicion("make x", "no room"),), notes=("n",)))
    places = [text.index(word) for word in ("broken", "a note", "known", "ticket 7", "make x", "note:", "findings: ")]
    assert places == sorted(places)
    note = text[text.index("INFO") : text.index("Accepted by the baseline (1)")].strip().splitlines()
    assert len(note) <= 3
    assert text.count("reproduce") == 1


def test_long_texts_are_cut_and_say_where_the_rest_is() -> None:
    command = "curl -sS http://127.0.0.1:1 --data-binary '" + "x" * 5000 + "'"
    text = reports.text("terminal", report(finding(text="y" * 5000, reproduce=command, also=("z" * 5000,))))
    assert len(text) < 4500
    assert re.search(r"\(5,\d{3}\s+characters;\s+full\s+line\s+in\s+the\s+JSON\s+report\)", text)
    assert "full text in the JSON report" in " ".join(text.split())
    assert text.splitlines()[-1] == f"findings: 1 error; {PAID}"


def test_open_suspicions_are_grouped_by_reason_with_their_price() -> None:
    spent = [OpenSuspicion(f"make accepts {n}", f"{n} more would pass the limit of 4 images", 1, n) for n in (1, 2, 10)]
    left = (*spent, OpenSuspicion("make refuses x", "no room within --max-requests", 1, 0))
    text = " ".join(reports.text("terminal", report(open_suspicions=left)).split())
    assert "3 1 to 10 more would pass the limit of 4 images (at most 3 requests, 13 images)" in text
    assert "make: accepts 1; accepts 2; accepts 10 1 no room within --max-requests (1 request) make refuses x" in text
    assert text.endswith(f"clean: {PAID}; 4 suspicions not tested")


@pytest.mark.parametrize(
    "command",
    [
        COMMAND,
        "curl -H 'a -b' --data-binary $'it\\'s -x \\\\' -H \"c \\\" -d\" --end",
        r"curl --data-binary 'back\' -H 'next -x'",
        "curl",
    ],
)
def test_a_command_is_broken_outside_quotes_alone(command: str) -> None:
    lines = broken(command)
    assert " ".join(line.removesuffix(" \\").strip() for line in lines) == command
    assert all(line.strip().startswith("-") for line in lines[1:])
    assert not any(re.match(r"\s*-[bdx]\b", line) for line in lines)
