"""What an answer depends on, and the kinds of functions that make its places.

How an answer is put together of them is left to :mod:`mockserver.answers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mockserver.encoding import encoded
from mockserver.gallery import Gallery

RawHeaders = Sequence[tuple[bytes, bytes]]

SHOWN_AT_MOST: Final = 600
"""Characters of the request that a summary repeats."""

_ESCAPED = re.compile(rb"[\\\x00-\x1f\x7f-\xff]")
"""What is not plain ASCII text, or already escaped."""


class Asked:
    """What an answer depends on: the request's body, the moment, and a source of randomness.

    ``text`` is the body as it came, or whatever stands for a request without one; ``now`` is in Unix seconds, None where
    answers must not depend on it; ``bits`` gives so many random bits.  ``tokens`` is a plausible count: four bytes each.
    ``index`` and ``count`` are the place in the list that is being made and its length; ``part`` and ``parts`` the place
    of an event among its kind, and how many of that kind come for one item.

    ``headers`` are the request's.  Pictures come from ``gallery``, by ``seed`` ("" for none); those that are not at hand are
    drawn only for the ``patient``, else they are an UndrawnError.
    """

    __slots__ = (
        *("_shown", "bits", "body", "count", "gallery", "headers", "index", "now", "part", "parts", "patient"),
        *("seed", "text", "tokens"),
    )

    def __init__(
        self, body: Any, text: bytes, now: float | None, bits: Callable[[int], int], headers: RawHeaders,
        gallery: Gallery, seed: str = "", patient: bool = False,
    ) -> None:  # fmt: skip
        self.body = body
        self.text = text
        self.now = now
        self.bits = bits
        self.headers = headers
        self.gallery = gallery
        self.seed = seed
        self.patient = patient
        self.index = 0
        self.count = 1
        self.part = 0
        self.parts = 1
        self.tokens = len(text) // 4 or 1
        self._shown: bytes | None = None

    def shown(self) -> bytes:
        """The request's text as the inside of a JSON string."""
        if self._shown is None:
            if len(self.text) <= SHOWN_AT_MOST and _ESCAPED.search(self.text) is None:
                self._shown = self.text.replace(b'"', b'\\"')
                return self._shown
            escaped = b"\\" in self.text and isinstance(self.body, Mapping)  # written anew, it can be read
            text = (encoded(self.body) if escaped else self.text).decode("utf-8", "replace")
            if len(text) > SHOWN_AT_MOST:
                text = f"{text[:SHOWN_AT_MOST]}... ({len(text)} characters)"
            self._shown = encoded(text)[1:-1]
        return self._shown


Slot = Callable[[Asked], bytes]
"""Makes one place of an answer, as JSON."""


class Count(NamedTuple):
    """One place of an answer that holds a whole number; a fraction is cut off."""

    of: Callable[[Asked], float]
