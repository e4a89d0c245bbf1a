"""Texts with gaps, such as path templates: which texts they fit, and with what in the gaps.

A regular expression says the same, and may take years over ``{a}-{b}-{c}-{d}`` and a path of hyphens; this looks at each
character of a text once per piece.
"""

from __future__ import annotations

from collections.abc import Sequence


def filling(pieces: Sequence[str], text: str, least: int = 0) -> list[str] | None:
    """What stands in a text between some pieces, which it begins with, has in this order and ends with; None if it does not.

    Each gap has ``least`` characters or more; where there is a choice the first gap gets as many as it can, then the second.
    """
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return [] if text == first else None
    begin, end = len(first), len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or end < begin + least:
        return None
    found: list[str] = []
    for piece in reversed(pieces[1:-1]):
        place = text.rfind(piece, begin, max(begin, end - least))
        if place < 0:
            return None
        found.append(text[place + len(piece) : end])
        end = place
    if end - begin < least:
        return None
    return [text[begin:end], *reversed(found)]
