"""Our own record of traffic: one exchange per line of JSON, so that whatever ends a run leaves whole lines behind.

Bodies stand as text where they are UTF-8, else in base64.  Keys are taken out before anything gets here, files are opened
by :mod:`mockserver.cassette`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from mockserver.errors import RecordError
from mockserver.messages import Exchange, Headers, Request, Response

NO_REQUEST_BODY: Final = "the request's body is not in the record"
NO_RESPONSE_BODY: Final = "the response's body is not in the record"
"""Notes of an exchange whose body was not kept: nothing can be said about it, least of all that it was empty."""

LATEST_S: Final = 253_370_764_800.0
"""The year 9999 in Unix seconds: what is later is no time that could be shown."""

LONGEST_LINE: Final = 512 * 1024 * 1024
"""Bytes of one exchange that are read."""


def line(exchange: Exchange) -> bytes:
    """One exchange as one line, with its line break."""
    return json.dumps(_record(exchange), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def read(stream: BinaryIO, name: str, notes: list[str]) -> Iterator[Exchange]:
    """The exchanges of a record, in order; ``name`` is the file's, for messages.

    A last line that was cut is dropped and said in ``notes``; any other broken line raises RecordError.
    """
    number, raw = 0, stream.readline(LONGEST_LINE)
    while raw:
        number += 1
        following = stream.readline(LONGEST_LINE)
        place = f"{name}:{number}"
        if raw.strip(b" \t\r\n\xef\xbb\xbf"):
            value, problem = _value(raw)
            if problem and not following and not raw.endswith(b"\n"):
                notes.append(f"{place}: the last line is cut and was left out")
                return
            if problem:
                raise RecordError(f"{place}: {problem}")
            yield exchange_of(value, place)
        raw = following


def _value(raw: bytes) -> tuple[Any, str]:
    """The JSON value of a line, or what is wrong with it."""
    if len(raw) >= LONGEST_LINE:
        return None, f"the line has more than {LONGEST_LINE} bytes"
    try:
        return json.loads(raw.decode("utf-8-sig")), ""
    except UnicodeDecodeError as error:
        return None, f"the line is not UTF-8: {error.reason} at byte {error.start}"
    except json.JSONDecodeError as error:
        return None, f"the line is not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError):
        return None, "the line is JSON that cannot be read: nested too deeply, or a number too long"


def exchange_of(value: Any, place: str) -> Exchange:
    """The exchange that a line's value describes; raises RecordError naming ``place`` and the member that is wrong."""
    try:
        request = _member(value, "request", dict)
        response = _member(value, "response", dict, None)
        return Exchange(
            id=_member(value, "id", str, place),
            request=Request(
                _member(request, "method", str),
                _member(request, "path", str),
                _member(request, "query", str, ""),
                _headers(request),
                _body(request),
            ),
            response=None
            if response is None
            else Response(
                _member(response, "status", int),
                _headers(response),
                _body(response),
                _member(response, "cut", str, None),
            ),
            failure=_member(value, "failure", str, None),
            started=_seconds(value, "started"),
            duration=_seconds(value, "duration"),
            session=_member(value, "session", str, ""),
            notes=tuple(str(note) for note in _member(value, "notes", list, [])),
        )
    except ValueError as problem:
        raise RecordError(f"{place}: {problem}") from None


def _record(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    record: dict[str, Any] = {
        "id": exchange.id,
        "started": exchange.started,
        "duration": exchange.duration,
        "request": {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": request.headers,
            **_written(request.body),
        },
        "response": None
        if response is None
        else {
            "status": response.status,
            "headers": response.headers,
            **_written(response.body),
            **({"cut": response.cut} if response.cut else {}),
        },
    }
    optional = {"failure": exchange.failure, "session": exchange.session, "notes": exchange.notes}
    return record | {name: value for name, value in optional.items() if value}


def _written(body: bytes) -> dict[str, str]:
    if not body:
        return {}
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _body(message: Mapping[str, Any]) -> bytes:
    if "base64" in message:
        try:
            return base64.b64decode(_member(message, "base64", str), validate=True)
        except binascii.Error:
            raise ValueError("'base64' is not base64") from None
    text: str = _member(message, "text", str, "")
    return text.encode("utf-8", "replace")


def _headers(message: Mapping[str, Any]) -> Headers:
    pairs = _member(message, "headers", list, [])
    if not all(isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair) for pair in pairs):
        raise ValueError("'headers' is a list of pairs of texts")
    return tuple((name, value) for name, value in pairs)


def _seconds(value: Any, name: str) -> float:
    """A time that clocks and calendars can show; 0.0 where there is none."""
    found: float = _member(value, name, (int, float), 0.0)
    if not 0 <= found <= LATEST_S:
        raise ValueError(f"{name!r} is no time in seconds")
    return float(found)


_REQUIRED: Final = object()


def _member(node: Any, name: str, kind: type | tuple[type, ...], default: Any = _REQUIRED) -> Any:
    """A member of an object; raises ValueError with a sentence when it is missing or of another kind."""
    if not isinstance(node, Mapping):
        raise ValueError(f"an exchange is an object with a request and a response, not {type(node).__name__}")
    found = node.get(name)
    if found is None and default is not _REQUIRED:
        return default
    if not isinstance(found, kind) or isinstance(found, bool):
        raise ValueError(f"it has no usable {name!r}")
    return found
