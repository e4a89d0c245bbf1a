"""Clients that others wrote, each as a small program, and one run of it under ``quickrouter-contract client``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CURL = HERE.parent.parent / "schemas/quickrouter/examples/createImage/curl.sh"
LONGEST_S = 400


@dataclass(frozen=True)
class Client:
    """A program and what runs it; ``folder`` is where its packages are, for a program that looks beside itself."""

    name: str
    command: tuple[str, ...]
    program: str
    folder: Path | None = None


@dataclass(frozen=True)
class Run:
    """What one run left: the report, the archive of its traffic where one was asked for, what the program wrote down."""

    exit_code: int
    report: dict[str, Any]
    entries: list[dict[str, Any]]
    saw: str
    version: str


def clients(home: Path) -> list[Client]:
    """The clients that are installed in a folder: the newest of each, and those that an older Node or openai needs."""
    old, new = home / "node", home / "node22"
    node = str(new / "node_modules/node/bin/node")
    return [
        Client("openai-python", (sys.executable,), "openai_sdk.py"),
        Client("openai-python", (str(home / "openai2/bin/python"),), "openai_sdk.py"),
        Client("openai-node", (node,), "openai_sdk.mjs", new),
        Client("openai-node", ("node",), "openai_sdk.mjs", old),
        Client("AI SDK", (node,), "ai_sdk.mjs", new),
        Client("AI SDK", ("node",), "ai_sdk.mjs", old),
        Client("AI SDK compatible", (node,), "ai_compatible.mjs", new),
        Client("AI SDK compatible", ("node",), "ai_compatible.mjs", old),
        Client("LiteLLM SDK", (str(home / "litellm/bin/python"),), "litellm_sdk.py"),
        Client("LangChain", (str(home / "langchain/bin/python"),), "langchain_dalle.py"),
        Client("LangChain JS", (node,), "langchain_dalle.mjs", new),
        Client("the page's curl", ("sh",), "page_curl.sh"),
    ]


def run(client: Client, size: str, *options: str, archive: bool = True) -> Run:
    """One client asks for one image of a size; ``options`` are those of the command ``client``."""
    with tempfile.TemporaryDirectory() as folder:
        report, traffic, saw = (Path(folder) / name for name in ("report.json", "traffic.har", "saw.json"))
        program = HERE / "programs" / client.program
        if client.folder:
            program = Path(shutil.copy(program, client.folder / client.program))
        environment = {**os.environ, "SIZE": size, "SAW": str(saw), "PAGE": str(CURL)}
        environment |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
        kept = ("--report", f"har={traffic}") if archive else ()
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-m", "mockserver", "client", *options, "--report", f"json={report}", *kept),
                *("--", *client.command, str(program)),
            ],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=LONGEST_S,
        )
        if not saw.exists():
            raise RuntimeError(f"{client.name}, {size}, {options}: {done.stdout}{done.stderr}")
        entries = json.loads(traffic.read_text(encoding="utf-8"))["log"]["entries"] if archive else []
        told, seen = (json.loads(file.read_text(encoding="utf-8")) for file in (report, saw))
    return Run(done.returncode, told, entries, seen["saw"], seen["version"])
