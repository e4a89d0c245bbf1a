"""From a place in a contract (``name/file#pointer``) to a file that a reader can open, and the line in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mockserver import library
from mockserver.errors import ContractError


@dataclass(frozen=True, slots=True)
class Location:
    """``path`` is relative to the working directory where the file lies below it, else absolute; a place whose file is
    not found keeps its own words and has no ``line``.  Lines count from 1."""

    path: str
    line: int | None
    pointer: str

    @property
    def uri(self) -> str:
        """The path as a URI reference."""
        return Path(self.path).as_uri() if Path(self.path).is_absolute() else quote(self.path)


def place_of(finding: Mapping[str, Any], data: Mapping[str, Any]) -> Location:
    """Where the statement that a finding breaks stands: the schema's keyword, else its source, else the contract."""
    places = (finding["schema"], finding["source"].get("place", ""), f"{data['contract']}/{_entry(data)}#")
    found = [locate(place, data) for place in places]
    return next((location for location in found if location.line), found[0])


def _entry(data: Mapping[str, Any]) -> str:
    return Path(data.get("contract_file") or "openapi.json").name


def locate(place: str, data: Mapping[str, Any]) -> Location:
    """Find a place in the contract that the report names: by ``details["contract_file"]``, else by its name."""
    shown, _, pointer = place.partition("#")
    pointer = pointer.partition("?")[0]
    try:
        folder = library.locate(data.get("contract_file") or data["contract"]).parent
    except ContractError:
        return Location(shown, None, pointer)
    candidates = (folder / shown.partition("/")[2], Path(shown))
    file = next((candidate for candidate in candidates if shown and candidate.is_file()), None)
    if file is None:
        return Location(shown, None, pointer)
    full, here = file.resolve(), Path.cwd().resolve()
    path = full.relative_to(here).as_posix() if full.is_relative_to(here) else str(full)
    return Location(path, library.line_of(file, pointer), pointer)
