"""The library of contracts: finds a contract, reads its files and closes it into one document.

A closed document holds no reference that leaves it: schema files become ``components/schemas`` entries, every other
referenced file is put in place.  For each part it is remembered from which file and line it came, so that whatever is
wrong can be named there.  What the document means is left to :mod:`mockserver.contract`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urldefrag

from mockserver.errors import ContractError
from mockserver.parsing import LEVELS_AT_MOST
from mockserver.parsing import line_of as line_of
from mockserver.parsing import parse as parse
from mockserver.pointers import descend, escape, find, parent_pointers

_ENTRY_NAMES = ("openapi.json", "openapi.yaml", "openapi.yml")
VALUES_AT_MOST: Final = 2_000_000
"""Values of a contract with its files put into each other, beyond which it is taken for an attack."""
INSERTIONS_AT_MOST: Final = 10_000
"""Files that are put in the place of references, each as often as it is."""
_CLOSED_AWAY = ("$id", "$schema", "$anchor", "$dynamicAnchor")


def bundled_root() -> Path:
    """The folder of the shipped contracts: inside an installed package, else in the checkout beside it."""
    package = Path(__file__).resolve().parent
    installed = package / "_schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


def bundled_names() -> list[str]:
    """Names of the shipped contracts, sorted."""
    return sorted(folder.name for folder in bundled_root().iterdir() if _entry_in(folder))


def default_name() -> str:
    """The contract that is used when none is named; ``schemas/default`` holds its name."""
    return (bundled_root() / "default").read_text(encoding="utf-8").strip()


def locate(name_or_path: str | None) -> Path:
    """The entry file of a contract, by shipped name, folder or file; raises ContractError when there is none."""
    wanted = name_or_path or default_name()
    if "/" not in wanted and "\\" not in wanted and (entry := _entry_in(bundled_root() / wanted)):
        return entry
    path = Path(wanted)
    if _is_file(path):
        return path
    if entry := _entry_in(path):
        return entry
    with contextlib.suppress(OSError):
        if path.is_dir():
            raise ContractError(f"the folder holds none of {', '.join(_ENTRY_NAMES)}", file=wanted)
    names = ", ".join(bundled_names())
    raise ContractError(
        f"no such contract: neither a file, a folder nor one of the shipped ones ({names})", file=wanted
    )


def _entry_in(folder: Path) -> Path | None:
    return next((folder / name for name in _ENTRY_NAMES if _is_file(folder / name)), None)


def _is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is that of none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part of a closed document came from: file, JSON Pointer in it, line counted from 1 (None: unknown)."""

    file: str
    pointer: str
    line: int | None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Document:
    """A closed contract document: ``data`` has only local references; ``files`` are all files it was read from."""

    name: str
    entry: Path
    data: Mapping[str, Any]
    files: tuple[Path, ...]
    _origins: Mapping[str, tuple[Path, str]] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where the entry file lies; scenarios and examples lie beside it."""
        return self.entry.parent

    def origin(self, pointer: str) -> Origin:
        """The file and line a pointer (``#/a/b`` or ``/a/b``) of the closed document came from."""
        pointer = pointer.removeprefix("#")
        for prefix in parent_pointers(pointer):
            if prefix in self._origins:
                file, inside = self._origins[prefix]
                full = inside + pointer[len(prefix) :]
                return Origin(self._shown(file), full, line_of(file, full))
        return Origin(self._shown(self.entry), pointer, line_of(self.entry, pointer))

    def place(self, pointer: str) -> str:
        """``file#pointer`` as it is printed; without the line, so that it stays the same while the file is edited."""
        pointer = pointer.removeprefix("#")
        for prefix in parent_pointers(pointer):
            if prefix in self._origins:
                file, inside = self._origins[prefix]
                return f"{self._shown(file)}#{inside}{pointer[len(prefix) :]}"
        return f"{self._shown(self.entry)}#{pointer}"

    def at(self, place: str) -> Any:
        """The value at a place as :meth:`place` names it; None when there is none."""
        for prefix, (file, inside) in [*self._origins.items(), ("", (self.entry, ""))]:
            start = f"{self._shown(file)}#{inside}"
            if place.startswith(start):
                return find(self.data, prefix + place[len(start) :])
        return None

    def _shown(self, file: Path) -> str:
        try:
            return f"{self.name}/{file.resolve().relative_to(self.folder.resolve()).as_posix()}"
        except ValueError:
            return str(file)

    @cached_property
    def modified(self) -> float:
        """The newest modification time of all files at the time of reading, in Unix seconds."""
        return max(path.stat().st_mtime for path in self.files)


def read(name_or_path: str | None, problems: list[ContractError] | None = None) -> Document:
    """Read and close a contract; raises ContractError naming file and line of what is wrong.

    Given a list, it collects what is wrong with references instead, and leaves these references out.
    """
    entry = locate(name_or_path)
    closer = _Closer(entry, problems)
    try:
        data = closer.close()
    except RecursionError:
        raise ContractError("its files are nested too deeply into each other", file=str(entry)) from None
    shipped = entry.parent.parent == bundled_root() or entry.name in _ENTRY_NAMES
    name = entry.resolve().parent.name if shipped else entry.stem
    return Document(name, entry, data, tuple(closer.files), closer.origins)


class _Closer:
    """Reads the files of one contract and rewrites every reference into a local one."""

    def __init__(self, entry: Path, problems: list[ContractError] | None = None) -> None:
        self.problems = problems
        self.entry = entry.resolve()
        self.root = self.entry.parent
        self.files: list[Path] = []
        self.origins: dict[str, tuple[Path, str]] = {}
        self._raw: dict[Path, Any] = {}
        self._homes: dict[Path, str] = {self.entry: ""}
        self._waiting: list[Path] = []
        self._schemas: dict[str, Any] = {}
        self._names: set[str] = set()
        self._walked = self._inserted = 0

    def close(self) -> dict[str, Any]:
        raw = self._load(self.entry)
        if not isinstance(raw, dict):
            raise ContractError("not an OpenAPI document: an object is expected", file=str(self.entry), line=1)
        components = raw.get("components")
        if isinstance(components, dict) and isinstance(components.get("schemas"), dict):
            self._names.update(components["schemas"])
        closed: dict[str, Any] = self._walk(raw, self.entry, "", "", ())
        while self._waiting:
            file = self._waiting.pop(0)
            home = self._homes[file]
            self.origins[home] = (file, "")
            body = self._walk(self._load(file), file, "", home, ())
            self._schemas[home.rsplit("/", 1)[1]] = body
        if self._schemas:
            parent: Any = closed
            for member in ("components", "schemas"):
                parent = parent.setdefault(member, {})
                if not isinstance(parent, dict):
                    line = line_of(self.entry, "/components")
                    raise ContractError(
                        f"{member} is an object", file=str(self.entry), line=line, pointer="/components"
                    )
            parent.update(self._schemas)
        return closed

    def _load(self, path: Path) -> Any:
        if path not in self._raw:
            self._raw[path] = parse(path)
            self.files.append(path)
        return self._raw[path]

    def _walk(self, node: Any, file: Path, inside: str, outside: str, chain: tuple[Path, ...]) -> Any:
        """``inside`` is the pointer in ``file``, ``outside`` the pointer in the closed document."""
        if _is_data(inside):
            return node
        self._walked += 1
        if self._walked > VALUES_AT_MOST:
            raise ContractError(f"its references unfold to more than {VALUES_AT_MOST} values", file=str(self.entry))
        if isinstance(node, list):
            steps = ((str(i), item) for i, item in enumerate(node))
            return [self._walk(v, file, f"{inside}/{k}", f"{outside}/{k}", chain) for k, v in steps]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref", node.get("$dynamicRef"))
        if isinstance(reference, str) and not inside.endswith("/properties"):
            try:
                return self._reference(node, reference, file, inside, outside, chain)
            except ContractError as problem:
                if self.problems is None:
                    raise
                self.problems.append(problem)
                return {}
        return {
            key: self._walk(value, file, f"{inside}/{escape(key)}", f"{outside}/{escape(key)}", chain)
            for key, value in node.items()
            if key not in _CLOSED_AWAY or not isinstance(value, str)
        }

    def _reference(
        self, node: dict[str, Any], reference: str, file: Path, inside: str, outside: str, chain: tuple[Path, ...]
    ) -> Any:
        here = (str(file), inside)
        target, fragment = self._target(reference, file, here)
        siblings = {k: v for k, v in node.items() if k not in ("$ref", "$dynamicRef", *_CLOSED_AWAY)}
        content = self._load(target)
        try:
            descend(content, fragment)
        except KeyError as missing:
            raise self._error(f"$ref {reference!r} does not resolve: {missing.args[0]}", here) from None
        if target not in self._homes and not fragment and not _is_schema(content):
            if target in chain:
                raise self._error(f"$ref {reference!r} refers to itself", here)
            if outside.count("/") > LEVELS_AT_MOST:
                raise self._error(f"$ref {reference!r} nests files more than {LEVELS_AT_MOST} levels deep", here)
            self._inserted += 1
            if self._inserted > INSERTIONS_AT_MOST:
                raise ContractError(
                    f"its references put more than {INSERTIONS_AT_MOST} files into each other", file=str(self.entry)
                )
            self.origins[outside] = (target, "")
            merged = self._walk(content, target, "", outside, (*chain, target))
            return {**merged, **siblings} if siblings and isinstance(merged, dict) else merged
        rest = {
            k: self._walk(v, file, f"{inside}/{escape(k)}", f"{outside}/{escape(k)}", chain)
            for k, v in siblings.items()
        }
        return {"$ref": f"#{self._home(target)}{fragment}", **rest}

    def _home(self, target: Path) -> str:
        if target not in self._homes:
            name = target.stem if target.stem not in self._names else f"{target.parent.name}-{target.stem}"
            while name in self._names:
                name += "_"
            self._names.add(name)
            self._homes[target] = f"/components/schemas/{escape(name)}"
            self._waiting.append(target)
        return self._homes[target]

    def _target(self, reference: str, file: Path, here: tuple[str, str]) -> tuple[Path, str]:
        try:
            address, fragment = urldefrag(reference)
        except ValueError as error:
            raise self._error(f"$ref {reference!r} is no reference: {error}", here) from None
        fragment = unquote(fragment)
        target = file
        if address:
            known = next(
                (p for p, raw in self._raw.items() if isinstance(raw, dict) and raw.get("$id") == address), None
            )
            if known is None and "://" in address:
                raise self._error(f"$ref {reference!r} leads to the network, which is never asked", here)
            try:
                target = known or (file.parent / unquote(address)).resolve()
            except (OSError, ValueError):
                raise self._error(f"$ref {reference!r} names a file that does not exist", here) from None
            if not target.is_relative_to(self.root):
                raise self._error(f"$ref {reference!r} leads out of the contract's folder", here)
            if not _is_file(target):
                raise self._error(f"$ref {reference!r} names a file that does not exist", here)
        if fragment and not fragment.startswith("/"):
            fragment = self._anchor(self._load(target), fragment, reference, here)
        return target, fragment

    def _anchor(self, content: Any, name: str, reference: str, here: tuple[str, str]) -> str:
        for pointer, node in _objects(content, ""):
            if name in (node.get("$anchor"), node.get("$dynamicAnchor")):
                return pointer
        raise self._error(f"$ref {reference!r} names no anchor of that file", here)

    def _error(self, message: str, here: tuple[str, str]) -> ContractError:
        file, pointer = here
        return ContractError(message, file=file, line=line_of(Path(file), f"{pointer}/$ref"), pointer=f"{pointer}/$ref")


def _is_data(pointer: str) -> bool:
    """Whether a place holds an example or constant, in which a member named ``$ref`` is only a member."""
    parent, _, last = pointer.rpartition("/")
    return last in ("value", "example", "default", "const", "enum") and not parent.endswith("/properties")


def _is_schema(content: Any) -> bool:
    return isinstance(content, dict) and ("$schema" in content or "$id" in content)


def _objects(node: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield pointer, node
        for key, value in node.items():
            yield from _objects(value, f"{pointer}/{escape(key)}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _objects(value, f"{pointer}/{index}")
