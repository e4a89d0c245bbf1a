"""The HTML report: one page that loads nothing, runs nothing, can be read by everybody, and shows what the run bought."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import itertools
import re
from typing import Any

import pytest

from mockserver import reports
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Source, Violation
from mockserver.reports import style

HOSTILE = "</style><script>alert(1)</script> \"' onmouseover=x <img src=//x.example> &lt; \x1b[31m ]]> \u202e"
QUOTE = "要生成的图像数。必须介于 1 和 10 之间。"
PAGE = "https://docs.example.com/page"
VOID = frozenset({"meta", "br"})


def finding(name: str, severity: Severity = Severity.ERROR, text: str = "it is absent", accepted: str = "") -> Finding:
    """A finding at a pointer of its own, with a source."""
    source = Source(PAGE, "Body, row n", QUOTE, "high", "", "quickrouter/openapi.json#/paths")
    violation = Violation(
        "body.type", severity, "response", "make", f"/body/{name}", text, text, text, source, "a/b#/c"
    )
    return Finding(violation, ("e1", "e9"), "only when n is 2", "constant", f"curl {text}", accepted=accepted)


def trial(number: int, images: int, usd: float, cleared: int, *clears: str, **fields: Any) -> dict[str, Any]:
    """A trial as the suite tells it, with running totals."""
    numbers = {"number": number, "images": images, "usd": usd, "cleared": cleared, "clears": list(clears)}
    words = {"exchange": f"e{number}", "name": f"probe {number}", "expected": "refused", "outcome": "refused"}
    return {**numbers, **words, "status": 400, "duration_s": 0.1, **fields}


TRIALS = [
    trial(1, 0, 0.0, 1, "a"),
    trial(2, 0, 0.0, 3, "b", "c"),
    trial(3, 4, 0.2, 4, "d", expected="accepted", outcome="accepted", status=200),
    trial(4, 5, 0.25, 4, outcome="accepted", status=200),
]


def report(*findings: Finding, **fields: Any) -> Report:
    """A report of ``test``."""
    values = {"requests": 58, "accepted": 20, "images": 27, "cost_usd": 1.049, "seed": 7, "duration_s": 2.5}
    verdict = "findings" if findings else "clean"
    return Report(
        "test", "quickrouter", "http://127.0.0.1:1", **{"verdict": verdict, "findings": findings, **values, **fields}
    )


class _Page(html.parser.HTMLParser):
    """Collects elements with their attributes, and the text; fails where elements are not nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, attribute: str) -> list[str]:
        """The values that an attribute has anywhere."""
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


FULL = report(
    finding("a", text=HOSTILE),
    finding("b", text=HOSTILE),
    finding("c", Severity.INFO),
    finding("d", accepted=f"known {HOSTILE}"),
    open_suspicions=(OpenSuspicion(f"make {HOSTILE}", HOSTILE, 2, 1), OpenSuspicion("make b", "no room", 1)),
    notes=(HOSTILE,),
    details={"trials": [{**one, "name": HOSTILE, "clears": [HOSTILE, HOSTILE]} for one in TRIALS]},
)


def test_the_page_is_well_nested_and_loads_and_runs_nothing() -> None:
    page = _Page(reports.text("html", FULL))
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "form", "input", "base"})
    assert {name for _, attributes in page.elements for name in attributes if name.startswith("on")} == set()
    assert page.values("src") == page.values("style") == []
    inside = {f"#{value}" for value in page.values("id")}
    assert set(page.values("href")) <= {PAGE, *inside}
    assert len(page.values("id")) == len(set(page.values("id"))) == 4
    words = "".join(page.words)
    assert "<script>alert(1)</script>" in words
    assert "\\u001b[31m" in words
    assert QUOTE in words


def test_the_policy_allows_this_style_and_nothing_else() -> None:
    text = reports.text("html", FULL)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    (sheet,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert policy is not None
    assert policy[1].split("; ")[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    for needed in ("prefers-color-scheme: dark", "max-width: 44rem"):
        assert needed in sheet
    assert re.findall(r"url\(|@import|https?:", sheet) == []
    assert 'name="viewport" content="width=device-width' in text


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_every_text_has_the_contrast_of_level_aa(colours: dict[str, str]) -> None:
    texts = set(colours) - {"back", "card", "line"}
    for text, ground in itertools.product(texts, ("back", "card")):
        darker, lighter = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)
    assert set(style.LIGHT) == set(style.DARK)


def test_headings_and_tables_tell_their_structure() -> None:
    page = _Page(reports.text("html", FULL))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert {attributes["scope"] for attributes in heads} == {"col", "row"}
    assert ("html", {"lang": "en"}) in page.elements
    (picture,) = [attributes for tag, attributes in page.elements if attributes.get("role") == "img"]
    assert (
        picture["aria-label"]
        == "4 suspicions cleared for 5 images, 3 of them before the first image was bought; 2 left open"
    )


def rows(text: str) -> list[list[str]]:
    """The cells of the plan, without markup."""
    plan = text.partition('<table class="plan">')[2]
    lines = re.findall(r"<tr>(.*?)</tr>", plan, re.DOTALL)
    return [
        [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line, re.DOTALL)]
        for line in lines
    ]


def test_the_plan_tells_what_each_request_cost_and_cleared() -> None:
    text = reports.text("html", report(details={"trials": TRIALS}))
    assert rows(text)[1:] == [
        ["1", "probe 1", "refused 400", "", "1", "1"],
        ["2", "probe 2what it clearsbc", "refused 400", "", "2", "3"],
        ["3", "probe 3", "accepted 200", "4 images, 0.200 USD", "1", "4"],
        ["4", "probe 4", "accepted 200, not refused", "1 image, 0.050 USD", "", "4"],
    ]


def test_the_picture_climbs_to_what_was_cleared() -> None:
    text = reports.text("html", report(details={"trials": TRIALS}, open_suspicions=(OpenSuspicion("a", "b"),)))
    (path,) = re.findall(r'class="step" d="([^"]+)"', text)
    assert path == "M0 100 H0.00 V40.00 H80.00 V20.00 H100.00 V20.00"
    free = [trial(1, 0, 0.0, 1, "a"), trial(2, 0, 0.0, 2, "b")]
    text = reports.text("html", report(details={"trials": free}))
    assert "2 suspicions cleared for 2 requests." in text
    assert "requests sent</text>" in text
    assert "<figure>" not in reports.text("html", report())


def test_accepted_findings_are_folded_and_not_counted_among_the_others() -> None:
    text = reports.text("html", report(finding("a"), finding("b", accepted="ticket 7")))
    assert "<h2>Findings (1)</h2>" in text
    folded = text.partition("<h2>Accepted by the baseline (1)</h2>")[2]
    assert folded.index("<details><summary>") < folded.index("ticket 7") < folded.index(QUOTE)


def test_a_page_that_cannot_be_opened_is_no_link() -> None:
    source = Source("javascript:alert(1)", "row", "q")
    violation = Violation("body.type", Severity.ERROR, "response", "make", "/body", "m", "d", "o", source)
    text = reports.text("html", report(Finding(violation, ("e1",))))
    assert "href" not in text
    assert "javascript:alert(1)" in text
