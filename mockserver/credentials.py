"""Security requirements: whether a request carries credentials of a documented form.

Whether a key is the right one is known only to a server; see the mock's settings.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterator
from urllib.parse import parse_qs

from mockserver.contract import Operation, Security
from mockserver.explanation import Explainer
from mockserver.findings import Violation
from mockserver.messages import Request
from mockserver.sentences import ABSENT

_TOKEN = re.compile(r"[!-~]+")
"""RFC 6750, 2.1 allows fewer characters; relays issue keys with others, so any visible one passes."""


def violations(explain: Explainer, operation: Operation, request: Request) -> Iterator[Violation]:
    """What is wrong with the credentials: nothing as soon as one documented alternative is met."""
    complaints: list[Violation] = []
    for alternative in operation.security:
        found = [violation for scheme in alternative for violation in _scheme(explain, operation, scheme, request)]
        if not found:
            return
        complaints = complaints or found
    yield from complaints


def secret_of(operation: Operation, request: Request) -> str | None:
    """The key that came with a request, None when there is none to compare."""
    for alternative in operation.security:
        for scheme in alternative:
            value = _value(scheme, request)
            if value is not None:
                return value.partition(" ")[2].strip() if scheme.kind == "bearer" else value
    return None


def same(left: str | None, right: str) -> bool:
    """Compare two keys in constant time."""
    return left is not None and hmac.compare_digest(left.encode(), right.encode())


def carrier(operation: Operation, key: str) -> tuple[tuple[str, str], ...]:
    """The header that carries a key to this operation; empty where no documented scheme uses one."""
    for alternative in operation.security:
        for scheme in alternative:
            if scheme.kind == "bearer":
                return (("Authorization", f"Bearer {key}"),)
            if scheme.kind == "basic":
                pair = key if ":" in key else f"{key}:"
                return (("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()),)
            if scheme.kind == "apiKey" and scheme.location == "header":
                return ((scheme.name, key),)
    return ()


def _value(scheme: Security, request: Request) -> str | None:
    if scheme.location == "query":
        values = parse_qs(request.query, keep_blank_values=True).get(scheme.name)
        return values[0] if values else None
    if scheme.location == "cookie":
        pairs = [pair.strip().partition("=")[::2] for pair in (request.header("cookie") or "").split(";")]
        return next((value for name, value in pairs if name == scheme.name), None)
    return request.header(scheme.name)


def _scheme(explain: Explainer, operation: Operation, scheme: Security, request: Request) -> Iterator[Violation]:
    value = _value(scheme, request)
    where = "headers" if scheme.location == "header" else scheme.location
    pointer = f"/{where}/{scheme.name}"
    wanted = f"be {scheme.kind.capitalize()} and a token" if scheme.kind == "bearer" else "carry credentials"
    if value is None or (not value.strip() and scheme.kind != "bearer"):
        yield explain.statement(
            "security.missing", operation, "request", pointer, scheme.pointer, scheme.name, wanted, ABSENT
        )
        return
    problem = _malformed(scheme, value)
    if problem:
        yield explain.statement(
            "security.malformed", operation, "request", pointer, scheme.pointer, scheme.name, wanted, problem
        )


def _malformed(scheme: Security, value: str) -> str:
    """What is wrong with the value's form, without showing the value; "" when nothing is."""
    if scheme.kind not in ("bearer", "basic"):
        return ""
    name, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    if name.lower() != scheme.kind:
        return f"another scheme than {scheme.kind}" if rest else "no scheme before the token"
    if scheme.kind == "bearer":
        if not rest:
            return "the scheme without a token"
        return "" if _TOKEN.fullmatch(rest) else "a token with blanks or unprintable characters"
    try:
        return "" if b":" in base64.b64decode(rest, validate=True) else "no colon between name and password"
    except (binascii.Error, ValueError):
        return "no base64"
