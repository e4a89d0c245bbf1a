"""Every request that breaks one documented rule is refused, and the refusal is a proper one."""

from __future__ import annotations

from contract_tests.probes import Probe
from contract_tests.reading import judge_trial
from contract_tests.run import Run


def test_refuses(run: Run, refusal: Probe) -> None:
    judge_trial(run, run.examination.send(refusal))
