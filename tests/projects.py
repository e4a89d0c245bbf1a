"""Somebody's project with tests of its own: pytest in a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CALL = """
import json, os, sys, urllib.error, urllib.request
import pytest

def call(url, **change):
    body = {"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "auto", **change}
    headers = {"Authorization": "Bearer sk-secret-0123456789", "Content-Type": "application/json"}
    headers["Accept"] = "application/json"
    request = urllib.request.Request(url + "/v1/images/generations", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
"""


def outcome(
    folder: Path, tests: str = "", *options: str, files: Mapping[str, str] | None = None, **variables: str
) -> tuple[int, str]:
    """Exit code and output of ``python -m pytest -W error`` in a folder with these files."""
    for name, text in {**({"test_it.py": CALL + tests} if tests else {}), **(files or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    hidden = ("PYTEST", "PYTHON", "QUICKROUTER", "OPENAI", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "--strict-markers", *options],
        cwd=folder,
        env={**kept, "COLUMNS": "160", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def results(text: str) -> dict[str, str]:
    """Test -> outcome, from the lines of ``pytest -v``; an error while tidying up counts."""
    return dict(re.findall(r"^test_it\.py::(\S+) ([A-Z]+)", text, re.MULTILINE))
