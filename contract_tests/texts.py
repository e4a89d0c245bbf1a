"""Classes of text that servers get wrong, as one table: the samples that probes carry and the tests that conditions use."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TextClass:
    """A class of text: its name for people, a sample, and whether a text is of it."""

    name: str
    sample: str
    holds: Callable[[str], bool]


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda text: compiled.search(text) is not None


CLASSES: tuple[TextClass, ...] = (
    TextClass("Chinese or Japanese text", "一只可爱的小猪とねこ", _matches(r"[\u3040-\u30ff\u3400-\u9fff]")),
    TextClass("characters beyond the BMP (emoji)", "🐷👩\u200d🚀", _matches(r"[\U00010000-\U0010ffff]")),
    TextClass("right-to-left text", "שלום مرحبا", _matches(r"[\u0590-\u06ff]")),
    TextClass("accents and combining marks", "cafe\u0301 naïve Łódź", _matches(r"[\u00c0-\u024f\u0300-\u036f]")),
    TextClass("double quotes", 'a "quoted" word', _matches('"')),
    TextClass("apostrophes", "it's ‘fine’", _matches(r"['‘’]")),
    TextClass("backslashes", "C:\\temp\\new", _matches(r"\\")),
    TextClass("line breaks", "line one\nline two\r\nline three", _matches(r"[\r\n]")),
    TextClass("tabs", "left\tright", _matches(r"\t")),
    TextClass("control characters and NUL", "bell\u0007 nul\u0000 end", _matches(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")),
    TextClass("braces and placeholders", "{name} {{x}} ${HOME} %s %(a)s", _matches(r"[{}]")),
    TextClass("markup", "<b>bold</b> &amp; <script>", _matches(r"<[a-z/]")),
    TextClass("a web address", "https://example.com/a?b=c&d=%20#e", _matches(r"https?://")),
    TextClass("SQL and shell signs", "x'); DROP TABLE y; -- $(ls) | `id`", _matches(r"--|\$\(")),
)

WHOLE: tuple[TextClass, ...] = (
    TextClass("digits alone", "42", _matches(r"^\d+$")),
    TextClass("the word null alone", "null", _matches(r"^(null|None|undefined)$")),
    TextClass("a slash at its beginning", "/imagine a fox --v 5", _matches(r"^/")),
    TextClass("a byte order mark at its beginning", "\ufeffa fox", _matches("^\ufeff")),
    TextClass("a long run of one character", "z" * 120, _matches(r"(.)\1{99}")),
    TextClass("a word of more than 300 letters", "painted-" * 40, _matches(r"\S{301}")),
    TextClass("more than 150 words", "fox " * 151, lambda text: len(text.split()) > 150),
    TextClass("nothing but white space", "   ", _matches(r"^\s+$")),
)
"""Classes that a text is of as a whole, so that no other sample can stand beside them."""

PADDING = TextClass("white space at its ends", "  padded  ", lambda text: text != text.strip())


def mixed(limit: int | None) -> str:
    """One text with a sample of every class, white space at both ends included, no longer than the limit."""
    text = "  " + " ".join(item.sample for item in CLASSES) + "  "
    return text if limit is None or len(text) <= limit else text[:limit]


def classes_of(text: str) -> list[TextClass]:
    """The classes a text is of."""
    return [item for item in (*CLASSES, *WHOLE, PADDING) if item.holds(text)]


def filled(length: int, unit: str = "a") -> str:
    """A text of exactly so many characters."""
    return (unit * (length // len(unit) + 1))[:length]


def longest(length: int) -> str:
    """A text of so many characters that is much longer in bytes and in UTF-16 units, and has hundreds of words.

    It begins with a byte order mark and, where there is room, a word of more than 300 letters, all of them the same.
    """
    head = "\ufeff" + "z" * (320 if length > 800 else 120) + " "
    return (head + filled(length, "猪🐷 "))[: length - 1] + "猪" if length > len(head) else filled(length, "猪🐷")


def beyond(length: int) -> str:
    """A text one character longer than ``length`` that a lax reader has many reasons to take for shorter.

    It is short enough once its ends are trimmed, its marks composed, its line ends made one character or its Chinese left
    out, and hardly longer in bytes than in characters, so that generous limits are no excuse to refuse it.
    """
    ends, inner = "  ", "cafe\u0301 \r\n 画狐 "
    if length < 2 * len(inner):
        return filled(max(length - 1, 0)) + ends[: length + 1]
    return ends + inner + filled(length - 4 - len(inner), "a painted fox ") + "x" + ends
