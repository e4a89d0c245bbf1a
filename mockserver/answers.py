"""Answers that obey their request, compiled: a documented example or a synthesised value becomes a function.

What does not depend on the request is settled once.  What does is said by the contract's meaning keywords: as many items as
asked for, positions, sums, the present time, fresh ids, values taken over, a text that says what was asked.
Which answer is given is left to :mod:`mockserver.responders`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from mockserver.contract import Contract, Operation
from mockserver.encoding import encoded
from mockserver.explanation import Explainer
from mockserver.media import MISSING
from mockserver.pointers import find, parts_of, pointer_of
from mockserver.synthesis import Unsatisfiable, synthesize

ITEMS_AT_MOST: Final = 1000
"""Items that an answer has at most, whatever a request that was not refused asks for."""
SHOWN_AT_MOST: Final = 600
"""Characters of the request that a summary repeats."""

_LIMITED = ("maximum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf", "enum", "const")
_CLOSED = re.compile(r"\$|\\[ZbB]|\(\?")
_STYLED = re.compile(r"(?P<prefix>.*[-_:.])?(?P<rest>[^-_:.]+)", re.DOTALL)


class Asked:
    """What an answer depends on: the request's body, the moment, and a source of randomness."""

    __slots__ = ("_text", "bits", "body", "count", "index", "line", "now")

    def __init__(self, body: Any, line: str, now: float | None, bits: Callable[[int], int]) -> None:
        self.body = body
        self.line = line
        self.now = now
        self.bits = bits
        self.index = 0
        self.count = 1
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The request as one line of text: its body as JSON, without one method and target."""
        if self._text is None:
            shown = self.line if self.body is MISSING else encoded(self.body).decode()
            self._text = (
                shown if len(shown) <= SHOWN_AT_MOST else f"{shown[:SHOWN_AT_MOST]}... ({len(shown)} characters)"
            )
        return self._text


Maker = Callable[[Asked], Any]
_Node = tuple[str, Mapping[str, Any]]


def compiled(contract: Contract, explainer: Explainer, operation: Operation, schema: str, base: Any) -> Maker:
    """A function that makes the answer to a request from ``base``, a value of the schema at a pointer ("" for none)."""
    if not schema:
        return lambda _: base
    maker = _Compiler(contract, explainer, operation).maker([schema], base)
    return maker or (lambda _: base)


def seeded(seed: object, *parts: str) -> Callable[[int], int]:
    """Random bits that are the same for the same seed and parts, in every process."""
    return Random(repr((str(seed), *parts))).getrandbits


class _Compiler:
    def __init__(self, contract: Contract, explainer: Explainer, operation: Operation) -> None:
        self._document = contract.document.data
        self._explainer = explainer
        self._operation = operation

    def maker(self, schemas: Sequence[str], base: Any) -> Maker | None:
        """What makes the value at one place; None where it is always ``base``."""
        nodes = self._applied(schemas, base)
        said: dict[str, Any] = {}
        for _, node in nodes:
            for key in ("x-equals", "x-time", "x-unique", "x-text", "x-length", "x-positions", "x-sum"):
                if key in node:
                    said.setdefault(key, node[key])
        if isinstance(base, dict):
            made = self._object(nodes, base, said)
        elif isinstance(base, list):
            made = self._list(nodes, base, said)
        else:
            made = self._leaf(nodes, base, said)
        return self._equal(nodes, base, said["x-equals"], made) if "x-equals" in said else made

    def _leaf(self, nodes: list[_Node], base: Any, said: Mapping[str, Any]) -> Maker | None:
        if "x-time" in said and _is_number(base):
            return lambda asked: base if asked.now is None else int(asked.now)
        if "x-unique" in said:
            return self._fresh(nodes, base)
        if "x-text" in said and isinstance(base, str):
            return self._summary(nodes, base)
        return None

    def _object(self, nodes: list[_Node], base: dict[str, Any], said: Mapping[str, Any]) -> Maker | None:
        members: list[tuple[str, Maker]] = []
        for name, value in base.items():
            below = [f"{p}/properties{pointer_of([name])}" for p, n in nodes if name in n.get("properties", {})]
            if below and (maker := self.maker(below, value)):
                members.append((name, maker))
        total = self._sum(nodes, base, said["x-sum"]) if "x-sum" in said else None
        if not members and not total:
            return None

        def make(asked: Asked) -> Any:
            value = base.copy()
            for name, maker in members:
                value[name] = maker(asked)
            return total(value, asked) if total else value

        return make

    def _list(self, nodes: list[_Node], base: list[Any], said: Mapping[str, Any]) -> Maker | None:
        items: list[tuple[Any, Maker | None]] = []
        for index, value in enumerate(base):
            below = [
                f"{p}/prefixItems/{index}" if index < len(n.get("prefixItems", ())) else f"{p}/items"
                for p, n in nodes
                if index < len(n.get("prefixItems", ())) or isinstance(n.get("items"), Mapping)
            ]
            items.append((value, self.maker(below, value) if below else None))
        length, positions = said.get("x-length"), said.get("x-positions")
        if not items and length:
            items = self._first_item(nodes)
        if not items or not (length or positions or any(maker for _, maker in items)):
            return None
        place = parts_of(positions["member"]) if positions else []
        asked_for = _reader(length["request"], length.get("default")) if length else None

        def make(asked: Asked) -> list[Any]:
            count = _count(asked_for(asked.body), len(items)) if asked_for else len(items)
            asked.count = count
            made = []
            for index in range(count):
                value, maker = items[index % len(items)]
                asked.index = index
                item = maker(asked) if maker else value
                made.append(_with(item, place, index, fresh=maker is not None) if place else item)
            return made

        return make

    def _first_item(self, nodes: list[_Node]) -> list[tuple[Any, Maker | None]]:
        """An item for a list whose example has none."""
        for pointer, node in nodes:
            if isinstance(node.get("items"), Mapping):
                try:
                    value = synthesize(self._document, f"#{pointer}/items", seed=0)
                except (Unsatisfiable, KeyError):
                    continue
                return [(value, self.maker([f"{pointer}/items"], value))]
        return []

    def _sum(self, nodes: list[_Node], base: Any, rule: Mapping[str, Any]) -> Callable[[Any, Asked], Any] | None:
        """Counts that fit the request, and their total: those that are the same for equal requests follow its text."""
        total, parts = parts_of(rule["total"]), [parts_of(pointer) for pointer in rule["of"]]
        if not all(_is_number(find(base, pointer_of(part))) for part in [total, *parts]):
            return None
        fixed = [part for part in parts if any(self._says(nodes, part, base, keyword) for keyword in _LIMITED)]
        counts = [
            (part, _reader(pointer_of(part), 0), part in fixed, self._says(nodes, part, base, "x-stable"))
            for part in parts
        ]
        units = self._operation.units
        bought = _reader(units.request, units.default) if units else None

        def add(value: Any, asked: Asked) -> Any:
            result = 0
            for part, read, is_fixed, is_steady in counts:
                number = read(value)
                if not is_fixed:
                    times = _count(bought(asked.body), 1) if bought and not is_steady else 1
                    number = tokens(asked.body) if is_steady else number * max(1, times)
                    value = _with(value, part, number, fresh=True)
                result += number
            return _with(value, total, result, fresh=True)

        return add

    def _says(self, nodes: list[_Node], steps: list[str], base: Any, keyword: str) -> bool:
        """Whether a schema that applies to a place below has a keyword."""
        for name in steps:
            below = [f"{p}/properties{pointer_of([name])}" for p, n in nodes if name in n.get("properties", {})]
            base = find(base, pointer_of([name]))
            nodes = self._applied(below, base)
        return any(keyword in node for _, node in nodes)

    def _equal(self, nodes: list[_Node], base: Any, rule: Mapping[str, Any], otherwise: Maker | None) -> Maker:
        read, unless = _reader(rule["request"]), list(rule.get("unless", ()))

        def make(asked: Asked) -> Any:
            value = read(asked.body)
            if value is None or value in unless or not self._fits(nodes, value):
                return otherwise(asked) if otherwise else base
            return value

        return make

    def _summary(self, nodes: list[_Node], base: str) -> Maker:
        unit = (self._operation.units.name if self._operation.units else "item").capitalize()
        bounded = any(_bounds(node, unit) for _, node in nodes)

        def make(asked: Asked) -> str:
            text = f"{unit} {asked.index + 1} of {asked.count}, as asked for: {asked.text}"
            return text if not bounded or self._fits(nodes, text) else base

        return make

    def _fresh(self, nodes: list[_Node], base: Any) -> Maker | None:
        """Values in the style of the example that never come twice; None where the schema leaves no room."""
        for style in _styles(base):
            if all(self._fits(nodes, style(Random(seed).getrandbits)) for seed in range(3)):
                return lambda asked, style=style: style(asked.bits)  # type: ignore[misc]
        return None

    def _fits(self, nodes: list[_Node], value: Any) -> bool:
        return all(self._explainer.validator(pointer).is_valid(value) for pointer, _ in nodes[:1])

    def _applied(self, schemas: Sequence[str], value: Any) -> list[_Node]:
        """Every schema that speaks about a value: through references, ``allOf`` and the branches that it fits."""
        found: list[_Node] = []
        seen: set[str] = set()
        waiting = list(schemas)
        while waiting:
            pointer = waiting.pop(0).removeprefix("#")
            node = find(self._document, pointer)
            if pointer in seen or not isinstance(node, Mapping):
                continue
            seen.add(pointer)
            found.append((pointer, node))
            waiting += self._branches(pointer, node, value)
        return found

    def _branches(self, pointer: str, node: Mapping[str, Any], value: Any) -> Iterator[str]:
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        yield from (f"{pointer}/allOf/{index}" for index in range(len(node.get("allOf", ()))))
        for keyword in ("anyOf", "oneOf"):
            branches = [f"{pointer}/{keyword}/{index}" for index in range(len(node.get(keyword, ())))]
            yield from (branch for branch in branches if self._explainer.validator(branch).is_valid(value))
        if "if" in node:
            branch = "then" if self._explainer.validator(f"{pointer}/if").is_valid(value) else "else"
            if branch in node:
                yield f"{pointer}/{branch}"


def tokens(body: Any) -> int:
    """A plausible count of tokens of a request: four characters each, and at least one."""
    return max(1, (_characters(body) + 3) // 4)


def _characters(value: Any) -> int:
    kind = type(value)
    if kind is str:
        return len(value)
    if kind is dict:
        return sum([len(member) if type(member) is str else _characters(member) for member in value.values()])
    return sum([_characters(item) for item in value]) if kind is list else 0


def _count(wanted: Any, usual: int) -> int:
    if type(wanted) is int or (type(wanted) is float and wanted.is_integer()):
        return int(wanted) if 0 <= wanted <= ITEMS_AT_MOST else usual
    return usual


def _reader(pointer: str, default: Any = None) -> Callable[[Any], Any]:
    """Reads the value at a pointer; the common one-step pointer without a walk."""
    steps = parts_of(pointer)
    if len(steps) != 1:
        return lambda value: find(value, pointer, default)
    name = steps[0]
    return lambda value: value.get(name, default) if type(value) is dict else find(value, pointer, default)


def _with(value: Any, steps: Sequence[str], new: Any, *, fresh: bool = False) -> Any:
    """The value with one place replaced; what lies on the way is copied, since it may be shared between answers.

    ``fresh`` says that the value itself, though not what is in it, was made for this answer.
    """
    if not steps:
        return new
    name, rest = steps[0], steps[1:]
    if type(value) is dict:
        result = value if fresh else value.copy()
        result[name] = _with(result.get(name, {}), rest, new) if rest else new
        return result
    if isinstance(value, list) and name.isdigit() and int(name) < len(value):
        place = int(name)
        return [*value[:place], _with(value[place], rest, new), *value[place + 1 :]]
    return value


def _styles(base: Any) -> list[Callable[[Callable[[int], int]], Any]]:
    """Ways to make values like an example, the most telling first."""
    if isinstance(base, bool):
        return []
    if isinstance(base, int):
        return [lambda bits: bits(53), lambda bits: bits(31)]
    if not isinstance(base, str):
        return []
    try:
        uuid.UUID(base)
    except ValueError:
        pass
    else:
        return [lambda bits: str(uuid.UUID(int=bits(128), version=4))]
    match = _STYLED.fullmatch(base)
    prefix = (match["prefix"] if match else "") or ""
    length = len(base) - len(prefix)
    longer = max(length, 24)
    return [
        lambda bits: f"{prefix}{bits(4 * longer):0{longer}x}",
        lambda bits: f"{prefix}{bits(4 * length):0{length}x}",
        lambda bits: f"{prefix}{bits(4 * length) % 10**length:0{length}d}",
        lambda bits: f"{prefix}{bits(4 * length):0{length}X}",
    ]


def _bounds(node: Mapping[str, Any], head: str) -> bool:
    """Whether a schema could refuse a text that begins with ``head``: an open pattern found in the head cannot."""
    pattern = node.get("pattern")
    if isinstance(pattern, str) and (_CLOSED.search(pattern) or not re.search(pattern, head)):
        return True
    return any(keyword in node for keyword in ("maxLength", "format", "enum", "const", "not"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
