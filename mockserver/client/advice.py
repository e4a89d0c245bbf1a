"""What a person needs to mend a request: what was sent with the place marked, and how to make it right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mockserver.contract import Contract
from mockserver.findings import Violation
from mockserver.media import MISSING, read_json
from mockserver.messages import Request
from mockserver.pointers import parts_of
from mockserver.sentences import show

OPEN, CLOSE = ">>>", "<<<"
_NEIGHBOURS: Final = 5
"""Members beside the marked one that are shown."""
_SHORT: Final = 30
_LONG: Final = 200


_FIXES: Final = {
    "path.method": "{documented}; send that method",
    "security.missing": "send {name}: the client had a key in its environment and did not use it",
    "security.malformed": "send {name} in the documented form",
    "media.unsupported": "name the documented media type in Content-Type",
    "body.undocumented": "leave it out, or make sure that the server knows it",
    "limit.body": "send less",
}


def marked(request: Request, violation: Violation) -> str:
    """The part of the request that a violation is about, its place between ``>>>`` and ``<<<``."""
    area, *steps = parts_of(violation.pointer) or [""]
    if area == "path":
        return f"{request.method} {OPEN} {request.target} {CLOSE}"
    if area == "headers":
        return _header(request, steps[0] if steps else "")
    if area != "body":
        return f"{request.method} {request.target}"
    if not request.body:
        return f"{OPEN} an empty body {CLOSE}"
    value = read_json(request.body).value
    if value is MISSING or not steps:
        text = request.body[:60].decode("utf-8", "replace")
        return f"{OPEN} {text}{'...' if len(request.body) > 60 else ''} {CLOSE}"
    return _value(value, steps)


def fix(contract: Contract, request: Request, violation: Violation) -> str:
    """What to change, in a sentence without its full stop; "" where there is nothing to say beyond the rule."""
    name, rule = violation.param, violation.rule
    family, _, keyword = rule.partition(".")
    if rule == "path.unknown":
        return _path(contract, request)
    if rule in _FIXES:
        return _FIXES[rule].format(name=name, documented=violation.documented)
    if family == "json":
        return "let a JSON encoder write the body"
    if keyword in ("required", "dependentRequired"):
        return f"send the {family if family != 'body' else 'field'} {name}"
    if keyword in ("additionalProperties", "unevaluatedProperties"):
        return f"leave {name} out"
    must = re.fullmatch(rf"{re.escape(name)} must (be|have|match|fit|keep|contain|carry) (.*)", violation.documented)
    if must and must[1] == "be":
        return f"make {name} {must[2].removeprefix('one of ')}"
    return f"make {name} {must[1]} {must[2]}" if must else ""


def _path(contract: Contract, request: Request) -> str:
    path = request.path.removeprefix(contract.base_path)
    doubled = re.match(r"(/v\d+)\1(/|$)", path)
    if doubled:
        return f"the base URL ends in {doubled[1]} already; leave it out of the path"
    for operation in contract.operations:
        version = re.match(r"/v\d+(?=/)", operation.path)
        if version and operation.path == version[0] + path:
            return f"the base URL lacks {version[0]} at its end"
    near = contract.match(request.method, path).nearest
    return f"call {near.method} {near.path}" if near else "call a path that the contract has"


def _header(request: Request, name: str) -> str:
    value = request.header(name)
    return f"{OPEN} no {name} {CLOSE}" if value is None else f"{name}: {OPEN} {value[:60]} {CLOSE}"


def _shown(value: Any) -> str:
    """A value as JSON, cut; a long text before it is turned into JSON, because it may have a hundred megabytes."""
    if isinstance(value, str) and len(value) > _LONG:
        return f"{show(value[:_SHORT])[:-1]}... ({len(value)} characters)"
    return show(value)


def _value(value: Any, steps: list[str]) -> str:
    if not steps:
        return f"{OPEN} {_shown(value)} {CLOSE}"
    step, rest = steps[0], steps[1:]
    if isinstance(value, Mapping):
        names = list(value)
        if step not in value:
            return _object([_member(value, name) for name in names], [f"{OPEN} {show(step)} is missing {CLOSE}"])
        place = names.index(step)
        inner = _value(value[step], rest)
        middle = f"{show(step)}: {inner}"
        before, after = names[:place], names[place + 1 :]
        return _object([_member(value, n) for n in before], [middle], [_member(value, n) for n in after])
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        gap = "..., " if int(step) else ""
        return f"[{gap}{_value(value[int(step)], rest)}{', ...' if int(step) + 1 < len(value) else ''}]"
    return f"{OPEN} {_shown(value)} {CLOSE}"


def _object(before: list[str], middle: list[str], after: list[str] | None = None) -> str:
    after = after or []
    head = before if len(before) <= _NEIGHBOURS else ["...", *before[-_NEIGHBOURS:]]
    tail = after if len(after) <= _NEIGHBOURS else [*after[:_NEIGHBOURS], "..."]
    return "{" + ", ".join([*head, *middle, *tail]) + "}"


def _member(value: Mapping[str, Any], name: str) -> str:
    text = _shown(value[name])
    return f"{show(name)}: {text if len(text) <= _SHORT else text[: _SHORT - 3] + '...'}"
