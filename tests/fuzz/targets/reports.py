"""Findings that quote a hostile server: no report lets a terminal, a browser, a CI runner or a reader of XML obey them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

from mockserver import reports
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Source, Violation

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
SECRET = "sk-0123456789abcdef"


class Tags(HTMLParser):
    """Which elements and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}


def report_of(texts: list[str]) -> Report:
    """A report all of whose texts are these, in turn."""

    def text(number: int) -> str:
        return texts[number % len(texts)]

    findings = tuple(
        Finding(
            Violation(text(n), severity, "response", text(n + 1), "/body/" + text(n + 2), text(n + 3), text(n + 4), text(n + 5),
                      Source(text(n + 6), text(n + 7), text(n), text(n + 1), text(n + 2) if n % 2 else ""), text(n + 4)),
            (text(n + 5), "x2"), text(n + 6), "once", text(n + 7), (text(n),), text(n + 1) if n == 2 else "",
        )
        for n, severity in enumerate((Severity.ERROR, Severity.WARNING, Severity.INFO))
    )  # fmt: skip
    return Report(
        "check", text(0), text(1), "findings", findings, 3, 2, 1, 0.1, seed=1, notes=(text(2), text(3)), reason=text(4),
        open_suspicions=(OpenSuspicion(text(5), text(6)),), details={"files": [text(7), {text(0): text(1)}]},
    )  # fmt: skip


def check(data: bytes) -> None:
    """Lines of the data are the texts of the report."""
    try:
        texts = data.decode("utf-8", "surrogatepass").split("\x00")
    except UnicodeDecodeError:
        texts = data.decode("latin-1").split("\x00")
    report = report_of(texts)
    empty = Tags()
    empty.feed(reports.text("html", report_of(["plain"])))
    for form in ("terminal", "json", "junit", "ndjson", "sarif", "html", "github"):
        told = reports.text(form, report, (SECRET,))
        assert not CONTROLS.search(told), (form, CONTROLS.search(told))
        assert SECRET not in told, form
        told.encode("utf-8")
        if form in ("json", "sarif"):
            json.loads(told)
        elif form == "ndjson":
            assert all(json.loads(line) is not None for line in told.splitlines())
        elif form == "junit":
            ElementTree.fromstring(told)
        elif form == "html":
            page = Tags()
            page.feed(told)
            assert page.tags <= empty.tags | {"a", "br", "b", "ul", "li", "q", "p", "code", "span"}, (
                page.tags - empty.tags
            )
            assert not {name for name in page.attributes if name.startswith("on")}
            assert all(link.startswith(("http://", "https://", "#")) for link in page.links), page.links
        elif form == "github":
            allowed = ("::error", "::warning", "::notice", "::group", "::endgroup")
            assert all(line.startswith(allowed) for line in told.splitlines() if line.lstrip().startswith("::"))
