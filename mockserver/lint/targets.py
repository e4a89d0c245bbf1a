"""What our keywords point at: a pointer into a request or an item that no schema has would silently state nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.contract import Contract, Operation
from mockserver.lint.problem import Problem, at, did_you_mean
from mockserver.pointers import find, parts_of
from mockserver.streams import StreamSpec

_APPLIED = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")


def problems(contract: Contract) -> Iterator[Problem]:
    """Pointers of our keywords into a request, an item or an event that lead nowhere."""
    seen: set[str] = set()
    for operation in contract.operations:
        for place, pointer, schemas in _pointers(contract, operation):
            problem = _missing(contract, place, pointer, schemas)
            if problem is not None and place not in seen:
                seen.add(place)
                yield problem


def _pointers(contract: Contract, operation: Operation) -> Iterator[tuple[str, str, list[str]]]:
    """Each pointer: where it stands, what it is, the schemas of which one must know it."""
    data = contract.document.data
    request = [option.schema for option in operation.body if option.schema]
    units = f"{operation.pointer}/x-units/request"
    if operation.units is not None and operation.units.request:
        yield units, operation.units.request, request
    rows = operation.prices.get("rows", ()) if operation.prices else ()
    for index, row in enumerate(rows):
        for pointer in row.get("when", {}):
            yield f"{operation.pointer}/x-prices/rows/{index}/when", pointer, request
    rows = operation.usage_prices.get("rows", ()) if operation.usage_prices else ()
    success = [option.schema for option in operation.success.content if option.schema] if operation.success else []
    for index, row in enumerate(rows):
        place = f"{operation.pointer}/x-usage-prices/rows/{index}"
        for pointer in row.get("when", {}):
            yield f"{place}/when", pointer, request
        for pointer in row.get("usd", {}) if success else ():
            yield f"{place}/usd", pointer, success
    for response in operation.responses:
        for option in response.content:
            for place in _schemas(data, option.schema, set()) if option.schema else ():
                yield from _of_schema(data, place, request)
            if option.stream is not None:
                yield from _of_stream(data, option.stream, request)


def _of_stream(data: Mapping[str, Any], stream: StreamSpec, request: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    counted = [(stream.repeat, f"{stream.pointer}/repeat")]
    for event in stream.events:
        counted.append((event.count, f"{event.pointer}/count"))
        if event.position:
            yield f"{event.pointer}/position", event.position, [event.schema]
        for place in _schemas(data, event.schema, set()):
            yield from _of_schema(data, place, request)
    for times, place in counted:
        if times.request:
            yield f"{place}/request", times.request, request


def _of_schema(data: Mapping[str, Any], place: str, request: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    for keyword in ("x-length", "x-equals"):
        if isinstance(pointer := find(data, f"{place}/{keyword}/request"), str):
            yield f"{place}/{keyword}/request", pointer, request
    if isinstance(pointer := find(data, f"{place}/x-positions/member"), str):
        yield f"{place}/x-positions/member", pointer, [f"{place}/items"]
    if isinstance(pointer := find(data, f"{place}/x-sum/total"), str):
        yield f"{place}/x-sum/total", pointer, [place]
    for index, pointer in enumerate(find(data, f"{place}/x-sum/of", [])):
        yield f"{place}/x-sum/of/{index}", pointer, [place]


def _schemas(data: Mapping[str, Any], pointer: str, seen: set[str]) -> Iterator[str]:
    """The pointers of a schema and all schemas below it, references followed once."""
    node = find(data, pointer)
    if pointer in seen or not isinstance(node, Mapping):
        return
    seen.add(pointer)
    yield pointer
    if isinstance(node.get("$ref"), str):
        yield from _schemas(data, node["$ref"].removeprefix("#"), seen)
    for name, member in node.items():
        if name in ("properties", "patternProperties", *_APPLIED, "prefixItems"):
            keys = member if isinstance(member, Mapping) else range(len(member))
            for key in keys:
                yield from _schemas(data, f"{pointer}/{name}/{str(key).replace('~', '~0').replace('/', '~1')}", seen)
        elif name in ("items", "additionalProperties", "contains", *_BRANCHES):
            yield from _schemas(data, f"{pointer}/{name}", seen)


def _missing(contract: Contract, place: str, pointer: str, schemas: list[str]) -> Problem | None:
    if not schemas:
        return at(contract.document, place, f"{pointer!r} points into a request body", "the operation documents none")
    names: set[str] = set()
    for schema in schemas:
        here = [schema]
        for part in parts_of(pointer):
            known = _members(contract.document.data, here, set())
            names |= set(known)
            here = known.get(part, [] if known else [""])
            if here == [""]:
                return None  # nothing is documented at this level, so anything may be there
        if here:
            return None
    meant = did_you_mean(pointer.rpartition("/")[2], names, likeness=0.5)
    hint = f"did you mean {meant!r}?" if meant else f"documented are {', '.join(sorted(names))}"
    return at(contract.document, place, f"{pointer!r} points at nothing that is documented", hint)


def _members(data: Mapping[str, Any], pointers: list[str], seen: set[str]) -> dict[str, list[str]]:
    """The documented members below schemas: name -> the pointers of their schemas; items count by any number."""
    found: dict[str, list[str]] = {}
    for pointer in pointers:
        node = find(data, pointer)
        if pointer in seen or not isinstance(node, Mapping):
            continue
        seen.add(pointer)
        for name in node.get("properties", {}):
            found.setdefault(name, []).append(f"{pointer}/properties/{name.replace('~', '~0').replace('/', '~1')}")
        nested = [f"{pointer}/{name}/{i}" for name in _APPLIED for i in range(len(node.get(name, ())))]
        nested += [f"{pointer}/{name}" for name in _BRANCHES if name in node]
        nested += [node["$ref"].removeprefix("#")] if isinstance(node.get("$ref"), str) else []
        for name, places in _members(data, nested, seen).items():
            found.setdefault(name, []).extend(places)
    return found
