"""``check``: judge recorded traffic.  Nothing is sent."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import click

from mockserver.cli import outcome
from mockserver.cli.values import Whole
from mockserver.errors import RecordError, UsageError

if TYPE_CHECKING:
    from mockserver.contract import Contract, Operation

_LARGEST_BODY = 256 * 1024 * 1024
_HINT = " (a single JSON body needs --as request or --as response)"


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@outcome.options
@click.option(
    "--as",
    "side",
    type=click.Choice(["request", "response"]),
    help="Each FILE is one JSON body: of a request, of an answer.",
)
@click.option("--operation", metavar="ID", help="The operation that a single body belongs to.")
@click.option("--status", type=Whole(100, 599), metavar="N", help="The status that a single answer had.")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Another host of the API; repeatable.")
def command(
    files: tuple[str, ...],
    contract: str | None,
    fail_on: str,
    report: tuple[str, ...],
    side: Literal["request", "response"] | None,
    operation: str | None,
    status: int | None,
    hosts: tuple[str, ...],
) -> int:
    """Judge recorded traffic: HAR, the NDJSON of proxy --record, or single JSON bodies.

    FILE is a file, a folder (every .har, .har.zip, .ndjson and .jsonl below it) or - for stdin. Entries that are not the
    contract's are skipped and counted. A record without any of the contract's is inconclusive, exit code 3.
    Formats of reports: json, junit, ndjson, sarif, html, github, har.
    """
    from mockserver import openapi
    from mockserver.cli.proof import prove

    if side is None and (operation or status):
        raise UsageError("--operation and --status describe a single body; they need --as request or --as response")
    outcome.check_targets(report)
    prove(contract)
    loaded = openapi.load(contract)
    if side is not None:
        return _bodies(files, loaded, side, _operation(loaded, operation), status, fail_on, report)
    if len(files) == 1 and _own_run(files[0]) == loaded.name:
        from mockserver.cli.suite import run

        options = [f"--replay={files[0]}", f"--fail-on={fail_on}", *(f"--report={target}" for target in report)]
        return run([*options, *([f"--contract={contract}"] if contract else [])])
    return _records(files, loaded, frozenset(host.lower() for host in hosts), fail_on, report)


def _records(
    files: tuple[str, ...], contract: Contract, hosts: frozenset[str], fail_on: str, targets: tuple[str, ...]
) -> int:
    from mockserver.cassette import SUFFIXES, Cassette
    from mockserver.checking.examination import Examiner
    from mockserver.checking.records import Check
    from mockserver.client.environment import keys
    from mockserver.redaction import Redactor
    from mockserver.validation import Judge

    known = keys(os.environ)
    redactor = Redactor(contract, *known)
    clock = time.perf_counter()
    with ExitStack() as stack:
        archive = outcome.har_of(targets)
        kept = Cassette(archive, redactor) if archive else None
        if kept:
            stack.callback(kept.close)
        check = Check(Examiner(Judge(contract), redactor), hosts, outcome.severity(fail_on), len(files) > 1, kept)
        for argument in files:
            check.begin(argument)
            for name, stream in _streams(argument):
                try:
                    check.record(name, stream)
                except RecordError as problem:
                    hint = "" if Path(name).suffix.lower() in SUFFIXES else _HINT
                    raise RecordError(f"{problem}{hint}") from None
            check.end(argument)
        found = check.report(", ".join(files))
    return outcome.finish(replace(found, duration_s=time.perf_counter() - clock), targets, known)


def _own_run(file: str) -> str | None:
    """The contract's name, where a file is the cassette of a test run: its probes are known, so it is judged as one."""
    from mockserver import cassette

    path = Path(file)
    if cassette.SUFFIXES.get(path.suffix.lower()) != "ndjson" or not path.is_file():
        return None
    first = next(iter(cassette.read(file)), None)
    notes = first.notes if first else ()
    if not any(note.startswith(cassette.PROBE) for note in notes):
        return None
    return next((note.removeprefix(cassette.CONTRACT) for note in notes if note.startswith(cassette.CONTRACT)), None)


def _bodies(
    files: tuple[str, ...],
    contract: Contract,
    side: Literal["request", "response"],
    operation: Operation,
    status: int | None,
    fail_on: str,
    targets: tuple[str, ...],
) -> int:
    from mockserver.checking.records import check_bodies
    from mockserver.validation import Judge

    bodies = ((name, _whole(name, stream)) for file in files for name, stream in _streams(file))
    found = check_bodies(Judge(contract), operation, side, status, bodies, outcome.severity(fail_on), ", ".join(files))
    return outcome.finish(found, targets)


def _streams(argument: str) -> Iterator[tuple[str, BinaryIO]]:
    """The files that an argument stands for, each open while it is looked at."""
    from mockserver.cassette import SUFFIXES, ZIPPED, opened

    if argument == "-":
        yield "stdin", sys.stdin.buffer if hasattr(sys.stdin, "buffer") else io.BytesIO()
        return
    path = Path(argument)
    if not path.is_dir():
        with opened(argument) as stream:
            yield argument, stream
        return
    ends = (*SUFFIXES, ZIPPED)
    files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(ends) and file.is_file())
    if not files:
        raise RecordError(f"{argument} holds no {', '.join(ends)} file")
    for file in files:
        with opened(str(file)) as stream:
            yield str(file), stream


def _whole(name: str, stream: BinaryIO) -> bytes:
    body = stream.read(_LARGEST_BODY + 1)
    if len(body) > _LARGEST_BODY:
        raise RecordError(f"{name} has more than {_LARGEST_BODY} bytes; a single body may not")
    return body


def _operation(contract: Contract, identifier: str | None) -> Operation:
    known = [operation.id for operation in contract.operations]
    if identifier is not None:
        if identifier not in known:
            raise UsageError(f"the contract has no operation {identifier!r}; it has {', '.join(known) or 'none'}")
        return contract.operation(identifier)
    if len(known) != 1:
        raise UsageError(f"--operation is needed, because the contract has {', '.join(known) or 'none'}")
    return contract.operations[0]
