"""Our own failures, as one tree; what is wrong with somebody's message is a Violation, never an exception.

::

    ContractToolError           any failure of ours, with the exit code that the command line gives it
    ├── UsageError              2  options that do not fit together
    ├── ContractError           2  a contract document that cannot be used; names file, line and pointer
    ├── RecordError             2  recorded traffic, a baseline or a report file that cannot be read or written
    ├── StateError              2  what several mocks share cannot be kept where it should be
    ├── Inconclusive            3  no verdict: target unreachable, key refused, limits spent
    └── BudgetSpent             3  the next request would break a limit; raised before it is sent
"""

from __future__ import annotations


class ContractToolError(Exception):
    """Any failure of the toolkit itself; ``str()`` is what the user reads."""

    exit_code = 2


class UsageError(ContractToolError):
    """Options or arguments that do not fit together."""


class ContractError(ContractToolError):
    """A contract document that cannot be used.

    ``file`` is the path as the user gave it, ``line`` counts from 1 (None when unknown), ``pointer`` is a JSON Pointer
    into that file.
    """

    def __init__(self, message: str, *, file: str = "", line: int | None = None, pointer: str = "") -> None:
        self.message, self.file, self.line, self.pointer = message, file, line, pointer
        place = file + (f":{line}" if line else "")
        where = f" (at {pointer})" if pointer else ""
        super().__init__(f"{place}: {message}{where}" if place else f"{message}{where}")


class RecordError(ContractToolError):
    """Recorded traffic, a baseline or a report that cannot be read or written."""


class StateError(ContractToolError):
    """The place where several processes of a mock keep what they share cannot be used, or no longer."""


class Inconclusive(ContractToolError):
    """The run ended without a verdict."""

    exit_code = 3


class BudgetSpent(Inconclusive):
    """The next request would break a limit on requests, images or money."""


class NotRecorded(Inconclusive):
    """A cassette does not hold the answer to a request, and nothing may be sent."""
