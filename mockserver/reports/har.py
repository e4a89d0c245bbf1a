"""The exchanges of a run as HAR 1.2, which browsers' developer tools and other testers read.

What the format has no member for stands in members that begin with an underscore, as HAR allows.  The text is pure ASCII,
so that bodies are kept byte by byte and still no terminal obeys them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from mockserver import __version__
from mockserver.messages import Exchange, Headers, Request, Response
from mockserver.reports.masks import MASK, masked, masked_bytes

_NOTHING = -1
"""What HAR calls a size or time that is not known."""


def text(
    data: Mapping[str, Any],
    exchanges: Sequence[Exchange],
    keys: tuple[str, ...],
    shown_by: Mapping[str, Sequence[str]],
) -> str:
    """One log with an entry per exchange; every secret is replaced before a body is encoded.

    ``shown_by`` gives the fingerprints of the findings that an exchange shows, by its id; they stand in ``_findings``.
    """
    log = {
        "version": "1.2",
        "creator": {"name": "quickrouter-contract", "version": __version__},
        "entries": [_entry(data["target"], exchange, keys, shown_by.get(exchange.id, ())) for exchange in exchanges],
    }
    return json.dumps({"log": log}, indent=1)


def _entry(target: str, exchange: Exchange, keys: tuple[str, ...], findings: Sequence[str]) -> dict[str, Any]:
    milliseconds = round(exchange.duration * 1000, 3)
    entry = {
        "startedDateTime": datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="milliseconds"),
        "time": milliseconds,
        "request": _request(target, exchange.request, keys),
        "response": _response(exchange.response, keys),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_id": exchange.id,
        "_findings": list(findings),
    }
    return entry | ({"_failure": _shown(exchange.failure, keys)} if exchange.failure else {})


def _request(target: str, request: Request, keys: tuple[str, ...]) -> dict[str, Any]:
    query = _shown(request.query, keys)
    made: dict[str, Any] = {
        "method": request.method,
        "url": target.rstrip("/") + _shown(request.target, keys),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.headers, keys),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True)],
        "headersSize": _NOTHING,
        "bodySize": len(request.body),
    }
    if request.body:
        body = _body(request.body, keys)
        encoding = {"_encoding": body["encoding"]} if "encoding" in body else {}
        made["postData"] = {"mimeType": request.header("content-type") or "", "text": body["text"], **encoding}
    return made


def _response(response: Response | None, keys: tuple[str, ...]) -> dict[str, Any]:
    """The response; status 0 where none came, as browsers write it."""
    answer = response or Response(0)
    known = answer.status in HTTPStatus.__members__.values()
    content = {"size": len(answer.body), "mimeType": answer.header("content-type") or "", **_body(answer.body, keys)}
    made = {
        "status": answer.status,
        "statusText": HTTPStatus(answer.status).phrase if known else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(answer.headers, keys),
        "content": content,
        "redirectURL": _shown(answer.header("location") or "", keys),
        "headersSize": _NOTHING,
        "bodySize": len(answer.body),
    }
    return made | ({"_cut": _shown(answer.cut, keys)} if answer.cut else {})


def _headers(headers: Headers, keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"name": name, "value": _shown(_without_cookie(name, value), keys)} for name, value in headers]


def _without_cookie(name: str, value: str) -> str:
    """The value of a header; of a cookie that the API sets only its name and attributes, as in every record."""
    if name.lower() != "set-cookie":
        return value
    pair, semicolon, attributes = value.partition(";")
    return f"{pair.partition('=')[0]}={MASK}{semicolon}{attributes}"


def _shown(value: str, keys: tuple[str, ...]) -> str:
    return masked(value.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), keys)


def _body(body: bytes, keys: tuple[str, ...]) -> dict[str, str]:
    """Bytes as ``text``, with ``encoding`` where they are not UTF-8."""
    kept = masked_bytes(body, keys)
    try:
        return {"text": kept.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(kept).decode("ascii"), "encoding": "base64"}
