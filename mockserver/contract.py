"""The contract: what one document promises about one API, as frozen values ready to be looked up.

Operations, parameters, bodies, responses, units, prices and the sources of statements; :mod:`mockserver.openapi` reads
them from a document.  Whether a message keeps the promise is left to :mod:`mockserver.validation`.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from mockserver.findings import Severity, Source
from mockserver.gaps import filling
from mockserver.library import Document
from mockserver.pointers import escape, find
from mockserver.streams import StreamSpec

_COMPARED = 200
"""Characters of an unknown path that are compared with known ones: the comparison is quadratic."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One path, query, header or cookie parameter; ``schema`` is a pointer into the document, "" for none."""

    name: str
    location: str
    required: bool
    schema: str
    style: str
    explode: bool
    pointer: str
    example: Any = None


@dataclass(frozen=True, slots=True)
class Media:
    """One media type of a body: the ``schema`` pointer ("" for none) and named example values.

    ``meant`` are pointers of schemas: the requests that an example of that name is for; ``stream`` are the events of an
    answer that comes in events.
    """

    type: str
    schema: str
    examples: Mapping[str, Any]
    meant: Mapping[str, str] = field(default_factory=dict)
    stream: StreamSpec | None = None


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """One documented response; ``status`` is ``200``, ``4XX`` or ``default``."""

    status: str
    content: tuple[Media, ...]
    pointer: str

    def covers(self, status: int) -> bool:
        """Whether it documents that status."""
        return self.status in ("default", str(status), f"{status // 100}XX", f"{status // 100}xx")


@dataclass(frozen=True, slots=True)
class Security:
    """One way to authenticate: ``kind`` is ``bearer``, ``basic`` or ``apiKey``; the last has a name and location."""

    kind: str
    name: str
    location: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Units:
    """What an accepted request buys: the request field that counts it, and how many without that field."""

    name: str
    request: str
    default: int

    def of(self, body: Any) -> int:
        """Units that a request body asks for, a fraction counted up; never negative."""
        count = find(body, self.request, self.default) if self.request else self.default
        if isinstance(count, bool) or not isinstance(count, int | float):
            return self.default
        return max(0, math.ceil(count)) if count == count and abs(count) < 1e9 else self.default


@dataclass(frozen=True, slots=True)
class Operation:
    """Method and path template with everything that the document says about them."""

    id: str
    method: str
    path: str
    pointer: str
    parameters: tuple[Parameter, ...]
    body: tuple[Media, ...]
    body_required: bool
    body_pointer: str
    responses: tuple[ResponseSpec, ...]
    security: tuple[tuple[Security, ...], ...]
    units: Units | None
    prices: Mapping[str, Any] | None
    usage_prices: Mapping[str, Any] | None = None

    def response_for(self, status: int) -> ResponseSpec | None:
        """The most exact documented response: the status itself, its class, the default; None when undocumented."""
        for wanted in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
            for response in self.responses:
                if response.status == wanted:
                    return response
        return None

    @property
    def streams(self) -> tuple[StreamSpec, ...]:
        """The streams among the documented answers of success."""
        return tuple(option.stream for option in (self.success.content if self.success else ()) if option.stream)

    @property
    def success(self) -> ResponseSpec | None:
        """The first documented 2xx response (a range or default counts as 200)."""
        return next((r for r in self.responses if r.status.startswith("2")), None) or self.response_for(200)

    @property
    def success_status(self) -> int:
        """Its status code."""
        status = self.success.status if self.success else "200"
        return int(status) if status.isdigit() else 200

    def price(self, body: Any) -> float | None:
        """Estimated price of one accepted request with that body in US dollars; None where no price is known."""
        if self.prices is None:
            return None
        row = _fitting(self.prices, body)
        return float(row["usd"]) * (self.units.of(body) if self.units else 1) if row else None

    def usage_price(self, body: Any, answer: Any) -> float | None:
        """What the usage in an answer comes to in US dollars; None where it states none or its price is not known."""
        row = _fitting(self.usage_prices, body) if self.usage_prices else None
        if self.usage_prices is None or row is None:
            return None
        counts = {pointer: find(answer, pointer) for pointer in row["usd"]}
        if not all(isinstance(count, int | float) and count >= 0 for count in counts.values()):
            return None
        try:
            usd = sum(float(row["usd"][pointer]) * float(count) for pointer, count in counts.items())
        except OverflowError:
            return None
        return usd / float(self.usage_prices["per"])


def _fitting(prices: Mapping[str, Any], body: Any) -> Mapping[str, Any] | None:
    """The first row of prices that agrees with a request body."""
    for row in prices.get("rows", ()):
        if all(find(body, pointer) == value for pointer, value in row.get("when", {}).items()):
            found: Mapping[str, Any] = row
            return found
    return None


@dataclass(frozen=True, slots=True)
class Match:
    """What a method and path mean to the contract.

    ``operation`` is None for an unknown path or a wrong method; then ``allowed`` names the methods of a known path and
    ``nearest`` the operation whose path is most like the one asked for.
    """

    operation: Operation | None
    path_values: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    nearest: Operation | None = None


@dataclass(frozen=True)
class Contract:
    """One API's contract; immutable, shared freely between threads."""

    document: Document
    operations: tuple[Operation, ...]

    @property
    def name(self) -> str:
        """Short name: that of its folder or file."""
        return self.document.name

    @cached_property
    def title(self) -> str:
        """The document's title."""
        return str(find(self.document.data, "/info/title", self.name))

    @cached_property
    def server_url(self) -> str:
        """The first server's URL, its variables at their defaults, without a trailing slash; "" when there is none."""
        url = str(find(self.document.data, "/servers/0/url", ""))
        for name, variable in (find(self.document.data, "/servers/0/variables") or {}).items():
            url = url.replace(f"{{{name}}}", str(find(variable, "/default", "")))
        return url.rstrip("/")

    @cached_property
    def base_path(self) -> str:
        """The path part of the first server's URL, without a trailing slash: where the mock serves."""
        return urlsplit(self.server_url).path.rstrip("/")

    @cached_property
    def envelope(self) -> Mapping[str, Any] | None:
        """The ``x-envelope`` of the document: how a refusal looks."""
        found = self.document.data.get("x-envelope")
        return found if isinstance(found, Mapping) else None

    @cached_property
    def _paths(self) -> tuple[dict[str, dict[str, Operation]], list[tuple[_Template, dict[str, Operation]]]]:
        by_path: dict[str, dict[str, Operation]] = {}
        for operation in self.operations:
            by_path.setdefault(operation.path, {})[operation.method] = operation
        fixed = {path: methods for path, methods in by_path.items() if "{" not in path}
        templates = [(_Template(path), by_path[path]) for path in sorted(by_path, key=_generality) if "{" in path]
        return fixed, templates

    def match(self, method: str, path: str) -> Match:
        """Find the operation for a method and a path below the base path."""
        fixed, templates = self._paths
        methods, values = fixed.get(path), {}
        if methods is None:
            for template, candidates in templates:
                if (found := template.values(path)) is not None:
                    methods, values = candidates, found
                    if method in candidates:
                        break
        if methods is None:
            return Match(None, nearest=self._nearest(path))
        if method not in methods:
            return Match(None, allowed=tuple(sorted(methods)), nearest=next(iter(methods.values())))
        return Match(methods[method], values)

    def operation(self, identifier: str) -> Operation:
        """The operation with that id; raises KeyError."""
        return next(o for o in self.operations if o.id == identifier)

    def _nearest(self, path: str) -> Operation | None:
        path = path[:_COMPARED]

        def likeness(operation: Operation) -> float:
            return difflib.SequenceMatcher(None, path, operation.path).ratio()

        best = max(self.operations, key=likeness, default=None)
        return best if best and likeness(best) > 0.5 else None

    def source(self, pointer: str) -> Source:
        """The source of the statement at a pointer: its own ``x-source`` and ``x-convention``, else those around it."""
        data = self.document.data
        source: Mapping[str, Any] = {}
        convention = ""
        node: Any = data
        for part in ["", *pointer.removeprefix("#").split("/")[1:]]:
            node = node if part == "" and node is data else find(node, f"/{part}")
            if isinstance(node, Mapping):
                own = node.get("x-source")
                if isinstance(own, Mapping):
                    source = own
                    convention = ""
                if isinstance(node.get("x-convention"), str):
                    convention = node["x-convention"]
        return self.source_from(source, convention, pointer)

    def source_from(self, source: Mapping[str, Any], convention: str, pointer: str) -> Source:
        """A Source from an ``x-source`` object whose page is looked up in ``x-pages``."""
        page = str(source.get("page", ""))
        url = find(self.document.data, f"/x-pages/{escape(page)}/url", page)
        return Source(
            str(url),
            str(source.get("at", "")),
            str(source.get("quote", "")),
            str(source.get("confidence", "")),
            convention,
            self.document.place(pointer),
        )


def severity_of(node: Mapping[str, Any], inherited: Severity) -> Severity:
    """The severity of a breach of the statements in a schema node: its ``x-severity``; a convention is a warning."""
    own = node.get("x-severity")
    if own in tuple(Severity):
        return Severity(own)
    if "x-convention" in node and inherited is Severity.ERROR:
        return Severity.WARNING
    return inherited


class _Template:
    """A path with parameters, each of which stands for a part of one segment."""

    def __init__(self, path: str) -> None:
        pieces = re.split(r"\{([^{}]*)\}", path)
        self._pieces, self._names = pieces[::2], pieces[1::2]

    def values(self, path: str) -> dict[str, str] | None:
        """The parameters by name; None for another path."""
        found = filling(self._pieces, path, 1)
        if found is None or any("/" in value for value in found):
            return None
        return dict(zip(self._names, found, strict=True))


def _generality(path: str) -> tuple[int, int]:
    return path.count("{"), -len(path)
