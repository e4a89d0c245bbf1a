"""The page ``docs/reference/limits.md``: every limit with its value, taken from the code, and what happens beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from contract_tests import following, target
from mockserver import (
    admin,
    attachments,
    connections,
    explanation,
    expressions,
    forms,
    gallery,
    jsonstream,
    library,
    media,
    ndjson,
    overlap,
    parsing,
    patterns,
    pictures,
    preferences,
    proxy,
    redaction,
    scenarios,
    settings,
    synthesis,
    unfolding,
)
from mockserver.forward import flow, forwarding

MEGABYTE = 1024 * 1024
DEFAULTS = {field.name: field.default for field in fields(settings.Settings)}

Row = tuple[str, Any, str, str]

WIRE: tuple[Row, ...] = (
    ("body of a request", settings.BODY_AT_MOST, "413 in the API's envelope (`limit.body`); not read where `Expect` announces it", "`max_body`"),
    ("the same where the contract takes files", settings.FORM_AT_MOST, "413", "`max_body`"),
    ("head of a request, chunk extensions and trailers", f"{settings.HEAD_AT_MOST} bytes", "431 in the API's envelope; the connection is closed if the head had not ended by then", "`max_headers`"),
    ("time for a request to be complete", f"{DEFAULTS['request_timeout']:g} s", "408 in the API's envelope", "`--request-timeout`"),
    ("time for an answer to be taken", f"{DEFAULTS['send_timeout']:g} s", "the connection is closed", "`--send-timeout`"),
    ("connections", "as many as the process may open files, less those of its own and a quarter or 64", f"503 in the API's envelope, far beyond it nothing; near it those that stay silent for {connections.SILENT_S:g} s are closed ([how](../endurance.md))", "`ulimit -n`"),
    ("what slow clients make the mock hold, together", connections.HELD_AT_MOST, "who has held something for longest is cut off", "no"),
    ("what is no HTTP/1.1: both lengths, folded lines, bare line feeds", "none", "400 in the API's envelope, the connection is closed", "no"),
    ("trailers", "none", "dropped: they are no headers", "no"),
    ("compressed bodies of requests", "none", "not undone: 400, no JSON", "no"),
    ("nesting of JSON", f"{media.MAX_DEPTH} levels", "400 (`json.depth`)", "no"),
    ("values of JSON", f"{media.MAX_VALUES:,}", "400 (`json.size`)", "no"),
    ("numbers of JSON", "a double with a fraction, 4300 digits without", "400 (`json.number`): `1e400`, 5,000 digits", "no"),
    ("parts of a form", forms.PARTS_AT_MOST, "400 (`form.malformed`)", "no"),
    ("violations that are told of one value", explanation.VIOLATIONS_AT_MOST, "the rest is not looked for", "no"),
    ("`Prefer: delay`", f"{preferences.LONGEST_DELAY_S:g} s", "ignored, with a note in the journal", "no"),
    ("keys in one exchange", redaction.SOUGHT_AT_MOST, "the longest are looked for everywhere, the others replaced in their own places", "no"),
    ("journal", f"{DEFAULTS['journal_entries']} requests, {DEFAULTS['journal_bytes'] // MEGABYTE} MiB", "the oldest make room", "`journal_entries`, `journal_bytes`"),
)  # fmt: skip
ADMINISTRATION: tuple[Row, ...] = (
    ("`Host`", "`localhost` or an address of this machine", "403; with `--host` of another address any name", "`--host`"),
    ("`Origin`, `Sec-Fetch-Site`", "the mock's own page, or no page", "403 for other pages; following a link is allowed", "no"),
    ("body", admin.BODY_AT_MOST, "413, a problem document (RFC 9457)", "no"),
    ("sessions whose scenarios are kept", scenarios.SESSIONS_AT_MOST, "the oldest make room", "no"),
    ("pictures that are drawn", f"{pictures.PIXELS_AT_MOST:,} pixels", "404: the mock gave no such address", "no"),
    ("pictures that are kept", f"{gallery.KEPT_AT_MOST // MEGABYTE} MiB", "drawn again", "no"),
)  # fmt: skip
PROXY: tuple[Row, ...] = (
    ("head of a request", f"{settings.HEAD_AT_MOST} bytes", "431, a problem document with `Proxy-Status`", "no"),
    ("body that is judged, either side", f"{flow.JUDGED_AT_MOST // MEGABYTE} MiB", "forwarded, judged without it; with `enforce` 413 or 502", "no"),
    ("connection to the API", f"{forwarding.CONNECT_S:g} s", "504", "no"),
    ("silence of the API", f"{proxy.SILENCE_S:g} s", "504, or the answer is cut", "`--silence-timeout`"),
)  # fmt: skip
ANSWERS: tuple[Row, ...] = (
    ("answer that is read", f"{target.MAX_ANSWER // MEGABYTE} MiB", "finding `wire.cut`; judged as far as it came", "no"),
    ("body without its content coding", f"{media.MAX_DECODED // MEGABYTE} MiB", "finding `wire.coding`", "no"),
    ("content codings on top of each other", media.CODINGS_AT_MOST, "finding `wire.coding`", "no"),
    ("content codings", "gzip, deflate", "finding `wire.coding`: others were not asked for", "no"),
    ("picture that is decoded", f"{pictures.PIXELS_AT_MOST:,} pixels", "its format and size are judged, not its pixels", "no"),
    ("file at an address of an answer", f"{following.LARGEST // MEGABYTE} MiB, plain or unfolded, {following.ONE_S:g} s, {following.ALL_S:g} s for all of an answer", "finding `meaning.image-url`", "no"),
    ("addresses that lead nearer than the API is", "none", "not followed", "no"),
)  # fmt: skip
CONTRACTS: tuple[Row, ...] = (
    ("file", f"{parsing.BYTES_AT_MOST // MEGABYTE} MiB", "refused, exit code 2", "no"),
    ("nesting of a file", f"{parsing.LEVELS_AT_MOST} levels", "refused with the line", "no"),
    ("aliases and merges of YAML", f"{parsing.NODES_AT_MOST:,} values, {parsing.BYTES_AT_MOST:,} characters unfolded", "refused", "no"),
    ("files that references put in place", f"{library.INSERTIONS_AT_MOST:,}, {library.VALUES_AT_MOST:,} values", "refused", "no"),
    ("`$ref` to the network or out of the contract's folder", "none", "refused with the line", "no"),
    ("schemas that hold for one value", f"{unfolding.SCHEMAS_AT_MOST:,}, {unfolding.DEPTH_AT_MOST} in a row", "refused with the line", "no"),
    ("verdicts about one value inside another", f"{overlap.TIMES_AT_MOST:,}", "each is made once and remembered; the mock is slower", "no"),
    ("regular expression", f"{expressions.LONGEST_PATTERN:,} characters, {expressions.UNROLLED_AT_MOST:,} with repetitions written out", "refused with the line", "no"),
    ("search for a regular expression", f"{expressions.LONGEST_SEARCH_S:g} s", "counts as found; texts of half that length are not searched again", "no"),
    ("text that is made for a regular expression", f"{patterns.STEPS_AT_MOST:,} characters and repetitions", "another is tried, else `lint` notes that none could be made", "no"),
    ("text that is made up", f"{synthesis.LONGEST_TEXT:,} characters", "the mock says that it can make no answer; `lint` notes it", "no"),
)  # fmt: skip
RECORDS: tuple[Row, ...] = (
    ("value of an archive", f"{jsonstream.LARGEST_VALUE // MEGABYTE} Mi characters", "refused, exit code 2", "no"),
    ("line of a record", f"{ndjson.LONGEST_LINE // MEGABYTE} MiB", "refused, exit code 2", "no"),
    ("body in a file beside an archive or in its zip", f"{attachments.LARGEST // MEGABYTE} MiB", "counts as absent from the record", "no"),
    ("files beside an archive", "those in its folder", "others count as absent", "no"),
    ("file of accepted findings", f"{parsing.BYTES_AT_MOST // MEGABYTE} MiB", "refused, exit code 2", "no"),
)  # fmt: skip
PARTS = {
    "Requests to the mock": WIRE,
    "Its administration": ADMINISTRATION,
    "The proxy": PROXY,
    "Answers of an API": ANSWERS,
    "Contracts": CONTRACTS,
    "Records and other files": RECORDS,
}
BEGIN = """# Limits

What the toolkit takes from others, and what happens beyond it: never a crash, never a wait without end. `Settings` are the
arguments of the [pytest fixture](../pytest.md)'s server and of `mockserver.settings.Settings`; no option of the command line
changes a limit unless it is named here. What is defended against whom: [security](../../SECURITY.md).
"""
END = """
## What is printed

Reports, messages and what goes to a terminal hold no control, format or bidirectional character: each is written as an escape.
A line that a CI runner would obey (`::error`) gets a backslash. HTML, XML and Markdown are escaped. No report is a table for
spreadsheets (CSV), so no cell can begin with a formula.
"""


def page() -> str:
    """The page."""
    return BEGIN + "".join(_part(title, rows) for title, rows in PARTS.items()) + END


def _part(title: str, rows: tuple[Row, ...]) -> str:
    return f"\n## {title}\n\n" + "\n".join(_table(rows)) + "\n"


def _table(rows: tuple[Row, ...]) -> Iterator[str]:
    yield "| what | limit | beyond it | set by |"
    yield "| --- | --- | --- | --- |"
    for what, value, beyond, setting in rows:
        shown = _shown(value)
        yield f"| {what} | {shown} | {beyond} | {setting} |"


def _shown(value: Any) -> str:
    if isinstance(value, int) and value >= MEGABYTE and value % MEGABYTE == 0:
        return f"{value // MEGABYTE} MiB"
    return f"{value:,}" if isinstance(value, int) else str(value)
