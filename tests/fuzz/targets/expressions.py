"""Regular expressions of contracts: read or refused, searched in bounded time, and texts that are made for them."""

from __future__ import annotations

from itertools import islice
from random import Random

from mockserver.expressions import ExpressionError, expression
from mockserver.patterns import candidates


def check(data: bytes) -> None:
    """The pattern, and behind a zero byte a text to search."""
    pattern, _, text = data.decode("utf-8", "replace").partition("\0")
    try:
        compiled = expression(pattern)
    except ExpressionError:
        return
    compiled.found_in(text)
    compiled.found_in(text * 20)
    _ = compiled.readable
    for made in islice(candidates(pattern, Random(1), 0, 40), 4):
        compiled.found_in(made)
