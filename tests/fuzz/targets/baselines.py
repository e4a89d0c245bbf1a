"""Files of accepted findings: read, or refused in words."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

from contract_tests import baseline
from mockserver.errors import RecordError

FILE = Path(tempfile.mkdtemp(prefix="fuzzed-baseline-")) / "baseline.yaml"


def check(data: bytes) -> None:
    """The whole data is the file."""
    FILE.write_bytes(data)
    try:
        found = baseline.read(str(FILE))
    except RecordError:
        return
    found.apply([], datetime.date(2026, 1, 1))
    baseline.write(str(FILE), found, "x")
    assert baseline.read(str(FILE)) == found
