"""Texts that match a regular expression, for the subset of patterns that schemas use.

Understood: literals, escapes, classes, groups, alternatives, quantifiers. Anchors, word boundaries and look-arounds are
passed over and back-references refused: whoever asks has to search the result, which is left to `synthesis`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Final, TypeAlias, TypeVar

from mockserver.expressions import matches

STEPS_AT_MOST: Final = 20_000
"""Characters and repetitions of one text for a pattern: ``((a*)*)*`` could be any number of them."""
_FAILURES_AT_MOST: Final = 6

_T = TypeVar("_T")

_PRINTABLE = "".join(map(chr, range(32, 127)))
_DIGITS = "0123456789"
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
_SPACE = " \t"
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_FILLER = "abcdefghij "
_WIDEST_RANGE = 256
_SAMPLE = "".join(map(chr, (*range(32, 0x3100), *range(0x3100, 0xD800, 16), *range(0x1F300, 0x1FA00, 8))))
"""Characters of nearly every script and category."""
_WIDEST_SPREAD = 4096


class PatternError(ValueError):
    """The pattern uses what this module does not understand."""


class _TooLongError(Exception):
    """The text becomes longer than any that is wanted."""


class _Bounded:
    """A random source for one text, which ends when the text becomes too long."""

    def __init__(self, random: Random) -> None:
        self._random, self._left = random, STEPS_AT_MOST

    def spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise _TooLongError

    def choice(self, options: Sequence[_T]) -> _T:
        self.spend(1)
        return self._random.choice(options)

    def randint(self, least: int, most: int) -> int:
        self.spend(1)
        return self._random.randint(least, most)


Writer: TypeAlias = Callable[[_Bounded, int], str]


def candidates(pattern: str, random: Random, least: int, most: int | None) -> Iterator[str]:
    """Texts that probably match a pattern and have a length of at least `least`, at most `most`; none if it is unknown."""
    try:
        write = writer_of(pattern)
    except PatternError:
        return
    failures = 0
    for spread in (3, 0, 8, least, least + 4 if most is None else most) * 12:
        try:
            text = write(_Bounded(random), min(spread, _WIDEST_SPREAD))
        except _TooLongError:
            failures += 1
            if failures == _FAILURES_AT_MOST:
                return
            continue
        yield text
        if len(text) < least:
            # A pattern without anchors leaves room before and after the match.
            filler = "".join(random.choices(_FILLER, k=least - len(text)))
            yield text + filler
            yield filler + text


def writer_of(pattern: str) -> Writer:
    """A function of a random source and a spread: how often a repetition may repeat beyond what it must.

    Raises PatternError for back-references, inline flags and unbalanced patterns.
    """
    parser = _Parser(pattern)
    try:
        writer = parser.alternatives()
    except (IndexError, ValueError, RecursionError) as error:
        raise PatternError(pattern) from error
    if parser.at != len(pattern):
        raise PatternError(pattern)
    return writer


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        found = self.peek(text)
        self.at += len(text) * found
        return found

    def next(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def until(self, end: str) -> str:
        start, self.at = self.at, self.pattern.index(end, self.at) + len(end)
        return self.pattern[start : self.at - len(end)]

    def alternatives(self) -> Writer:
        options = [self.sequence()]
        while self.take("|"):
            options.append(self.sequence())
        return options[0] if len(options) == 1 else lambda random, spread: random.choice(options)(random, spread)

    def sequence(self) -> Writer:
        parts: list[Writer] = []
        while self.at < len(self.pattern) and not self.peek("|") and not self.peek(")"):
            if (part := self.atom()) is not None:
                parts.append(self.repeated(part))
        return lambda random, spread: "".join(part(random, spread) for part in parts)

    def atom(self) -> Writer | None:
        match char := self.next():
            case "^" | "$":
                return None
            case "(":
                return self.group()
            case "[":
                return _one_of(self.members())
            case ".":
                return _one_of(_PRINTABLE)
            case "\\":
                if self.pattern[self.at] in "bBAZz":
                    self.at += 1
                    return None
                return _one_of(self.escaped())
            case "*" | "+" | "?":
                raise PatternError(self.pattern)
        return _one_of(char)

    def group(self) -> Writer | None:
        passed_over = any(self.take(mark) for mark in ("?=", "?!", "?<=", "?<!"))
        if not passed_over and self.take("?") and not self.take(":"):
            self.take("P")
            if not self.take("<"):
                raise PatternError(self.pattern)
            self.until(">")
        inner = self.alternatives()
        if not self.take(")"):
            raise PatternError(self.pattern)
        return None if passed_over else inner

    def escaped(self) -> str:
        """The characters that the escape after a backslash stands for."""
        char = self.next()
        for lower, members in (("d", _DIGITS), ("w", _WORD), ("s", _SPACE)):
            if char == lower:
                return members
            if char == lower.upper():
                return _others(members)
        if char in "pP" and self.take("{"):
            return _of_property(f"\\{char}{{{self.until('}')}}}")
        if char == "u" and self.take("{"):
            return chr(int(self.until("}"), 16))
        if char == "c":
            return chr(ord(self.next()) % 32)
        if char in "xu":
            digits = 2 if char == "x" else 4
            self.at += digits
            return chr(int(self.pattern[self.at - digits : self.at], 16))
        if char in _CONTROL:
            return _CONTROL[char]
        if char.isalnum():
            raise PatternError(self.pattern)
        return char

    def members(self) -> str:
        """The characters of a class, after its opening bracket; a few of them where a range is wide."""
        negated, found = self.take("^"), ""
        while not self.take("]"):
            char = self.next()
            first = self.escaped() if char == "\\" and not self.peek("b") else char
            if len(first) == 1 and self.peek("-") and not self.peek("-]"):
                self.at += 1
                last = self.escaped() if self.take("\\") else self.next()
                span = range(ord(first), ord(last) + 1)
                found += "".join(map(chr, span if len(span) <= _WIDEST_RANGE else span[:: len(span) // _WIDEST_RANGE]))
            else:
                found += first
        usable = (
            (_others(found) or _beyond(found))
            if negated
            else "".join(char for char in found if not 0xD800 <= ord(char) < 0xE000)
        )
        if not usable:
            raise PatternError(self.pattern)
        return usable

    def repeated(self, part: Writer) -> Writer:
        least, most = 1, 1
        if self.take("*"):
            least, most = 0, -1
        elif self.take("+"):
            least, most = 1, -1
        elif self.take("?"):
            least, most = 0, 1
        elif self.peek("{") and self.pattern[self.at + 1].isdigit():
            low, comma, high = self.pattern[self.at + 1 : self.pattern.index("}", self.at)].partition(",")
            self.until("}")
            least, most = int(low), int(high) if high else -1 if comma else int(low)
        else:
            return part
        if not self.take("?"):
            self.take("+")

        def write(random: _Bounded, spread: int) -> str:
            bound = least + spread if most < 0 else min(most, least + spread)
            times = random.randint(least, bound)
            random.spend(times)
            return "".join(part(random, spread) for _ in range(times))

        return write


def _one_of(members: str) -> Writer:
    if not members:
        raise ValueError("nothing has the property")
    return lambda random, spread: random.choice(members)


@lru_cache(maxsize=256)
def _of_property(escape: str) -> str:
    """Characters with a property of Unicode, as the judge of patterns sees it; raises ExpressionError if there is none such."""
    return "".join(char for char in _SAMPLE if matches(escape, char))


def _beyond(members: str) -> str:
    return "".join(char for char in _SAMPLE if char not in members)[:_WIDEST_RANGE]


def _others(members: str) -> str:
    return "".join(char for char in _PRINTABLE if char not in members)
