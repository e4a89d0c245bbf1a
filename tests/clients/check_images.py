"""Clients that others wrote get pictures from the images contract: openai-node, the AI SDK, LangChain.

Not collected unless named: the clients are installed by the tox environment ``clients``, which names their folder in CLIENTS.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.server import Running, background
from mockserver.settings import Settings

HOME = Path(os.environ["CLIENTS"])
PROGRAMS = Path(__file__).resolve().parent / "images"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p0nqRQAAAABJRU5ErkJggg=="


@pytest.fixture
def running() -> Iterator[Running]:
    with background(Settings(contract="openai-images")) as made:
        yield made


def ran(running: Running, tmp_path: Path, command: str, program: str) -> dict[str, Any]:
    """What a program wrote down that it saw."""
    where = HOME / "node" if command == "node" else tmp_path
    copy = where / program  # Node looks for modules beside the program
    shutil.copy(PROGRAMS / program, copy)
    picture, saw = tmp_path / "otter.png", tmp_path / "saw.json"
    picture.write_bytes(base64.b64decode(PNG))
    base = f"{running.url}/v1"
    own = {"OPENAI_BASE_URL": base, "OPENAI_API_BASE": base, "OPENAI_API_KEY": "any"}
    told = {**os.environ, **own, "PICTURE": str(picture), "SAW": str(saw)}
    done = subprocess.run([command, str(copy)], capture_output=True, text=True, env=told, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(saw.read_text(encoding="utf-8"))
    return read


def test_openai_node(running: Running, tmp_path: Path) -> None:
    saw = ran(running, tmp_path, "node", "openai_sdk.mjs")
    partial, completed = "image_generation.partial_image", "image_generation.completed"
    assert saw | {"version": ""} == {
        "version": "",
        "generate": ["PNG", "PNG"],
        "edit": 1,
        "stream": [partial, partial, completed],
        "editStream": ["image_edit.partial_image", "image_edit.completed"],
        "url": "string",
        "refused": ["BadRequestError", 400, "unknown_parameter", "response_format"],
        "limited": ["RateLimitError", "rate_limit_exceeded", "1"],
    }
    statuses = [(entry.status, len(entry.violations)) for entry in running.journal.entries()]
    assert statuses == [(200, 0)] * 5 + [(400, 1), (429, 0), (429, 0)]


def test_the_ai_sdk(running: Running, tmp_path: Path) -> None:
    assert ran(running, tmp_path, "node", "ai_sdk.mjs") == {"kinds": ["image/png"] * 2, "sizes": [True] * 2}
    assert [entry.status for entry in running.journal.entries()] == [200]


def test_langchain(running: Running, tmp_path: Path) -> None:
    saw = ran(running, tmp_path, str(HOME / "langchain/bin/python"), "langchain_dalle.py")
    assert saw["address"].startswith("http")
