"""The fixtures under pytest-xdist: a mock for each worker, and every violation at its own test."""

from __future__ import annotations

import re
from pathlib import Path

from tests.projects import outcome

TESTS = """
@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.mock_api(on_violation="report" if "REPORT" in os.environ else "enforce")
def test_number(mock_api, number, tmp_path_factory):
    (tmp_path_factory.getbasetemp().parent / f"{os.environ['PYTEST_XDIST_WORKER']}.url").write_text(mock_api.url)
    for _ in range(5):
        call(mock_api.url, n=number)
    mock_api.assert_called(body={"n": number}, times=5)
    assert len(mock_api.requests) == 5
"""


def test_each_worker_has_a_mock_and_each_violation_its_test(tmp_path: Path) -> None:
    base = tmp_path / "base"
    code, text = outcome(tmp_path, TESTS, "-n", "2", f"--basetemp={base}")
    assert code == 1, text
    assert "2 failed, 10 passed" in text
    assert set(re.findall(r"^FAILED test_it\.py::test_number\[(\d+)\]", text, re.MULTILINE)) == {"11", "12"}
    assert len({file.read_text() for file in base.glob("*.url")}) == 2


def test_what_is_only_reported_reaches_the_summary(tmp_path: Path) -> None:
    code, text = outcome(tmp_path, TESTS, "-n", "2", f"--basetemp={tmp_path / 'base'}", REPORT="1")
    assert code == 0, text
    told = text.partition("violations of the contract, reported only")[2]
    assert "test_it.py::test_number[11]: 5 requests break the contract" in told
    assert "test_it.py::test_number[12]: 5 requests break the contract" in told
