"""The baseline: findings that somebody accepted, each with a reason and a date on which it is looked at again.

A YAML file made to be read, edited and compared in reviews.  A finding that it accepts does not fail the run until the
date is past; then it is a warning.  What it accepts and no run shows any more is said, so that it can be taken out.
"""

from __future__ import annotations

import datetime
import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from mockserver import parsing
from mockserver.errors import ContractError, RecordError
from mockserver.findings import Finding, Severity
from mockserver.sentences import show

KEPT_FOR = datetime.timedelta(days=90)
"""How long a finding is accepted when nobody says otherwise."""

_HEAD = """\
# Findings that are accepted.  Say why in `reason`; after the day in `expires` a finding counts as a warning again.
# Written by `quickrouter-contract test --baseline FILE --update-baseline`, which keeps reason, note and expires.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding; ``condition`` is that of the day it was accepted, ``where`` and the rest are for readers."""

    fingerprint: str
    rule: str
    where: str
    condition: str
    documented: str
    observed: str
    reason: str
    note: str
    expires: datetime.date

    def covers(self, finding: Finding) -> bool:
        """Whether it is this finding; one that was accepted under a condition and now always happens is a new one."""
        same = finding.violation.fingerprint == self.fingerprint
        return same and not (self.condition and not finding.condition)


@dataclass(frozen=True, slots=True)
class Baseline:
    """All accepted findings of one file."""

    entries: tuple[Entry, ...] = ()

    def apply(self, findings: Sequence[Finding], today: datetime.date) -> tuple[list[Finding], list[str]]:
        """The findings as they count under this baseline, and what is to be said about it."""
        applied: list[Finding] = []
        notes: list[str] = []
        seen: set[str] = set()
        for finding in findings:
            entry = next((entry for entry in self.entries if entry.covers(finding)), None)
            if entry is None:
                applied.append(finding)
                continue
            seen.add(entry.fingerprint)
            if entry.expires < today:
                notes.append(f"accepted until {entry.expires}, which is past: {entry.rule} at {entry.where}")
                applied.append(_warned(finding))
            else:
                applied.append(replace(finding, accepted=entry.reason or f"accepted until {entry.expires}"))
        gone = [entry for entry in self.entries if entry.fingerprint not in seen]
        notes += [f"accepted and not seen in this run: {entry.rule} at {entry.where}" for entry in gone]
        return applied, notes

    def updated(self, findings: Sequence[Finding], today: datetime.date) -> Baseline:
        """The baseline that accepts these findings; what people wrote into known entries stays."""
        known = {entry.fingerprint: entry for entry in self.entries}
        made = []
        for finding in findings:
            violation = finding.violation
            if violation.severity is Severity.INFO:
                continue
            old = known.get(violation.fingerprint)
            fresh = old is None or old.expires < today
            made.append(
                Entry(
                    fingerprint=violation.fingerprint,
                    rule=violation.rule,
                    where=f"{violation.operation}, {violation.side} {violation.normalised}",
                    condition=finding.condition,
                    documented=violation.documented,
                    observed=violation.observed,
                    reason=old.reason if old else "",
                    note=old.note if old else "",
                    expires=today + KEPT_FOR if fresh or old is None else old.expires,
                )
            )
        return Baseline(tuple(sorted(made, key=lambda entry: (entry.rule, entry.where, entry.fingerprint))))


def read(path: str, missing_is_empty: bool = False) -> Baseline:
    """Read a baseline; raises RecordError naming file, line and what would be right."""
    try:
        Path(path).stat()
        data = parsing.parse(Path(path), as_yaml=True)
    except FileNotFoundError:
        if missing_is_empty:
            return Baseline()
        raise RecordError(f"{path}: there is no such baseline; --update-baseline writes one") from None
    except OSError as error:
        raise RecordError(f"{path}: the baseline cannot be read: {error.strerror}") from None
    except ContractError as error:
        place = f"{path}:{error.line}" if error.line else path
        raise RecordError(f"{place}: the baseline cannot be read: {error.message}") from None
    if not isinstance(data, Mapping) or data.get("version") != 1 or not isinstance(data.get("findings"), list):
        raise RecordError(f"{path}: a baseline has version: 1 and a list of findings")
    return Baseline(tuple(_entry(path, index, raw) for index, raw in enumerate(data["findings"])))


def _entry(path: str, index: int, raw: Any) -> Entry:
    where = f"{path}: findings/{index}"
    if not isinstance(raw, Mapping) or not isinstance(raw.get("fingerprint"), str):
        raise RecordError(f"{where}: an entry needs a fingerprint, 16 hex digits in quotes as in a JSON report")
    try:
        expires = datetime.datetime.fromisoformat(str(raw.get("expires"))).date()
    except ValueError:
        raise RecordError(f"{where}: expires is a day such as 2027-01-31, not {show(raw.get('expires'))}") from None
    texts = {name: raw.get(name) for name in ("rule", "where", "condition", "documented", "observed", "reason", "note")}
    wrong = next((name for name, value in texts.items() if value is not None and not isinstance(value, str)), None)
    if wrong:
        raise RecordError(f"{where}: {wrong} is a text, not {show(texts[wrong])}")
    return Entry(
        fingerprint=raw["fingerprint"], expires=expires, **{name: value or "" for name, value in texts.items()}
    )


def write(path: str, baseline: Baseline, contract: str) -> None:
    """Write a baseline in one step, so that a crash leaves the old one; raises RecordError."""
    fields = Entry.__dataclass_fields__
    data = {
        "version": 1,
        "contract": contract,
        "findings": [{name: getattr(entry, name) for name in fields} for entry in baseline.entries],
    }
    text = _HEAD + yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if target.exists():  # it is committed as a rule: who may read it is not for us to change
            Path(temporary).chmod(stat.S_IMODE(target.stat().st_mode))
        Path(temporary).replace(target)
    except OSError as error:
        raise RecordError(f"{path}: the baseline cannot be written: {error.strerror or error}") from None


def _warned(finding: Finding) -> Finding:
    if finding.violation.severity is not Severity.ERROR:
        return finding
    return replace(finding, violation=replace(finding.violation, severity=Severity.WARNING))
