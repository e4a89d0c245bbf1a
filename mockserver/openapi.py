"""Reads a closed OpenAPI 3.1 document into a :class:`~mockserver.contract.Contract`.

Structure only: what a schema means is left to the judge, and whether the document is sound to ``lint``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver import library, unfolding
from mockserver.contract import Contract, Media, Operation, Parameter, ResponseSpec, Security, Units
from mockserver.errors import ContractError
from mockserver.library import Document
from mockserver.pointers import dereference, escape
from mockserver.streams import stream_of

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_IGNORED_UNLESS_SOURCED = ("accept", "content-type", "authorization")


def load(name_or_path: str | None = None) -> Contract:
    """Read a contract by shipped name, folder or file; raises ContractError."""
    document = library.read(name_or_path)
    version = document.data.get("openapi")
    if not (isinstance(version, str) and version.startswith("3.1")):
        origin = document.origin("/openapi")
        raise ContractError(
            f"an OpenAPI 3.1 document is needed; this one says openapi: {version!r}",
            file=origin.file,
            line=origin.line,
            pointer="/openapi",
        )
    for pointer, trouble in unfolding.troubles(document.data):
        raise _broken(document, pointer, trouble)
    contract = Contract(document, tuple(_operations(document)))
    try:
        contract.base_path  # noqa: B018
    except (ValueError, AttributeError) as error:
        raise _broken(document, "/servers/0/url", f"the server's URL cannot be read: {error}") from None
    return contract


def _operations(document: Document) -> Iterator[Operation]:
    paths = document.data.get("paths", {})
    if not isinstance(paths, Mapping):
        raise _broken(document, "/paths", "paths is an object of path templates")
    for path in paths:
        home, item = _followed(document, f"/paths/{escape(path)}")
        for method in _METHODS:
            if method in item:
                yield _operation(document, str(path), method, home, item)


def _operation(document: Document, path: str, method: str, home: str, item: Mapping[str, Any]) -> Operation:
    pointer = f"{home}/{method}"
    node = item[method]
    if not isinstance(node, Mapping):
        raise _broken(document, pointer, "an operation is an object")
    body_pointer, body = _followed(document, f"{pointer}/requestBody") if "requestBody" in node else ("", {})
    units = node.get("x-units")
    prices, usage_prices = node.get("x-prices"), node.get("x-usage-prices")
    return Operation(
        id=str(node.get("operationId") or f"{method.upper()} {path}"),
        method=method.upper(),
        path=path,
        pointer=pointer,
        parameters=_parameters(document, home, item, pointer, node),
        body=_content(document, body_pointer, body),
        body_required=bool(body.get("required", False)),
        body_pointer=body_pointer,
        responses=tuple(_responses(document, pointer, node)),
        security=_security(document, pointer, node),
        units=Units(str(units.get("name", "unit")), str(units.get("request", "")), int(units.get("default", 1)))
        if isinstance(units, Mapping)
        else None,
        prices=prices if isinstance(prices, Mapping) else None,
        usage_prices=usage_prices if isinstance(usage_prices, Mapping) else None,
    )


def _parameters(
    document: Document, home: str, item: Mapping[str, Any], pointer: str, node: Mapping[str, Any]
) -> tuple[Parameter, ...]:
    found: dict[tuple[str, str], Parameter] = {}
    for owner, where in ((item, home), (node, pointer)):
        for index in range(len(owner.get("parameters", ()))):
            at, raw = _followed(document, f"{where}/parameters/{index}")
            try:
                name, location = str(raw["name"]), str(raw["in"])
            except KeyError as missing:
                raise _broken(document, at, f"a parameter needs {missing.args[0]!r}") from None
            if location == "header" and name.lower() in _IGNORED_UNLESS_SOURCED and "x-source" not in raw:
                continue  # OpenAPI 3.1, 4.8.12: such definitions are ignored; a stated source says that one is meant
            style = str(raw.get("style", "form" if location in ("query", "cookie") else "simple"))
            found[name.lower() if location == "header" else name, location] = Parameter(
                name=name,
                location=location,
                required=bool(raw.get("required", location == "path")),
                schema=f"{at}/schema" if "schema" in raw else "",
                style=style,
                explode=bool(raw.get("explode", style == "form")),
                pointer=at,
                example=raw.get("example"),
            )
    return tuple(found.values())


def _content(document: Document, pointer: str, owner: Mapping[str, Any]) -> tuple[Media, ...]:
    content = owner.get("content", {})
    found = []
    for kind in content if isinstance(content, Mapping) else ():
        at = f"{pointer}/content/{escape(kind)}"
        if not (str(kind).isascii() and str(kind).isprintable()):
            raise _broken(document, at, "a media type is printable ASCII, as in application/json")
        media = content[kind]
        examples: dict[str, Any] = {}
        meant: dict[str, str] = {}
        if "example" in media:
            examples["example"] = media["example"]
        for name in media.get("examples", {}):
            where, example = _followed(document, f"{at}/examples/{escape(name)}")
            if "value" in example:
                examples[str(name)] = example["value"]
            if "x-for" in example:
                meant[str(name)] = f"{where}/x-for"
        schema, stream = f"{at}/schema" if "schema" in media else "", stream_of(document.data, at)
        found.append(Media(str(kind).lower(), schema, examples, meant, stream))
    return tuple(found)


def _responses(document: Document, pointer: str, node: Mapping[str, Any]) -> Iterator[ResponseSpec]:
    for status in node.get("responses", {}):
        at, response = _followed(document, f"{pointer}/responses/{escape(status)}")
        yield ResponseSpec(str(status), _content(document, at, response), at)


def _security(document: Document, pointer: str, node: Mapping[str, Any]) -> tuple[tuple[Security, ...], ...]:
    """Alternatives, each a set of schemes that are all needed; an empty alternative means that none is needed."""
    alternatives = node.get("security", document.data.get("security", ()))
    found = []
    for alternative in alternatives:
        schemes = []
        for name in alternative:
            at, scheme = _followed(document, f"/components/securitySchemes/{escape(name)}")
            kind = scheme.get("type")
            if kind == "http":
                schemes.append(Security(str(scheme.get("scheme", "")).lower(), "Authorization", "header", at))
            elif kind == "apiKey":
                schemes.append(Security("apiKey", str(scheme.get("name", "")), str(scheme.get("in", "")), at))
            elif kind in ("oauth2", "openIdConnect"):
                schemes.append(Security("bearer", "Authorization", "header", at))
        found.append(tuple(schemes))
    return tuple(found)


def _followed(document: Document, pointer: str) -> tuple[str, Mapping[str, Any]]:
    try:
        at, node = dereference(document.data, pointer)
    except KeyError as problem:
        raise _broken(document, pointer, str(problem.args[0])) from None
    if not isinstance(node, Mapping):
        raise _broken(document, pointer, f"an object is expected, not {node!r}")
    return at.removeprefix("#"), node


def _broken(document: Document, pointer: str, message: str) -> ContractError:
    origin = document.origin(pointer)
    return ContractError(message, file=origin.file, line=origin.line, pointer=origin.pointer)
