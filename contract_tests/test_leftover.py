"""The least telling refusals, for which the plan had no room, with the requests that surprises did not need."""

from __future__ import annotations

from contract_tests.probes import Probe
from contract_tests.reading import judge_trial, worthwhile
from contract_tests.run import Run


def test_refuses(run: Run, left_out: Probe) -> None:
    worthwhile(run)
    judge_trial(run, run.examination.send(left_out))
