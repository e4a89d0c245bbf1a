"""The command line: finds the command, runs it and turns whatever happens into one exit code.

Each command is a module of its own, imported when it is called, so that none pays for the imports of another.  Exit
codes: 0 clean, 1 findings, 2 usage, configuration or contract error, 3 inconclusive, 130 interrupted.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

import click

from mockserver import __version__
from mockserver.errors import ContractToolError

PROGRAM = "quickrouter-contract"
DEBUG = "QUICKROUTER_CONTRACT_DEBUG"
"""Set to 1, it lets tracebacks through."""

_COMMANDS = {
    "mock": "Serve the mock.",
    "test": "Run the contract suite against an API, or against the mock.",
    "client": "Run a program against a mock and judge what it sent.",
    "proxy": "Forward to an API and judge both directions.",
    "check": "Judge recorded traffic: HAR, NDJSON or single bodies.",
    "lint": "Prove a contract: structure, schemas, examples, sources.",
    "export": "Write a contract as one file.",
    "diff": "List what changed between two contracts and what of it breaks clients.",
}
"""Command -> its line in the help; the module of the same name holds it as ``command``."""


class _Lazy(click.Group):
    """A group that knows its commands by name and imports only the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """Contract tests and a mock server for image-generation APIs in the OpenAI style.

    Exit codes: 0 clean, 1 findings, 2 usage or contract error, 3 inconclusive, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (that of the process unless given) and return its exit code; nothing is raised."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # documentation is quoted in its own language
    try:
        result = cli.main(None if arguments is None else list(arguments), prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as shown:
        click.echo(shown.format_message(), err=True)
        return 2
    except click.ClickException as wrong:
        return _usage(wrong)
    except ContractToolError as failure:
        return _fail(str(failure), failure.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return 130
    except BrokenPipeError:
        # whoever read stdout has gone; the interpreter must not complain about it once more when it closes it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except Exception as unexpected:  # noqa: BLE001
        return _unexpected(unexpected)


def _usage(wrong: click.ClickException) -> int:
    context = getattr(wrong, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    code = _fail(wrong.format_message(), 2)
    click.echo(f"see {path} --help", err=True)
    return code


def _unexpected(error: Exception) -> int:
    from mockserver.cli.keys import masked

    if os.environ.get(DEBUG) == "1":
        click.echo(masked("".join(traceback.format_exception(error))), err=True, nl=False)
    said = f"{type(error).__name__}: {str(error)[:300]}".rstrip(": ")
    return _fail(
        f"unexpected {said} - this is a mistake in {PROGRAM}, please report it to its issue tracker; "
        f"{DEBUG}=1 shows the traceback",
        2,
    )


def _fail(message: str, code: int) -> int:
    from mockserver.cli.keys import masked
    from mockserver.reports.clean import one_line

    click.echo(f"error: {one_line(masked(message))}", err=True)
    return code
