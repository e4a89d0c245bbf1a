"""What the fuzz targets were given and what they found, again: each seed within a second or two, without atheris."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import pytest

from tests.fuzz.__main__ import HERE, TARGETS

SLOWEST_S = 5.0


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_holds(name: str) -> None:
    check = importlib.import_module(f"tests.fuzz.targets.{name}").check
    seeds: list[Path] = sorted((HERE / "corpus" / name).iterdir())
    assert seeds
    for seed in seeds:
        started = time.process_time()
        try:
            check(seed.read_bytes())
        except Exception as error:
            raise AssertionError(f"{name}/{seed.name}: {type(error).__name__}: {error}") from error
        assert time.process_time() - started < SLOWEST_S, seed
