"""Answers that obey their request, compiled: a documented example or a synthesised value becomes a function.

What does not depend on the request is settled once.  What does is said by the contract's meaning keywords: as many items as
asked for, positions, sums, the present time, fresh ids, values taken over, a text that says what was asked.
Which answer is given is left to :mod:`mockserver.responders`.
"""

from __future__ import annotations

import json
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
    """What an answer depends on: the request's body, the moment, and a source of randomness.

    ``line`` stands for a request without a body; ``now`` is in Unix seconds, None where answers must not depend on it;
    ``bits`` gives so many random bits.
    """

    __slots__ = ("_shown", "_tokens", "bits", "body", "count", "index", "line", "now")

    def __init__(self, body: Any, line: str, now: float | None, bits: Callable[[int], int]) -> None:
        self.body = body
        self.line = line
        self.now = now
        self.bits = bits
        self.index = 0
        self.count = 1
        self._shown: bytes | None = None
        self._tokens = 0

    @property
    def shown(self) -> bytes:
        """The request as the inside of a JSON string: its body as JSON, without one method and target."""
        if self._shown is None:
            text = self.line if self.body is MISSING else encoded(self.body).decode()
            if len(text) > SHOWN_AT_MOST:
                text = f"{text[:SHOWN_AT_MOST]}... ({len(text)} characters)"
            self._shown = encoded(text)[1:-1]
        return self._shown

    @property
    def tokens(self) -> int:
        """A plausible count of the request's tokens: four characters of its texts each, and at least one."""
        if not self._tokens:
            self._tokens = max(1, (_characters(self.body) + 3) // 4)
        return self._tokens


Slot = Callable[[Asked], bytes]
"""Makes one place of an answer, as JSON."""

_Pieces = list[bytes | Slot]
_Overrides = Mapping[tuple[str, ...], Slot]
_Node = tuple[str, Mapping[str, Any]]


def compiled(contract: Contract, explainer: Explainer, operation: Operation, schema: str, base: Any) -> Slot:
    """A function that makes the answer to a request from ``base``, a value of the schema at a pointer ("" for none)."""
    if not schema:
        return _rendering([encoded(base)])
    return _rendering(_Compiler(contract, explainer, operation).pieces([schema], base, {}))


def seeded(seed: object, *parts: str) -> Callable[[int], int]:
    """Random bits that are the same for the same seed and parts, in every process."""
    return Random(repr((str(seed), *parts))).getrandbits


def _rendering(pieces: _Pieces) -> Slot:
    """One function of pieces: a template that is filled with what the slots make."""
    slots = [piece for piece in pieces if not isinstance(piece, bytes)]
    if not slots:
        constant = b"".join(piece for piece in pieces if isinstance(piece, bytes))
        return lambda _: constant
    template = b"".join(piece.replace(b"%", b"%%") if isinstance(piece, bytes) else b"%b" for piece in pieces)
    if template == b"%b":
        return slots[0]
    if len(slots) == 1:
        only = slots[0]
        return lambda asked: template % only(asked)
    return lambda asked: template % tuple([slot(asked) for slot in slots])


class _Compiler:
    def __init__(self, contract: Contract, explainer: Explainer, operation: Operation) -> None:
        self._document = contract.document.data
        self._explainer = explainer
        self._operation = operation

    def pieces(self, schemas: Sequence[str], base: Any, overrides: _Overrides) -> _Pieces:
        """What the value at one place is made of; ``overrides`` make places below, by their path."""
        nodes = self._applied(schemas, base)
        said: dict[str, Any] = {}
        for _, node in nodes:
            for key in ("x-equals", "x-time", "x-unique", "x-text", "x-length", "x-positions", "x-sum"):
                if key in node:
                    said.setdefault(key, node[key])
        if isinstance(base, dict):
            made = self._object(nodes, base, said, overrides)
        elif isinstance(base, list):
            made = self._list(nodes, base, said)
        else:
            slot = self._leaf(nodes, base, said)
            made = [slot] if slot else [encoded(base)]
        return [self._equal(nodes, said["x-equals"], _rendering(made))] if "x-equals" in said else made

    def _leaf(self, nodes: list[_Node], base: Any, said: Mapping[str, Any]) -> Slot | None:
        if "x-time" in said and _is_number(base):
            usual = encoded(base)
            return lambda asked: usual if asked.now is None else b"%d" % asked.now
        if "x-unique" in said:
            return self._fresh(nodes, base)
        if "x-text" in said and isinstance(base, str):
            return self._summary(nodes, base)
        return None

    def _object(
        self, nodes: list[_Node], base: dict[str, Any], said: Mapping[str, Any], overrides: _Overrides
    ) -> _Pieces:
        if "x-sum" in said:
            overrides = {**overrides, **self._sum(nodes, base, said["x-sum"])}
        pieces: _Pieces = [b"{"]
        for place, (name, value) in enumerate(base.items()):
            pieces.append((b"," if place else b"") + encoded(name) + b":")
            if (name,) in overrides:
                pieces.append(overrides[(name,)])
                continue
            below = [f"{p}/properties{pointer_of([name])}" for p, n in nodes if name in n.get("properties", {})]
            inner = {path[1:]: slot for path, slot in overrides.items() if path[0] == name}
            pieces += self.pieces(below, value, inner)
        return [*pieces, b"}"]

    def _list(self, nodes: list[_Node], base: list[Any], said: Mapping[str, Any]) -> _Pieces:
        length, positions = said.get("x-length"), said.get("x-positions")
        overrides: _Overrides = {}
        if positions:
            overrides = {tuple(parts_of(positions["member"])): lambda asked: b"%d" % asked.index}
        values = list(base) or (self._first_item(nodes) if length else [])
        items = [_rendering(self._item(nodes, index, value, overrides)) for index, value in enumerate(values)]
        if not length:
            pieces: _Pieces = [b"["]
            for index, item in enumerate(items):
                pieces += [b","] if index else []
                pieces.append(_at(index, len(items), item))
            return [*pieces, b"]"]
        asks = _reader(length["request"], length.get("default"))
        usual, kinds = len(base), len(items)

        def make(asked: Asked) -> bytes:
            asked.count = count = _count(asks(asked.body), usual) if kinds else 0
            made = []
            for index in range(count):
                asked.index = index
                made.append(items[index % kinds](asked))
            return b"[%b]" % b",".join(made)

        return [make]

    def _item(self, nodes: list[_Node], index: int, value: Any, overrides: _Overrides) -> _Pieces:
        below = [
            f"{p}/prefixItems/{index}" if index < len(n.get("prefixItems", ())) else f"{p}/items"
            for p, n in nodes
            if index < len(n.get("prefixItems", ())) or isinstance(n.get("items"), Mapping)
        ]
        return self.pieces(below, value, overrides)

    def _first_item(self, nodes: list[_Node]) -> list[Any]:
        """An item for a list whose example has none."""
        for pointer, node in nodes:
            if isinstance(node.get("items"), Mapping):
                try:
                    return [synthesize(self._document, f"#{pointer}/items", seed=0)]
                except (Unsatisfiable, KeyError):
                    continue
        return []

    def _sum(self, nodes: list[_Node], base: Any, rule: Mapping[str, Any]) -> dict[tuple[str, ...], Slot]:
        """Counts that fit the request, and their total: those that are the same for equal requests follow its text."""
        total, parts = parts_of(rule["total"]), [parts_of(pointer) for pointer in rule["of"]]
        if not all(_is_number(find(base, pointer_of(part))) for part in [total, *parts]):
            return {}
        numbers = [self._number(nodes, part, base) for part in parts]
        slots = {tuple(part): _written(number) for part, number in zip(parts, numbers, strict=True)}
        slots[tuple(total)] = lambda asked: encoded(sum([number(asked) for number in numbers]))
        return slots

    def _number(self, nodes: list[_Node], part: list[str], base: Any) -> Callable[[Asked], Any]:
        usual, units = find(base, pointer_of(part)), self._operation.units
        if any(self._says(nodes, part, base, keyword) for keyword in _LIMITED):
            return lambda _: usual
        if self._says(nodes, part, base, "x-stable"):
            return lambda asked: asked.tokens
        if units is None:
            return lambda _: usual
        bought = _reader(units.request, units.default)
        return lambda asked: usual * max(1, _count(bought(asked.body), 1))

    def _says(self, nodes: list[_Node], steps: list[str], base: Any, keyword: str) -> bool:
        """Whether a schema that applies to a place below has a keyword."""
        for name in steps:
            below = [f"{p}/properties{pointer_of([name])}" for p, n in nodes if name in n.get("properties", {})]
            base = find(base, pointer_of([name]))
            nodes = self._applied(below, base)
        return any(keyword in node for _, node in nodes)

    def _equal(self, nodes: list[_Node], rule: Mapping[str, Any], otherwise: Slot) -> Slot:
        read, unless = _reader(rule["request"]), list(rule.get("unless", ()))

        def make(asked: Asked) -> bytes:
            value = read(asked.body)
            if value is None or value in unless or not self._fits(nodes, value):
                return otherwise(asked)
            return encoded(value)

        return make

    def _summary(self, nodes: list[_Node], base: str) -> Slot:
        unit = (self._operation.units.name if self._operation.units else "item").capitalize()
        template = encoded(unit)[:-1].replace(b"%", b"%%") + b' %d of %d, as asked for: %b"'
        bounded = any(_bounds(node, unit) for _, node in nodes)
        usual = encoded(base)

        def make(asked: Asked) -> bytes:
            return template % (asked.index + 1, asked.count, asked.shown)

        def make_if_it_fits(asked: Asked) -> bytes:
            text = make(asked)
            return text if self._fits(nodes, json.loads(text)) else usual

        return make_if_it_fits if bounded else make

    def _fresh(self, nodes: list[_Node], base: Any) -> Slot | None:
        """Values in the style of the example that never come twice; None where the schema leaves no room."""
        for style in _styles(base):
            if all(self._fits(nodes, style(Random(seed).getrandbits)) for seed in range(3)):
                return _written(_styled(style))
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


def _written(value: Callable[[Asked], Any]) -> Slot:
    return lambda asked: encoded(value(asked))


def _styled(style: Callable[[Callable[[int], int]], Any]) -> Callable[[Asked], Any]:
    return lambda asked: style(asked.bits)


def _at(index: int, count: int, item: Slot) -> Slot:
    """An item of a list whose length does not depend on the request."""

    def make(asked: Asked) -> bytes:
        asked.index, asked.count = index, count
        return item(asked)

    return make


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
