"""The browser of these tests, started once; without one they fail, since whoever names them wants to know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium import webdriver


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browser keeps what it writes."""
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="session")
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    """One browser for all tests."""
    from tests.browser.chromium import chromium

    with chromium(folder) as driver:
        yield driver
