"""How a trial becomes the result of a pytest item: passed, failed with one line per violation, or skipped."""

from __future__ import annotations

import pytest

from contract_tests.examination import Trial
from contract_tests.run import Run

_ENOUGH = 3
"""Accepted requests that settle which contract a server follows."""


def worthwhile(run: Run) -> None:
    """Skip the item when another contract explains everything: more of the same need not be bought."""
    if len(run.examination.accepted) >= _ENOUGH and run.other is not None:
        pytest.skip(f"the server follows the contract {run.other.name}")


def judge_trial(run: Run, trial: Trial | None) -> None:
    """Fail the item for violations that fail the run, skip it when a limit kept the probe from being sent."""
    if trial is None:
        pytest.skip("a limit kept it from being sent")
    worst = run.examination.worst(trial, run.options.fail_on)
    if trial.probe.expect == "accepted" and trial.outcome.value != "accepted":
        pytest.fail(f"{trial.probe.id}: {trial.outcome.value}", pytrace=False)
    if worst:
        pytest.fail("\n".join(f"{v.rule} at {v.pointer}: {v.message}" for v in worst), pytrace=False)
