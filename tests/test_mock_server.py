"""The server as a process: what it prints, imports, and does on signals; ports, workers, reloading."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.errors import ContractError, ContractToolError
from mockserver.server import Running, serve
from mockserver.settings import Settings
from mockserver.watch import watching
from tests.conftest import Answer, ask

ROOT = Path(__file__).resolve().parent.parent
INVENTED = Path(__file__).parent / "invented"


@contextlib.contextmanager
def process(**settings: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``serve`` in a process of its own, and the first line that it printed."""
    code = f"""
import sys
if __name__ == "__main__":
    from mockserver.server import serve
    from mockserver.settings import Settings
    serve(Settings(**{settings!r}))
"""
    script = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    try:
        assert script.stdout
        yield script, script.stdout.readline().strip()
    finally:
        script.kill()
        script.wait(10)
        assert script.stdout
        assert script.stderr
        script.stdout.close()
        script.stderr.close()


class At:
    """A mock known by its URL."""

    def __init__(self, url: str) -> None:
        self.port = int(url.rsplit(":", 1)[1].partition("/")[0])


def at(url: str, *arguments: Any, **more: Any) -> Answer:
    return ask(At(url), *arguments, **more)  # type: ignore[arg-type]


def test_it_prints_its_address_and_ends_on_sigterm(good: dict[str, Any]) -> None:
    with process(port=0) as (script, url):
        assert url.startswith("http://127.0.0.1:")
        assert at(url, value=good).status == 200
        script.send_signal(signal.SIGTERM)
        assert script.wait(10) == 0
        assert script.stdout
        assert script.stderr
        assert (script.stdout.read(), script.stderr.read()) == ("", "")


def test_an_interrupt_is_told_to_the_caller(good: dict[str, Any]) -> None:
    with process(port=0) as (script, url):
        at(url, value=good, headers={"Prefer": "code=429"})
        script.send_signal(signal.SIGINT)
        assert script.wait(10) != 0
        assert script.stderr
        assert "KeyboardInterrupt" in script.stderr.read()


def test_the_base_path_is_printed() -> None:
    with process(port=0, contract=str(INVENTED)) as (_, url):
        assert url.endswith("/garden/v9")
        assert at(url, "GET", "/garden/v9/weather").body == b"rain, then sun"


def test_a_slow_answer_does_not_keep_it_from_ending(good: dict[str, Any]) -> None:
    body = json.dumps(good).encode()
    with process(port=0, scenario="slow") as (script, url):
        head = f"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer abc\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", At(url).port), timeout=5) as connection:
            connection.sendall(head.encode() + body)
            time.sleep(0.2)
            script.send_signal(signal.SIGTERM)
            assert script.wait(4) == 0


def test_a_port_in_use_is_said_in_a_sentence(mock: Running) -> None:
    with pytest.raises(ContractToolError, match=f"port {mock.port} on 127.0.0.1 is in use"):
        serve(Settings(port=mock.port))
    for host, port in (("no.such.host.invalid", 0), ("127.0.0.1", 99999)):
        with pytest.raises(ContractToolError, match="cannot listen on"):
            serve(Settings(host=host, port=port))


def test_nothing_heavy_is_imported_before_it_is_needed(good: dict[str, Any]) -> None:
    code = f"""
import json, sys
from tests.conftest import ask
before = set(sys.modules)
from mockserver.server import background
from mockserver.settings import Settings
import urllib.request
with background(Settings()) as mock:
    headers = {{"Content-Type": "application/json", "Authorization": "Bearer abcdef", "Accept": "*/*"}}
    request = urllib.request.Request(mock.url + "/v1/images/generations", {json.dumps(good).encode()!r}, headers)
    assert urllib.request.urlopen(request).status == 200
print(json.dumps(sorted(sys.modules)))
"""
    code = code.replace("from tests.conftest import ask\nbefore = set(sys.modules)\n", "")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    modules = set(json.loads(done.stdout))
    assert "uvicorn" in modules
    for name in ("hypothesis", "pytest", "rich", "PIL", "watchfiles", "httpx", "starlette.routing", "mockserver.cli"):
        assert name not in modules


def test_start_to_first_answer_is_quick(good: dict[str, Any]) -> None:
    took = []
    for _ in range(3):
        before = time.monotonic()
        with process(port=0) as (_, url):
            assert at(url, value=good).status == 200
            took.append(time.monotonic() - before)
    assert min(took) < 2.0, "benchmarks/startup.py measures it; this only notices a disaster on a busy machine"


def eventually(check: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while not check():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_changed_contract_is_served_and_a_broken_one_is_not(start: Callable[..., Running], tmp_path: Path) -> None:
    folder = tmp_path / "garden"
    shutil.copytree(INVENTED, folder)
    file = folder / "openapi.json"
    text = file.read_text(encoding="utf-8")
    mock = start(contract=str(folder))
    said: list[str] = []
    with watching(mock.mock, said.append):
        time.sleep(0.5)
        file.write_text(text.replace("rain, then sun", "snow"), encoding="utf-8")
        eventually(lambda: ask(mock, "GET", "/garden/v9/weather").body == b"snow")
        eventually(lambda: "the contract garden was reloaded" in said)
        broken = text.replace('"info"', 'info"')
        file.write_text(broken, encoding="utf-8")
        eventually(lambda: len(said) == 2)
        file.write_text(broken + " ", encoding="utf-8")
        time.sleep(0.6)
        assert len(said) == 2, "the same problem is said once"
        assert f"{file}:3: not JSON" in said[1]
        assert ask(mock, "GET", "/garden/v9/weather").body == b"snow"
        file.write_text(text, encoding="utf-8")
        eventually(lambda: ask(mock, "GET", "/garden/v9/weather").body == b"rain, then sun")


def test_a_broken_contract_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text('{"openapi": "3.0.0"}', encoding="utf-8")
    with pytest.raises(ContractError, match=r"3\.1"):
        serve(Settings(contract=str(tmp_path), port=0))
