"""Answers of the administration: JSON values, and problem documents (RFC 9457) for what cannot be done."""

from __future__ import annotations

import http.client
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mockserver.encoding import encoded

GUARDED: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'none'",
}
"""Headers that keep an answer from being taken for something else, and from pages of other sites."""


class ProblemError(Exception):
    """An administration request that cannot be done: status, a sentence, and further members of the problem document."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more


def json_answer(value: Any, status: int = 200, kind: str = "application/json") -> Response:
    """A value as JSON that nobody keeps."""
    return Response(encoded(value), status, {"cache-control": "no-store", **GUARDED}, kind)


async def problem(_: Request, failure: Exception) -> Response:
    """The problem document of a ProblemError."""
    if not isinstance(failure, ProblemError):
        raise failure
    title = http.client.responses.get(failure.status, "Problem")
    document = {"type": "about:blank", "title": title, "status": failure.status, "detail": failure.detail}
    return json_answer({**document, **failure.more}, failure.status, "application/problem+json")


async def unroutable(request: Request, failure: Exception) -> Response:
    """Starlette's own 404 and 405 as problems."""
    if not isinstance(failure, HTTPException):
        raise failure
    allow = (failure.headers or {}).get("Allow", "")
    detail = f"{request.method} is not for this path; it takes {allow}" if allow else "there is nothing at this path"
    answer = await problem(request, ProblemError(failure.status_code, detail))
    answer.headers.update(failure.headers or {})
    return answer
