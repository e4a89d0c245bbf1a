"""The only opener of contract files: JSON and YAML with the line of whatever is wrong in them.

Where contracts are and how their files refer to each other is left to :mod:`mockserver.library`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import yaml

from mockserver.errors import ContractError
from mockserver.pointers import index_of

BYTES_AT_MOST: Final = 32 * 1024 * 1024
"""Bytes of one file that are read; so many characters may also stand in it when its aliases are unfolded."""

NODES_AT_MOST: Final = 500_000
"""Values of one file of YAML, aliases unfolded, beyond which it is taken for an attack."""

_MERGE: Final = "tag:yaml.org,2002:merge"
_UNFOLDED: Final = f"its aliases unfold to more than {NODES_AT_MOST} values"

_DIGITS_AT_MOST = 4300
"""What Python reads of one number, since reading takes time in proportion to the square."""

LEVELS_AT_MOST: Final = 100
"""How deep objects and lists of a file may nest: whatever walks a contract may recurse."""

_STRUCTURE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A text goes on to the end where nothing closes it, and is looked at once: trying again behind each quote takes hours."""


def parse(path: Path, *, as_yaml: bool | None = None) -> Any:
    """The value in a JSON or YAML file, by its name unless said; dates become texts.

    Raises ContractError with the line of whatever keeps it from being read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_AT_MOST + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractError(f"not UTF-8: {error.reason} at byte {error.start}", file=str(path)) from None
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}", file=str(path)) from None
    if len(content) > BYTES_AT_MOST:
        raise ContractError(f"the file has more than {BYTES_AT_MOST} bytes; split it", file=str(path))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        if path.suffix in (".yaml", ".yml") if as_yaml is None else as_yaml:
            return json.loads(_as_json(text), parse_constant=_no_constant)
        _not_too_deep(text, _opened(text), path)
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        raise ContractError(f"not JSON: {error.msg}, column {error.colno}", file=str(path), line=error.lineno) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ContractError(f"not YAML: {error.problem}", file=str(path), line=line) from None
    except _RepeatedKeyError as error:
        line = error.line or _row_of(text, json.dumps(error.key), json.dumps(error.key, ensure_ascii=False))
        raise ContractError(f"the key {error.key!r} stands twice in one object", file=str(path), line=line) from None
    except _NumberError as error:
        line = _row_of(text, error.digits)
        message = f"the number {error.digits[:40]}{'...' * (len(error.digits) > 40)} {error.reason}"
        raise ContractError(message, file=str(path), line=line) from None
    except RecursionError:
        _not_too_deep(text, _begun(text), path)
        raise ContractError("cannot be read: it is nested too deeply", file=str(path)) from None
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise ContractError(f"cannot be read: {error}", file=str(path)) from None


def _row_of(text: str, *wanted: str) -> int | None:
    """The last line in which one of some texts stands: of two equal keys it is the second that is one too many."""
    rows = [number for number, row in enumerate(text.splitlines(), 1) if any(one in row for one in wanted)]
    return rows[-1] if rows else None


def _no_constant(name: str) -> Any:
    raise _NumberError(name, "is no number of JSON")


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise _NumberError(digits, f"has {len(digits)} digits, more than can be read") from None


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _NumberError(digits, "is out of the range of numbers")
    return value


@lru_cache(maxsize=4)
def _as_json(text: str) -> str:
    """A YAML text as JSON; kept, because reading YAML takes seconds where it has a megabyte."""
    return json.dumps(_bounded(_from_yaml(text)), default=str)


def _from_yaml(text: str) -> Any:
    """The value of a YAML text; where a key stands twice PyYAML would take the last one and say nothing."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _checked(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _checked(root: yaml.Node) -> None:
    """Refuse what PyYAML would take and JSON cannot hold; keys become texts, as they are in JSON."""
    waiting: list[Any] = [(root, 1)]
    seen: set[int] = set()
    while waiting:
        node, depth = waiting.pop()
        if depth > LEVELS_AT_MOST:
            raise RecursionError
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting.extend((value, depth + 1) for _, value in node.value)
            keys: set[str] = set()
            for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
                if key.tag != _MERGE:
                    key.tag = "tag:yaml.org,2002:str"
                    if key.value in keys:
                        raise _RepeatedKeyError(key.value, key.start_mark.line + 1)
                    keys.add(key.value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend((item, depth + 1) for item in node.value)
        elif node.tag.endswith(":float") and "inf" in repr(_float(node.value)):
            raise _NumberError(node.value, "is out of the range of numbers")
        elif node.tag.endswith(":int") and len(node.value) > _DIGITS_AT_MOST:
            raise _NumberError(node.value, f"has {len(node.value)} digits, more than can be read")


def _float(text: str) -> float:
    """What YAML means by a number: ``.inf``, ``1_000.5``; 0.0 for what is left to PyYAML."""
    try:
        return float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "inf"))
    except ValueError:
        return 0.0


def _opened(text: str) -> Iterator[tuple[int, int]]:
    """For each object and list that a JSON text opens: its level and its position."""
    level = 0
    for found in _STRUCTURE.finditer(text):
        if found[0] in "[{":
            level += 1
            yield level, found.start()
        elif found[0] in "]}":
            level -= 1


def _begun(text: str) -> Iterator[tuple[int, int]]:
    """The same of a YAML text."""
    level = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
            yield level, event.start_mark.index if event.start_mark else 0
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1


def _not_too_deep(text: str, containers: Iterator[tuple[int, int]], path: Path) -> None:
    for level, position in containers:
        if level > LEVELS_AT_MOST:
            message = f"objects and lists are nested more than {LEVELS_AT_MOST} levels deep from here; use references"
            raise ContractError(message, file=str(path), line=text.count("\n", 0, position) + 1)


def _bounded(value: Any) -> Any:
    """The value, unless its aliases make it far larger than any contract: then a ValueError before it is unfolded."""
    waiting, seen, characters = [(value, 0)], 0, 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if seen > NODES_AT_MOST:
            raise ValueError(_UNFOLDED)
        if depth > LEVELS_AT_MOST:
            raise RecursionError
        if isinstance(node, str):
            characters += len(node)
        elif isinstance(node, dict):
            characters += sum(map(len, node))
            waiting.extend((member, depth + 1) for member in node.values())
        elif isinstance(node, list):
            waiting.extend((item, depth + 1) for item in node)
        if characters > BYTES_AT_MOST:
            raise ValueError(f"its aliases unfold to more than {BYTES_AT_MOST} characters")
    return value


class _Loader(yaml.SafeLoader):
    """The safe loader of PyYAML, which merges mappings (``<<``) into each other without a bound."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        merged = 0
        for key, value in node.value:
            if key.tag == _MERGE:
                for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if isinstance(part, yaml.MappingNode):
                        self.flatten_mapping(part)
                        merged += len(part.value)
                    if merged > NODES_AT_MOST:
                        raise ValueError(_UNFOLDED)
        super().flatten_mapping(node)


class _RepeatedKeyError(Exception):
    def __init__(self, key: str, line: int | None = None) -> None:
        super().__init__(key)
        self.key, self.line = key, line


class _NumberError(Exception):
    def __init__(self, digits: str, reason: str) -> None:
        super().__init__(digits)
        self.digits, self.reason = digits, reason


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RepeatedKeyError(key)
            seen.add(key)
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
        elif isinstance(node, yaml.SequenceNode) and (index := index_of(part)) is not None and index < len(node.value):
            node = node.value[index]
            line = node.start_mark.line + 1
        else:
            return line
    return line


@lru_cache(maxsize=64)
def _nodes(path: Path, _: int) -> Any:
    """The node graph of a file as it was at a modification time; tabs, which JSON may indent with, read as blanks."""
    text = path.read_text(encoding="utf-8-sig")
    return yaml.compose(text.replace("\t", " ") if path.suffix == ".json" else text, Loader=yaml.SafeLoader)
