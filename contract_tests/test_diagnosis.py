"""What surprised so far is taken apart before less telling requests use the budget up."""

from __future__ import annotations

from contract_tests.run import Run


def test_take_apart(run: Run) -> None:
    run.diagnosis.take_apart()
