"""Measures the contract suite on the faulty server: ``python -m tests.measure`` prints the table of ``docs``.

Every fault gets a server and a run of its own, as a user would start it; what counts is the report and what the server
booked.  ``--write`` puts the table into ``docs/broken-servers.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faulty import FAULTS, PROFILES
from tests.faulty.server import serve

PAGE = Path(__file__).resolve().parent.parent / "docs" / "broken-servers.md"
MARK = "<!-- measured -->"
REQUESTS, IMAGES = 60, 30


@dataclass(frozen=True)
class Result:
    """One run: what the server booked, the exit code, and the findings worth a warning or an error."""

    name: str
    exit_code: int
    requests: int
    images: int
    findings: tuple[dict[str, Any], ...]
    problems: str

    @property
    def found(self) -> bool:
        return bool(self.findings)

    @property
    def at_request(self) -> int | None:
        numbers = [int(str(f["first_exchange"]).lstrip("x")) for f in self.findings if f["first_exchange"]]
        return min(numbers, default=None)


def examine(fault: str | None, profile: str = "plain", seed: int = 1, key: str | None = None) -> Result:
    """Run the suite against one server, as a command in a process of its own."""
    with serve(fault, profile, key) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        environment = {k: v for k, v in os.environ.items() if k != "QUICKROUTER_API_KEY"}
        if key:
            environment["QUICKROUTER_API_KEY"] = key
        done = subprocess.run(
            [
                *(sys.executable, "-m", "mockserver", "test", server.url, "--seed", str(seed)),
                *("--report", f"json={path}", "--request-timeout", "5"),
                *("--max-requests", str(REQUESTS), "--max-images", str(IMAGES)),
            ],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
        report = json.loads(path.read_text()) if path.exists() else {"findings": []}
        weighty = tuple(f for f in report["findings"] if f["severity"] != "info")
        problems = done.stderr if "Traceback" in done.stderr + done.stdout or not path.exists() else ""
        return Result(fault or profile, done.returncode, server.requests, server.images, weighty, problems)


def faults(names: Iterable[str]) -> Iterator[Result]:
    """Results for faults, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(examine, names)


def alarms(seeds: Iterable[int]) -> Iterator[Result]:
    """Results for every faithful server and seed."""
    jobs = [(profile, seed) for profile in PROFILES for seed in seeds]
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(lambda job: examine(None, *job), jobs)


def table(results: list[Result]) -> str:
    """Found and missed by category, what it took, and which were missed."""
    rows = [
        "| category | faults | found | | median request of first sight | median images |",
        "|---|---|---|---|---|---|",
    ]
    by_name = {result.name: result for result in results}
    groups: dict[str, list[str]] = {}
    for fault in FAULTS.values():
        if fault.weight != "info" and fault.name in by_name:
            groups.setdefault(fault.category, []).append(fault.name)
    groups["all"] = [name for names in groups.values() for name in names]
    groups["all, held out"] = [name for name in groups["all"] if FAULTS[name].held_out]
    for category, names in groups.items():
        found = [by_name[name] for name in names if by_name[name].found]
        firsts = sorted(result.at_request or 0 for result in found)
        images = sorted(result.images for result in found)
        middle = len(found) // 2
        share = f"{100 * len(found) / len(names):.1f} %"
        rows.append(
            f"| {category} | {len(names)} | {len(found)} | {share} | {firsts[middle] if firsts else '-'} "
            f"| {images[middle] if images else '-'} |"
        )
    missed = [name for name in groups["all"] if not by_name[name].found]
    rows += ["", f"Not found ({len(missed)}):", ""]
    rows += [f"- `{name}` ({FAULTS[name].category}, {FAULTS[name].weight}): {FAULTS[name].wrong}" for name in missed]
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="faults to measure; all without")
    parser.add_argument("--seeds", type=int, default=2, help="runs against each faithful server")
    parser.add_argument("--write", action="store_true", help="put the table into the documentation")
    arguments = parser.parse_args()
    names = arguments.names or [name for name, fault in FAULTS.items() if fault.weight != "info"]
    results = list(faults(names))
    quiet = list(alarms(range(1, arguments.seeds + 1))) if not arguments.names else []
    text = table(results)
    if quiet:
        loud = [result.name for result in quiet if result.found or result.exit_code]
        over = [r.name for r in (*results, *quiet) if r.requests > REQUESTS or r.images > IMAGES]
        text += f"\n\nFalse alarms: {len(loud)} in {len(quiet)} runs against {len(PROFILES)} faithful servers"
        text += f" ({', '.join(loud)})." if loud else "."
        text += f"\n\nRuns above {REQUESTS} requests or {IMAGES} images: {len(over)}"
        text += f" ({', '.join(over)})." if over else "."
    print(text)
    if arguments.write:
        head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
        PAGE.write_text(f"{head}{MARK}\n\n{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
