"""Draws ``docs/picture.svg``: what ``test`` prints about an API that no longer takes one documented value.

The API is a mock that serves a changed copy of the shipped contract. Only the drawing is made here; every character in it
was printed by the command.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from mockserver.server import background
from mockserver.settings import Settings

PICTURE = Path(__file__).with_name("picture.svg")
WIDTH = 92
LIMITS = ["--max-requests", "100", "--max-images", "40"]
CHANGE = ('"auto"', '"automatic"')
PROGRAM = [sys.executable, "-P", "-m", "mockserver"]


def transcript() -> str:
    """What the command prints, in colour."""
    with tempfile.TemporaryDirectory() as folder:
        drifted = Path(folder, "drifted.json")
        exported = subprocess.run(
            [*PROGRAM, "export", "openapi"], check=True, capture_output=True, text=True, encoding="utf-8"
        )
        drifted.write_text(exported.stdout.replace(*CHANGE), encoding="utf-8")
        with background(Settings(contract=str(drifted))) as api:
            done = subprocess.run(
                [*PROGRAM, "test", api.url, *LIMITS],
                env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)},
                capture_output=True,
                text=True,
                encoding="utf-8",
            )
            return done.stdout.replace(str(api.port), "4011")


def main() -> None:
    """Write the picture."""
    console = Console(record=True, width=WIDTH, force_terminal=True, file=io.StringIO())
    console.print(Text(" ".join(["$ quickrouter-contract test http://127.0.0.1:4011", *LIMITS]), style="bold"))
    console.print(Text.from_ansi(transcript()))
    svg = console.export_svg(title="quickrouter-contract", theme=MONOKAI, unique_id="picture")
    # no font from another host: a picture in a repository may not load one
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    PICTURE.write_text(svg, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
