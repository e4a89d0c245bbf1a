"""Measures clients that others wrote, against the mock: ``python -m tests.clients.measure`` prints the table of ``docs``.

Each program runs under ``quickrouter-contract client``, which judges what it sends; what its user sees it writes down
itself.  ``--write`` puts the table into ``docs/clients.md``.  ``CLIENTS`` names the folder with the clients, which the tox
environment of that name installs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "clients.md"
CURL = ROOT / "schemas/quickrouter/examples/createImage/curl.sh"
MARK = "<!-- measured -->"
CASES = {
    "a valid request": ("1024x1536", ()),
    "429, Retry-After: 1": ("1024x1536", ("--scenario", "rate-limited")),
    "429, no Retry-After": ("1024x1536", ("--scenario", "rate-limited-bare")),
    "a forbidden size": ("999x999", ()),
}
HEAD = ("client", "case", "requests", "waits", "breaks the contract", "its user sees", "`client` exits")


@dataclass(frozen=True)
class Client:
    """A program and what runs it."""

    name: str
    command: tuple[str, ...]
    program: str


@dataclass(frozen=True)
class Result:
    """One program in one case: requests, seconds between them, rules broken, what its user saw, the judgement's exit code.

    ``keyed`` tells whether a request carried an idempotency key.
    """

    client: str
    version: str
    case: str
    requests: int
    waits: tuple[float, ...]
    broken: tuple[str, ...]
    saw: str
    exit_code: int
    keyed: bool

    @property
    def cells(self) -> tuple[str, ...]:
        waits = ", ".join(f"{wait:.1f} s" for wait in self.waits) or "-"
        broken = ", ".join(f"`{rule}`" for rule in self.broken) or "nothing"
        saw = f"`{self.saw}`" if self.saw else "nothing"
        return (f"{self.client} {self.version}", self.case, str(self.requests), waits, broken, saw, str(self.exit_code))


def clients(home: Path) -> list[Client]:
    """The clients that are installed in a folder."""
    return [
        Client("openai-python", (sys.executable,), "openai_sdk.py"),
        Client("openai-python", (str(home / "openai2/bin/python"),), "openai_sdk.py"),
        Client("openai-node", ("node",), "openai_sdk.mjs"),
        Client("AI SDK", ("node",), "ai_sdk.mjs"),
        Client("LiteLLM SDK", (str(home / "litellm/bin/python"),), "litellm_sdk.py"),
        Client("LangChain", (str(home / "langchain/bin/python"),), "langchain_dalle.py"),
        Client("the page's curl", ("sh",), "page_curl.sh"),
    ]


def measure(client: Client, case: str, home: Path) -> Result:
    """Run one program in one case."""
    size, options = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        report, traffic, saw = (Path(folder) / name for name in ("report.json", "traffic.har", "saw.json"))
        program = HERE / "programs" / client.program
        if program.suffix == ".mjs":  # a module finds its packages beside itself
            program = Path(shutil.copy(program, home / "node" / client.program))
        environment = {**os.environ, "SIZE": size, "SAW": str(saw), "PAGE": str(CURL)}
        environment |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-m", "mockserver", "client", *options, "--timeout", "120"),
                *("--report", f"json={report}", "--report", f"har={traffic}", "--", *client.command, str(program)),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=150,
        )
        if not saw.exists():
            raise RuntimeError(f"{client.name}, {case}: {done.stdout}{done.stderr}")
        told, seen = json.loads(report.read_text(encoding="utf-8")), json.loads(saw.read_text(encoding="utf-8"))
        entries = json.loads(traffic.read_text(encoding="utf-8"))["log"]["entries"]
    times = [datetime.fromisoformat(entry["startedDateTime"]) for entry in entries]
    waits = tuple((later - earlier).total_seconds() for earlier, later in pairwise(times))
    broken = tuple(sorted({finding["rule"] for finding in told["findings"] if finding["severity"] != "info"}))
    names = {header["name"].lower() for entry in entries for header in entry["request"]["headers"]}
    return Result(
        client=client.name,
        version=seen["version"],
        case=case,
        requests=told["requests"],
        waits=waits,
        broken=broken,
        saw=seen["saw"],
        exit_code=done.returncode,
        keyed="idempotency-key" in names,
    )


def results(home: Path) -> Iterator[Result]:
    """All clients in all cases, one at a time, since waits are measured."""
    for client in clients(home):
        for case in CASES:
            yield measure(client, case, home)


def table(found: Iterable[Result]) -> str:
    """The results as a table in Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(result.cells for result in found)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def main() -> None:
    """Print the table, or write it into the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="put the table into docs/clients.md")
    written = table(results(Path(os.environ["CLIENTS"])))
    if options.parse_args().write:
        before, _, after = PAGE.read_text(encoding="utf-8").split(MARK)
        PAGE.write_text(f"{before}{MARK}\n{written}\n{MARK}{after}", encoding="utf-8")
    print(written)


if __name__ == "__main__":
    main()
