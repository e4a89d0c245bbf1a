"""A folder whose name is known before is taken only where nobody else can have put something into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from contract_tests.storage import private_folder


@pytest.mark.parametrize("planted", ["", "link", "open", "file"])
def test_a_folder_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    usual = tmp_path / f"kept-{os.getuid()}"
    if planted == "link":
        (tmp_path / "elsewhere").mkdir()
        usual.symlink_to("elsewhere")
    elif planted == "open":
        usual.mkdir()
        usual.chmod(0o777)
    elif planted == "file":
        usual.write_text("")
    taken = Path(private_folder("kept"))
    assert (taken == usual) is (planted == "")
    assert not taken.is_symlink()
    assert taken.stat().st_mode & 0o777 == 0o700
    assert private_folder("kept") == str(taken) or planted
    shutil.rmtree(taken)
