"""The catalogue: a module or two for each category of fault."""

from __future__ import annotations

from tests.faulty.fault import Fault
from tests.faulty.faults import (
    admission,
    conditional,
    envelopes,
    errors,
    looser,
    meaning,
    shape,
    stricter,
    texts,
    wire,
    writing,
)


def catalogue() -> dict[str, Fault]:
    """All faults by name. Raises ValueError when two have the same name."""
    found: dict[str, Fault] = {}
    for module in (shape, wire, texts, writing, conditional, stricter, looser, admission, errors, envelopes, meaning):
        for fault in module.chapter.faults:
            if fault.name in found:
                raise ValueError(f"two faults are named {fault.name}")
            found[fault.name] = fault
    return found
