"""``lint``: prove a contract and list everything that is wrong with it."""

from __future__ import annotations

import click


@click.command("lint")
@click.argument("contract", required=False, metavar="[CONTRACT]")
def command(contract: str | None) -> int:
    """Prove a contract: structure, schemas, references, examples, sources.

    CONTRACT is the name of a shipped contract, a folder or an OpenAPI 3.1 file. Lists every problem with file, line and
    JSON Pointer and exits with 2; without one it prints a line of summary and exits with 0.
    """
    from mockserver.lint import check
    from mockserver.reports.clean import one_line

    result = check(contract)
    for problem in (*result.notes, *result.problems):
        click.echo(one_line(str(problem)))
    click.echo(one_line(result.summary))
    return 2 if result.problems else 0
