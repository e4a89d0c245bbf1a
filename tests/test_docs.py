"""The documentation is true: its commands run, its programs work, its links lead somewhere, its reference is today's.

A fenced block is told what to do by the comment before it: ``run`` (``run: exit 1`` for another exit code), ``run:
background`` for a server, ``run: pytest``, ``file: NAME`` for a file that later blocks need, and ``output`` for what the last
command printed, digits aside.  Shell blocks
without ``run`` would cost money or install something: of these only commands and options are looked at.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "requirements").glob("*.md")])
PORTS = ("4010", "4011")
FENCE = re.compile(
    r"(?:^[ ]*<!-- (?P<told>[^\n]*?) -->\n)?^(?P<indent>[ ]*)```(?P<kind>\w*)\n(?P<text>.*?)^[ ]*```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text without indentation, and what the comment before it says."""

    kind: str
    text: str
    told: str

    @property
    def runs(self) -> bool:
        return self.told == "run" or self.told.startswith("run: ")


def blocks(page: Path) -> list[Block]:
    found = []
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        text = re.sub(rf"^{fence['indent']}", "", fence["text"], flags=re.MULTILINE)
        found.append(Block(fence["kind"], text, fence["told"] or ""))
    return found


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Shell:
    """Runs the blocks of one page in one folder, on ports that are free."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.printed = folder, ""
        self._ports = {port: str(free_port()) for port in PORTS}
        self._servers: list[subprocess.Popen[str]] = []
        scripts = str(Path(sys.executable).parent)
        path = os.pathsep.join([scripts, os.environ["PATH"]])
        hidden = ("PYTEST", "QUICKROUTER", "FORCE_COLOR", "GITHUB_STEP_SUMMARY")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        self._environment = {**kept, "PATH": path, "NO_COLOR": "1", "COLUMNS": "80"}

    def run(self, block: Block) -> None:
        text = block.text
        if block.told == "run: background":
            if "--port" not in text:
                text = text.rstrip() + " --port 4010\n"
            self._serve(self._on_free_ports(text))
            return
        if block.kind == "python":
            file = self.folder / "test_example.py"
            file.write_text(self._on_free_ports(text), encoding="utf-8")
            pytest_too = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if block.told == "run: pytest" else []
            command: list[Any] = [sys.executable, *pytest_too, file]
        else:
            command = ["bash", "-euo", "pipefail", "-c", self._on_free_ports(text)]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            encoding="utf-8", timeout=120,
        )  # fmt: skip
        expected = int(block.told.removeprefix("run: exit ")) if "exit" in block.told else 0
        assert done.returncode == expected, f"{text}\n{done.stdout}\n{done.stderr}"
        self.printed = done.stdout

    def _on_free_ports(self, text: str) -> str:
        for port, free in self._ports.items():
            text = text.replace(port, free)
        return text

    def _serve(self, text: str) -> None:
        command = shlex.split(text)
        command[0] = shutil.which(command[0], path=self._environment["PATH"]) or command[0]
        server = subprocess.Popen(
            command, cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self._servers.append(server)
        assert server.stdout is not None
        impatient = threading.Timer(30, server.kill)
        impatient.start()
        first = server.stdout.readline().strip()
        impatient.cancel()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", first), f"{text} printed {first!r}"

    def close(self) -> None:
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("page", [page for page in PAGES if any(b.runs for b in blocks(page))], ids=name_of)
def test_examples_run_and_print_what_the_page_shows(page: Path, shell: Shell) -> None:
    for block in blocks(page):
        if block.runs:
            shell.run(block)
        elif block.told.startswith("file: "):
            (shell.folder / block.told.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        elif block.told == "output":
            assert digitless(shell.printed) == digitless(block.text)


def digitless(text: str) -> str:
    """A text in which every number is one sign: costs and counts may differ from run to run."""
    return re.sub(r"\d+(\.\d+)?", "#", text).strip()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_data_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.kind == "json":
            for text in block.text.splitlines() if page.parent.name == "reference" else [block.text]:
                json.loads(f"{{{text}}}" if text.lstrip().startswith('"') else text)  # members of an object, or a value
        if block.kind == "yaml":
            assert isinstance(yaml.safe_load(block.text), dict)
        if block.kind == "python":
            compile(block.text, str(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_exist(page: Path) -> None:
    cli = importlib.import_module("mockserver.cli").cli
    shell_text = "\n".join(block.text for block in blocks(page) if block.kind in ("sh", "yaml"))
    for line in re.findall(r"^.*?quickrouter-contract (.*)$", shell_text.replace("\\\n", " "), re.MULTILINE):
        words = shlex.split(re.split(r"&&|\||;|>", line)[0])
        command: click.Command = cli
        while isinstance(command, click.Group) and words:
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h", "--version"}
        own = words[: words.index("--")] if "--" in words else words
        assert {word.partition("=")[0] for word in own if word.startswith("-") and word != "-"} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def anchors(page: Path) -> set[str]:
    """The anchors that code hosts give to headings."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_is_what_the_code_says(generate: ModuleType) -> None:
    assert generate.stale() == [], "run python docs/generate.py"


def test_ci_runs_the_command_of_the_readme() -> None:
    commands = [line for block in blocks(ROOT / "README.md") for line in block.text.splitlines() if "-m pytest" in line]
    assert len(commands) == 1
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().splitlines()[-1] == commands[0]


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    declared = {re.split("[>=]", one)[0] for one in listed}
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Dependencies")[2].partition("## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    assert declared == {row[0].lower() for row in rows[2:]}
    assert all(len(row) == 5 and all(row) and re.fullmatch(r"\S+, \d{4}-\d\d-\d\d", row[3]) for row in rows[2:])
