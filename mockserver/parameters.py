"""Path, query, header and cookie parameters: from the strings on the wire to the values their schemas speak of.

The styles of OpenAPI 3.1, 4.8.12.2 that clients use: simple, form, spaceDelimited, pipeDelimited and deepObject.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from mockserver.contract import Operation, Parameter
from mockserver.media import MISSING
from mockserver.messages import Request, header_values
from mockserver.pointers import dereference

_WHOLE = re.compile(r" *[+-]?[0-9]{1,310} *")
_NUMBER = re.compile(r" *[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,9})? *")
"""What is read as a number: not all that Python takes for one, such as ``nan``, ``1_000`` and digits of other scripts."""
_SEPARATORS = {"simple": ",", "form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


def values_of(
    document: Mapping[str, Any], operation: Operation, request: Request, path_values: Mapping[str, str]
) -> dict[Parameter, Any]:
    """Each parameter's value, MISSING where it did not come."""
    query = parse_qsl(request.query, keep_blank_values=True)
    cookies = [pair.strip().partition("=")[::2] for pair in (request.header("cookie") or "").split(";")]
    found: dict[Parameter, Any] = {}
    for parameter in operation.parameters:
        if parameter.location == "path":
            raw = [unquote(path_values[parameter.name])] if parameter.name in path_values else []
        elif parameter.location == "query":
            raw = [value for name, value in query if name == parameter.name]
        elif parameter.location == "header":
            raw = header_values(request.headers, parameter.name)
        else:
            raw = [value for name, value in cookies if name == parameter.name]
        schema = schema_at(document, parameter.schema)
        if parameter.style == "deepObject":
            members = {
                name[len(parameter.name) + 1 : -1]: value
                for name, value in query
                if name.startswith(f"{parameter.name}[") and name.endswith("]")
            }
            found[parameter] = _members(document, schema, members) if members else MISSING
        else:
            found[parameter] = _value(document, parameter, schema, raw) if raw else MISSING
    return found


def _value(document: Mapping[str, Any], parameter: Parameter, schema: Mapping[str, Any], raw: Sequence[str]) -> Any:
    kinds = kinds_of(schema)
    separator = _SEPARATORS.get(parameter.style, ",")
    if "array" in kinds:
        exploded = parameter.location == "query" and parameter.explode
        items = list(raw) if exploded or len(raw) > 1 else raw[0].split(separator)
        inner = schema_at(document, schema.get("items", {}))
        return [scalar(inner, item.strip() if parameter.location == "header" else item) for item in items]
    if "object" in kinds:
        pieces = raw[0].split(separator)
        pairs = (
            dict(piece.partition("=")[::2] for piece in pieces)
            if parameter.explode
            else dict(zip(pieces[::2], pieces[1::2], strict=False))
        )
        return _members(document, schema, pairs)
    text = raw[0] if parameter.location == "query" else ", ".join(raw)
    return scalar(schema, text)


def _members(document: Mapping[str, Any], schema: Mapping[str, Any], pairs: Mapping[str, str]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {name: scalar(schema_at(document, properties.get(name, {})), value) for name, value in pairs.items()}


def scalar(schema: Mapping[str, Any], text: str) -> Any:
    """The text as the first documented type that it can be read as; else the text itself, for the judge to refuse."""
    for kind in kinds_of(schema):
        if kind == "integer" and _WHOLE.fullmatch(text) and abs(value := int(text)) <= sys.float_info.max:
            return value
        if kind == "number" and _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
            return number
        if kind == "boolean" and text in ("true", "false"):
            return text == "true"
        if kind == "null" and text in ("", "null"):
            return None
    return text


def kinds_of(schema: Mapping[str, Any]) -> list[str]:
    """The types a schema names, looking through ``anyOf``, ``oneOf`` and ``allOf`` one level deep."""
    own = schema.get("type", [])
    kinds = [own] if isinstance(own, str) else list(own)
    for group in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(group, ()):
            if isinstance(branch, Mapping):
                kinds += [branch["type"]] if isinstance(branch.get("type"), str) else []
    return sorted(kinds, key=lambda kind: kind == "string")


def schema_at(document: Mapping[str, Any], schema: Any) -> Mapping[str, Any]:
    """A schema, or that at a pointer ("" for none), its reference followed."""
    if isinstance(schema, str):
        if not schema:
            return {}
        schema = dereference(document, schema)[1]
    if isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str):
        schema = dereference(document, schema["$ref"])[1]
    return schema if isinstance(schema, Mapping) else {}
