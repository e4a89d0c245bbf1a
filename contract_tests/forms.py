"""Forms as they are sent: a body whose files stand as data URLs becomes ``multipart/form-data`` (RFC 7578)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from mockserver.forms import MEDIA_TYPE as MEDIA_TYPE
from mockserver.parts import Part, with_files

BOUNDARY: Final = "contract-form-7d5f1c"
"""One boundary for all, so that equal bodies are equal bytes; no text that is sent holds it."""


def written(body: Any) -> bytes:
    """The bytes of a form, its parts in the order of the members."""
    value = with_files(body)
    members = value if isinstance(value, dict) else {"": value}
    files: list[tuple[str, Any]] = []
    for name, member in members.items():
        for key, content in _flat(name, member):
            if isinstance(content, Part):
                files.append((key, (content.filename, content.content, content.kind)))
            else:
                files.append((key, (None, content.encode("utf-8", "surrogatepass"))))
    headers = {"Content-Type": f"{MEDIA_TYPE}; boundary={BOUNDARY}"}
    return httpx.Request("POST", "http://localhost", files=files, headers=headers).read()


def _flat(name: str, value: Any) -> Iterator[tuple[str, str | Part]]:
    """Names as clients write those of lists and objects: ``a[]`` and ``a[b]``."""
    if isinstance(value, list):
        for item in value:
            yield from _flat(f"{name}[]", item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}[{key}]", inner)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value)
