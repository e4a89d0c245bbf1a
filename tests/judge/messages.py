"""Messages for the judge: the right ones, and others that differ from them in what a case is about."""

from __future__ import annotations

import json
from typing import Any

from mockserver.messages import Request, Response

JSON = "application/json"
JOB: dict[str, Any] = {"title": "box", "parts": [{"name": "bolt", "count": 2}]}
RESULT: dict[str, Any] = {"id": "r1", "made": [{"at": 0}, {"at": 1}], "done": 1_800_000_000}


def request(
    value: Any = JOB, method: str = "POST", path: str = "/jobs/7", query: str = "", kind: str | None = JSON, **more: str
) -> Request:
    """A request; ``value`` may be bytes; headers may be left out with an empty value."""
    headers = {"X-Shop": "ours", "Cookie": "a=b; basket=3", **({"Content-Type": kind} if kind else {})}
    headers |= {name.replace("_", "-"): text for name, text in more.items()}
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Request(method, path, query, tuple((k, v) for k, v in headers.items() if v), body)


def response(
    value: Any = RESULT, status: int = 200, kind: str | None = JSON, cut: str | None = None, **more: str
) -> Response:
    """An answer; ``value`` may be bytes."""
    headers = {
        **({"Content-Type": kind} if kind else {}),
        **{name.replace("_", "-"): text for name, text in more.items()},
    }
    return Response(
        status, tuple(headers.items()), value if isinstance(value, bytes) else json.dumps(value).encode(), cut
    )
