"""What must never stand in an answer: the key it was called with, and the inside of the server.

These two are wrong by any reading, documented or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mockserver.contract import Operation
from mockserver.explanation import Explainer
from mockserver.findings import Violation
from mockserver.messages import Response

_TRACES = re.compile(
    rb"Traceback \(most recent call last\)"
    rb"|File \\?\"[^\"\n]{1,200}\\?\", line \d+"
    rb"|\bat [\w$.<>]+ ?\((?:[\w./\\: -]+):\d+(?::\d+)?\)"
    rb"|goroutine \d+ \["
    rb"|\bpanic: .{1,200}\.go:\d+"
    rb"|\b\w{1,100}\.java:\d+\)"
    rb"|#\d+ /[\w./-]+\.php\(\d+\)"
)
_KEYS = re.compile(rb"\bsk-(?:proj-|ant-|or-)?[A-Za-z0-9_-]{20,}")
"""Keys in the form of OpenAI and those who follow it; shorter ones are masked or made up."""
_LOOKED_AT = 256 * 1024
"""Bytes at either end of an answer that are looked through: a trace or a key in an error stands there."""
_SHORTEST_SECRET = 8
"""A key shorter than this could stand in an answer by chance."""


def violations(
    explain: Explainer, operation: Operation, answer: Response, secrets: tuple[str, ...]
) -> Iterator[Violation]:
    """Leaks in an answer's headers and body; the text of a leaked key is not repeated."""
    body = answer.body if len(answer.body) <= 2 * _LOOKED_AT else answer.body[:_LOOKED_AT] + answer.body[-_LOOKED_AT:]
    text = body + b"\n" + "\n".join(value for _, value in answer.headers).encode("utf-8", "replace")
    if any(secret and len(secret) >= _SHORTEST_SECRET and secret.encode() in text for secret in secrets):
        message = "the answer repeats the API key of the request"
        yield explain.answer("error.key-leaked", operation, "/body", message, "no key in any answer", message)
    elif found := _KEYS.search(text):
        shown = found.group()[:7].decode() + "..."
        message = f"the answer shows somebody's API key: {shown}"
        yield explain.answer("error.key-leaked", operation, "/body", message, "no key in any answer", shown)
    if found := _TRACES.search(text):
        shown = found.group()[:60].decode("utf-8", "replace")
        message = f"the answer shows a stack trace: {shown}"
        yield explain.answer("error.trace-leaked", operation, "/body", message, "no internals in any answer", shown)
