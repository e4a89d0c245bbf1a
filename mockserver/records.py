"""Journal entries as JSON values, for the administration: everything in them has passed the door of redaction."""

from __future__ import annotations

import base64
from typing import Any

from mockserver import media
from mockserver.findings import Violation
from mockserver.journal import Entry, RawHeaders
from mockserver.media import MISSING


def summary(entry: Entry) -> dict[str, Any]:
    """One line of a listing."""
    return {
        "id": entry.id,
        "started": entry.started,
        "duration_s": round(entry.duration, 6),
        "session": entry.session,
        "method": entry.method,
        "path": path_of(entry),
        "operation": entry.operation,
        "status": entry.status,
        "scenario": entry.scenario,
        "violations": [violation.rule for violation in entry.violations],
    }


def record(entry: Entry) -> dict[str, Any]:
    """The whole exchange."""
    return {
        **summary(entry),
        "violations": [_violation(violation) for violation in entry.violations],
        "notes": list(entry.notes),
        "request": {
            "method": entry.method,
            "target": path_of(entry),
            "headers": _headers(entry.headers),
            "body": _body(entry.body),
        },
        "response": {
            "status": entry.status,
            "headers": _headers(entry.answer_headers),
            "body": _body(entry.answer_body),
            "cut": entry.cut,
        },
    }


def path_of(entry: Entry) -> str:
    """Path and query as they stood in the request line."""
    target = entry.path + (b"?" + entry.query if entry.query else b"")
    return target.decode("latin-1")


def body_value(entry: Entry) -> Any:
    """The request body as a JSON value; MISSING when it is none."""
    return media.read_json(entry.body).value


def _violation(violation: Violation) -> dict[str, Any]:
    return {
        "rule": violation.rule,
        "severity": violation.severity.value,
        "pointer": violation.pointer,
        "message": violation.message,
        "documented": violation.documented,
        "observed": violation.observed,
        "source": violation.source.as_dict(),
        "schema": violation.place,
    }


def _headers(headers: RawHeaders) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _body(body: bytes) -> dict[str, Any]:
    """The bytes as text, or in base64 when they are none, and the JSON value when there is one."""
    found: dict[str, Any] = {"bytes": len(body)}
    try:
        found["text"] = body.decode()
    except UnicodeDecodeError:
        found["base64"] = base64.b64encode(body).decode()
    reading = media.read_json(body)
    if reading.value is not MISSING and not reading.problems:
        found["json"] = reading.value
    return found
