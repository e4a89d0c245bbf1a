"""What clients that others wrote make of each failure of the API: ``client --resilience``, one table for all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.program import Client, clients, run

AT_A_TIME = 4
"""Clients that run beside each other: they mostly wait."""
MARK = "<!-- measured: resilience -->"
TIMEOUT_S = "60"


@dataclass(frozen=True)
class Resilience:
    """One client over all scenarios: tries and how many of them were paid for, by scenario; what was found, by rule."""

    client: str
    tries: dict[str, tuple[int, int]]
    found: dict[str, tuple[str, ...]]


def measure(client: Client) -> Resilience:
    """All scenarios, one after the other."""
    done = run(client, "1024x1536", "--resilience", "--timeout", TIMEOUT_S, archive=False)
    rows: list[dict[str, Any]] = done.report["resilience"]
    found: dict[str, list[str]] = {}
    for finding in done.report["findings"]:
        if finding["rule"].startswith("client."):
            found.setdefault(finding["rule"], []).append(finding["message"].partition(":")[0])
    return Resilience(
        f"{client.name} {done.version}",
        {row["scenario"]: (row["attempts"], row["paid"]) for row in rows},
        {rule: tuple(sorted(where)) for rule, where in sorted(found.items())},
    )


def results(home: Path) -> list[Resilience]:
    """All clients, in their order."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(measure, clients(home)))


def cell(tries: int, paid: int) -> str:
    """Tries, and how many of them were paid for where it was more than one."""
    return f"{tries}, paid {paid}" if paid > 1 else str(tries)


def table(found: list[Resilience]) -> str:
    """A row for each scenario, a column for those clients that do the same in all of them."""
    columns: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        columns.setdefault(tuple(cell(*tried) for tried in one.tries.values()), []).append(one.client)
    rows = [("scenario", *(", ".join(names) for names in columns.values())), ("---",) * (len(columns) + 1)]
    rows += [(f"`{name}`", *cells) for name, cells in zip(found[0].tries, zip(*columns, strict=True), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def written(home: Path) -> str:
    """The table as it is measured now."""
    return table(results(home))
