"""One cause, one finding: where many members of one object are absent, the answer has another shape.

What else is wrong in the same answers follows from that, and is named beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from mockserver.findings import Finding
from mockserver.pointers import find, parts_of
from mockserver.sentences import show

SEVERAL: Final = 3
"""So many absent members are no slip."""
_NAMED: Final = 8

Instead = Callable[[Finding], str]
"""Says what stands in place of the absent members, in the answer that showed a finding first; "" for unknown."""


def grouped(found: Iterable[Finding], instead: Instead) -> list[Finding]:
    """The findings, those that share a cause as one."""
    merged: list[Finding] = []
    rest = list(found)
    for parent in dict.fromkeys(_parent(finding) for finding in rest if absent(finding)):
        for exchanges in dict.fromkeys(finding.exchanges for finding in rest if absent(finding)):
            same = [f for f in rest if f.exchanges == exchanges and f.violation.side == "response"]
            members = [f for f in same if absent(f) and _parent(f) == parent]
            if len(members) < SEVERAL:
                continue
            within = f"{parent}/"
            swallowed = [f for f in same if f.violation.normalised.startswith(within) and _about_body(f)]
            merged.append(_other_shape(members, swallowed, instead(members[0])))
            rest = [f for f in rest if f not in swallowed]
    return merged + rest


def members_at(body: bytes, pointer: str) -> str:
    """The names of the members of an object in a JSON body, in words; ``pointer`` begins with ``/body``."""
    try:
        value = find(json.loads(body), pointer.removeprefix("/body"))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, Mapping):
        return ""
    names = [show(str(name))[1:-1] for name in list(value)[:_NAMED]]
    return ", ".join(names) + (f" and {len(value) - _NAMED} more" if len(value) > _NAMED else "")


def absent(finding: Finding) -> bool:
    """Whether a finding is about an absent member of an answer."""
    return finding.violation.rule == "body.required" and finding.violation.side == "response"


def parent_of(pointer: str) -> str:
    """The place of the object that a member belongs to."""
    return pointer.rpartition("/")[0]


def _parent(finding: Finding) -> str:
    return parent_of(finding.violation.normalised)


def _about_body(finding: Finding) -> bool:
    return finding.violation.rule.startswith(("body.", "meaning."))


def _other_shape(members: list[Finding], swallowed: list[Finding], instead: str) -> Finding:
    names = ", ".join(parts_of(finding.violation.pointer)[-1] for finding in members)
    first = members[0]
    violation = replace(
        first.violation,
        pointer=parent_of(first.violation.pointer),
        message=f"another shape: {names} are all absent",
        documented=f"{names} must be present",
        observed=f"none of them is, but {instead}" if instead else "none of them is",
    )
    return replace(first, violation=violation, also=tuple(f.violation.pointer for f in swallowed))
