"""Text made harmless to look at: what a screen would obey or hide is written as an escape, and long text is cut.

Markup is no concern here: the page never makes any of data.
"""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters, marks that turn the direction of writing or have no width, and halves of pairs.  The joiners that emoji
and some scripts are made with are left alone."""


def visible(text: str, most: int) -> str:
    """At most so many characters of a text, then an ellipsis; line feeds and tabs stay."""
    return _UNSEEN.sub(_escape, text if len(text) <= most else text[:most] + "…")


def on_one_line(text: str, most: int) -> str:
    """The same without line feeds and tabs."""
    return visible(text, most).replace("\n", "\\n").replace("\t", "\\t")


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
