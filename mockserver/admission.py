"""The quick yes: whether a request is plainly valid, from its raw headers and body, without building anything.

Compiled per operation from what does not depend on the request.  It only ever says yes where the judge would find nothing;
whatever it does not admit, :class:`~mockserver.validation.Judge` decides and explains.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from mockserver import media
from mockserver.accelerator import Accelerator
from mockserver.contract import Contract, Operation, Parameter
from mockserver.media import MISSING
from mockserver.plain import read_plain
from mockserver.pointers import find

Names = tuple[bytes, ...]
Admit = Callable[[Names, Names, bytes], Any]
"""Names of headers in lower case, their values, and body in; the body's value out, UNDECIDED where the judge must look."""


class _Undecided:
    def __repr__(self) -> str:
        return "UNDECIDED"


UNDECIDED: Final = _Undecided()

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +[!-~]+")
_KIND: Final = b"content-type"
_VISIBLE = re.compile(rb"[!-~]")
_SAYS_NOTHING = frozenset({"title", "description", "examples", "example", "default", "deprecated", "$comment"})
_KINDS_KEPT = 64
"""Distinct Content-Type values whose reading is remembered."""
_LAYOUTS_KEPT = 512
"""Distinct sequences of header names whose reading is remembered: a client seldom has more than one."""


def admission(contract: Contract, operation: Operation, accelerator: Accelerator) -> Admit | None:
    """The quick yes of one operation; None where its rules need more than headers and a JSON body."""
    headers = _headers(contract, operation)
    credentials = _credentials(operation)
    kinds: dict[bytes | None, Callable[[Any], bool] | None] = {}
    valid_for = _body(operation, accelerator, kinds)
    if "{" in operation.path or headers is None or credentials is None:
        return None
    if any(parameter.location != "header" for parameter in operation.parameters):
        return None
    needed, (key, fits) = frozenset(headers), credentials
    layouts: dict[Names, tuple[int, int] | None] = {}
    streams = [accelerator.check(stream.when) for stream in operation.streams]
    if None in streams:
        return None
    live = streams[0] if streams else None

    def layout_of(names: Names) -> tuple[int, int] | None:
        """Where the credentials and the media type stand, -1 for nowhere; None where something is odd."""
        layout = None
        given = set(names)
        if len(given) == len(names) and needed <= given and (not key or key in given):
            layout = names.index(key) if key else -1, names.index(_KIND) if _KIND in given else -1
        if len(layouts) < _LAYOUTS_KEPT:
            layouts[names] = layout
        return layout

    def admit(names: Names, values: Names, content: bytes) -> Any:
        layout = layouts[names] if names in layouts else layout_of(names)
        if layout is None:
            return UNDECIDED
        key_at, kind_at = layout
        if key_at >= 0 and fits(values[key_at]) is None:
            return UNDECIDED
        if not operation.body:
            return MISSING
        kind = values[kind_at] if kind_at >= 0 else None
        valid = kinds[kind] if kind in kinds else valid_for(kind)
        if valid is None:
            return UNDECIDED
        value = read_plain(content)
        if value is MISSING or not valid(value) or (live is not None and live(value)):
            return UNDECIDED  # an answer in events is made with more care
        return value

    return admit


def _headers(contract: Contract, operation: Operation) -> tuple[bytes, ...] | None:
    needed = []
    for parameter in operation.parameters:
        if parameter.location == "header":
            if not _any_text(contract.document.data, parameter):
                return None
            if parameter.required:
                needed.append(parameter.name.lower().encode())
    return tuple(needed)


def _any_text(document: Mapping[str, Any], parameter: Parameter) -> bool:
    schema = find(document, parameter.schema) if parameter.schema else {}
    if not isinstance(schema, Mapping):
        return False
    return all(
        (key == "type" and value == "string") or key in _SAYS_NOTHING or key.startswith("x-")
        for key, value in schema.items()
    )


def _credentials(operation: Operation) -> tuple[bytes, Callable[[bytes], object]] | None:
    """The header that carries the credentials, empty for none, and what its value must match."""
    alternatives = operation.security
    if not alternatives or any(not alternative for alternative in alternatives):
        return b"", _VISIBLE.search
    if len(alternatives) != 1 or len(alternatives[0]) != 1:
        return None
    scheme = alternatives[0][0]
    name = scheme.name.lower().encode()
    if scheme.kind == "bearer":
        return name, _BEARER.fullmatch
    if scheme.kind == "apiKey" and scheme.location == "header":
        return name, _VISIBLE.search
    return None


def _body(
    operation: Operation, accelerator: Accelerator, kinds: dict[bytes | None, Callable[[Any], bool] | None]
) -> Callable[[bytes | None], Callable[[Any], bool] | None]:
    """What gives, for a Content-Type, the test of a body's value, None where the judge must look; ``kinds`` remembers."""

    def check_for(content_type: bytes | None) -> Callable[[Any], bool] | None:
        kind = media.media_type(content_type.decode("latin-1") if content_type else "")
        option = next((m for m in operation.body if media.covers(m.type, kind)), None)
        option = option or (operation.body[0] if not kind else None)
        if option is None or not media.is_json(media.media_type(option.type)):
            return None
        return accelerator.check(option.schema) if option.schema else lambda _: True

    def valid_for(content_type: bytes | None) -> Callable[[Any], bool] | None:
        valid = check_for(content_type)
        if len(kinds) < _KINDS_KEPT:
            kinds[content_type] = valid
        return valid

    return valid_for
