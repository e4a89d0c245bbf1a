"""Shared fixtures: running mocks on free ports, and a bare socket to talk to them as no library would."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from mockserver.server import Running, background
from mockserver.settings import Settings

hypothesis_settings.register_profile("fuzz", max_examples=10_000)

KEY = "sk-test-0123456789abcdef"


@dataclass(frozen=True)
class Answer:
    """One answer as it was on the wire; ``rest`` is what followed it."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Talk = Callable[..., Answer]


def received(port: int, data: bytes, timeout: float = 10.0) -> bytes:
    """Everything the server sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def parsed(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split(" ")[1]), headers, body)


def ask(
    running: Running,
    method: str = "POST",
    path: str = "/v1/images/generations",
    body: bytes | None = None,
    headers: Mapping[str, str | None] | None = None,
    value: Any = None,
) -> Answer:
    """One request on a connection of its own; ``value`` is sent as JSON; a header of None is left out."""
    if value is not None:
        body = json.dumps(value).encode()
    sent: dict[str, str | None] = {
        "Host": f"127.0.0.1:{running.port}",
        "Connection": "close",
        "Accept": "application/json",
        "Authorization": f"Bearer {KEY}",
    }
    if body is not None:
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    sent |= dict(headers or {})
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in sent.items() if text is not None)]
    return parsed(received(running.port, "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + (body or b"")))


@pytest.fixture(scope="session")
def _running() -> Iterator[Running]:
    with background(Settings()) as running:
        yield running


@pytest.fixture
def mock(_running: Running) -> Running:
    """The mock of the default contract, with an empty journal and no scenario."""
    _running.journal.clear()
    _running.mock.stage.reset(None)
    return _running


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts further mocks: ``start(seed=1)``; they stop with the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(background(Settings(**settings)))


@pytest.fixture(scope="session")
def _garden() -> Iterator[Running]:
    with background(Settings(contract=str(Path(__file__).parent / "invented"))) as running:
        yield running


@pytest.fixture
def garden(_garden: Running) -> Running:
    """A mock of the invented contract, with an empty journal and no scenario."""
    _garden.journal.clear()
    _garden.mock.stage.reset(None)
    return _garden


@pytest.fixture
def good() -> dict[str, Any]:
    """The request body of the documented example."""
    root = Path(__file__).resolve().parent.parent / "schemas"
    example = json.loads((root / "quickrouter/examples/createImage/request.json").read_text(encoding="utf-8"))
    return dict(example["value"])
