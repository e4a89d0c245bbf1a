"""Documented values that only other branches of the schema allow: asked for after surprises were taken apart."""

from __future__ import annotations

from contract_tests.probes import Probe
from contract_tests.reading import judge_trial, worthwhile
from contract_tests.run import Run


def test_accepts(run: Run, breadth: Probe) -> None:
    worthwhile(run)
    judge_trial(run, run.examination.send(breadth))
