"""The environment in which a program finds an API at another address, under the names that SDKs of this style read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from mockserver.contract import Contract

VERSIONED = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""Variables of SDKs that want the version in the base URL and leave it out of their paths."""
PLAIN = "QUICKROUTER_BASE_URL"
KEYS = ("OPENAI_API_KEY", "QUICKROUTER_API_KEY")
_DIRECT = ("NO_PROXY", "no_proxy")
_VERSION = re.compile(r"/v\d+(?=/)")


def variables(contract: Contract, url: str) -> dict[str, str]:
    """The variables that lead to an API at a base URL."""
    return {name: versioned(contract, url) for name in VERSIONED} | {PLAIN: url}


def versioned(contract: Contract, url: str) -> str:
    """The base URL with the version that all paths of the contract begin with; they may have none."""
    found = {match.group() if match else "" for match in (_VERSION.match(o.path) for o in contract.operations)}
    return url + found.pop() if len(found) == 1 else url


def keys(given: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of an environment, which no record and no report may hold whoever sends them."""
    return tuple(filter(None, (given.get(name, "").strip() for name in KEYS)))


def dummy_key() -> str:
    """A key that is good for the mock and for nothing else."""
    return f"sk-dummy-{secrets.token_hex(12)}"


def environment(given: Mapping[str, str], contract: Contract, url: str, key: str | None) -> dict[str, str]:
    """A program's environment: the given one with the address, the key (unless None), and no proxy before the address."""
    host = urlsplit(url).hostname or ""
    direct = {name: ",".join(filter(None, (given.get(name, ""), host, "localhost"))) for name in _DIRECT}
    keys = dict.fromkeys(KEYS, key) if key is not None else {}
    return {**given, **variables(contract, url), **direct, **keys}
