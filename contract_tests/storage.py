"""A folder for what is worth keeping between runs and belongs to nobody's project."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
from pathlib import Path


def private_folder(name: str) -> str:
    """A folder below the one for temporary files that this user alone writes to, made if need be.

    Its name can be known before, so somebody else may have put something there; then a fresh folder is taken, which goes
    with the process.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"{name}-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o022:
            return str(folder)
    except OSError:
        pass
    fresh = tempfile.mkdtemp(prefix=f"{name}-")
    atexit.register(shutil.rmtree, fresh, ignore_errors=True)
    return fresh
