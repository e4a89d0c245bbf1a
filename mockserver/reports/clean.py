"""The one door through which observed text enters a report: no control character and no key gets past it.

What is escaped is shown, never dropped, so that a finding about a control character stays readable.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from mockserver.findings import Report

MASK = "***"
"""What stands where a key stood."""

_KEPT = "\n\t"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls (escape sequences begin with one), invisible format characters (they turn text around), lone surrogates and
line separators; no terminal, browser or XML reader gets to interpret them."""
_JOINERS = "\u200c\u200d"
"""Invisible as well, but letters of Persian and parts of emoji; they have no effect beyond their neighbours."""


def clean(report: Report, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The JSON form of a report with every text made harmless and every secret masked."""
    masked = sorted({form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}, key=len)
    cleaned: dict[str, Any] = _clean(report.as_dict(), masked[::-1])
    return cleaned


def plain(text: str) -> str:
    """A text in which control and invisible characters are written as ``\\u001b`` and the like."""
    if text.isprintable():
        return text
    return "".join(c if not _hidden(c) else _escaped(c) for c in text)


def one_line(text: str) -> str:
    """The same for places that hold one line: line breaks and tabs become blanks."""
    return " ".join(plain(text).split())


def _clean(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return plain(value)
    if isinstance(value, Mapping):
        return {_clean(str(key), secrets): _clean(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, secrets) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _clean(str(value), secrets)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _KEPT and character not in _JOINERS


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
