"""What a command does with a contract before it uses it: refuse what would make it go wrong, warn of what else is wrong."""

from __future__ import annotations

import click

_WARNINGS_AT_MOST = 5


def prove(contract: str | None) -> None:
    """Raise ContractError for a contract that cannot be trusted; what else is wrong with its form goes to stderr."""
    from mockserver import library

    if library.locate(contract).is_relative_to(library.bundled_root()):
        return  # without the import of what proves others
    from mockserver import lint
    from mockserver.reports.clean import one_line

    found = lint.prove(contract)
    for problem in found[:_WARNINGS_AT_MOST]:
        click.echo(one_line(f"warning: {problem}"), err=True)
    if len(found) > _WARNINGS_AT_MOST:
        click.echo(f"warning: and {len(found) - _WARNINGS_AT_MOST} more; lint lists them", err=True)
