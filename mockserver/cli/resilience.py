"""``client --resilience``: run a program once per scenario and say what it made of each."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from mockserver.cli import outcome
from mockserver.errors import Inconclusive

if TYPE_CHECKING:
    from mockserver.client.resilience import Outcome
    from mockserver.settings import Settings

DEFAULT_TIMEOUT_S = 60.0
"""Seconds that a run may take; SDKs of this style give up within ten unless they are told to wait."""


def command(
    program: tuple[str, ...], settings: Settings, timeout_s: float, fail_on: str, targets: tuple[str, ...]
) -> int:
    """All runs one after the other, the table, the report; the exit code."""
    from mockserver import openapi
    from mockserver.checking.examination import Examiner
    from mockserver.client.judgement import Inspection
    from mockserver.client.resilience import judged, runs, table
    from mockserver.findings import at_least
    from mockserver.redaction import Redactor
    from mockserver.validation import Judge

    contract, clock = openapi.load(settings.contract), time.perf_counter()
    outcomes: list[Outcome] = []
    for go in runs(contract, program, settings, dict(os.environ), timeout_s):
        one = go()
        if one.ended.interrupted:
            raise KeyboardInterrupt
        if not outcomes and not one.entries:
            raise Inconclusive(
                "no request was seen, so there is nothing to try; the same without --resilience says more"
            )
        click.echo(f"{one.scenario}: {len(one.attempts)} tries in {one.seconds:.1f} s", err=True)
        outcomes.append(one)
    inspection = Inspection(Examiner(Judge(contract), Redactor(contract)), contract.server_url)
    inspection.add(outcomes[0].entries)
    level = outcome.severity(fail_on)
    report = inspection.report(shlex.join(program)[:200], level)
    found = sorted(
        (*report.findings, *(finding for one in outcomes for finding in judged(one))),
        key=lambda finding: -finding.violation.severity.rank,
    )
    rows = [one.row() for one in outcomes]
    if "-" not in [target.partition("=")[2] for target in targets]:
        click.echo(table(rows))
        click.echo()
    notes = list(report.notes)
    if outcomes[0].ended.failure:
        notes.append(f"with normal answers, {outcomes[0].ended.failure}")
    final = replace(
        report,
        verdict="findings" if at_least(found, level) else "clean",
        findings=tuple(found),
        requests=sum(len(one.entries) for one in outcomes),
        notes=tuple(notes),
        details={**report.details, "resilience": rows},
        duration_s=time.perf_counter() - clock,
    )
    return outcome.finish(final, targets)
