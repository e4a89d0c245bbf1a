"""The one door through which observed text enters a report: no control character and no key gets past it.

What is escaped is shown, never dropped, so that a finding about a control character stays readable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from mockserver.findings import Report, Severity, Side, Verdict
from mockserver.reports.masks import MASK, masked

__all__ = ["MASK", "clean", "disarmed", "one_line", "plain"]

_KEPT = "\n\t"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls (escape sequences begin with one), invisible format characters (they turn text around), lone surrogates and
line separators; no terminal, browser or XML reader gets to interpret them."""
_JOINERS = "\u200c\u200d"
"""Invisible as well, but letters of Persian and parts of emoji; they have no effect beyond their neighbours."""
_COMMANDED = re.compile(r"^((?:\s|\x1b\[[0-9;]*m)*)(::|##\[)")
_SHOWN = r"\1\\\2"
_NAME = re.compile("[a-z_]{1,24}")
"""Names of fields; they are ours, and a key that looks like one must not take the report apart."""
_WORDS = frozenset({*get_args(Verdict), *get_args(Side), *Severity, "test", "constant", "intermittent", "once"})
"""Values that the formats look up."""


def clean(report: Report, secrets: Iterable[str] = ()) -> dict[str, Any]:
    """The JSON form of a report with every text made harmless and every secret masked."""
    cleaned: dict[str, Any] = _clean(report.as_dict(), tuple(secrets))
    return cleaned


def plain(text: str) -> str:
    """A text in which control and invisible characters are written as ``\\u001b`` and the like."""
    if text.isprintable():
        return text
    return "".join(c if not _hidden(c) else _escaped(c) for c in text)


def disarmed(line: str) -> str:
    """A line that no CI runner takes for a command, which may be indented: what is quoted must not speak to it."""
    return _COMMANDED.sub(_SHOWN, line)


def one_line(text: str) -> str:
    """The same for places that hold one line: line breaks and tabs become blanks."""
    return " ".join(plain(text).split())


def _clean(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return value if value in _WORDS else plain(masked(value, secrets))
    if isinstance(value, Mapping):
        return {_name(str(key), secrets): _clean(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, secrets) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _clean(str(value), secrets)


def _name(key: str, secrets: tuple[str, ...]) -> str:
    return key if _NAME.fullmatch(key) else plain(masked(key, secrets))


def _hidden(character: str) -> bool:
    if ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF:
        return True  # no characters at all, by Unicode and by XML
    return unicodedata.category(character) in _HIDDEN and character not in _KEPT and character not in _JOINERS


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
