"""The report as one HTML page: self-contained, light and dark, narrow and wide, without script; everything is escaped.

Documentation and observation stand side by side.  The look is left to :mod:`mockserver.reports.style`, the picture to
:mod:`mockserver.reports.chart`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from mockserver.reports import chart, style, summary, untested
from mockserver.reports.clean import one_line
from mockserver.reports.commands import broken

_POLICY = f"default-src 'none'; style-src '{style.DIGEST}'; base-uri 'none'; form-action 'none'"
_NAMES = 60
"""Open suspicions of one group that are listed by name."""


def text(data: Mapping[str, Any]) -> str:
    """The page; links lead only to pages that the contract cites."""
    heading = f"{data['command']}: {data['contract']}"
    word, _, rest = summary.verdict(data).partition(": ")
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(f'{word}: {heading}')}</title>\n<style>{style.TEXT}</style>\n</head>\n<body>",
        f"<header>\n<h1>Contract {escape(heading)}</h1>",
        f'<p class="verdict {escape(data["verdict"])}"><strong>{escape(word)}</strong>: {escape(rest)}</p>',
        _facts(data),
        "</header>\n<main>",
        *_findings(summary.counting(data)),
        *_accepted(summary.accepted(data)),
        *_untested(data["suspicions"]["open"]),
        *_section("Notes", [f"<p>{escape(note)}</p>" for note in data["notes"]]),
        *_plan(data),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _facts(data: Mapping[str, Any]) -> str:
    facts = {
        "requests sent": f"{data['requests']:,}",
        "accepted": f"{data['accepted']:,}",
        "images": f"{data['images']:,}",
        "cost": "" if data["cost_usd"] is None else f"about {data['cost_usd']:.2f} USD",
        "by their usage": summary.used(data).partition(" by ")[0],
        "suspicions cleared": f"{data['suspicions']['cleared']:,}",
        "duration": f"{data['duration_s']:.1f} s",
        "seed": "" if data["seed"] is None else str(data["seed"]),
    }
    target = f'<div class="wide"><dt>target</dt><dd><code>{escape(data["target"])}</code></dd></div>'
    shown = target if data["target"] else ""
    shown += "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items() if value)
    return f'<dl class="facts">{shown}</dl>'


def _section(heading: str, parts: list[str]) -> Iterator[str]:
    if parts:
        yield f"<section>\n<h2>{heading} ({len(parts)})</h2>"
        yield from parts
        yield "</section>"


def _findings(findings: list[summary.Found]) -> Iterator[str]:
    if not findings:
        yield '<section>\n<h2>Findings</h2>\n<p class="dim">None: every answer was as documented.</p>\n</section>'
        return
    shown = []
    for group in summary.together(findings):
        first = group[0]
        shown.append(_finding(first, also=group[1:]))
        shown += [_finding(finding, leader=first) for finding in group[1:]]
    yield from _section("Findings", shown)


def _finding(finding: summary.Found, also: Iterable[summary.Found] = (), leader: summary.Found | None = None) -> str:
    """One finding; one that the same exchanges show as another refers to that one for its command."""
    severity = escape(finding["severity"])
    companions = "".join(
        f'<li><a href="#{escape(other["fingerprint"])}">{escape(one_line(other["message"]))}</a></li>' for other in also
    )
    below = _command(finding["reproduce"])
    if leader:
        link = f'<a href="#{escape(leader["fingerprint"])}">{escape(one_line(leader["message"]))}</a>'
        below = f'<p class="small dim">In the same answers, and shown by the same command, as: {link}</p>'
    if companions:
        below += f'<p class="small dim">In the same answers:</p><ul class="small">{companions}</ul>'
    reason = f"<p><strong>Accepted:</strong> {escape(finding['accepted'])}</p>" if finding["accepted"] else ""
    return (
        f'<article class="card {severity}" id="{escape(finding["fingerprint"])}">'
        f'<h3><span class="severity {severity}">{severity}</span>{escape(one_line(finding["message"]))}</h3>'
        f'<p class="small dim">{escape(summary.title(finding["rule"]))} <code>{escape(finding["rule"])}</code> · '
        f"fingerprint <code>{escape(finding['fingerprint'])}</code></p>{reason}"
        f'<div class="sides"><div>{_documented(finding)}</div><div>{_observed(finding)}</div></div>{below}</article>'
    )


def _documented(finding: summary.Found) -> str:
    source = finding["source"]
    convention = source.get("convention", "")
    quote = source.get("quote", "")
    parts = [
        f"<h4>{'Convention' if convention else 'Documented'}</h4>",
        f'<p class="said" dir="auto">{escape(finding["documented"])}</p>',
        f'<p class="dim">{escape(convention)}</p>' if convention else "",
        f'<blockquote dir="auto">{escape(quote)}</blockquote>' if quote else "",
        _cited(source),
        f'<p class="small dim">In the contract: <code>{escape(finding["schema"])}</code></p>'
        if finding["schema"]
        else "",
    ]
    return "".join(parts)


def _observed(finding: summary.Found) -> str:
    exchanges = list(dict.fromkeys(one for one in (finding["first_exchange"], finding["last_exchange"]) if one))
    rows = (
        ("where", escape(summary.where(finding))),
        ("when", escape(finding["condition"] or ("always" if finding["confirmation"] == "constant" else ""))),
        ("how sure", escape(summary.certainty(finding))),
        ("seen in", escape(f"{summary.counted(finding['count'], 'answer')} ({' to '.join(exchanges)})")),
        ("also", escape("; ".join(finding["also"]))),
    )
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value)
    return f'<h4>Observed</h4><p class="said" dir="auto">{escape(finding["observed"])}</p><dl>{listed}</dl>'


def _command(command: str) -> str:
    if not command:
        return ""
    shown = "\n".join(broken(command))
    return f'<h4>Reproduce</h4><pre tabindex="0"><code>{escape(shown)}</code></pre>'


def _cited(source: Mapping[str, Any]) -> str:
    page = source.get("page", "")
    words = escape(", ".join(part for part in (source.get("at"), page) if part))
    if page.startswith(("https://", "http://")):
        words = f'<a href="{escape(page)}" rel="noopener noreferrer">{words}</a>'
    return f'<p class="small">{words}</p>' if words else ""


def _accepted(findings: list[summary.Found]) -> Iterator[str]:
    if findings:
        yield f"<section>\n<h2>Accepted by the baseline ({len(findings)})</h2>"
        for finding in findings:
            severity = escape(finding["severity"])
            head = f'<span class="severity {severity}">{severity}</span>{escape(one_line(finding["message"]))}'
            because = f'<br><span class="small dim">{escape(one_line(finding["accepted"]))}</span>'
            yield f"<details><summary>{head}{because}</summary>{_finding(finding)}</details>"
        yield "</section>"


def _untested(suspicions: list[Mapping[str, Any]]) -> Iterator[str]:
    if not suspicions:
        return
    yield f"<section>\n<h2>Not tested ({len(suspicions)})</h2>"
    for group in untested.groups(suspicions):
        rows = "".join(
            f'<tr><th scope="row">{escape(one["name"])}</th><td class="number">{escape(summary.price(one))}</td></tr>'
            for one in group.suspicions[:_NAMES]
        )
        left = len(group.suspicions) - _NAMES
        more = f'<p class="small dim">And {left} more, all in the JSON report.</p>' if left > 0 else ""
        yield (
            f"<details><summary><strong>{len(group.suspicions)}</strong>: {escape(group.reason)} "
            f'<span class="dim">({escape(group.price)})</span></summary>'
            '<table><thead><tr><th scope="col">suspicion</th><th scope="col" class="number">would take</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>{more}</details>"
        )
    yield "</section>"


def _plan(data: Mapping[str, Any]) -> Iterator[str]:
    trials = data.get("trials") or []
    if not trials:
        return
    yield "<section>\n<h2>What the run bought</h2>"
    yield chart.figure(trials, len(data["suspicions"]["open"]))
    yield "</section>"
    heads = (
        ("#", "number"),
        ("request", ""),
        ("answer", ""),
        ("cost", "number"),
        ("cleared", "number"),
        ("in all", "number"),
    )
    head = "".join(f'<th scope="col"{_class(kind)}>{name}</th>' for name, kind in heads)
    yield f"<section>\n<h2>The plan, request by request ({len(trials)})</h2>"
    yield '<table class="plan"><caption>Each request with what came and what it cleared; a refusal costs nothing.</caption>'
    yield f"<thead><tr>{head}</tr></thead>\n<tbody>"
    for trial, step in zip(trials, untested.steps(trials), strict=True):
        yield _trial(trial, step)
    yield "</tbody></table>\n</section>"


def _trial(trial: Mapping[str, Any], step: Mapping[str, Any]) -> str:
    names = trial["clears"]
    cleared = "".join(f"<li>{escape(name)}</li>" for name in names)
    told = f'<details class="plain"><summary>what it clears</summary><ul>{cleared}</ul></details>' if names[1:] else ""
    surprise = trial["expected"] not in ("open", trial["outcome"])
    answer = f"{trial['outcome']} {trial['status'] or ''}".strip()
    shown = (
        f'<span class="surprise">{escape(answer)}</span>, not {escape(trial["expected"])}'
        if surprise
        else escape(answer)
    )
    return (
        f'<tr><td class="number">{trial["number"]}</td><th scope="row">{escape(trial["name"])}{told}</th>'
        f'<td>{shown}</td><td class="number">{_cost(step)}</td>'
        f'<td class="number">{len(names) or ""}</td><td class="number sum">{trial["cleared"]}</td></tr>'
    )


def _cost(step: Mapping[str, Any]) -> str:
    images = summary.counted(step["images"], "image") if step["images"] else ""
    parts = (images, f"{step['usd']:.3f} USD" if step["usd"] else "")
    return ", ".join(f"<span>{part}</span>" for part in parts if part)


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
