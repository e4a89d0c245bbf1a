"""Answers that obey their request, compiled: a documented example or a synthesised value becomes a function.

What does not depend on the request is settled once.  What does is said by the contract's meaning keywords: as many items as
asked for, positions, sums, the present time, fresh ids, values taken over, pictures, a text that says what was asked.
Which answer is given is left to :mod:`mockserver.responders`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from random import Random
from types import MappingProxyType
from typing import Any, Final

from mockserver.asked import Asked, Count, Slot
from mockserver.contract import Contract, Operation
from mockserver.encoding import encoded
from mockserver.explanation import Explainer
from mockserver.expressions import matches
from mockserver.freshness import Fresh, styles
from mockserver.illustration import illustrated
from mockserver.pointers import find, parts_of, pointer_of
from mockserver.sums import counts
from mockserver.synthesis import Unsatisfiable, synthesize

ITEMS_AT_MOST: Final = 1000
"""Items that an answer has at most, whatever a request that was not refused asks for."""
_CLOSED = re.compile(r"\$|\\[ZbB]|\(\?")


_Pieces = list[bytes | Slot | Count]
Overrides = Mapping[tuple[str, ...], Slot | Count]
"""Places of an answer, by their path, and what makes them."""
_Node = tuple[str, Mapping[str, Any]]


def compiled(
    contract: Contract,
    explainer: Explainer,
    operation: Operation,
    schema: str,
    base: Any,
    overrides: Overrides = MappingProxyType({}),
) -> Slot:
    """A function that makes the answer to a request from ``base``, a value of the schema at a pointer ("" for none)."""
    if not schema:
        return _rendering([encoded(base)])
    return _rendering(_Compiler(contract, explainer, operation).pieces([schema], base, overrides))


def _rendering(pieces: _Pieces) -> Slot:
    """One function of pieces: a template that is filled with what the slots make."""
    slots: list[Callable[[Asked], Any]] = [
        piece.of if isinstance(piece, Count) else piece for piece in pieces if not isinstance(piece, bytes)
    ]
    template = b"".join(_formatted(piece) for piece in pieces)
    if not slots:
        constant = template % ()
        return lambda _: constant
    if template == b"%b":
        return slots[0]
    if len(slots) == 1:
        only = slots[0]
        return lambda asked: template % only(asked)
    if len(slots) == 2:
        first, second = slots
        return lambda asked: template % (first(asked), second(asked))
    return lambda asked: template % tuple([slot(asked) for slot in slots])


def _formatted(piece: bytes | Slot | Count) -> bytes:
    if isinstance(piece, bytes):
        return piece.replace(b"%", b"%%")
    return b"%d" if isinstance(piece, Count) else b"%b"


class _Compiler:
    def __init__(self, contract: Contract, explainer: Explainer, operation: Operation) -> None:
        self._document = contract.document.data
        self._explainer = explainer
        self._operation = operation

    def pieces(self, schemas: Sequence[str], base: Any, overrides: Overrides) -> _Pieces:
        """What the value at one place is made of; ``overrides`` make places below, by their path."""
        nodes = self._applied(schemas, base)
        said: dict[str, Any] = {}
        for _, node in nodes:
            for key in ("x-equals", "x-time", "x-unique", "x-text", "x-image", "x-length", "x-positions"):
                if key in node:
                    said.setdefault(key, node[key])
        if isinstance(base, dict):
            made = self._object(nodes, base, overrides)
        elif isinstance(base, list):
            made = self._list(nodes, base, said)
        else:
            slot = self._leaf(nodes, base, said)
            made = [slot] if slot else [encoded(base)]
        return [self._equal(nodes, said["x-equals"], _rendering(made))] if "x-equals" in said else made

    def _leaf(self, nodes: list[_Node], base: Any, said: Mapping[str, Any]) -> Slot | Count | None:
        if "x-time" in said and _is_number(base):
            return Count(lambda asked: base if asked.now is None else asked.now)
        if "x-unique" in said:
            return self._fresh(nodes, base)
        if "x-image" in said and isinstance(base, str):
            return illustrated(said["x-image"])
        if "x-text" in said and isinstance(base, str):
            return self._summary(nodes, base)
        return None

    def _object(self, nodes: list[_Node], base: dict[str, Any], overrides: Overrides) -> _Pieces:
        if rules := [node["x-sum"] for _, node in nodes if "x-sum" in node]:
            overrides = {**overrides, **counts(rules, base, lambda path, word: self._says(nodes, path, base, word))}
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
        overrides: Overrides = {}
        if positions:
            overrides = {tuple(parts_of(positions["member"])): Count(attrgetter("index"))}
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
            wanted = asks(asked.body)
            if wanted == 1 and kinds:
                asked.index, asked.count = 0, 1
                return b"[%b]" % items[0](asked)
            asked.count = count = _count(wanted, usual) if kinds else 0
            made = []
            for index in range(count):
                asked.index = index
                made.append(items[index % kinds](asked))
            return b"[%b]" % b",".join(made)

        return [make]

    def _item(self, nodes: list[_Node], index: int, value: Any, overrides: Overrides) -> _Pieces:
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

    def _says(self, nodes: list[_Node], steps: Sequence[str], base: Any, keyword: str) -> bool:
        """Whether a schema that applies to a place below has a keyword."""
        for name in steps:
            below = [f"{p}/properties{pointer_of([name])}" for p, n in nodes if name in n.get("properties", {})]
            base = find(base, pointer_of([name]))
            nodes = self._applied(below, base)
        return any(keyword in node for _, node in nodes)

    def _equal(self, nodes: list[_Node], rule: Mapping[str, Any], otherwise: Slot) -> Slot:
        read, unless = _reader(rule["request"]), list(rule.get("unless", ()))
        fits = self._fitting(nodes)

        def make(asked: Asked) -> bytes:
            value = read(asked.body)
            if value is None or value in unless or not fits(value):
                return otherwise(asked)
            return encoded(value)

        return make

    def _summary(self, nodes: list[_Node], base: str) -> Slot:
        unit = (self._operation.units.name if self._operation.units else "item").capitalize()
        template = encoded(unit)[:-1].replace(b"%", b"%%") + b' %d of %d, as asked for: %b"'
        bounded = any(_bounds(node, unit) for _, node in nodes)
        usual, fits = encoded(base), self._fitting(nodes)

        def make(asked: Asked) -> bytes:
            return template % (asked.index + 1, asked.count, asked.shown())

        def make_if_it_fits(asked: Asked) -> bytes:
            text = make(asked)
            return text if fits(json.loads(text)) else usual

        return make_if_it_fits if bounded else make

    def _fresh(self, nodes: list[_Node], base: Any) -> Slot | None:
        """Values in the style of the example that never come twice; None where the schema leaves no room."""
        for fresh in styles(base):
            if all(self._fits(nodes, json.loads(fresh(Random(seed).getrandbits))) for seed in range(3)):
                return _from_bits(fresh)
        return None

    def _fitting(self, nodes: list[_Node]) -> Callable[[Any], bool]:
        """Whether values that requests bring fit a place."""
        fits, pointers = self._explainer.fits, [pointer for pointer, _ in nodes]
        return lambda value: all(fits(pointer, value) for pointer in pointers)

    def _fits(self, nodes: list[_Node], value: Any) -> bool:
        return all(self._explainer.validator(pointer).is_valid(value) for pointer, _ in nodes)

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


def _from_bits(fresh: Fresh) -> Slot:
    return lambda asked: fresh(asked.bits)


def _at(index: int, count: int, item: Slot) -> Slot:
    """An item of a list whose length does not depend on the request."""

    def make(asked: Asked) -> bytes:
        asked.index, asked.count = index, count
        return item(asked)

    return make


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


def _bounds(node: Mapping[str, Any], head: str) -> bool:
    """Whether a schema could refuse a text that begins with ``head``: an open pattern found in the head cannot."""
    pattern = node.get("pattern")
    if isinstance(pattern, str) and (_CLOSED.search(pattern) or not matches(pattern, head)):
        return True
    return any(keyword in node for keyword in ("maxLength", "format", "enum", "const", "not"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
