"""One thing that is wrong with a contract, or worth knowing: where it stands, what it is, what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from mockserver.errors import ContractError
from mockserver.library import Document


@dataclass(frozen=True, slots=True)
class Problem:
    """``line`` counts from 1, None when unknown; ``pointer`` is a JSON Pointer into ``file``; ``note`` breaks nothing."""

    file: str
    line: int | None
    pointer: str
    message: str
    right: str = ""
    note: bool = False

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "")
        label = "note: " if self.note else ""
        right = f"; {self.right}" if self.right else ""
        where = f" (at {self.pointer})" if self.pointer else ""
        return f"{place}: {label}{self.message}{right}{where}"


def at(document: Document, pointer: str, message: str, right: str = "", *, note: bool = False) -> Problem:
    """A problem at a pointer of the closed document, told by the file it came from."""
    origin = document.origin(pointer)
    return Problem(origin.file, origin.line, origin.pointer, message, right, note)


def from_error(error: ContractError) -> Problem:
    """What stopped a reader of the document, as a problem."""
    return Problem(error.file, error.line, error.pointer, error.message)


def did_you_mean(name: str, known: Iterable[str], *, likeness: float = 0.8) -> str:
    """The known name that was probably meant, "" when none is close."""
    by_lower = {word.lower(): word for word in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[close[0]] if close else ""
