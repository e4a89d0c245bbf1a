"""How a trial becomes the result of a pytest item: passed, failed with one line per violation, or skipped."""

from __future__ import annotations

import pytest

from contract_tests.examination import Trial
from contract_tests.run import Run


def judge_trial(run: Run, trial: Trial | None) -> None:
    """Fail the item for violations that fail the run, skip it when a limit kept the probe from being sent."""
    if trial is None:
        pytest.skip("a limit kept it from being sent")
    worst = run.examination.worst(trial, run.options.fail_on)
    if trial.probe.expect == "accepted" and trial.outcome.value != "accepted":
        pytest.fail(f"{trial.probe.id}: {trial.outcome.value}", pytrace=False)
    if worst:
        pytest.fail("\n".join(f"{v.rule} at {v.pointer}: {v.message}" for v in worst), pytrace=False)
