"""One target under atheris, in a process of its own: ``python -m tests.fuzz.guided TARGET [libFuzzer's arguments]``."""

from __future__ import annotations

import importlib
import sys

import atheris

ALSO = ["python_multipart"]


def main() -> None:
    """Instrument what the target imports, then look for inputs that reach more of it."""
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["mockserver", "contract_tests", *ALSO]):
        target = importlib.import_module(f"tests.fuzz.targets.{name}")
    atheris.Setup(sys.argv, target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
