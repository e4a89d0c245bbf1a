"""Two contracts compared operation by operation: parameters, bodies, answers, credentials, servers, prices, sources.

What the schemas among them say is compared by :mod:`mockserver.diff.schemas`; :mod:`mockserver.diff.pair` makes changes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.branches import Side
from mockserver.contract import Contract, Media, Operation, Parameter, ResponseSpec
from mockserver.diff.change import Change, Effect
from mockserver.diff.pair import Pair, said
from mockserver.media import MISSING
from mockserver.pointers import escape, find

_STRUCTURE = (
    "parameters",
    "requestBody",
    "responses",
    "security",
    "x-units",
    "x-prices",
    "x-usage-prices",
    "callbacks",
    "servers",
)
_PARAMETER = ("name", "in", "required", "schema", "style", "explode")


def operations(old: Contract, new: Contract) -> Iterator[Change]:
    """Everything that changed in the operations of two contracts, in the order of the new one."""
    before = {_key(operation): operation for operation in old.operations}
    after = {_key(operation): operation for operation in new.operations}
    for key, operation in after.items():
        pair = Pair(old, new, f"{operation.method} {operation.path}")
        if key in before:
            yield from _operation(pair, before[key], operation)
        else:
            yield pair.change(Effect.ADDITIVE, "", operation.pointer, "operation", MISSING, operation.id, "new")
    for key, operation in before.items():
        if key not in after:
            pair = Pair(old, new, f"{operation.method} {operation.path}")
            reason = "the operation is gone"
            yield pair.change(Effect.BREAKING, operation.pointer, "", "operation", operation.id, MISSING, reason)


def _key(operation: Operation) -> tuple[str, str]:
    return operation.method, re.sub(r"\{[^{}]*\}", "{}", operation.path)


_MONEY = (
    ("x-units", "what a request buys"),
    ("x-prices", "what it costs"),
    ("x-usage-prices", "what its usage costs"),
)


def _operation(pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
    yield from pair.notes(old.pointer, new.pointer, _STRUCTURE)
    yield from _parameters(pair, old, new)
    yield from _body(pair.at("request"), old, new)
    yield from _responses(pair, old, new)
    yield from _security(pair.at("security"), old, new)
    for word, reason in _MONEY:
        at = (f"{old.pointer}/{word}", f"{new.pointer}/{word}")
        before, after = find(pair.old.document.data, at[0], MISSING), find(pair.new.document.data, at[1], MISSING)
        if before != after:
            area = "units" if word == "x-units" else "price"
            where = at[1] if after is not MISSING else ""
            said = f"{reason} changes, no message does"
            yield pair.at(area).change(Effect.EDITORIAL, at[0], where, word, before, after, said)


def _parameters(pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
    before, after = _named(old), _named(new)
    for key, known in {**before, **after}.items():
        one, other = before.get(key), after.get(key)
        here = pair.at(f"parameter {known.location} {known.name}")
        if one is None and other is not None:
            effect, reason = (Effect.BREAKING, "requests without it may now be refused") if other.required else (
                Effect.ADDITIVE, "new and optional")  # fmt: skip
            shown = find(pair.new.document.data, other.schema, MISSING)
            yield here.change(effect, "", other.pointer, "parameter", MISSING, shown, reason)
        elif other is None and one is not None:
            header = one.location == "header"
            effect = Effect.ADDITIVE if header else Effect.BREAKING
            reason = "it need not be sent any more" if header else "nobody promises what becomes of it"
            shown = find(pair.old.document.data, one.schema, MISSING)
            yield here.change(effect, one.pointer, "", "parameter", shown, MISSING, reason)
        elif one is not None and other is not None:
            yield from _parameter(here, one, other)


def _named(operation: Operation) -> dict[tuple[str, str], Parameter]:
    places = iter(range(len(operation.parameters)))
    names: dict[tuple[str, str], Parameter] = {}
    for parameter in operation.parameters:
        name = parameter.name.lower() if parameter.location == "header" else parameter.name
        if parameter.location == "path":  # a template's names are only placeholders
            name = str(next(places))
        names[parameter.location, name] = parameter
    return names


def _parameter(pair: Pair, old: Parameter, new: Parameter) -> Iterator[Change]:
    if old.required != new.required:
        effect = Effect.BREAKING if new.required else Effect.ADDITIVE
        reason = "requests without it may now be refused" if new.required else "it need not be sent any more"
        yield pair.change(
            effect, old.pointer, f"{new.pointer}/required", "required", old.required, new.required, reason
        )
    for what, before, after in (("style", old.style, new.style), ("explode", old.explode, new.explode)):
        if before != after:
            reason = "values are written another way"
            yield pair.change(Effect.BREAKING, old.pointer, new.pointer, what, before, after, reason)
    yield from pair.schema(old.schema, new.schema, "request")
    yield from pair.notes(old.pointer, new.pointer, _PARAMETER)


def _body(pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
    if not old.body and not new.body:
        return
    if old.body_required != new.body_required:
        effect = Effect.BREAKING if new.body_required else Effect.ADDITIVE
        reason = "requests without a body may now be refused" if new.body_required else "it may be left out"
        where = new.body_pointer
        yield pair.change(effect, old.body_pointer, where, "required", old.body_required, new.body_required, reason)
    gone, come = "clients that send it may now be refused", "clients may choose it"
    yield from _media(pair, "request", old.body, new.body, (Effect.BREAKING, gone), (Effect.ADDITIVE, come))
    if old.body_pointer and new.body_pointer:
        yield from pair.notes(old.body_pointer, new.body_pointer, ("required", "content"))


def _media(
    pair: Pair,
    side: Side,
    old: tuple[Media, ...],
    new: tuple[Media, ...],
    gone: tuple[Effect, str],
    come: tuple[Effect, str],
) -> Iterator[Change]:
    before, after = {media.type: media for media in old}, {media.type: media for media in new}
    for kind in dict.fromkeys((*after, *before)):
        one, other = before.get(kind), after.get(kind)
        if one is None and other is not None:
            yield pair.change(come[0], "", other.schema.removesuffix("/schema"), "media type", MISSING, kind, come[1])
        elif other is None and one is not None:
            yield pair.change(gone[0], one.schema.removesuffix("/schema"), "", "media type", kind, MISSING, gone[1])
        elif one is not None and other is not None:
            if one.schema or other.schema:
                yield from pair.schema(one.schema, other.schema, side)
            if dict(one.examples) != dict(other.examples) and other.schema:
                where = other.schema.removesuffix("/schema")
                names = sorted(one.examples), sorted(other.examples)
                reason = "examples bind nobody"
                yield pair.change(Effect.EDITORIAL, where, where, "examples", names[0], names[1], reason)


def _responses(pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
    before, after = {r.status: r for r in old.responses}, {r.status: r for r in new.responses}
    for status in dict.fromkeys((*after, *before)):
        one, other = before.get(status), after.get(status)
        here = pair.at(f"response {status}")
        if one is None and other is not None:
            one = _covering(old, status)
            if one is None:
                refusal = status[0] in "45" or status == "default"
                effect = Effect.ADDITIVE if refusal else Effect.BREAKING
                reason = "a refusal is documented that was not" if refusal else "clients do not expect this status"
                yield here.change(effect, "", other.pointer, "response", MISSING, status, reason)
                continue
        elif other is None and one is not None:
            other = _covering(new, status)
            if other is None:
                reason = "nobody promises what this answer looks like any more"
                yield here.change(Effect.BREAKING, one.pointer, "", "response", status, MISSING, reason)
                continue
        if one is not None and other is not None:
            yield from _response(here, one, other)


def _covering(operation: Operation, status: str) -> ResponseSpec | None:
    return operation.response_for(int(status)) if status.isdigit() else None


def _response(pair: Pair, old: ResponseSpec, new: ResponseSpec) -> Iterator[Change]:
    gone = (Effect.BREAKING, "clients that ask for it may not get it any more")
    come = (Effect.BREAKING, "answers may come in a form that clients were not promised")
    if old.content and not new.content:
        reason = "nobody promises a body any more"
        yield pair.change(Effect.BREAKING, old.pointer, "", "content", [m.type for m in old.content], MISSING, reason)
    elif new.content and not old.content:
        kinds = [media.type for media in new.content]
        yield pair.change(
            Effect.ADDITIVE, "", new.pointer, "content", MISSING, kinds, "answers promise more than before"
        )
    else:
        yield from _media(pair, "response", old.content, new.content, gone, come)
    yield from _headers(pair, old, new)
    if old.status == new.status:
        yield from pair.notes(old.pointer, new.pointer, ("content", "headers"))


def _headers(pair: Pair, old: ResponseSpec, new: ResponseSpec) -> Iterator[Change]:
    before = find(pair.old.document.data, f"{old.pointer}/headers", {})
    after = find(pair.new.document.data, f"{new.pointer}/headers", {})
    known = {name.lower(): name for name in before}
    for name in after:
        at = f"{new.pointer}/headers/{escape(name)}"
        if name.lower() not in known:
            yield pair.change(
                Effect.ADDITIVE, "", at, f"header {name}", MISSING, name, "answers promise more than before"
            )
            continue
        was = f"{old.pointer}/headers/{escape(known.pop(name.lower()))}"
        yield from pair.at(f"{pair.area} header {name}").schema(f"{was}/schema", f"{at}/schema", "response")
    for name in known.values():
        at = f"{old.pointer}/headers/{escape(name)}"
        yield pair.change(Effect.BREAKING, at, "", f"header {name}", name, MISSING, "clients may rely on it")


def _security(pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
    before, after = _alternatives(old), _alternatives(new)
    if set(before) == set(after):
        return
    shown = ([_words(a) for a in before], [_words(a) for a in after])
    held = all(any(fewer <= one for fewer in after) for one in before)
    effect = Effect.ADDITIVE if held else Effect.BREAKING
    reason = "what authenticated before still does" if held else "credentials that were enough may now be refused"
    yield pair.change(effect, old.pointer, new.pointer, "security", *shown, reason)


def _alternatives(operation: Operation) -> list[frozenset[tuple[str, str, str]]]:
    found = [frozenset((s.kind, s.name, s.location) for s in schemes) for schemes in operation.security]
    return found or [frozenset()]


def _words(alternative: frozenset[tuple[str, str, str]]) -> str:
    return " and ".join(f"{kind} in {location} {name}" for kind, name, location in sorted(alternative)) or "none"


def whole(old: Contract, new: Contract) -> Iterator[Change]:
    """What changed in the contract as a whole: servers, pages, the way refusals look, and what only describes it."""
    pair = Pair(old, new, "")
    before, after = _urls(old.document.data), _urls(new.document.data)
    here = pair.at("servers")
    for url in [url for url in before if url not in after]:
        yield here.change(Effect.BREAKING, "/servers", "", "server", url, MISSING, "clients call this address")
    for url in [url for url in after if url not in before]:
        yield here.change(Effect.ADDITIVE, "", "/servers", "server", MISSING, url, "one more address")
    if before and after and before[0] != after[0] and set(before) == set(after):
        reason = "clients take the first one"
        yield here.change(Effect.BREAKING, "/servers", "/servers", "first server", before[0], after[0], reason)
    for word, area in (("x-pages", "sources"), ("x-envelope", "refusals"), ("info", "description")):
        one, other = old.document.data.get(word, {}), new.document.data.get(word, {})
        for name in dict.fromkeys((*one, *other)):
            values = one.get(name, MISSING), other.get(name, MISSING)
            if values[0] != values[1]:
                at = f"/{word}/{escape(name)}"
                where = at if values[1] is not MISSING else ""
                reason = "a page came, went or was read again" if word == "x-pages" else said(word)
                yield pair.at(area).change(Effect.EDITORIAL, at, where, f"{word} {name}", *values, reason)


def _urls(data: Mapping[str, Any]) -> list[str]:
    return [str(server.get("url", "")).rstrip("/") for server in data.get("servers", ()) if isinstance(server, Mapping)]
