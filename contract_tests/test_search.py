"""Hypothesis draws valid requests with what the plan left over, and shrinks over exchanges already bought."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable

from contract_tests.reading import judge_trial, worthwhile
from contract_tests.run import Run
from contract_tests.search import Search, searchable


def test_search(run: Run) -> None:
    worthwhile(run)
    for operation in searchable(run):
        search = Search(run, operation)
        if search.affordable:
            _searched(run, search)


def _searched(run: Run, search: Search) -> None:
    @seed(run.seed)
    @settings(
        max_examples=search.affordable,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(search.bodies)
    def valid_requests_are_answered(body: object) -> None:
        trial = search.buy(body)
        if trial is not None:
            judge_trial(run, trial)

    try:
        valid_requests_are_answered()
    except Unsatisfiable:
        run.examination.notes.append(
            "no random requests: of the schema's many alternatives none was found that has a value"
        )
