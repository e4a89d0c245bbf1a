"""The report as one HTML page: self-contained, light and dark, narrow and wide, without script; everything is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from mockserver.reports import summary

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --card: #f6f7f9; --text: #1b1f24; --dim: #59636e; --line: #d4d9df;
  --error: #b3261e; --warning: #8a5a00; --info: #0b57a4; --clean: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --card: #1e2226; --text: #e6e9ec; --dim: #9aa4ae;
  --line: #363c43; --error: #ff8a80; --warning: #ffca66; --info: #82b8ff; --clean: #6fdd8b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; } h3 { font-size: 1rem; margin: 0 0 .5rem; }
.verdict { padding: .75rem 1rem; border-left: .3rem solid var(--dim); background: var(--card); font-weight: 600; }
.verdict.clean { border-color: var(--clean); } .verdict.findings { border-color: var(--error); }
.verdict.inconclusive { border-color: var(--warning); }
article { margin: 1rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); }
.severity { text-transform: uppercase; font-size: .8rem; letter-spacing: .03em; }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); }
dl { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: .25rem 1rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; white-space: pre-wrap; }
blockquote { margin: 0; padding-left: .75rem; border-left: 2px solid var(--line); }
pre { margin: .75rem 0 0; padding: .75rem; overflow-x: auto; background: var(--back); border: 1px solid var(--line); }
code { font-family: ui-monospace, monospace; font-size: .9em; }
@media (max-width: 34rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .5rem; } }
"""


def text(data: Mapping[str, Any]) -> str:
    """The page; links lead only to pages that the contract cites."""
    heading = f"{data['command']} {data['contract']}".strip()
    facts = {"target": data["target"], "seed": data["seed"], "duration": f"{data['duration_s']} s"}
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
            f"<title>{escape(heading)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(heading)}</h1>",
            f'<p class="verdict {escape(data["verdict"])}">{escape(summary.verdict(data))}</p>',
            _pairs((name, escape(str(value))) for name, value in facts.items() if value is not None and value != ""),
            *_section("Findings", [_finding(finding) for finding in summary.sorted_findings(data)]),
            *_section("Not tested", [_suspicion(one) for one in data["suspicions"]["open"]]),
            *_section("Notes", [f"<p>{escape(note)}</p>" for note in data["notes"]]),
            "</body>\n</html>\n",
        ]
    )


def _section(heading: str, parts: list[str]) -> Iterator[str]:
    if parts:
        yield f"<h2>{heading} ({len(parts)})</h2>"
        yield from parts


def _pairs(pairs: Any) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs) + "</dl>"


def _finding(finding: Mapping[str, Any]) -> str:
    source = finding["source"]
    quote = f"<blockquote>{escape(source['quote'])}</blockquote>" if source.get("quote") else ""
    rows = (
        ("where", escape(summary.where(finding))),
        ("documented", escape(finding["documented"]) + quote),
        ("convention", escape(source.get("convention", ""))),
        ("source", _cited(source)),
        ("came", escape(finding["observed"])),
        ("how often", escape(summary.frequency(finding))),
        ("also", escape("; ".join(finding["also"]))),
        ("in the contract", f"<code>{escape(finding['schema'])}</code>" if finding["schema"] else ""),
    )
    command = f"<pre><code>{escape(finding['reproduce'])}</code></pre>" if finding["reproduce"] else ""
    severity = escape(finding["severity"])
    return (
        f'<article id="{escape(finding["fingerprint"])}">'
        f'<h3><span class="severity {severity}">{severity}</span> {escape(summary.title(finding["rule"]))} '
        f"<code>{escape(finding['rule'])}</code></h3>"
        f"{_pairs((name, value) for name, value in rows if value)}{command}</article>"
    )


def _cited(source: Mapping[str, Any]) -> str:
    page = source.get("page", "")
    words = escape(", ".join(part for part in (source.get("at"), page) if part))
    if page.startswith(("https://", "http://")):
        return f'<a href="{escape(page)}" rel="noopener noreferrer">{words}</a>'
    return words


def _suspicion(suspicion: Mapping[str, Any]) -> str:
    rows = (("reason", escape(suspicion["reason"])), ("would take", escape(summary.price(suspicion))))
    return f"<article><h3>{escape(suspicion['name'])}</h3>{_pairs(rows)}</article>"
