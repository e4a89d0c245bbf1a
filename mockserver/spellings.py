"""Where a text spells another one: plainly, percent-encoded, with JSON's escapes, or with JSON's escapes inside JSON.

Both are anybody's, so each is gone through once, whatever is in it; no regular expression is made of either.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

_CODES: Final = re.compile(rb"\\++(?:u([0-9A-Fa-f]{4}))?|%([0-9A-Fa-f]{2})")
"""Escapes: each time JSON is put into JSON, the number of backslashes doubles."""
_ASCII_CODES: Final = re.compile(rb"\\(?<!\\\\)\\*+u(00[2-7][0-9A-Fa-f])|%([2-7][0-9A-Fa-f])")
"""Those of letters, digits and the like, which need none; a run of backslashes is looked at from its beginning only."""
_SIMPLE: Final = re.compile(rb"[!#$&-.0-\[\]-~]*")
"""A text of which JSON escapes nothing."""


def may_hide(content: bytes, secrets: Iterable[bytes]) -> bool:
    """Whether a text has any code that could stand in one of some secrets: most have none."""
    if b"%" in content or b"\\u00" in content:
        return True
    return b"\\" in content and not all(map(_SIMPLE.fullmatch, secrets))


class Spelling:
    """A text without its codes, and the way back: backslashes are left out, all other codes are what they stand for.

    Only what may hide one of ``secrets`` is undone, since most bodies have other escapes.
    """

    def __init__(self, content: bytes, secrets: Iterable[bytes]) -> None:
        self._content, self._secrets = content, tuple(secrets)
        self._plain = bytearray()
        self._starts: list[int] = []
        self._places: list[int] = []
        codes = _ASCII_CODES if all(map(_SIMPLE.fullmatch, self._secrets)) else _CODES
        end = 0
        for code in codes.finditer(content):
            begin = code.start()
            if begin > end:
                self._add(end, content[end:begin])
            end = code.end()
            self._add(begin, _meant(code[1], code[2]))
        if end:  # else every code is a letter, and nothing is hidden
            self._add(end, content[end:])
            self._add(len(content), b"")

    def _add(self, place: int, plain: bytes) -> None:
        self._starts.append(len(self._plain))
        self._places.append(place)
        self._plain += plain

    def without(self, instead: bytes) -> bytes:
        """The text with every spelling of the secrets replaced."""
        spans = sorted(span for secret in self._secrets for span in self._spans(secret))
        pieces, end = [], 0
        for begin, until in spans:
            if begin >= end:
                pieces += [self._content[end:begin], instead]
            end = max(end, until)
        return b"".join([*pieces, self._content[end:]]) if pieces else self._content

    def _spans(self, secret: bytes) -> Iterator[tuple[int, int]]:
        forms = {secret.replace(b"\\", b""), _CODES.sub(lambda code: _meant(code[1], code[2]), secret)}
        for wanted in forms - {b""}:
            start = self._plain.find(wanted)
            while start >= 0:
                end = start + len(wanted)
                yield self._begin(start), self._end(end)
                start = self._plain.find(wanted, end)

    def _begin(self, plain: int) -> int:
        """Where a character is written, with the backslashes before it."""
        index = bisect_left(self._starts, plain)
        return self._places[index] if self._starts[index] == plain else self._within(index - 1, plain)

    def _end(self, plain: int) -> int:
        """Where the character before is over; a code is only as a whole."""
        index = bisect_right(self._starts, plain - 1) - 1
        return max(self._within(index, plain), self._places[index + 1] if self._is_code(index) else 0)

    def _within(self, index: int, plain: int) -> int:
        return self._places[index] + (0 if self._is_code(index) else plain - self._starts[index])

    def _is_code(self, index: int) -> bool:
        """Whether a piece is written otherwise than it is meant: no code is as long as what it stands for."""
        written = self._places[index + 1] - self._places[index]
        return written != self._starts[index + 1] - self._starts[index]


def _meant(code: bytes | None, byte: bytes | None) -> bytes:
    meant = bytes([int(byte, 16)]) if byte else chr(int(code, 16)).encode("utf-8", "surrogatepass") if code else b""
    return b"" if meant == b"\\" else meant
