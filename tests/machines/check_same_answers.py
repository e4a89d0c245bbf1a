"""The same bytes from mocks that share a Redis server or a file as from a single process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from machines.conftest import Server

from tests.test_same_answers import mocks, test_whatever_a_mock_is_made_of

__all__ = ["mocks", "test_whatever_a_mock_is_made_of"]


@pytest.fixture
def makings(redis: Server, tmp_path: Path) -> list[list[dict[str, Any]]]:
    in_file = {"state": str(tmp_path / "state")}
    in_redis = {"state": redis.url}
    return [[in_redis, {**in_redis, "workers": 2}], [in_file, {**in_file, "workers": 2}]]
