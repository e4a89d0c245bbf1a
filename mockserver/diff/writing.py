"""How a difference looks: for a terminal of 80 columns, as Markdown for review, as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, Literal

from mockserver.diff.change import Change, Difference, Effect
from mockserver.media import MISSING
from mockserver.reports.clean import disarmed, one_line
from mockserver.sentences import SHOWN, show

Format = Literal["terminal", "json", "markdown"]
COLUMNS = 80
_HEADINGS = {
    Effect.BREAKING: "Breaking",
    Effect.ADDITIVE: "Additive",
    Effect.EDITORIAL: "Editorial",
}


def written(difference: Difference, form: Format) -> str:
    """The difference as text in one of the formats, with a line break at its end."""
    writers: dict[str, Callable[[Difference], str]] = {"terminal": terminal, "json": as_json, "markdown": markdown}
    return writers[form](difference)


def as_json(difference: Difference) -> str:
    """The JSON form."""
    return json.dumps(difference.as_dict(), ensure_ascii=False, indent=2) + "\n"


def summary(difference: Difference) -> str:
    """One line: what was counted."""
    counts = ", ".join(f"{len(difference.of(effect))} {effect.value}" for effect in Effect)
    return f"{counts} changes" if difference.changes else "nothing changed"


def terminal(difference: Difference) -> str:
    """The difference for a terminal, at most 80 columns wide."""
    lines = []
    for effect in Effect:
        for change in difference.of(effect):
            lines += _wrapped(_head(change), effect.value.ljust(10))
            lines += _wrapped(one_line(change.place or change.pointer), " " * 10)
            if sides := _sides(change):
                lines += _wrapped(sides, " " * 10)
            lines += _wrapped(one_line(change.reason), " " * 10)
    lines.append(_fitted(f"{one_line(difference.old)} -> {one_line(difference.new)}: {summary(difference)}"))
    return "".join(f"{disarmed(line)}\n" for line in lines)


def markdown(difference: Difference, title: str = "Changes") -> str:
    """The difference as a Markdown document for people who decide about it."""
    lines = [f"# {title}", "", f"From {_code(difference.old)} to {_code(difference.new)}: {summary(difference)}."]
    for effect in Effect:
        changes = difference.of(effect)
        if changes:
            lines += ["", f"## {_HEADINGS[effect]}", ""]
            lines += [line for change in changes for line in _item(change)]
    return "\n".join(lines) + "\n"


def _head(change: Change) -> str:
    where = ", ".join(change.operations) or "contract"
    return one_line(f"{where}: {change.area}, {change.what}" if change.area else f"{where}: {change.what}")


def _sides(change: Change) -> str:
    if change.old is MISSING and change.new is MISSING:
        return ""
    return f"{_value(change.old)} -> {_value(change.new)}"


def _value(value: Any) -> str:
    return "nothing" if value is MISSING else one_line(show(value))


def _item(change: Change) -> Iterator[str]:
    yield f"- **{_escaped(_head(change))}** ({_escaped(change.reason)})  "
    yield f"  {_code(change.place or change.pointer)}" + ("  " if _sides(change) else "")
    if sides := _sides(change):
        yield f"  {_code(sides)}"


def _wrapped(text: str, head: str) -> list[str]:
    width = COLUMNS - len(head)
    return [
        (head if index == 0 else " " * len(head)) + line
        for index, line in enumerate(textwrap.wrap(text, width, break_on_hyphens=False) or [""])
    ]


def _fitted(text: str) -> str:
    return "\n".join(textwrap.wrap(text, COLUMNS, break_on_hyphens=False))


def _code(text: str) -> str:
    """Text as a Markdown code span that no backtick inside it can end."""
    shown = one_line(text)
    shown = shown if len(shown) <= 4 * SHOWN else shown[: 4 * SHOWN] + "..."
    fence = "`" * (max((len(run) for run in shown.replace("`", "` ").split() if set(run) == {"`"}), default=0) + 1)
    while fence in shown:
        fence += "`"
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_<>[]#|" else c for c in one_line(text))
