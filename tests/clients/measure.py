"""Measures clients that others wrote, against the mock: ``python -m tests.clients.measure`` prints the tables of ``docs``.

Each program runs under ``quickrouter-contract client``, which judges what it sends; what its user sees it writes down
itself.  ``--write`` puts them into ``docs/clients.md``.  ``CLIENTS`` names the folder with the clients, which the tox
environment of that name installs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from tests.clients import resilience
from tests.clients.program import Client, clients, run

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "clients.md"
MARK = "<!-- measured -->"
CASES = {
    "a valid request": ("1024x1536", ()),
    "429, Retry-After: 1": ("1024x1536", ("--scenario", "rate-limited")),
    "429, no Retry-After": ("1024x1536", ("--scenario", "rate-limited-bare")),
    "a forbidden size": ("999x999", ()),
}
HEAD = ("client", "case", "requests", "waits", "breaks the contract", "undocumented", "its user sees", "`client` exits")


@dataclass(frozen=True)
class Result:
    """One program in one case: requests, seconds between them, rules broken, what its user saw, the judgement's exit code.

    ``undocumented`` are fields that the page does not name; ``keyed`` tells whether a request carried an idempotency key.
    """

    client: str
    version: str
    case: str
    requests: int
    waits: tuple[float, ...]
    broken: tuple[str, ...]
    undocumented: tuple[str, ...]
    saw: str
    exit_code: int
    keyed: bool

    @property
    def cells(self) -> tuple[str, ...]:
        waits = ", ".join(f"{wait:.1f} s" for wait in self.waits) or "-"
        broken = ", ".join(f"`{rule}`" for rule in self.broken) or "nothing"
        extra = ", ".join(f"`{name}`" for name in self.undocumented) or "-"
        saw = f"`{self.saw}`" if self.saw else "nothing"
        name = f"{self.client} {self.version}"
        return (name, self.case, str(self.requests), waits, broken, extra, saw, str(self.exit_code))


def measure(client: Client, case: str) -> Result:
    """Run one program in one case."""
    size, options = CASES[case]
    done = run(client, size, *options, "--timeout", "120")
    times = [datetime.fromisoformat(entry["startedDateTime"]) for entry in done.entries]
    findings = done.report["findings"]
    names = {header["name"].lower() for entry in done.entries for header in entry["request"]["headers"]}
    undocumented = {f["pointer"].removeprefix("/body/") for f in findings if f["rule"] == "body.undocumented"}
    return Result(
        client=client.name,
        version=done.version,
        case=case,
        requests=done.report["requests"],
        waits=tuple((later - earlier).total_seconds() for earlier, later in pairwise(times)),
        broken=tuple(sorted({finding["rule"] for finding in findings if finding["severity"] != "info"})),
        undocumented=tuple(sorted(undocumented)),
        saw=done.saw,
        exit_code=done.exit_code,
        keyed="idempotency-key" in names,
    )


def results(home: Path) -> Iterator[Result]:
    """All clients in all cases, one at a time, since waits are measured."""
    for client in clients(home):
        for case in CASES:
            yield measure(client, case)


def table(found: Iterable[Result]) -> str:
    """The results as a table in Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(result.cells for result in found)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def main() -> None:
    """Print the tables, or write them into the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="put the tables into docs/clients.md")
    home, write = Path(os.environ["CLIENTS"]), options.parse_args().write
    for mark, text in ((MARK, table(results(home))), (resilience.MARK, resilience.written(home))):
        if write:
            before, _, after = PAGE.read_text(encoding="utf-8").split(mark)
            PAGE.write_text(f"{before}{mark}\n{text}\n{mark}{after}", encoding="utf-8")
        print(text)


if __name__ == "__main__":
    main()
