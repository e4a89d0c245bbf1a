"""A contract as one OpenAPI 3.1 file, for tools that do not follow references between files."""

from __future__ import annotations

import json

from mockserver.library import Document


def openapi(document: Document) -> str:
    """The closed document as JSON; our ``x-`` keywords stay, as the specification allows.

    Characters that a terminal would obey are written as JSON's escapes, which mean the same.
    """
    text = json.dumps(document.data, ensure_ascii=False, indent=2) + "\n"
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)
