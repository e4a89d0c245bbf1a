"""``export``: write a contract in a form that other tools read."""

from __future__ import annotations

from pathlib import Path

import click

from mockserver.errors import RecordError


@click.group("export")
def command() -> None:
    """Write a contract as one file."""


@command.command("openapi")
@click.option("--contract", metavar="NAME_OR_PATH", help="A shipped contract, a folder or an OpenAPI 3.1 file.")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to write it; stdout unless given.")
def openapi(contract: str | None, output: str) -> None:
    """Write the contract as one OpenAPI 3.1 document, every file that it refers to included."""
    from mockserver import export, library

    text = export.openapi(library.read(contract))
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise RecordError(f"{output} cannot be written: {error.strerror or error}") from None
