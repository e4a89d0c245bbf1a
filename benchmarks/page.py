"""The page ``docs/speed.md``: each benchmark writes its own part, with the machine and the day."""

from __future__ import annotations

import datetime
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "speed.md"


def write(part: str, text: str) -> None:
    """Replace the part between ``<!-- part -->`` and ``<!-- end -->``."""
    begin, end = f"<!-- {part} -->\n", "<!-- end -->"
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    PAGE.write_text(f"{head}{begin}\n{text}\n\n{rest[rest.index(end) :]}", encoding="utf-8")


def machine() -> str:
    """What it was measured on, in one line."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*: (.*)", cpuinfo.read_text())):
        name = found[1]
    packages = ", ".join(f"{package} {version(package)}" for package in ("uvicorn", "httptools", "uvloop"))
    today = datetime.datetime.now(datetime.UTC).date()
    return (
        f"{today}, {os.cpu_count()} cores of {name}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {packages}"
    )
