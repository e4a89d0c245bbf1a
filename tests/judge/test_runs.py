"""What the suite makes of what it sees, whole reports of small runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.judge import runs

EXPECTED: dict[str, dict[str, Any]] = json.loads(runs.GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", runs.CASES)
def test_report(case: str) -> None:
    assert runs.told(case) == EXPECTED[case]


def test_no_report_is_without_a_case() -> None:
    assert list(EXPECTED) == list(runs.CASES)
