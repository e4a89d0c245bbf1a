"""Which recorded exchanges belong to a contract, and where in it: behind another address, below a proxy's prefix."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from mockserver.contract import Contract, Match, Operation
from mockserver.messages import Exchange

_DEEPEST: Final = 16
"""Steps of a path among which the end of an unknown prefix is looked for."""
_LONGEST: Final = 1024
"""Characters of a path on another host beyond which it is nobody's: looking for the nearest operation costs time."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An exchange as the contract sees it: its path below the base path; ``prefix`` is what stood before that."""

    exchange: Exchange
    prefix: str


def place(contract: Contract, exchange: Exchange, hosts: frozenset[str]) -> Placed | None:
    """Where an exchange belongs in the contract; None for one of somebody else's.

    ``hosts`` are the API's own, as in a Host header: there, a path that nobody knows is a finding.  On other hosts a
    known path is taken for the API behind another address, also below a prefix that a proxy may have put before it.
    """
    request = exchange.request
    if request.method == "OPTIONS" and request.header("access-control-request-method"):
        return None  # a browser's question whether it may ask; the API's documentation does not speak of it
    path = request.path
    own = (request.header("host") or "").lower() in hosts
    if not own and not _ends_like_one(contract, path):
        return None
    base = contract.base_path
    below = path.removeprefix(base) if base and path.startswith(f"{base}/") else path
    if known(contract.match(request.method, below)):
        return Placed(_at(exchange, below), "")
    for start in [found.start() for found in re.finditer("/", path)][1:_DEEPEST]:
        match = contract.match(request.method, path[start:])
        if match.operation and (own or _telling(match.operation)):
            return Placed(_at(exchange, path[start:]), path[:start])
    return Placed(_at(exchange, below), "") if own else None


def known(match: Match) -> bool:
    """Whether the path is in the contract, by this method or another one."""
    return match.operation is not None or bool(match.allowed)


def host_of(url: str) -> str:
    """Host and port of a URL as a Host header gives them; "" for none."""
    return url.partition("://")[2].partition("/")[0].lower()


def _at(exchange: Exchange, path: str) -> Exchange:
    return (
        exchange if path == exchange.request.path else replace(exchange, request=replace(exchange.request, path=path))
    )


def _telling(operation: Operation) -> bool:
    """Whether a path is told from other people's by its end: at least two of its steps are fixed."""
    return sum(1 for part in operation.path.split("/") if part and "{" not in part) >= 2


def _ends_like_one(contract: Contract, path: str) -> bool:
    """Whether the last step could be that of one of the contract's paths: a cheap look that passes over most others."""
    if len(path) > _LONGEST:
        return False
    last = path.rpartition("/")[2]
    ends = (operation.path.rpartition("/")[2] for operation in contract.operations)
    return any("{" in end or end == last for end in ends)
