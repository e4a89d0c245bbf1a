"""What surprised since is taken apart with what the budget has left."""

from __future__ import annotations

from contract_tests.run import Run


def test_take_apart(run: Run) -> None:
    run.diagnosis.take_apart()
