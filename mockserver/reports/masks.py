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
from itertools import takewhile
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
_RUN = re.compile("[A-Za-z0-9+/_=-]*")
_HALF = re.compile(rf"(?:{_ESCAPE}(?:u[0-9A-Fa-f]{{0,3}})?|%[0-9A-Fa-f]?)?")
_CUT = ("...", "…")
_DOTS = 3
"""Characters of the mark that may look like the next ones of a secret."""


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret of at least :data:`SHORTEST` characters replaced, the longest first."""
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        text = _spelt(secret).sub(MASK, text) if "\\" in text or "%" in text else text.replace(secret, MASK)
        text = _beginnings(without_base64(text, secret), secret)
    return text


def masked_bytes(content: bytes, secrets: Iterable[str]) -> bytes:
    """The same for bytes of any encoding that has ASCII inside."""
    as_bytes = (secret.encode().decode("latin-1") for secret in secrets)
    return masked(content.decode("latin-1"), as_bytes).encode("latin-1")


def _beginnings(text: str, secret: str) -> str:
    """The text without what is left of a secret where a quotation was cut in its middle."""
    spans = [span for form in _forms(secret) if form[:_TELLING] in text for span in _left(text, form)]
    spans = sorted([*spans, *_spelt_left(text, secret)] if "\\" in text or "%" in text else spans)
    pieces, end = [], 0
    for start, until in spans:
        if until > end:
            pieces += [text[end : max(start, end)], MASK]
            end = until
    return "".join([*pieces, text[end:]]) if pieces else text


def _left(text: str, form: str) -> Iterator[tuple[int, int]]:
    """Where beginnings of a form stand before the mark of a cut."""
    start = text.find(form[:_TELLING])
    while start >= 0:
        pairs = zip(form, text[start : start + len(form)], strict=False)
        length = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        ends = range(start + length, start + max(_TELLING, length - _DOTS) - 1, -1)
        if length < len(form) and (end := next((end for end in ends if text.startswith(_CUT, end)), 0)):
            yield start, end
        start = text.find(form[:_TELLING], start + 1)


def _spelt_left(text: str, secret: str) -> Iterator[tuple[int, int]]:
    """The same of the secret itself where characters are escaped, the last of which may be cut as well."""
    if len(secret) <= _TELLING:
        return
    for begin in _spelt(secret[:_TELLING]).finditer(text):
        places = [begin.end()]
        for character in secret[_TELLING:]:
            one = _spelt(character).match(text, places[-1])
            if one is None:
                break
            places.append(one.end())
        else:
            continue
        # half an escape may look like the next character, if that is a backslash, as the mark does, if those are dots
        for place in reversed(places[-_DOTS - 1 :]):
            half = _HALF.match(text, place)
            if half and text.startswith(_CUT, half.end()):
                yield begin.start(), half.end()
                break


@lru_cache(maxsize=16)
def _forms(secret: str) -> tuple[str, ...]:
    once = json.dumps(secret)[1:-1]
    return tuple(dict.fromkeys((secret, once, json.dumps(once)[1:-1], quote(secret, safe=""), *_inner(secret))))


@lru_cache(maxsize=256)
def _spelt(secret: str) -> re.Pattern[str]:
    return re.compile("".join(_character(character) for character in secret))


def _character(character: str) -> str:
    """One character as a JSON escape, percent-encoded or plain; in this order, since a backslash alone begins the others."""
    forms = []
    if ord(character) <= 0xFFFF:
        forms.append(rf"{_ESCAPE}u(?i:{ord(character):04x})")
    if character in '"\\/':
        forms.append(_ESCAPE + re.escape(character))
    forms.append("(?i:" + "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass")) + ")")
    return "(?:" + "|".join([*forms, re.escape(character)]) + ")"


def without_base64(text: str, secret: str, instead: str = MASK) -> str:
    """The text without base64 of anything that holds the secret; the whole run goes: its ends hold the secret's rest."""
    for inner in _inner(secret):
        for form in {inner, inner.replace("+", "-").replace("/", "_")}:
            pieces, end, place = [], 0, text.find(form)
            while place >= 0:
                begin = end + len(text[end:place].rstrip(_BASE64))
                pieces += [text[end:begin], instead]
                run = _RUN.match(text, place + len(form))
                end = run.end() if run else place + len(form)
                place = text.find(form, end)
            text = "".join([*pieces, text[end:]]) if pieces else text
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
