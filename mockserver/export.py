"""A contract as one OpenAPI 3.1 file, for tools that do not follow references between files."""

from __future__ import annotations

import json

from mockserver.library import Document


def openapi(document: Document) -> str:
    """The closed document as JSON; our ``x-`` keywords stay, as the specification allows."""
    return json.dumps(document.data, ensure_ascii=False, indent=2) + "\n"
