"""``test``: run the contract suite against an API, or against a mock that it starts itself.

Only what the user gave is passed on; the suite knows its defaults, enforces the limits and prints the report.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from mockserver.cli.values import Seconds, Whole, address, amount, rate, report, variable
from mockserver.errors import UsageError

_MOCK_KEY = "QUICKROUTER_CONTRACT_MOCK_KEY"
"""Environment variable in which the mock's random key is handed to the suite."""


@click.command("test")
@click.argument("base_url", required=False, metavar="[BASE_URL]", type=address)
@click.option("--contract", metavar="NAME_OR_PATH", help="A shipped contract, a folder or an OpenAPI 3.1 file.")
@click.option("--max-requests", type=Whole(min=0), metavar="N", help="Send at most N requests.  [default: 60]")
@click.option("--max-images", type=Whole(min=0), metavar="N", help="Buy at most N images.  [default: 30]")
@click.option("--budget", type=amount, metavar="AMOUNT", help="Spend at most this, for example 0.50usd.")
@click.option("--dry-run", is_flag=True, help="Print the priced plan and send nothing.")
@click.option("--seed", type=int, metavar="N", help="Make the same choices again.")
@click.option("--baseline", type=click.Path(dir_okay=False), metavar="FILE", help="Accepted findings.")
@click.option("--update-baseline", is_flag=True, help="Write the findings of this run into the baseline.")
@click.option("--record", metavar="PATH", help="Write every exchange to a cassette, and go on from what it holds.")
@click.option("--replay", metavar="PATH", help="Judge a cassette again; nothing is sent.")
@click.option(
    "--propose",
    type=click.Path(),
    metavar="DIR",
    help="Write what the API seems to promise into DIR, as a changed copy of the contract for review.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    help="The least severity that makes the exit code 1.  [default: error]",
)
@click.option("--report", type=report, multiple=True, metavar="FORMAT=PATH", help="Also write a report; repeatable.")
@click.option("--rate-limit", type=rate, metavar="RATE", help="Send no faster than this, for example 5/s.")
@click.option(
    "--request-timeout",
    type=Seconds(min=0, min_open=True),
    metavar="S",
    help="Seconds to wait for an answer.",
)
@click.option(
    "--api-key-env",
    type=variable,
    metavar="NAME",
    help="Environment variable that holds the key.  [default: QUICKROUTER_API_KEY]",
)
def command(base_url: str | None, update_baseline: bool, dry_run: bool, **values: Any) -> int:
    """Run the contract suite against the API at BASE_URL, or, without it, against the mock.

    Any address that is not loopback needs an explicit --budget or --max-images: accepted requests are paid for.
    Formats of reports: json, junit, ndjson, sarif, html, har, github.
    """
    from mockserver.cli.keys import DEFAULT, check
    from mockserver.cli.proof import prove
    from mockserver.cli.suite import run

    _check_reports(values["report"])
    check(values["api_key_env"] or DEFAULT)
    if update_baseline and values["baseline"] is None:
        raise UsageError("--update-baseline needs --baseline FILE to know what to write")
    prove(values["contract"])
    if base_url is not None or values["replay"]:
        return run(_options(values, base_url, update_baseline, dry_run))
    with _mock(values["contract"]) as address:
        given = {**values, "api_key_env": _MOCK_KEY}
        return run(_options(given, address, update_baseline, dry_run))


def _check_reports(targets: tuple[str, ...]) -> None:
    from mockserver import reports

    paths = [target.partition("=")[2] for target in targets]
    twice = next((path for index, path in enumerate(paths) if path in paths[:index]), None)
    if twice is not None:
        raise UsageError(f"two reports would be written to {'stdout' if twice == '-' else twice}")
    for target in targets:
        form, _, path = target.partition("=")
        reports.check_writable(form, path)


def _options(values: dict[str, Any], base_url: str | None, update_baseline: bool, dry_run: bool) -> list[str]:
    options = [f"--base-url={base_url}"] if base_url is not None else []
    for name, value in values.items():
        flag = "--" + name.replace("_", "-")
        for single in value if isinstance(value, tuple) else (value,):
            if single is not None:
                options += [f"{flag}={single}"]
    options += ["--update-baseline"] if update_baseline else []
    options += ["--dry-run"] if dry_run else []
    return options


@contextmanager
def _mock(contract: str | None) -> Iterator[str]:
    from mockserver.server import background
    from mockserver.settings import Settings

    key = secrets.token_urlsafe(24)
    os.environ[_MOCK_KEY] = key
    try:
        with background(Settings(contract=contract, port=0, api_key=key)) as running:
            yield running.url
    finally:
        os.environ.pop(_MOCK_KEY, None)
