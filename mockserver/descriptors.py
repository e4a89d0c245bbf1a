"""How many connections this process may hold open: systems give a process few unless it asks for more."""

from __future__ import annotations

import contextlib
from typing import Final

WANTED: Final = 65_536
"""Open files and connections that are asked for; a client that holds some thousand open is no reason to go silent."""


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
