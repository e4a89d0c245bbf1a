"""The named answers beside a contract: well-formed, and each with a source or named a convention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver import library, sentences
from mockserver.errors import ContractError
from mockserver.library import Document
from mockserver.lint.keywords import definitions, validator
from mockserver.lint.problem import Problem, from_error
from mockserver.pointers import pointer_of
from mockserver.scenarios import MalformedScenarioError, scenario_of


def problems(document: Document) -> Iterator[Problem]:
    """What is wrong with the files in ``scenarios/``."""
    folder = document.folder / "scenarios"
    checker = validator(definitions(), "scenario")
    pages = document.data.get("x-pages")
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        shown = f"{document.name}/scenarios/{file.name}"
        try:
            content = library.parse(file)
        except ContractError as unreadable:
            yield from_error(unreadable)
            continue
        found = list(_malformed(checker, content))
        if not found:
            try:
                scenario_of(file.stem, content)
            except MalformedScenarioError as wrong:
                found = [(str(wrong), "", wrong.pointer)]
        for message, right, pointer in found:
            yield Problem(shown, library.line_of(file, pointer), pointer, message, right)
        page = _page(content)
        if page and isinstance(pages, Mapping) and page not in pages:
            line = library.line_of(file, "/x-source/page")
            yield Problem(shown, line, "/x-source/page", f"there is no page {page!r} in x-pages")


def _malformed(checker: Any, content: Any) -> Iterator[tuple[str, str, str]]:
    """What breaks the schema of scenarios: message, what would be right, pointer."""
    for error in checker.iter_errors(content):
        simple = error.validator in ("type", "enum", "minimum", "maximum", "pattern", "minItems")
        limit = sentences.documented(str(error.validator), error.validator_value)
        message = f"got {sentences.show(error.instance)}" if simple else error.message[:200]
        right = f"it must {limit}" if simple else "schemas/contract.schema.json describes scenarios"
        yield message, right, pointer_of(error.absolute_path)


def _page(content: Any) -> str:
    source = content.get("x-source") if isinstance(content, Mapping) else None
    return str(source.get("page", "")) if isinstance(source, Mapping) else ""
