"""What a client asks of the mock for one request: the ``Prefer`` header (RFC 7240).

``code=``, ``example=``, ``scenario=``, ``delay=`` (seconds), ``cut=`` (bytes of the body) and ``seed=``.  A preference that
is unknown or cannot be read is ignored, as the RFC says, and noted.  Whether one can be met is left to the pipeline.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST_DELAY_S = 3600.0
_NOTES_AT_MOST = 20
"""Preferences of one request that are noted as unknown."""

_ONE = re.compile(
    r"""\s*(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)
        (?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s,;"]*)))?
        (?P<parameters>(?:\s*;[^,]*)?)\s*(?:,|$)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """One request's wishes; ``notes`` say which were ignored and why."""

    code: int | None = None
    example: str | None = None
    scenario: str | None = None
    delay: float | None = None
    cut: int | None = None
    seed: str | None = None
    notes: tuple[str, ...] = ()


NONE = Preferences()


@lru_cache(maxsize=256)
def preferences_of(header: str) -> Preferences:
    """Read the value of a Prefer header; never fails.  Of a preference that comes twice, the first counts."""
    wishes, notes = _wishes(header)
    values: dict[str, str] = {}
    for name, value in wishes:
        if name not in ("code", "example", "scenario", "delay", "cut", "seed"):
            if len(notes) < _NOTES_AT_MOST:
                notes.append(f"preference ignored: {name[:40]!r} is not known here")
        else:
            values.setdefault(name, value)

    def number(name: str, low: float, high: float, *, whole: bool) -> float | None:
        if name not in values:
            return None
        try:
            value = float(values[name])
        except ValueError:
            value = math.nan
        if low <= value <= high and (value.is_integer() or not whole):
            return value
        kind = "a whole number" if whole else "a number"
        notes.append(f"preference ignored: {name}={values[name][:40]} is not {kind} from {low:g} to {high:g}")
        return None

    code = number("code", 200, 599, whole=True)
    cut = number("cut", 0, 2**40, whole=True)
    delay = number("delay", 0, LONGEST_DELAY_S, whole=False)
    return Preferences(
        code=None if code is None else int(code),
        example=values.get("example") or None,
        scenario=values.get("scenario") or None,
        delay=delay,
        cut=None if cut is None else int(cut),
        seed=values.get("seed") or None,
        notes=tuple(notes),
    )


def _wishes(header: str) -> tuple[list[tuple[str, str]], list[str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(header):
        one = _ONE.match(header, position)
        if one is None or one.end() == position:
            rest = header[position:].strip(" ,")
            return found, [f"preference ignored: {rest[:40]!r} cannot be read"] if rest else []
        quoted = one["quoted"]
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (one["token"] or "")
        found.append((one["name"].lower(), value))
        position = one.end()
    return found, []
