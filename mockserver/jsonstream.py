"""JSON read value by value from a stream, with the standard library's own decoder: no more memory than the largest value.

What the values mean is left to :mod:`mockserver.har`.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from mockserver.errors import RecordError

LARGEST_VALUE: Final = 256 * 1024 * 1024
"""Characters of one value that are read."""

_CHUNK: Final = 1024 * 1024
_CUT_OFF: Final = 16
"""A decoder's complaint that close to the end of what was read may come from the cut alone."""


class JsonStream:
    """JSON values one after the other from a stream of bytes that is never held as a whole; ``name`` is for messages."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream, self._name = stream, name
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text, self._at, self._ended = "", 0, False

    def fail(self, message: str) -> RecordError:
        """The error to raise."""
        return RecordError(f"{self._name}: {message}")

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, expected: str, where: str) -> None:
        """Step over a character that has to be there."""
        found = self.peek()
        if found != expected:
            got = f"got {found!r}" if found else "the file ends"
            raise self.fail(f"not a HAR archive: {expected!r} is expected {where}, {got}")
        self._at += 1

    def value(self, where: str) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                could_go_on = error.pos >= len(self._text) - _CUT_OFF or "Unterminated" in error.msg
                if could_go_on and self._more():
                    continue
                what = "the file ends in the middle" if could_go_on else f"not JSON: {error.msg}"
                raise self.fail(f"{where}: {what}") from None
            except (ValueError, RecursionError):
                raise self.fail(f"{where}: nested too deeply, or a number too long to be read") from None
            if end == len(self._text) and self._more():
                continue  # a number may go on
            self._at = end
            return value

    def members(self, where: str) -> Iterator[str]:
        """The names of an object's members; whoever asks for the next one has read the value of the last."""
        yield from self._listed("{", "}", where)

    def items(self, where: str) -> Iterator[str]:
        """An empty text before each item of a list."""
        yield from self._listed("[", "]", where)

    def _listed(self, opening: str, closing: str, where: str) -> Iterator[str]:
        self.take(opening, where)
        if self.peek() == closing:
            self._at += 1
            return
        while True:
            if opening == "{":
                name = self.value(where)
                self.take(":", where)
                yield str(name)
            else:
                yield ""
            if self.peek() != ",":
                self.take(closing, where)
                return
            self._at += 1

    def _more(self) -> bool:
        if self._ended:
            return False
        left = self._text[self._at :]
        if len(left) > LARGEST_VALUE:
            raise self.fail(f"one value has more than {LARGEST_VALUE} characters, which is more than is read")
        raw = self._stream.read(max(_CHUNK, len(left)))
        self._ended = not raw
        try:
            self._text, self._at = left + self._decode.decode(raw, final=self._ended), 0
        except UnicodeDecodeError as error:
            raise self.fail(f"not UTF-8: {error.reason}") from None
        return bool(raw)
