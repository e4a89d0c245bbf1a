"""The look of the HTML report: light and dark, wide and narrow, on paper; every colour on its ground is WCAG AA."""

from __future__ import annotations

import base64
import hashlib

LIGHT = {
    "back": "#ffffff",
    "card": "#f6f7f9",
    "text": "#1b1f24",
    "dim": "#57606a",
    "line": "#d0d6dc",
    "link": "#0b57a4",
    "error": "#b3261e",
    "warning": "#7d5000",
    "info": "#0b57a4",
    "clean": "#176b30",
}
"""Colours by name; ``back`` and ``card`` are grounds, ``line`` only draws borders."""

DARK = {
    "back": "#14171a",
    "card": "#1e2226",
    "text": "#e6e9ec",
    "dim": "#a3adb7",
    "line": "#3d444c",
    "link": "#82b8ff",
    "error": "#ff8a80",
    "warning": "#ffca66",
    "info": "#82b8ff",
    "clean": "#6fdd8b",
}

_RULES = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 68rem; padding: 1.25rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif;
  overflow-wrap: anywhere; }
a { color: var(--link); }
h1 { font-size: 1.4rem; margin: 0 0 .75rem; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; line-height: 1.35; }
h4 { font-size: .8rem; margin: 0 0 .3rem; color: var(--dim); text-transform: uppercase; letter-spacing: .04em; }
p { margin: 0 0 .5rem; }
.dim, figcaption, caption { color: var(--dim); }
.small, figcaption, caption { font-size: .875rem; }
.verdict { padding: .85rem 1rem; border: 1px solid var(--line); border-left: .4rem solid var(--dim); border-radius: .4rem;
  background: var(--card); font-size: 1.05rem; }
.verdict strong { text-transform: capitalize; }
.verdict.clean { border-left-color: var(--clean); } .verdict.clean strong { color: var(--clean); }
.verdict.findings { border-left-color: var(--error); } .verdict.findings strong { color: var(--error); }
.verdict.inconclusive { border-left-color: var(--warning); } .verdict.inconclusive strong { color: var(--warning); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .6rem 1rem; margin: 1rem 0 0; }
.facts .wide { grid-column: 1 / -1; }
dt { color: var(--dim); font-size: .8rem; } dd { margin: 0; }
.card, details { margin: 0 0 1rem; padding: 1rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); }
.card.error { border-top: .2rem solid var(--error); } .card.warning { border-top: .2rem solid var(--warning); }
.card.info { border-top: .2rem solid var(--info); }
.severity { font-size: .75rem; text-transform: uppercase; letter-spacing: .04em; padding: .05rem .4rem;
  border: 1px solid currentColor; border-radius: .25rem; margin-right: .4rem; white-space: nowrap; vertical-align: .1em; }
.severity.error { color: var(--error); } .severity.warning { color: var(--warning); } .severity.info { color: var(--info); }
.sides { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.5rem; margin: .9rem 0; }
.sides > div + div { border-left: 1px solid var(--line); padding-left: 1.5rem; }
.sides dl { margin: .6rem 0 0; display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: .2rem .75rem; }
.sides dt { line-height: 1.9; }
blockquote { margin: .5rem 0; padding: .1rem 0 .1rem .75rem; border-left: .2rem solid var(--line); white-space: pre-wrap; }
.said { white-space: pre-wrap; }
pre { margin: .3rem 0 0; padding: .75rem; max-height: 16rem; overflow: auto; background: var(--back);
  border: 1px solid var(--line); border-radius: .3rem; font-size: .85rem; line-height: 1.45; }
pre code { user-select: all; overflow-wrap: normal; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; font-size: .9em; }
summary { cursor: pointer; }
details > summary + .card, details > summary + table { margin-top: .75rem; }
details.plain { margin: .15rem 0 0; padding: 0; border: 0; background: none; }
details.plain > summary { color: var(--dim); font-size: .875rem; } details.plain ul { margin: .25rem 0 .25rem; }
details .card { background: var(--back); }
ul { margin: .25rem 0 0; padding-left: 1.2rem; }
table { overflow-wrap: break-word; width: 100%; border-collapse: collapse; font-size: .9rem; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line);
  font-weight: normal; }
thead th { white-space: normal; color: var(--dim); font-size: .8rem; } td:last-child, th:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th[scope=row] { overflow-wrap: anywhere; } .plan th[scope=row] { min-width: 6rem; } .plan td, .plan span { white-space: nowrap; }
.surprise { color: var(--error); font-weight: 600; }
figure { margin: 0; } .chart { display: block; width: 100%; height: 15rem; }
.chart text { fill: var(--dim); font-size: .8rem; } .chart .axis { stroke: var(--line); }
.chart .all { stroke: var(--dim); stroke-dasharray: 4 4; } .chart .area { fill: var(--link); opacity: .14; }
.chart .step { fill: none; stroke: var(--link); stroke-width: 2; vector-effect: non-scaling-stroke; }
@media (max-width: 44rem) {
  body { padding: .9rem; } .card, details { padding: .8rem; }
  .sides { grid-template-columns: minmax(0, 1fr); gap: 1rem; }
  .sides > div + div { border-left: 0; padding-left: 0; border-top: 1px solid var(--line); padding-top: .8rem; }
  th, td { padding-right: .4rem; } table { font-size: .82rem; } .plan td { white-space: normal; }
  .plan .sum { display: none; }
}
@media print { body { max-width: none; } .card { break-inside: avoid; } pre { max-height: none; white-space: pre-wrap; } }
"""


def _declared(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


TEXT = (
    f":root {{ color-scheme: light dark; {_declared(LIGHT)} }}\n"
    f"@media (prefers-color-scheme: dark) {{ :root {{ {_declared(DARK)} }} }}"
    f"{_RULES}"
)
"""The style sheet."""

DIGEST = "sha256-" + base64.b64encode(hashlib.sha256(TEXT.encode()).digest()).decode()
"""What a Content-Security-Policy calls it: no other style is applied."""
