"""Bodies that are not what an operation takes: broken JSON, other JSON types on top, other media types.

The page promises a JSON body and says nothing of lax parsers, so what is beyond plain breakage is worth a warning.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

from contract_tests.recipes import Recipe, build, changed

Malformed = tuple[str, str, bytes, int]
"""What is tried, the rule that it breaks, the bytes, and the rank."""

_MARK = "\ue000"


def bodies(base: Recipe, text: str, number: str) -> Iterator[Malformed]:
    """Every body worth trying; ``text`` and ``number`` point to places where any text or a number may stand ("": none)."""
    good = build(base, "sk-trial-key").body
    yield "a body that is cut in the middle", "json.cut", good[: len(good) * 2 // 3], 1
    if base.operation.body_required:
        yield "an empty body", "json.empty", b"", 2
    if isinstance(base.body, dict):
        yield "a list as body", "body.type", b"[" + good + b"]", 2
        yield "null as body", "body.type", b"null", 4
        yield "a string as body", "body.type", json.dumps(good.decode("utf-8", "replace")).encode(), 5
        yield "a number as body", "body.type", b"7", 6
        yield "a trailing comma", "json.malformed", good[:-1] + b",}", 3
        yield "a comment in the JSON text", "json.malformed", b"{/* x */" + good[1:], 4
    if number:  # nowhere else: many parsers take NaN, and where nobody reads it that harms nobody
        marked = build(base.with_body(changed(base.body, number, _MARK)), "sk-trial-key").body
        yield f"NaN for {number.lstrip('/')}", "json.constant", marked.replace(f'"{_MARK}"'.encode(), b"NaN"), 4
    yield "two JSON texts", "json.trailing", good + good, 3
    yield "text after the JSON body", "json.trailing", good + b" trailing", 6
    yield "a body in single quotes", "json.malformed", good.replace(b'"', b"'"), 5
    yield "UTF-16", "json.encoding", good.decode("utf-8", "replace").encode("utf-16"), 6
    yield "invalid UTF-8", "json.encoding", _with(base, text, b"\xff\xfe"), 5
    yield "a raw line break in a text", "json.malformed", _with(base, text, b"\n"), 5


def _with(base: Recipe, text: str, octets: bytes) -> bytes:
    """The body with bytes inside one of its texts; where none is known, in a member of its own."""
    where = text or "/x"
    body = changed(base.body, where, f"a fox{_MARK}") if isinstance(base.body, dict) or text else [_MARK]
    return build(base.with_body(body), "sk-trial-key").body.replace(_MARK.encode(), octets)


def other_types(base: Recipe) -> Iterator[tuple[str, str, bytes | None, int]]:
    """Other media types: what is tried, the Content-Type, the body where it is another one, and the rank.

    A body without any Content-Type is not among them: whoever takes it breaks nothing.
    """
    yield "another media type (text/plain)", "text/plain", None, 2
    if isinstance(base.body, dict):
        form = urlencode([(name, str(value)) for name, value in base.body.items()]).encode()
        yield "a form instead of JSON", "application/x-www-form-urlencoded", form, 6
