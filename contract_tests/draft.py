"""A changed copy of a contract in the making: edits by place in the closed document, applied to the files they came from.

Every changed statement names the run as its source and keeps the documented statement beside it.  What is changed, and
why, is decided by :mod:`contract_tests.revision` and :mod:`contract_tests.relaxation`.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mockserver import library
from mockserver.library import Document
from mockserver.media import MISSING
from mockserver.pointers import descend, escape, find, parts_of
from mockserver.sentences import show

PAGE = "observed"
_NOTES = ("x-source", "x-convention", "x-contradiction", "description", "title", "$id", "$schema", "summary")
_BESIDE = ("scenarios", "examples")
"""Folders that belong to a contract although nothing may refer to their files."""


@dataclass
class Draft:
    """The files of a contract as values that can be changed; ``run`` says in words which run is the source of changes."""

    document: Document
    run: str
    target: str
    day: str
    notes: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    _files: dict[Path, Any] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was changed."""
        return not self.changed

    def node(self, pointer: str) -> Any:
        """The value at a place of the closed document as it stands in its file now; MISSING where there is none."""
        file, inside = self._home(pointer)
        return find(self._raw(file), inside, MISSING)

    def put(self, pointer: str, value: Any) -> None:
        """Set the member at a pointer, or remove it (MISSING); its holder has to exist."""
        file, inside = self._home(pointer.rpartition("/")[0])
        holder = descend(self._raw(file), inside)
        name = parts_of(pointer)[-1]
        if isinstance(holder, list):
            holder[int(name)] = value
        elif value is MISSING:
            holder.pop(name, None)
        else:
            holder[name] = value
        self.changed.add(pointer)

    def observed(self, exchanges: str) -> dict[str, Any]:
        """The note that a changed statement carries."""
        at = f"run of {self.day} against {self.target}, exchanges {exchanges}"
        if "x-pages" in self.document.data:
            return {"x-source": {"page": PAGE, "at": at, "confidence": "low"}}
        return {"x-convention": f"Observed, not documented: {at}."}  # without pages a contract names no sources

    def sourced(self, schema: Mapping[str, Any], exchanges: str) -> dict[str, Any]:
        """An inferred schema with the note on it and on each of its properties."""
        made = {**schema, **self.observed(exchanges)}
        if "properties" in made:
            made["properties"] = {name: self.sourced(inner, exchanges) for name, inner in made["properties"].items()}
        if "items" in made:
            made["items"] = self.sourced(made["items"], exchanges)
        return made

    def note(self, pointer: str, exchanges: str, sentence: str) -> None:
        """Mark the object at a pointer as changed: the run as its source, what was documented as a contradiction."""
        node = self.node(pointer)
        said = f"{self._documented(pointer)} {sentence}"
        for name, value in self.observed(exchanges).items():
            self.put(f"{pointer}/{name}", value)
        if said not in node.get("x-contradiction", ()):
            self.put(f"{pointer}/x-contradiction", [*node.get("x-contradiction", ()), said])

    def _documented(self, pointer: str) -> str:
        """The source that stands at a place before it is changed, in words."""
        own = find(self.document.data, f"{pointer}/x-source")
        if not isinstance(own, Mapping):
            return "Documented:"
        quote = f": {show(own['quote'])}" if own.get("quote") else ""
        return f"Documented ({own.get('page')}, {own.get('at', 'no place named')}{quote})."

    def write(self, folder: Path) -> None:
        """Write the files into a folder, which may be the one that they came from."""
        if "x-pages" in self.document.data:
            title = f"What the API at {self.target} answered, run of {self.day}"
            page = {"title": title, "url": self.target, "read": self.day}
            self.put(f"/x-pages/{PAGE}", page)
        root = self.document.folder.resolve()
        elsewhere = root != folder.resolve()
        for name in _BESIDE:
            if (root / name).is_dir() and elsewhere and self.document.entry.stem == "openapi":
                shutil.copytree(root / name, folder / name, dirs_exist_ok=True)
        for file in self.document.files:
            here = folder / file.resolve().relative_to(root)
            if file == self.document.entry.resolve():
                here = folder / f"openapi{file.suffix}"
            here.parent.mkdir(parents=True, exist_ok=True)
            if file in self._files:
                here.write_text(_text(file, self._files[file]), encoding="utf-8")
            elif elsewhere:
                shutil.copyfile(file, here)

    def _home(self, pointer: str) -> tuple[Path, str]:
        """The file of a place of the closed document, and the pointer in it."""
        origin = self.document.origin(pointer)
        for file in self.document.files:
            relative = file.resolve().relative_to(self.document.folder.resolve()).as_posix()
            if origin.file in (f"{self.document.name}/{relative}", str(file)):
                return file, origin.pointer
        return self.document.entry.resolve(), origin.pointer

    def _raw(self, file: Path) -> Any:
        if file not in self._files:
            self._files[file] = copy.deepcopy(library.parse(file))
        return self._files[file]


def statement(node: Mapping[str, Any]) -> str:
    """A schema in a few words, without its sources."""
    return show({name: value for name, value in node.items() if name not in _NOTES})


def below(pointer: str, *parts: str | int) -> str:
    """A pointer some steps further down."""
    return pointer + "".join(f"/{escape(part)}" for part in parts)


def _text(file: Path, value: Any) -> str:
    if file.suffix in (".yaml", ".yml"):
        return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
