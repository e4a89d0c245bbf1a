"""How a request is made: an operation, a body and the ways in which the same body can be written and sent.

A recipe is a value that can be compared and varied; :func:`build` turns it into the request that is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote, urlencode

from contract_tests import forms
from contract_tests.credentials import Credentials
from mockserver.contract import Contract, Media, Operation
from mockserver.findings import Violation
from mockserver.media import MISSING, is_json, media_type
from mockserver.messages import Request
from mockserver.pointers import find, parts_of
from mockserver.synthesis import synthesize
from mockserver.validation import Judge

Layout = Literal["compact", "sorted", "pretty", "escaped", "exponents"]
"""How a JSON body is written: as such, keys sorted, indented with a line end, with everything escaped that may be, or with
whole numbers that are floats as ``1e0``."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to make a request.

    ``kind`` is the documented media type of the body ("": the first one); the files of a form stand in ``body`` as data URLs.
    ``raw`` replaces the JSON text of ``body`` where the bytes themselves are the point; ``headers`` replace the usual
    headers of the same name, a value of None leaves one out; ``method`` and ``path`` replace the operation's;
    ``lower_names`` writes header names in lower case as HTTP/2 and Node do, ``lower_scheme`` the authorization scheme.
    """

    operation: Operation
    body: Any = MISSING
    kind: str = ""
    layout: Layout = "compact"
    raw: bytes | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    credentials: Credentials = Credentials.OWN
    path_values: Mapping[str, Any] = field(default_factory=dict)
    query: tuple[tuple[str, Any], ...] = ()
    method: str | None = None
    path: str | None = None
    lower_names: bool = False
    chunked: bool = False
    lower_scheme: bool = False

    def with_body(self, body: Any) -> Recipe:
        """The same recipe with another body."""
        return replace(self, body=body)

    @property
    def basis(self) -> str:
        """Name of what is varied: the operation, and the kind of body where it is not the first one."""
        return f"{self.operation.id} as {self.kind}" if self.kind else self.operation.id

    @property
    def media(self) -> Media | None:
        """The documented media type whose schema speaks of the body; None where no schema can."""
        options = self.operation.body
        if self.kind:
            return next((m for m in options if m.type == self.kind), None)
        return next((m for m in options if is_json(media_type(m.type))), None)

    @property
    def units(self) -> int:
        """Units that the request buys when it is accepted; 0 for an operation that sells none."""
        return self.operation.units.of(self.body) if self.operation.units else 0

    @property
    def price(self) -> float:
        """Estimated price in US dollars when accepted, 0.0 where none is known."""
        return self.operation.price(self.body) or 0.0


def build(recipe: Recipe, key: str) -> Request:
    """The request, with credentials; its path is below the contract's base path."""
    operation = recipe.operation
    path = recipe.path or _filled(operation.path, recipe.path_values)
    body = recipe.raw if recipe.raw is not None else _text(recipe)
    headers: dict[str, str] = {}
    if body or operation.body:
        headers["Content-Type"] = content_type(recipe)
    headers["Accept"] = _accept(operation)
    for name, value in recipe.credentials.headers(operation, key):
        scheme, blank, token = value.partition(" ")
        headers[name] = f"{scheme.lower()} {token}" if recipe.lower_scheme and blank else value
    for name, replaced in recipe.headers:
        headers = {k: v for k, v in headers.items() if k.lower() != name.lower()}
        if replaced is not None:
            headers[name] = replaced
    if recipe.chunked:
        headers["Transfer-Encoding"] = "chunked"
    return Request(
        recipe.method or operation.method,
        path,
        urlencode([(name, _plain(value)) for name, value in recipe.query], doseq=True),
        tuple((name.lower() if recipe.lower_names else name, value) for name, value in headers.items()),
        body,
    )


def body_violations(judge: Judge, recipe: Recipe) -> list[Violation]:
    """What is wrong with a recipe's body: of a form as it arrives, since there every value is a text or a file."""
    if recipe.kind:
        found = judge.request(build(recipe, "sk-trial-key")).violations
        return [violation for violation in found if violation.pointer.startswith("/body")]
    return judge.body_violations(recipe.operation, recipe.body)


def content_type(recipe: Recipe) -> str:
    """The Content-Type of a recipe's body, as it is usually written."""
    kind = recipe.kind or next((m.type for m in recipe.operation.body), "application/json")
    return f"{kind}; boundary={forms.BOUNDARY}" if kind == forms.MEDIA_TYPE else kind


def other_kinds(base: Recipe) -> Iterator[Recipe]:
    """The plainest valid request in every further documented media type that can be written here."""
    for media in base.operation.body[1:]:
        if media.type == forms.MEDIA_TYPE and media.examples:
            yield replace(base, kind=media.type, body=next(iter(media.examples.values())))


def base_recipe(contract: Contract, operation: Operation, seed: int) -> Recipe:
    """The plainest valid request: the documented example, else one made from the schemas."""
    document = contract.document.data
    path_values: dict[str, Any] = {}
    query: list[tuple[str, Any]] = []
    headers: list[tuple[str, str | None]] = []
    for parameter in operation.parameters:
        if parameter.location != "path" and not parameter.required:
            continue
        if parameter.name.lower() in ("accept", "content-type", "authorization"):
            continue
        value = parameter.example
        if value is None:
            value = synthesize(document, f"#{parameter.schema}", seed=seed, side="request") if parameter.schema else "1"
        if parameter.location == "path":
            path_values[parameter.name] = value
        elif parameter.location == "query":
            query.append((parameter.name, value))
        elif parameter.location == "header":
            headers.append((parameter.name, _plain(value)))
    body: Any = MISSING
    kind = ""
    for media in operation.body[:1]:
        kind = forms.MEDIA_TYPE if media.type == forms.MEDIA_TYPE else ""
        body = next(iter(media.examples.values()), MISSING)
        if body is MISSING and media.schema:
            body = synthesize(document, f"#{media.schema}", seed=seed, side="request")
    return Recipe(operation, body, kind, headers=tuple(headers), path_values=path_values, query=tuple(query))


def changed(body: Any, pointer: str, value: Any) -> Any:
    """A copy of a JSON value with the value at a pointer replaced, added, or (MISSING) removed."""
    parts = parts_of(pointer)
    if not parts:
        return value
    copy = dict(body) if isinstance(body, Mapping) else list(body)
    part: Any = parts[0] if isinstance(copy, dict) else int(parts[0])
    if len(parts) == 1:
        if value is not MISSING:
            copy[part] = value
        elif part in copy or isinstance(copy, list):
            del copy[part]
        return copy
    rest = "".join(f"/{p.replace('~', '~0').replace('/', '~1')}" for p in parts[1:])
    copy[part] = changed(find(body, f"/{parts[0].replace('~', '~0').replace('/', '~1')}", {}), rest, value)
    return copy


def _text(recipe: Recipe) -> bytes:
    if recipe.body is MISSING:
        return b""
    if recipe.kind == forms.MEDIA_TYPE:
        return forms.written(recipe.body)
    body, layout = recipe.body, recipe.layout
    if layout == "pretty":
        return (json.dumps(body, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "surrogatepass")
    if layout == "escaped":
        return json.dumps(body, ensure_ascii=True, sort_keys=True).replace("/", "\\/").encode()
    if layout == "exponents":
        return _MARKED.sub(r"\1e0", json.dumps(_marked(body), ensure_ascii=False, separators=(",", ":"))).encode()
    compact = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=layout == "sorted")
    return compact.encode("utf-8", "surrogatepass")


_MARKED = re.compile('"\ue000(-?\\d+)\ue000"')


def _marked(value: Any) -> Any:
    """A JSON value with floats that are whole numbers as texts that no request has."""
    if isinstance(value, Mapping):
        return {name: _marked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner) for inner in value]
    return f"\ue000{value:.0f}\ue000" if isinstance(value, float) and value.is_integer() else value


def _accept(operation: Operation) -> str:
    kinds = [media.type for media in operation.success.content] if operation.success else []
    return ", ".join(kinds) or "*/*"


def _filled(template: str, values: Mapping[str, Any]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(_plain(value), safe=""))
    return template


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_plain(item) for item in value)
    return str(value)
