"""The inspector: one plain page that lists the last requests.  Everything is escaped; it needs no script and no other host."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime

from mockserver.journal import Entry
from mockserver.records import path_of

SHOWN = 200
"""Requests on the page, the newest first."""

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

_STYLE = """
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { margin: 1rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .25rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
code { font-family: ui-monospace, monospace; }
.bad { color: #c62828; }
"""


def page(title: str, base: str, entries: Sequence[Entry], total: int) -> str:
    """The page for a contract's title, the address it is served at, and the journal's entries, oldest first."""
    newest = list(reversed(entries))[:SHOWN]
    rows = "\n".join(_row(entry) for entry in newest) or '<tr><td colspan="6">No request yet.</td></tr>'
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{_safe(title)}</title>
<style>{_STYLE}</style></head>
<body>
<h1>{_safe(title)}</h1>
<p>Served below <code>{_safe(base or "/")}</code>; {len(newest)} of {total} recorded requests, the newest first.
Reload the page for newer ones. <a href="/__admin/requests">As JSON</a></p>
<table>
<thead><tr><th>Time (UTC)</th><th>Request</th><th>Status</th><th>Violations</th><th>Scenario</th><th>Session</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def _row(entry: Entry) -> str:
    moment = datetime.fromtimestamp(entry.started, UTC).strftime("%H:%M:%S.%f")[:-3]
    wrong = "<br>".join(f"<code>{_safe(v.rule)}</code> {_safe(v.message)}" for v in entry.violations[:5])
    bad = ' class="bad"' if entry.status >= 400 else ""
    link = f'<a href="/__admin/requests/{_safe(entry.id)}">{_safe(moment)}</a>'
    request = f"<code>{_safe(entry.method)} {_safe(path_of(entry))}</code>"
    return (
        f"<tr><td>{link}</td><td>{request}</td><td{bad}>{entry.status}</td><td>{wrong}</td>"
        f"<td>{_safe(entry.scenario)}</td><td>{_safe(entry.session)}</td></tr>"
    )


def _safe(text: str) -> str:
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return html.escape(shown if len(shown) <= 400 else shown[:400] + "...")
