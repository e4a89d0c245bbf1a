"""Effects that faults under a condition share: what goes wrong when the condition is met."""

from __future__ import annotations

from dataclasses import replace

from tests.faulty.fault import body, document, drop, on_success, turn
from tests.faulty.rules import Breach

CRASH = Breach("crash", "Internal server error", None, 500, "internal_error")
INVALID = Breach("invalid", "Invalid request.")

NO_USAGE = drop("usage")
NO_CHOICES = drop("choices")
NO_ID = drop("id")
CREATED_TEXT = turn("created", str)
CUT = body(lambda data: data[:-20])
EMPTY = body(lambda data: b"")
IMAGES = document(lambda call, doc: {"created": doc["created"], "data": [{"url": "https://files.example.com/a.png"}]})
PAGE = on_success(
    lambda call, answer: replace(
        answer.with_header("Content-Type", "text/html"), body=b"<html><body>Request blocked</body></html>"
    )
)
ONE_LESS = turn("choices", lambda value: value[:-1])
TOTAL_OFF = turn("usage.total_tokens", lambda value: value - 1)
