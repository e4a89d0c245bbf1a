"""A file in a form: one part of a multipart body as a value that a schema can judge.

It is a string whose characters are the bytes, so that lengths count bytes, and it knows what the part's headers said.
"""

from __future__ import annotations

import base64
from typing import Any, Final

_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


class Part(str):
    """A file: ``filename`` and ``kind`` (its media type in lower case) as its headers say."""

    filename: str
    kind: str

    @classmethod
    def of(cls, content: bytes, filename: str, kind: str) -> Part:
        """A file with that content."""
        part = cls(content.decode("latin-1"))
        part.filename, part.kind = filename, kind
        return part

    @classmethod
    def from_url(cls, url: str) -> Part | None:
        """The file in a data URL (RFC 2397) in base64, as contracts write the files of their examples; None for no such URL."""
        head, comma, text = url.partition(",")
        kind = head.removeprefix("data:").removesuffix(";base64")
        if not (comma and head.startswith("data:") and head.endswith(";base64")):
            return None
        try:
            content = base64.b64decode(text, validate=True)
        except ValueError:  # no base64, or no ASCII
            return None
        return cls.of(content, f"file.{kind.rpartition('/')[2]}", kind)

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return self.encode("latin-1")

    @property
    def seems(self) -> str:
        """The media type that the first bytes are known for; "" where they are not."""
        begin = self[:16].encode("latin-1")
        if begin[:4] == b"RIFF" and begin[8:12] == b"WEBP":
            return "image/webp"
        return next((kind for magic, kind in _MAGIC if begin.startswith(magic)), "")

    def __repr__(self) -> str:
        return f"file {self.filename!r} ({self.kind or 'no media type'}, {len(self)} bytes)"


def with_files(value: Any) -> Any:
    """A body as a contract writes it, its data URLs turned into files."""
    if isinstance(value, Part):
        return value
    if isinstance(value, dict):
        return {name: with_files(member) for name, member in value.items()}
    if isinstance(value, list):
        return [with_files(item) for item in value]
    file = Part.from_url(value) if isinstance(value, str) else None
    return value if file is None else file  # an empty file is one
