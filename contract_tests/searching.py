"""The search itself: Hypothesis draws bodies and shrinks what surprises, as long as something may be bought."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable

from contract_tests.reading import judge_trial
from contract_tests.run import Run
from contract_tests.search import Search, searchable


def search(run: Run) -> None:
    """Search every operation that answered as documented; fails as a pytest item does."""
    for operation in searchable(run):
        drawn = Search(run, operation)
        if drawn.affordable:
            _searched(run, drawn)


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
