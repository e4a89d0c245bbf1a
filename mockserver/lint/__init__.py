"""Proves a contract: structure, schemas, our own keywords, references, examples, sources, scenarios.

Every check is a module that yields problems; none stops at the first one.  Whether an API keeps the contract is left to
the suite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mockserver import library, openapi
from mockserver.errors import ContractError
from mockserver.library import Document
from mockserver.lint import examples, keywords, satisfiable, scenarios, sources, structure, targets, vocabulary, walk
from mockserver.lint.problem import Problem, from_error

__all__ = ["Problem", "Result", "check"]


@dataclass(frozen=True, slots=True)
class Result:
    """What ``lint`` found; a contract without ``problems`` is proven, ``notes`` are worth knowing."""

    name: str
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    statements: int
    sources: int
    examples: int

    @property
    def summary(self) -> str:
        """One line: the verdict and what was counted."""
        counted = f"{self.statements} statements, {self.sources} sources, {self.examples} examples"
        number = len(self.problems)
        verdict = f"{number} problem{'' if number == 1 else 's'}" if number else "sound"
        return f"{self.name}: {verdict}; {counted}"


def check(name_or_path: str | None = None) -> Result:
    """Check a contract by shipped name, folder or file.

    Raises ContractError only where there is no document to check: nothing of that name, or a file that cannot be read.
    """
    unresolved: list[ContractError] = []
    document = library.read(name_or_path, unresolved)
    places = list(walk.places(document.data))
    found = [from_error(error) for error in unresolved]
    found += _of_form(document, places)
    sound = not any(not problem.note for problem in found)
    found += _of_statements(document, places)
    shown: list[examples.Example] = []
    if sound:  # a judge can only be made from a document whose form is right
        try:
            contract = openapi.load(name_or_path)
        except ContractError as error:
            found.append(from_error(error))
        else:
            shown = list(examples.of(contract))
            found += examples.problems(contract, shown)
            found += examples.in_schemas(contract, places)
            found += satisfiable.problems(contract, places)
            found += targets.problems(contract)
    return Result(
        name=document.name,
        problems=tuple(dict.fromkeys(problem for problem in found if not problem.note)),
        notes=tuple(dict.fromkeys(problem for problem in found if problem.note)),
        statements=sum(sources.states(place) for place in places),
        sources=len(sources.sources(places)),
        examples=len(shown),
    )


def prove(name_or_path: str | None = None) -> tuple[Problem, ...]:
    """Make sure that a contract means what it says wherever it is read; what else is wrong with its form is returned.

    Raises ContractError, with the sentence that ``check`` has, for what would make answers and verdicts wrong.  Shipped
    contracts are proven already.
    """
    if library.locate(name_or_path).is_relative_to(library.bundled_root()):
        return ()
    document = library.read(name_or_path)
    places = list(walk.places(document.data))
    grave = [
        *structure.grave(document),
        *vocabulary.problems(document, places),
        *keywords.problems(document, places),
    ]
    for problem in (problem for problem in grave if not problem.note):
        more = len({str(other) for other in grave if not other.note}) - 1
        hint = f"; {more} more such problem{'s' * (more > 1)} (lint lists all)" if more else ""
        right = f"; {problem.right}" if problem.right else ""
        message = f"{problem.message}{right}{hint}"
        raise ContractError(message, file=problem.file, line=problem.line, pointer=problem.pointer)
    openapi.load(name_or_path)
    found = [*structure.problems(document, places), *grave]
    return tuple(dict.fromkeys(found))


def _of_form(document: Document, places: list[walk.Place]) -> Iterator[Problem]:
    """What keeps others from reading the document."""
    yield from structure.problems(document, places)
    yield from vocabulary.problems(document, places)
    yield from keywords.problems(document, places)


def _of_statements(document: Document, places: list[walk.Place]) -> Iterator[Problem]:
    """What is wrong with what the document says."""
    yield from vocabulary.misspelt(document, places)
    yield from examples.empty(document, places)
    yield from sources.problems(document, places)
    yield from scenarios.problems(document)
    yield from sources.contradictions(document, places)
