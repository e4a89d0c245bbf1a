"""Writes the reference pages in ``docs/reference`` from the tables in the code; ``--check`` only names stale ones.

What the code has no sentence for is described here, and a name that only one side knows ends the run: so a page can be
neither stale nor incomplete.  How-tos and explanations are written by hand.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from mockserver import errors, library, openapi
from mockserver.admin import administration
from mockserver.app import Mock
from mockserver.findings import Finding, OpenSuspicion, Report, Severity, Violation
from mockserver.lint import check
from mockserver.preferences import Preferences
from mockserver.rules import RULES
from mockserver.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parent))
limits = importlib.import_module("limits")

FOLDER = Path(__file__).resolve().parent / "reference"
PROGRAM = "quickrouter-contract"
CONTRADICTION = "contradiction in the documentation: "

REPORT_FIELDS = {
    "version": "version of this form, 1",
    "command": "the command that made it",
    "contract": "name of the contract",
    "target": "base URL of the API, or what was read",
    "verdict": "`clean`, `findings` (something at or above `--fail-on`) or `inconclusive`",
    "reason": "why a run ended without a verdict; empty otherwise",
    "requests": "requests sent, repeats included",
    "accepted": "requests that were accepted",
    "images": "units bought: for an image API, images that accepted requests asked for",
    "cost_usd": "estimated cost in US dollars; null where the contract has no prices",
    "usage": "what the usage that answers state comes to: `answers` (how many), `usd`, and `estimated_usd` for the same "
    "answers; null where the contract has no prices for it",
    "seed": "give it to `--seed` to make the same choices again; null where nothing is drawn",
    "duration_s": "seconds",
    "findings": "see below",
    "suspicions": "`cleared`: how many suspicions were tried and found groundless; `open`: see below",
    "notes": "sentences worth knowing that accuse nobody",
}
FINDING_FIELDS = {
    "rule": "stable name, see [rules](rules.md)",
    "severity": "`error` breaks a documented promise, `warning` a convention, `info` neither",
    "side": "`request` or `response`: whose fault it is",
    "operation": "operationId; empty when the request matches none",
    "pointer": "JSON Pointer into the message: `/body/...`, `/headers/...`, `/query/...`, `/path/...` or `/status`",
    "documented": "what the documentation says, in a sentence",
    "observed": "what came",
    "message": "both in one line",
    "source": "`page`, `at`, `quote`, `confidence`, `convention`, `place`, as far as they are known",
    "schema": "file and JSON Pointer of the statement in the contract",
    "count": "exchanges that show it",
    "fingerprint": "sixteen hex digits: the same for the same rule at the same place, whatever the values",
    "first_exchange": "id of the first exchange that shows it; null when none was kept",
    "last_exchange": "id of the last one",
    "condition": "when it happens, such as `only when n is above 1`; empty for always",
    "confirmation": "`constant`, `intermittent` or `once`",
    "accepted": "the reason for which a baseline accepts it; null for a finding that counts",
    "also": "other places or requests with the same cause",
    "reproduce": "a curl line that takes the key from the environment",
}
SUSPICION_FIELDS = {
    "name": "what was not tried",
    "reason": "why",
    "requests": "requests that clearing it would take",
    "images": "units that clearing it would buy at most",
}
PREFERENCES = {
    "code": ("status", "answers as documented for that status, else with a body that fits it; 200 to 599"),
    "example": ("name", "answers with the named example of the contract"),
    "scenario": ("name", "plays the [scenario](scenarios.md) for this request"),
    "delay": ("seconds", "waits before the first byte, in a stream before every event; decimals allowed, 3600 at most"),
    "cut": ("bytes", "closes the connection after so many bytes of the body"),
    "seed": ("text", "equal requests with equal seeds get equal bytes, id and time included"),
}
ADMIN = {
    "GET /__admin": "the [inspector](../mock.md#the-inspector), a page for people",
    "GET /__admin/": "the same",
    "GET /__admin/page/{name}": "a file of that page",
    "GET /__admin/about": "title and version of what is served, the base URL, a first request to try",
    "GET /__admin/live": "what is new after the cursor `?after=`, all sessions; a stream of events for whoever accepts `text/event-stream`",
    "GET /__admin/har": "the recorded exchanges as a HAR archive, those of all sessions unless one is named",
    "GET /__admin/requests/{id}/view": "one exchange as the page shows it: marked, shortened, harmless to print",
    "GET /__admin/requests/{id}/{side}": "the whole body of its `request` or `response`",
    "GET /__admin/requests/{id}/{side}/pictures/{number}": "one picture of that body, counted from 0",
    "GET /__admin/health": "status, version, contract, seconds since the mock's first process began, number of recorded requests; 503 where none can be recorded",
    "GET /__admin/contract": "the contract as one OpenAPI 3.1 document",
    "GET /__admin/requests": "the recorded exchanges in short, oldest first, the newest 1,000 of them",
    "DELETE /__admin/requests": "forgets them",
    "POST /__admin/requests/find": "the whole record of those that meet every condition in the body",
    "GET /__admin/requests/{id}": "the whole record of one; its id came as `Mock-Exchange`",
    "POST /__admin/verify": "200 when as many were found as expected, else 422 with the nearest ones",
    "GET /__admin/scenarios": "which scenario is armed, and which there are",
    "PUT /__admin/scenarios": 'arms one: `{"name": "..."}`; with `steps` one that the contract does not have',
    "DELETE /__admin/scenarios": "normal answers again",
    "POST /__admin/reset": "forgets records and scenarios",
    "GET /__admin/images/{name}": "a picture that an answer gave the address of; 410 when its time is over",
}
CONDITIONS = {
    "method": "`POST`",
    "path": "with or without query; `*` stands for anything",
    "status": "the answer's status; 408 and 499 for requests whose end [did not come](../endurance.md)",
    "operation": "operationId",
    "violated": "true, false, or a rule's name; `body.*` for a family",
    "body": 'object of JSON Pointer -> value, such as `{"/n": 2}`',
}


def same(what: str, known: Iterable[str], described: Iterable[str]) -> None:
    """Raise SystemExit unless the names in the code and those described here are the same."""
    known, described = set(known), set(described)
    if known != described:
        missing, gone = sorted(known - described), sorted(described - known)
        raise SystemExit(f"docs/generate.py: {what}: not described {missing}, no longer there {gone}")


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; bars and line breaks in cells are made harmless."""
    lines = [list(heads)]
    lines += [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def rules() -> str:
    """The page of rules."""
    rows = [
        (f"`{rule.name}`", rule.severity.value, rule.status or "-", f"**{rule.title}.** {rule.explanation}")
        for rule in RULES.values()
    ]
    return (
        "# Rules\n\nEvery finding names one of these. A name that ends in `.*` is a family: its members are named after the "
        "JSON Schema keyword\nthat was broken, such as `body.maxLength`, or after what was tried. The severity is the one "
        "without a statement in the\ncontract to the contrary: a breach of a convention is at most a warning. *Mock* is the "
        "status with which the mock refuses\na request that breaks the rule; it serves those with a dash.\n\n"
        + table(("rule", "severity", "mock", "meaning"), rows)
    )


def commands() -> str:
    """The page of commands and exit codes."""
    cli = importlib.import_module("mockserver.cli").cli
    text = "# Commands\n\n`python -m mockserver` is the same program. Keys are read from the environment only.\n"
    for path, command in walk(cli, ()):
        arguments = [
            p.metavar or f"[{(p.name or '').upper()}]" for p in command.params if isinstance(p, click.Argument)
        ]
        text += f"\n## {' '.join(path)}\n\n```text\n{' '.join((PROGRAM, *path, '[OPTIONS]', *arguments))}\n```\n\n"
        text += inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n\n"
        options = [p for p in command.params if isinstance(p, click.Option)]
        text += table(("option", "meaning", "default"), (option_row(option) for option in options)) if options else ""
    codes = [("0", "clean: nothing at or above `--fail-on`"), ("1", "findings at or above `--fail-on`")]
    tree = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ContractToolError)
    ]
    for code in sorted({kind.exit_code for kind in tree}):
        meanings = [inspect.getdoc(kind) or "" for kind in tree if kind.exit_code == code]
        codes.append(
            (
                str(code),
                " ".join(
                    meaning.split("\n")[0].replace("; ``str()`` is what the user reads", "") for meaning in meanings
                ),
            )
        )
    codes.append(("130", "interrupted by Ctrl-C"))
    return text + "\n## Exit codes\n\n" + table(("code", "meaning"), codes)


def walk(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below a group with their names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))
        elif command is not None:
            yield (*path, name), command


def option_row(option: click.Option) -> tuple[str, str, str]:
    """Names with their value, meaning, and default."""
    kind = option.type
    value = option.metavar or ("\\|".join(kind.choices) if isinstance(kind, click.Choice) else kind.name.upper())
    shown = "" if option.is_flag else f" {value.removesuffix(' RANGE').replace('INTEGER', 'N')}"
    text, _, stated = (option.help or "").partition("  [default: ")
    default = option.default if isinstance(option.default, str | int | float) and not option.is_flag else ""
    return (
        ", ".join(f"`{name}{shown}`".replace("\\|", "|") for name in option.opts),
        text,
        stated.rstrip("]") or str(default),
    )


def report() -> str:
    """The page of the JSON report."""
    violation = Violation("body.type", Severity.ERROR, "response", "", "", "")
    blank = Report("", "", "", "clean").as_dict()
    same("report fields", blank, REPORT_FIELDS)
    same("finding fields", Finding(violation, ()).as_dict(), FINDING_FIELDS)
    same("suspicion fields", OpenSuspicion("", "").as_dict(), SUSPICION_FIELDS)
    from mockserver.reports import FORMATS

    return (
        f"# Reports\n\n`--report FORMAT=PATH`, repeatable; `-` is stdout. Formats: {', '.join(f'`{f}`' for f in FORMATS)}.\n"
        "Fields may be added in later versions, never taken away within version 1.\n\n"
        "## The JSON report\n\n" + described(REPORT_FIELDS) + "\n## A finding\n\n" + described(FINDING_FIELDS)
        + "\n## A suspicion that was left open\n\n" + described(SUSPICION_FIELDS)
    )  # fmt: skip


def described(names: Mapping[str, str]) -> str:
    """A table of names and their meanings."""
    return table(("field", "meaning"), ((f"`{name}`", text) for name, text in names.items()))


def mock() -> str:
    """The page of the mock's own headers and its administration."""
    routes = [
        f"{method} {getattr(route, 'path', '')}"
        for route in administration(Mock(Settings())).routes
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD"
    ]
    same("administration", routes, ADMIN)
    same("preferences", (field.name for field in fields(Preferences) if field.name != "notes"), PREFERENCES)
    conditions = importlib.import_module("mockserver.queries")._MAKERS
    same("conditions", conditions, CONDITIONS)
    wishes = [(f"`{name}={value.upper()}`", text) for name, (value, text) in PREFERENCES.items()]
    return (
        "# The mock's own interface\n\n## Request headers\n\n"
        "`Prefer` (RFC 7240), several separated by commas. What was done is named in `Preference-Applied`; what is unknown or "
        "cannot\nbe done is ignored, as the RFC says, and noted in the journal.\n\n" + table(("preference", "effect"), wishes)
        + "\n`Mock-Session: NAME` keeps journal and scenario of one test apart from those of others.\n\n## Response headers\n\n"
        + table(("header", "meaning"), [
            ("`Contract-Violations`", "how many rules of the contract the request breaks"),
            ("`Mock-Exchange`", "id of the exchange in the journal"),
            ("`Preference-Applied`", "the preferences that were obeyed"),
        ])
        + "\n## Administration\n\nErrors are problem documents (RFC 9457). A mock on loopback takes these requests under a "
        "loopback name only and from no\npage of another site. With `--workers` or `--state` they speak for [all processes](../share.md)."
        "\n`?session=NAME` looks at one session, `?session=*` at all.\n\n"
        + table(("request", "effect"), ((f"`{name}`", text) for name, text in ADMIN.items()))
        + "\n### Conditions\n\nFor `find` and `verify`; all must be met. `verify` also takes `times`, `at_least` or `at_most` "
        "(at least one without them).\n\n" + table(("member", "meaning"), ((f"`{n}`", t) for n, t in CONDITIONS.items()))
    )  # fmt: skip


def keywords() -> str:
    """The page of our x- keywords."""
    schema = library.parse(library.bundled_root() / "contract.schema.json")
    text = f"# Keywords of a contract\n\n{schema['description']}\n"
    for name, keyword in schema["properties"].items():
        examples = "\n".join(json.dumps({name: example}, ensure_ascii=False) for example in keyword["examples"])
        text += f"\n## {name}\n\n**{keyword['title']}.** {keyword['description']}\n\nWhere: {', '.join(keyword['x-where'])}.\n"
        text += f"\n```json\n{examples}\n```\n"
    return text


def contracts() -> str:
    """The page of the shipped contracts: operations, contradictions."""
    text = "# Shipped contracts\n\n`--contract NAME`; without it the default one is used.\n"
    for name in library.bundled_names():
        contract, result = openapi.load(name), check(name)
        default = " (the default)" if name == library.default_name() else ""
        text += f"\n## {name}{default}\n\n{contract.title}. {result.summary.partition('; ')[2].capitalize()}.\n\n"
        rows = [(f"`{o.id}`", f"`{o.method} {contract.base_path}{o.path}`", o.units.name if o.units else "-",
                 ", ".join(r.status for r in o.responses)) for o in contract.operations]  # fmt: skip
        text += table(("operation", "request", "buys", "documented answers"), rows)
        marked = [note for note in result.notes if note.message.startswith(CONTRADICTION)]
        text += "\nContradictions of the documentation that are kept:\n\n" if marked else ""
        text += "".join(f"- {note.message.removeprefix(CONTRADICTION)} `{note.pointer}`\n" for note in marked)
    return text


def scenarios() -> str:
    """The page of scenarios."""
    text = "# Scenarios\n\nFor `mock --scenario NAME`, `Prefer: scenario=NAME` and `PUT /__admin/scenarios`.\n"
    for name in library.bundled_names():
        rows = []
        for file in sorted((library.locate(name).parent / "scenarios").glob("*.json")):
            data: dict[str, Any] = library.parse(file)
            steps = ["; ".join(step_words(step)) for step in data["steps"]]
            after = "again and again" if data.get("then") == "repeat" else "then normal answers"
            rows.append((f"`{file.stem}`", data["description"], f"{', '.join(steps)}, {after}"))
        text += f"\n## {name}\n\n" + (table(("name", "what happens", "steps"), rows) if rows else "None.\n")
    return text


def step_words(step: Mapping[str, Any]) -> Iterator[str]:
    """A step in a few words."""
    times = f"{step['times']} times " if step.get("times", 1) > 1 else ""
    response, delivery = step.get("response"), step.get("delivery", {})
    yield times + (f"status {response['status']}" if response else "normal answer")
    for name, words in (
        ("delay_s", "after {} s"),
        ("cut_after_bytes", "cut after {} bytes"),
        ("reset", "connection reset"),
    ):
        if delivery.get(name):
            yield words.format(delivery[name])


PAGES = {
    "commands.md": commands,
    "contracts.md": contracts,
    "keywords.md": keywords,
    "limits.md": limits.page,
    "mock.md": mock,
    "report.md": report,
    "rules.md": rules,
    "scenarios.md": scenarios,
}


def stale() -> list[str]:
    """Names of pages that are not what the code says now."""
    found = [name for name, page in PAGES.items() if not _is(FOLDER / name, page())]
    return found + sorted(path.name for path in FOLDER.glob("*.md") if path.name not in PAGES)


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def main() -> int:
    """Write the pages, or say which are stale."""
    if "--check" in sys.argv[1:]:
        for name in stale():
            print(f"stale: docs/reference/{name}; run python docs/generate.py")
        return 1 if stale() else 0
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
