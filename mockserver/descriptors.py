"""How many files and connections this process may hold open: systems give a process few unless it asks for more."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Final

WANTED: Final = 65_536
"""Open files and connections that are asked for; a client that holds some thousand open is no reason to go silent."""

_RESERVE: Final = 64
"""Descriptors that are kept for files, and for saying to further clients that there is no room."""


def make_room() -> None:
    """Raise the soft limit of open files as far as it may be; what is started later inherits it."""
    try:
        import resource
    except ImportError:
        return  # a system without such limits
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # macOS may say "unlimited" and mean less
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def room() -> int:
    """How many connections this process can hold beside what it has open and may yet have to open."""
    try:
        import resource
    except ImportError:
        return sys.maxsize
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    folder = next((path for path in (Path("/proc/self/fd"), Path("/dev/fd")) if path.is_dir()), None)
    opened = len(list(folder.iterdir())) if folder else 16
    return max(1, soft - opened - min(_RESERVE, soft // 4))
