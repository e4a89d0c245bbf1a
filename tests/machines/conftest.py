"""A Redis server on a free port, started for these tests; without one they fail, since whoever names them wants to know."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

KEPT = ("--appendonly", "yes")
"""The options of a server that keeps what it holds when it ends."""


class Server:
    """``redis-server`` on one port of this machine; ``options`` are its own."""

    def __init__(self, folder: Path, *options: str, tls: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"{'rediss' if tls else 'redis'}://127.0.0.1:{self.port}/0"
        ports = ["--port", "0", "--tls-port"] if tls else ["--port"]
        self._command = [
            "redis-server", *ports, str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
            *options,
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert time.monotonic() < until
            time.sleep(0.02)

    def pause(self, *, over: bool = False) -> None:
        """Let it do nothing, as in a network that loses everything; ``over`` ends that."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT if over else signal.SIGSTOP)

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)


@pytest.fixture(scope="session")
def _redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("redis"), *KEPT)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(_redis: Server) -> Iterator[Server]:
    """The server, empty."""
    with socket.create_connection(("127.0.0.1", _redis.port), 5) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(100).startswith(b"+OK")
    return _redis
