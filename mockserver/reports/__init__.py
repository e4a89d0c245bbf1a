"""Reports as text: one small module per format, found by name; files and streams are touched only here.

A format is a module with ``text(data)``, where ``data`` is what :func:`mockserver.reports.clean.clean` makes of a
:class:`~mockserver.findings.Report`.  Which findings there are is decided long before.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from mockserver.errors import RecordError
from mockserver.findings import Report
from mockserver.messages import Exchange
from mockserver.reports.clean import clean

FORMATS = ("json", "junit", "ndjson", "sarif", "html", "har", "github")
"""What ``--report FORMAT=PATH`` takes; ``terminal`` is written unasked and is no file format."""

_MODULES = {"json": "as_json"}
"""Where the module has another name than the format, because the format's is that of a standard module."""


def text(form: str, report: Report, secrets: tuple[str, ...] = (), exchanges: Sequence[Exchange] | None = None) -> str:
    """The report in a format of :data:`FORMATS` or as ``terminal``; each of ``secrets`` is masked wherever it stands.

    Raises RecordError for an unknown format, and for ``har`` where nobody kept the exchanges.
    """
    module = _module(form)
    if form == "har":
        if exchanges is None:
            raise RecordError("a har report needs the exchanges, and this command keeps none")
        shown_by: dict[str, list[str]] = {}
        for finding in report.findings:
            for identifier in finding.exchanges:
                shown_by.setdefault(identifier, []).append(finding.violation.fingerprint)
        archive: str = module.text(clean(report, secrets), exchanges, secrets, shown_by)
        return archive
    rendered: str = module.text(clean(report, secrets))
    return rendered


def write(
    form: str,
    path: str,
    report: Report,
    secrets: tuple[str, ...] = (),
    exchanges: Sequence[Exchange] | None = None,
) -> None:
    """Write the report to a file, or to stdout for ``-``; raises RecordError when that fails.

    ``github`` also appends its summary to the file that ``GITHUB_STEP_SUMMARY`` names.
    """
    rendered = text(form, report, secrets, exchanges)
    if not rendered.endswith("\n"):
        rendered += "\n"
    if path == "-":
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(rendered.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    else:
        _save(Path(path), rendered, "w", 0o600 if form == "har" else 0o666)
    if form == "github":
        _summarise(report, secrets)


def annotate(report: Report, stream: TextIO, secrets: tuple[str, ...] = ()) -> None:
    """Where ``GITHUB_ACTIONS`` is ``true``, write what ``github`` writes, unasked; elsewhere nothing.

    The runner obeys commands on stdout and on stderr.  Raises RecordError when the summary cannot be written.
    """
    if os.environ.get("GITHUB_ACTIONS") == "true":
        encoding = stream.encoding or "utf-8"
        rendered = text("github", report, secrets) + "\n"
        stream.write(rendered.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
        _summarise(report, secrets)


def check_writable(form: str, path: str) -> None:
    """Make sure that :func:`write` will not fail for a reason that is known now; raises RecordError.

    A file that is there keeps its content, one that is not is not left behind.
    """
    _module(form)
    if path == "-":
        return
    if not path:
        raise RecordError(f"the {form} report needs a path: {form}=PATH")
    target = Path(path)
    existed = target.exists()
    try:
        with target.open("ab"):
            pass
        if not existed:
            target.unlink()
    except OSError as error:
        raise _unwritable(target, error) from None


def _module(form: str) -> Any:
    if form not in (*FORMATS, "terminal"):
        raise RecordError(f"there is no report format {form!r}; there are {', '.join(FORMATS)}")
    return importlib.import_module(f"{__name__}.{_MODULES.get(form, form)}")


def _summarise(report: Report, secrets: tuple[str, ...]) -> None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        _save(Path(path), _module("github").summary_text(clean(report, secrets)), "a")


def _save(path: Path, rendered: str, mode: str, readable: int = 0o666) -> None:
    """Write a file; ``readable`` says to whom a new one is, as far as the user's mask allows it."""
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if mode == "a" else os.O_TRUNC), readable)
        with os.fdopen(place, mode, encoding="utf-8", newline="\n") as file:
            file.write(rendered)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> RecordError:
    return RecordError(f"the report cannot be written to {path}: {error.strerror or error}")
