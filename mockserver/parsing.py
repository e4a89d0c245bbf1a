"""The only opener of contract files: JSON and YAML with the line of whatever is wrong in them.

Where contracts are and how their files refer to each other is left to :mod:`mockserver.library`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from mockserver.errors import ContractError

_NODES_AT_MOST = 500_000
"""Values of one file, aliases unfolded, beyond which it is taken for an attack."""


def parse(path: Path) -> Any:
    """The value in a JSON or YAML file; raises ContractError with the line of a syntax error or a repeated key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractError(f"not UTF-8: {error.reason} at byte {error.start}", file=str(path)) from None
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}", file=str(path)) from None
    try:
        if path.suffix in (".yaml", ".yml"):
            return json.loads(json.dumps(_bounded(yaml.safe_load(text)), default=str))
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ContractError(f"not JSON: {error.msg}, column {error.colno}", file=str(path), line=error.lineno) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ContractError(f"not YAML: {error.problem}", file=str(path), line=line) from None
    except _RepeatedKeyError as error:
        line = next((n for n, row in enumerate(text.splitlines(), 1) if json.dumps(error.key) in row), None)
        raise ContractError(f"the key {error.key!r} stands twice in one object", file=str(path), line=line) from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ContractError(f"cannot be read: {error}", file=str(path)) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _bounded(value: Any) -> Any:
    """The value, unless its aliases make it far larger than any contract: then a ValueError before it is unfolded."""
    waiting, seen = [value], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > _NODES_AT_MOST:
            raise ValueError(f"its aliases unfold to more than {_NODES_AT_MOST} values")
        waiting.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
    return value


class _RepeatedKeyError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKeyError(next(key for index, key in enumerate(keys) if key in keys[:index]))
    return result


def line_of(path: Path, pointer: str) -> int | None:
    """The line on which the value at ``pointer`` stands, counted from 1; None when it cannot be told.

    YAML's node graph carries positions and YAML reads nearly all JSON, so one reader serves both.
    """
    try:
        node = _nodes(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    line: int | None = node.start_mark.line + 1 if node else None
    for part in [unquote(p).replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == part), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            return line
    return line


@lru_cache(maxsize=64)
def _nodes(path: Path, _: int) -> Any:
    """The node graph of a file as it was at a modification time; tabs, which JSON may indent with, read as blanks."""
    text = path.read_text(encoding="utf-8-sig")
    return yaml.compose(text.replace("\t", " ") if path.suffix == ".json" else text, Loader=yaml.SafeLoader)
