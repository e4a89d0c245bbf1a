"""A first request for whoever opens the page and has sent none: the contract's own example, with what it has to carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mockserver import media
from mockserver.contract import Contract, Operation
from mockserver.encoding import encoded
from mockserver.messages import Request

_ANY_KEY: Final = "any"


def first_request(contract: Contract) -> Request | None:
    """The documented example of the first operation that has one; None where a contract has none."""
    for operation in contract.operations:
        for option in operation.body:
            if "{" not in operation.path and media.is_json(media.media_type(option.type)) and option.examples:
                body = encoded(next(iter(option.examples.values())))
                headers = (*_headers(operation), ("Content-Type", option.type))
                return Request(operation.method, contract.base_path + operation.path, "", headers, body)
    return None


def _headers(operation: Operation) -> Iterator[tuple[str, str]]:
    for scheme in operation.security[0] if operation.security else ():
        if scheme.kind == "bearer":
            yield "Authorization", f"Bearer {_ANY_KEY}"
        elif scheme.kind == "apiKey" and scheme.location == "header":
            yield scheme.name, _ANY_KEY
    for parameter in operation.parameters:
        told = parameter.location == "header" and parameter.required and isinstance(parameter.example, str)
        if told and parameter.name.lower() not in ("authorization", "content-type"):
            yield parameter.name, parameter.example
