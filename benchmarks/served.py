"""A mock in processes of its own, as the command line starts it, and what it takes of the machine (Linux)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Served:
    """One running mock."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "mockserver", "mock", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        self.port = int(self.url.rsplit(":", 1)[1].partition("/")[0])

    def pids(self) -> list[int]:
        """The first process and all that it started."""
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def memory_mb(self) -> float:
        """What belongs to the processes alone and their shares of what they share."""
        total = 0
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def descriptors(self) -> int:
        """Open files and connections of all processes."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.pids())

    def health(self) -> dict[str, Any]:
        """What the mock says of itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/__admin/health", timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def connect(self) -> socket.socket:
        """A client."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def end(self, by: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Exit code, seconds that the end took, and what stood on stderr."""
        began = time.monotonic()
        self.process.send_signal(by)
        code = self.process.wait(30)
        took = time.monotonic() - began
        assert self.process.stderr
        return code, took, self.process.stderr.read()


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    """A mock that is killed on leaving, if it has not ended before."""
    mock = Served(*arguments)
    try:
        yield mock
    finally:
        if mock.process.poll() is None:
            os.kill(mock.process.pid, signal.SIGTERM)
            mock.process.wait(30)
        for stream in (mock.process.stdout, mock.process.stderr):
            assert stream
            stream.close()
