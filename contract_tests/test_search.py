"""Hypothesis draws valid requests with what the plan left over, and shrinks over exchanges already bought."""

from __future__ import annotations

from contract_tests.reading import worthwhile
from contract_tests.run import Run


def test_search(run: Run) -> None:
    worthwhile(run)
    if run.examination.budget.has_room(requests=1):
        from contract_tests.searching import search  # Hypothesis takes as long to start as many requests take

        search(run)
