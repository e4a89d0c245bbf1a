"""``client``: run a program against a mock of its own and judge what it sent."""

from __future__ import annotations

import os
import shlex
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import click

from mockserver.cli import outcome
from mockserver.cli.values import Seconds
from mockserver.errors import UsageError

if TYPE_CHECKING:
    from mockserver.client.process import Ended
    from mockserver.findings import Report
    from mockserver.server import Running

_MAX_BODY = 256 * 1024 * 1024
_JOURNAL_ENTRIES = 200_000
_JOURNAL_BYTES = 512 * 1024 * 1024
_QUIET_S = 0.3
_PATIENCE_S = 5.0


_MOCK_ADDRESS = "http://127.0.0.1:4010"
"""Where the command ``mock`` listens: a request is shown again there, since the mock of this run is gone, at no cost."""


@click.command("client", context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.argument("program", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
@outcome.options
@click.option("--scenario", metavar="NAME", help="Let the mock answer by this scenario of the contract.")
@click.option("--seed", type=int, metavar="N", help="Let the mock give the same answer to the same request.")
@click.option(
    "--on-violation",
    type=click.Choice(["enforce", "report"]),
    default="enforce",
    show_default=True,
    help="Whether the mock refuses a request that breaks the contract, or serves it all the same.",
)
@click.option("--resilience", is_flag=True, help="Run COMMAND once per scenario and say what it makes of each.")
@click.option("--timeout", type=Seconds(min=0, min_open=True), metavar="S", help="Stop the command after S seconds.")
def command(
    program: tuple[str, ...],
    contract: str | None,
    fail_on: str,
    report: tuple[str, ...],
    scenario: str | None,
    seed: int | None,
    on_violation: Literal["enforce", "report"],
    resilience: bool,
    timeout: float | None,
) -> int:
    """Run COMMAND against a mock of its own, then judge every request that it sent.

    COMMAND finds the mock in OPENAI_BASE_URL and OPENAI_API_BASE (with the version at the end) and QUICKROUTER_BASE_URL
    (without), and a dummy key in OPENAI_API_KEY and QUICKROUTER_API_KEY. The requests are judged even if COMMAND
    swallows every error. Exit code 1 if they break the contract or COMMAND itself fails, 3 if none was seen.
    Formats of reports: json, junit, ndjson, sarif, html, github, har.
    """
    from mockserver.cli.proof import prove
    from mockserver.client.environment import dummy_key, environment, keys
    from mockserver.client.process import run
    from mockserver.server import background
    from mockserver.settings import Settings

    outcome.check_targets(report)
    prove(contract)
    settings = Settings(
        contract=contract,
        port=0,
        scenario=scenario,
        seed=seed,
        on_violation=on_violation,
        max_body=_MAX_BODY,
        journal_entries=_JOURNAL_ENTRIES,
        journal_bytes=_JOURNAL_BYTES,
    )
    if resilience:
        from mockserver.cli.resilience import DEFAULT_TIMEOUT_S
        from mockserver.cli.resilience import command as resilient

        if scenario is not None or outcome.wants_har(report):
            raise UsageError("--resilience plays every scenario in turn; it takes neither --scenario nor a har report")
        return resilient(program, settings, timeout or DEFAULT_TIMEOUT_S, fail_on, report)
    key, clock = dummy_key(), time.perf_counter()
    sys.stdout.flush()
    with background(settings) as running:
        variables = environment(os.environ, running.mock.contract, running.url, key)
        ended = run(program, variables, timeout)
        if ended.left_running:
            _wait_for_quiet(running)
    found = replace(_report(running, program, fail_on, report), duration_s=time.perf_counter() - clock)
    code = outcome.finish(_concluded(found, ended, running, variables), report, [key, *keys(os.environ)])
    return _exit_code(code, found, ended)


def _exit_code(code: int, found: Report, ended: Ended) -> int:
    if ended.interrupted:
        raise KeyboardInterrupt
    if ended.failure and found.verdict != "findings":
        click.echo(f"{ended.failure}; that is why this exits with 1", err=True)
        return 1
    return code


def _wait_for_quiet(running: Running) -> None:
    """Give what the command left running the time to finish what it is about."""
    journal = running.journal
    until, seen = time.monotonic() + _PATIENCE_S, -1
    while time.monotonic() < until and seen != len(journal) + journal.dropped:
        seen = len(journal) + journal.dropped
        time.sleep(_QUIET_S)


def _report(running: Running, program: tuple[str, ...], fail_on: str, targets: tuple[str, ...]) -> Report:
    from mockserver.cassette import Cassette
    from mockserver.checking.examination import Examiner
    from mockserver.client.judgement import Inspection
    from mockserver.redaction import Redactor

    contract = running.mock.contract
    redactor = Redactor(contract)
    inspection = Inspection(Examiner(running.mock.pipeline.judge, redactor), f"{_MOCK_ADDRESS}{contract.base_path}")
    entries = running.journal.entries()
    inspection.add(entries)
    if archive := outcome.har_of(targets):
        kept = Cassette(archive, redactor)
        for entry in entries:
            kept.write(entry.exchange)
        kept.close()
    return inspection.report(shlex.join(program)[:200], outcome.severity(fail_on))


def _concluded(found: Report, ended: Ended, running: Running, variables: dict[str, str]) -> Report:
    """The report with how the command ended, and advice where it sent nothing."""
    from mockserver.client.environment import PLAIN, VERSIONED

    notes, reason = list(found.notes), "interrupted" if ended.interrupted else ended.failure
    details: dict[str, Any] = {**found.details, "command_status": ended.status}
    if ended.left_running:
        notes.append("the command left processes running behind it; what they send later is not judged")
    if running.journal.dropped:
        notes.append(f"the first {running.journal.dropped} requests are no longer on record and were not judged")
    if not found.requests and found.notes:  # it did call, and hung up or was cut off in the middle
        reason = "; ".join(filter(None, (reason, "no request came to its end")))
    elif not found.requests:
        shown = ", ".join(f"{name}={variables[name]}" for name in (*VERSIONED, PLAIN))
        notes.append(f"the command was told where the mock is by {shown}, and had a dummy key")
        notes.append(
            "a client that sent nothing may have its address in its code or in a file: let it read one of these variables"
        )
        reason = "; ".join(filter(None, (reason, "no request was seen")))
    elif running.journal.dropped and found.verdict == "clean":
        return replace(found, verdict="inconclusive", notes=tuple(notes), reason="not every request was judged")
    return replace(found, notes=tuple(notes), reason=reason, details=details)
