"""Keys out of texts: a secret is masked in every form in which a server can hand it back.

The forms are plain, percent-encoded, written with JSON escapes, and base64, as in ``Authorization: Basic`` or in a body.
Exchanges are redacted by :mod:`mockserver.redaction` when they become records; this is the last door, that of the reports.
"""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote

MASK = "***"
"""What stands where a key stood."""

SHORTEST = 4
"""A shorter secret would stand in any text by chance."""
_SHORTEST_ENCODED = 8
"""Characters of base64 that are telling."""
_ESCAPE = r"\\{1,8}"
"""Backslashes before an escaped character: each time JSON is put into JSON their number doubles."""
_TELLING = 6
"""Characters of the beginning of a secret that are, where a text was cut."""
_BASE64 = string.ascii_letters + string.digits + "+/-_"
_CUT = re.compile(r"\.\.\.|…")


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret of at least :data:`SHORTEST` characters replaced, the longest first."""
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        text = _spelt(secret).sub(MASK, text) if "\\" in text or "%" in text else text.replace(secret, MASK)
        text = _beginnings(_without_base64(text, secret), secret)
    return text


def masked_bytes(content: bytes, secrets: Iterable[str]) -> bytes:
    """The same for bytes of any encoding that has ASCII inside."""
    as_bytes = (secret.encode().decode("latin-1") for secret in secrets)
    return masked(content.decode("latin-1"), as_bytes).encode("latin-1")


def _beginnings(text: str, secret: str) -> str:
    """The text without what is left of a secret where a quotation was cut in its middle."""
    if not any(form[:_TELLING] in text for form in _forms(secret)):
        return text
    pieces, start = [], 0
    for dots in _CUT.finditer(text):
        piece = text[start : dots.start()]
        lengths = [length for form in _forms(secret) for length in _left(piece, form)]
        pieces += [piece[: len(piece) - max(lengths)] + MASK if lengths else piece, dots.group()]
        start = dots.end()
    return "".join([*pieces, text[start:]])


def _left(piece: str, form: str) -> Iterator[int]:
    """The lengths of the beginnings of a form at which the piece ends."""
    return (length for length in range(_TELLING, len(form)) if piece.endswith(form[:length]))


@lru_cache(maxsize=16)
def _forms(secret: str) -> tuple[str, ...]:
    once = json.dumps(secret)[1:-1]
    return tuple(dict.fromkeys((secret, once, json.dumps(once)[1:-1], quote(secret, safe=""), *_inner(secret))))


@lru_cache(maxsize=16)
def _spelt(secret: str) -> re.Pattern[str]:
    return re.compile("".join(_character(character) for character in secret))


def _character(character: str) -> str:
    """One character, plain, as a JSON escape or percent-encoded."""
    forms = [re.escape(character)]
    if ord(character) <= 0xFFFF:
        forms.append(rf"{_ESCAPE}u(?i:{ord(character):04x})")
    if character in '"\\/':
        forms.append(_ESCAPE + re.escape(character))
    forms.append("(?i:" + "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass")) + ")")
    return "(?:" + "|".join(forms) + ")"


def _without_base64(text: str, secret: str) -> str:
    """The text without base64 of anything that holds the secret; the whole run goes: its ends hold the secret's rest."""
    for inner in _inner(secret):
        for form in {inner, inner.replace("+", "-").replace("/", "_")}:
            while (place := text.find(form)) >= 0:
                head = text[:place].rstrip(_BASE64)
                text = head + MASK + text[place + len(form) :].lstrip(_BASE64 + "=")
    return text


@lru_cache(maxsize=16)
def _inner(secret: str) -> tuple[str, ...]:
    """The characters of base64 that the secret alone decides, for each place in a group of three where it may begin."""
    content = secret.encode("utf-8", "surrogatepass")
    found = []
    for before in range(3):
        whole = base64.b64encode(bytes(before) + content).decode()
        found.append(whole[(0, 2, 3)[before] : (before + len(content)) * 8 // 6])
    return tuple(inner for inner in found if len(inner) >= _SHORTEST_ENCODED)
