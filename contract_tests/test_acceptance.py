"""Every kind of request that the documentation allows is accepted and answered as documented."""

from __future__ import annotations

from contract_tests.probes import Probe
from contract_tests.reading import judge_trial, worthwhile
from contract_tests.run import Run


def test_accepts(run: Run, valid: Probe) -> None:
    worthwhile(run)
    judge_trial(run, run.examination.send(valid))
