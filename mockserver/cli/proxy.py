"""``proxy``: forward to an API, judge both directions, and end with a verdict."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

import click

from mockserver.cli import outcome
from mockserver.cli.values import Seconds, Whole, address

if TYPE_CHECKING:
    from mockserver.client.process import Ended
    from mockserver.contract import Contract
    from mockserver.findings import Report
    from mockserver.settings import OnViolation

_GLANCE_S = 0.2
"""A signal may be given to another thread; the main one has to wake up to handle it."""
_POLICY = click.Choice(["enforce", "report", "ignore"])


@click.command("proxy", context_settings={"allow_interspersed_args": True})
@click.argument("upstream", metavar="UPSTREAM_URL", type=address)
@click.argument("program", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
@outcome.options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=Whole(0, 65535),
    help="Port to listen on; 0 takes a free one.  [default: 4010; with COMMAND a free one]",
)
@click.option(
    "--record", metavar="PATH", help="Write the traffic to PATH, without keys: HAR if it ends in .har, else NDJSON."
)
@click.option("--on-violation", type=_POLICY, default="report", show_default=True, help="For both sides.")
@click.option("--on-request-violation", type=_POLICY, help="For requests: hold back, report, or do not look.")
@click.option("--on-response-violation", type=_POLICY, help="For answers: hold back, report, or do not look.")
@click.option(
    "--silence-timeout",
    type=Seconds(min=0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="S",
    help="Seconds for which the API may say nothing.",
)
@click.option("--timeout", type=Seconds(min=0, min_open=True), metavar="S", help="Stop COMMAND after S seconds.")
def command(
    upstream: str,
    program: tuple[str, ...],
    contract: str | None,
    fail_on: str,
    report: tuple[str, ...],
    host: str,
    port: int | None,
    record: str | None,
    on_violation: OnViolation,
    on_request_violation: OnViolation | None,
    on_response_violation: OnViolation | None,
    silence_timeout: float,
    timeout: float | None,
) -> int:
    """Forward to the API at UPSTREAM_URL and judge both directions.

    UPSTREAM_URL stands for the contract's server URL, path included. Nothing that goes by is changed. Without COMMAND the
    first line on stdout is the base URL, and Ctrl-C or SIGTERM ends the proxy with a verdict; with COMMAND the base URL
    is in OPENAI_BASE_URL, OPENAI_API_BASE and QUICKROUTER_BASE_URL, keys are left as they are, and COMMAND's end is the
    proxy's. Formats of reports: json, junit, ndjson, sarif, html, github, har.
    """
    from mockserver import openapi
    from mockserver.cassette import Cassette
    from mockserver.checking.examination import Examiner
    from mockserver.cli.proof import prove
    from mockserver.client.environment import keys
    from mockserver.proxy import Inspector, Policy, proxying
    from mockserver.redaction import Redactor
    from mockserver.validation import Judge

    outcome.check_targets(report)
    prove(contract)
    loaded = openapi.load(contract)
    known = keys(os.environ)
    redactor = Redactor(loaded, *known)
    policy = Policy(on_request_violation or on_violation, on_response_violation or on_violation)
    clock, ended = time.perf_counter(), None
    with ExitStack() as stack:
        cassettes = [Cassette(path, redactor) for path in (record, outcome.har_of(report)) if path]
        for cassette in cassettes:
            stack.callback(cassette.close)
        inspector = Inspector(Examiner(Judge(loaded), redactor), upstream, policy, cassettes, _say)
        chosen = port if port is not None else 0 if program else 4010
        with proxying(inspector, upstream, host, chosen, silence_timeout) as url:
            if program:
                ended = _run(program, url, loaded, timeout)
            else:
                _wait(url)
        found = replace(inspector.report(upstream, outcome.severity(fail_on)), duration_s=time.perf_counter() - clock)
    return _finish(found, ended, report, known)


def _run(program: tuple[str, ...], url: str, loaded: Contract, timeout: float | None) -> Ended:
    from mockserver.client.environment import environment
    from mockserver.client.process import run

    return run(program, environment(os.environ, loaded, url, None), timeout)


def _wait(url: str) -> None:
    """Say where the proxy is, and wait for Ctrl-C or SIGTERM: both are the ordinary end."""
    stop = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        click.echo(url)
        sys.stdout.flush()
        while not stop.wait(_GLANCE_S):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finish(found: Report, ended: Ended | None, targets: tuple[str, ...], known: tuple[str, ...]) -> int:
    if ended is not None and (ended.failure or ended.interrupted):
        reason = "interrupted" if ended.interrupted else ended.failure
        found = replace(found, reason="; ".join(filter(None, (reason, found.reason))))
    code = outcome.finish(found, targets, known)
    if ended is not None and ended.interrupted:
        raise KeyboardInterrupt
    if ended is not None and ended.failure and found.verdict != "findings":
        click.echo(f"{ended.failure}; that is why this exits with 1", err=True)
        return 1
    return code


def _say(text: str) -> None:
    from mockserver.reports.clean import one_line

    click.echo(one_line(text), err=True)
