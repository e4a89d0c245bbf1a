"""A shell command in several lines that can be pasted as they stand."""

from __future__ import annotations

_NARROW = 70
"""Columns that a line should keep to."""


def broken(command: str) -> list[str]:
    """The lines: broken before options and nowhere inside quotes."""
    lines: list[str] = []
    for part in _options(command):
        if lines and len(lines[-1]) + len(part) < _NARROW:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return " \\\n  ".join(lines).split("\n")


def _options(command: str) -> list[str]:
    """The command's parts: a new one begins at every option."""
    parts: list[str] = []
    quote, start, place = "", 0, 0
    while place < len(command):
        character = command[place]
        if quote:
            if character == "\\" and quote != "'":
                place += 1  # the next character is no end of the quotation
            elif character == quote[-1]:
                quote = ""
        elif character == "'" and command[place - 1 : place] == "$":
            quote = "$'"
        elif character in "'\"":
            quote = character
        elif character == "\\":
            place += 1
        elif character == " " and command[place + 1 : place + 2] == "-":
            parts.append(command[start:place])
            start = place + 1
        place += 1
    return [*parts, command[start:]]
