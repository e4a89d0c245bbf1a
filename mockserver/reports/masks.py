"""Keys out of texts: a secret is masked in every form in which a server can hand it back.

The forms are plain, percent-encoded, written with JSON escapes, and base64, as in ``Authorization: Basic`` or in a body.
Exchanges are redacted by :mod:`mockserver.redaction` when they become records; this is the last door, that of the reports.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from functools import lru_cache

MASK = "***"
"""What stands where a key stood."""

SHORTEST = 4
"""A shorter secret would stand in any text by chance."""
_SHORTEST_ENCODED = 8
"""Characters of base64 that are telling."""


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret of at least :data:`SHORTEST` characters replaced, the longest first."""
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        text = _pattern(secret).sub(MASK, text)
    return text


def masked_bytes(content: bytes, secrets: Iterable[str]) -> bytes:
    """The same for bytes of any encoding that has ASCII inside."""
    as_bytes = (secret.encode().decode("latin-1") for secret in secrets)
    return masked(content.decode("latin-1"), as_bytes).encode("latin-1")


@lru_cache(maxsize=16)
def _pattern(secret: str) -> re.Pattern[str]:
    spelt = "".join(_character(character) for character in secret)
    return re.compile("|".join([spelt, *_encoded(secret)]))


def _character(character: str) -> str:
    """One character, plain, as a JSON escape or percent-encoded."""
    forms = [re.escape(character)]
    if ord(character) <= 0xFFFF:
        forms.append(rf"\\+u(?i:{ord(character):04x})")
    if character in '"\\/':
        forms.append(r"\\+" + re.escape(character))
    forms.append("(?i:" + "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass")) + ")")
    return "(?:" + "|".join(forms) + ")"


def _encoded(secret: str) -> list[str]:
    """Base64 of anything that holds the secret: its inner characters depend only on where in a group of three it begins.

    The whole run of base64 around them goes, because its ends hold the rest of the secret.
    """
    found = []
    content = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        whole = base64.b64encode(bytes(before) + content).decode().rstrip("=")
        told = (before + len(content)) * 8 // 6
        inner = whole[(0, 2, 3)[before] : told]
        if len(inner) >= _SHORTEST_ENCODED:
            either = re.escape(inner).replace(r"\+", "[+-]").replace("/", "[/_]")
            found.append(rf"[A-Za-z0-9+/_-]*{either}[A-Za-z0-9+/_-]*=*")
    return found
