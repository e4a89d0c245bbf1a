"""Regular expressions as schemas mean them: in the dialect of ECMA 262, searched in bounded time.

Patterns come with contracts, which may be anybody's, and a backtracking search can take longer than anybody waits.  The
package ``regex`` searches here because it takes a time-out and knows ``\\p{...}``; the engine of ``jsonschema-rs`` needs time
in proportion to the text, but also to the size of the pattern's automaton, and is no bound for ``((a{1,99}){1,99}){1,99}``.
"""

from __future__ import annotations

import re
import warnings
from functools import cached_property, lru_cache
from typing import Any, Final

LONGEST_SEARCH_S: Final = 0.1
"""Seconds after which a search is given up."""

LONGEST_PATTERN: Final = 10_000
"""Characters of a pattern: reading one takes time as well, and making texts for it."""

_TOKEN: Final = re.compile(
    r"""(?P<members>\[\^?(?:\\.|[^\]\\])*\]?) | \\k<(?P<again>[^>]+)> | \(\?<(?P<group>[^=!>][^>]*)>
      | \\u\{(?P<point>[0-9A-Fa-f]{1,6})\} | \\c(?P<control>[A-Za-z]) | \\(?P<kind>[dDwWsS/]) | \\. | (?P<sign>[$.])""",
    re.VERBOSE | re.DOTALL,
)
_MEMBER: Final = re.compile(
    r"\\u\{(?P<point>[0-9A-Fa-f]{1,6})\} | \\c(?P<control>[A-Za-z]) | \\(?P<kind>[dws/]) | \\. | \[",
    re.VERBOSE | re.DOTALL,
)
_SPACE: Final = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_KINDS: Final = {"d": "0-9", "w": "0-9A-Za-z_", "s": _SPACE, "/": "/"}
_SIGNS: Final = {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]"}
_EMPTY: Final = {"[]": "(?!)", "[^]": r"[\s\S]"}


_PIECE: Final = re.compile(r"\[(?:\\.|[^\]\\])*+\]?|\\.|\{(?P<times>[0-9]{1,12})(?:,[0-9]*)?\}|.", re.DOTALL)
UNROLLED_AT_MOST: Final = 100_000
"""Characters that a pattern may demand: ``(a{9999}){9999}`` takes minutes to be read."""


_ROW_AT_MOST: Final = 200
_ALWAYS: Final = "(?!(?!))"


class ExpressionError(ValueError):
    """A pattern that cannot be read; says why."""


class Expression:
    """One pattern; made by :func:`expression`."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > LONGEST_PATTERN:
            raise ExpressionError(
                f"the regular expression {pattern[:80]!r}... cannot be read: it has more than {LONGEST_PATTERN} characters"
            )
        import regex  # 15 ms, for contracts that have patterns

        self.pattern = pattern
        self.text = translated(pattern)
        if _unrolled(self.text) > UNROLLED_AT_MOST:
            raise ExpressionError(
                f"the regular expression {pattern[:80]!r} cannot be read: it demands more than {UNROLLED_AT_MOST} characters"
            )
        try:
            self._compiled: Any = regex.compile(_parted(self.text), regex.VERSION0)
        except (regex.error, OverflowError, RecursionError, ValueError) as error:
            raise ExpressionError(f"the regular expression {pattern[:200]!r} cannot be read: {error}") from None
        self._given_up: float = float("inf")

    def decides(self, text: str) -> bool:
        """Whether a search in a text ends in time."""
        self.found_in(text)
        return len(text) < self._given_up

    def found_in(self, text: str) -> bool:
        """Whether the pattern is found anywhere in a text; True also where the search takes too long to tell.

        Once it took too long, texts of half that length or more are not searched again: what a pattern can cost is bounded
        for the whole life of the process.
        """
        if len(text) >= self._given_up:
            return True
        try:
            return self._compiled.search(text, timeout=LONGEST_SEARCH_S) is not None
        except TimeoutError:
            self._given_up = len(text) // 2 + 1
            return True

    @cached_property
    def readable(self) -> re.Pattern[str] | None:
        """The same for Python's own engine, with classes of ASCII; None where it cannot read the pattern."""
        try:
            with warnings.catch_warnings(action="ignore"):  # what may mean something in another Python
                return re.compile(self.text, re.ASCII)
        except (re.error, OverflowError, RecursionError):
            return None


@lru_cache(maxsize=8192)
def expression(pattern: str) -> Expression:
    """The expression of a pattern; raises ExpressionError where it cannot be read."""
    return Expression(pattern)


def matches(pattern: str, text: str) -> bool:
    """:meth:`Expression.found_in` of a pattern."""
    return expression(pattern).found_in(text)


def translated(pattern: str) -> str:
    """A pattern of ECMA 262 in the dialect of Python: ``$`` is the very end, ``\\d`` ASCII, groups are named by ``(?P<``."""
    return _TOKEN.sub(_token, pattern)


def _unrolled(text: str) -> int:
    """Characters that a pattern demands, repetitions written out: reading it takes time in proportion."""
    sums, last = [0], 0
    for found in _PIECE.finditer(text):
        if times := found["times"]:
            sums[-1] += last * (int(times) - 1)
            last *= int(times)
        elif found[0] == "(":
            sums.append(0)
            last = 0
        elif found[0] == ")" and len(sums) > 1:
            last = sums.pop()
            sums[-1] += last
        else:
            last = 1
            sums[-1] += 1
    return max(sum(sums), *sums)


def _parted(text: str) -> str:
    """The pattern with something that is always true in every long row of plain characters.

    ``regex`` prepares the search for such a row in time that grows with the cube of its length, before it looks at any clock.
    """
    if len(text) < _ROW_AT_MOST:
        return text
    pieces, row = [], 0
    for found in _PIECE.finditer(text):
        piece = found[0]
        plain = (
            not found["times"] and piece[0] not in "[](){}.*+?^$|" and not (piece[0] == "\\" and piece[1:].isalnum())
        )
        row = row + 1 if plain else 0
        if row == _ROW_AT_MOST:
            pieces.append(_ALWAYS)
            row = 0
        pieces.append(piece)
    return "".join(pieces)


def _token(token: re.Match[str]) -> str:
    if members := token["members"]:
        return _EMPTY.get(members) or "[" + _MEMBER.sub(_member, members[1:])
    if again := token["again"]:
        return f"(?P={again})"
    if group := token["group"]:
        return f"(?P<{group}>"
    if kind := token["kind"]:
        return "/" if kind == "/" else f"[{'^' if kind.isupper() else ''}{_KINDS[kind.lower()]}]"
    if sign := token["sign"]:
        return _SIGNS[sign]
    return _character(token)


def _member(token: re.Match[str]) -> str:
    if kind := token["kind"]:
        return _KINDS[kind]
    return "\\[" if token[0] == "[" else _character(token)


def _character(token: re.Match[str]) -> str:
    if token["point"]:
        return f"\\U{int(token['point'], 16):08x}"
    return f"\\x{ord(token['control']) % 32:02x}" if token["control"] else token[0]
