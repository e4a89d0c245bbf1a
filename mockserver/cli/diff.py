"""``diff``: what changed between two contracts, and which changes break clients."""

from __future__ import annotations

import click

from mockserver.diff.change import FailOn
from mockserver.diff.writing import Format


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "json", "markdown"]),
    default="terminal",
    show_default=True,
    help="How the changes are written.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "any", "never"]),
    default="breaking",
    show_default=True,
    help="Which changes make the exit code 1.",
)
def command(old: str, new: str, form: Format, fail_on: FailOn) -> int:
    """List what changed from contract OLD to contract NEW, and which changes break clients.

    OLD and NEW are names of shipped contracts, folders or OpenAPI 3.1 files. A request that becomes stricter and an
    answer that becomes looser break clients; so does what cannot be compared.
    """
    from mockserver import diff
    from mockserver.diff.writing import written

    difference = diff.compare(old, new)
    click.echo(written(difference, form), nl=False)
    return 1 if difference.fails(fail_on) else 0
