"""Two mocks on one Redis server behind a load balancer: nginx, as docs/share.md sets it up.

One mock is killed under load, and comes back: no client sees a failure, and nothing is missing from the journal.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from machines.conftest import Server

from tests.test_mock_server import at, process
from tests.test_workers import eventually, name_of

PATH = "/v1/images/generations"
HEAD = {"Accept": "application/json", "Authorization": "Bearer any", "Content-Type": "application/json"}
PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "share.md"


def nginx(folder: Path, port: int, ports: list[int]) -> list[str]:
    (block,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    text = block.replace("listen 80;", f"listen 127.0.0.1:{port};")
    for number, one in enumerate(ports, start=1):
        text = text.replace(f"mock-{number}:4010", f"127.0.0.1:{one}")
    assert str(port) in text
    assert str(ports[1]) in text
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error;\nevents {{}}\nhttp {{\naccess_log off;\n"
        f"client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n{text}}}\n",
        encoding="ascii",
    )
    return ["nginx", "-p", str(folder), "-c", str(file), "-e", str(folder / "error")]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def balanced(tmp_path: Path) -> Iterator[tuple[str, list[int]]]:
    """The URL of a balancer, and the ports of the mocks behind it, which are not there yet."""
    port, ports = free_port(), [free_port(), free_port()]
    with subprocess.Popen(nginx(tmp_path, port, ports), stderr=subprocess.DEVNULL) as balancer:
        try:
            yield f"http://127.0.0.1:{port}", ports
        finally:
            balancer.terminate()


@contextmanager
def load(url: str, good: dict[str, Any], clients: int) -> Iterator[list[tuple[int, str]]]:
    """Clients that ask one thing after the other; the status and the name of the exchange of each answer."""
    over = threading.Event()
    told: list[tuple[int, str]] = []
    failures: list[Exception] = []

    def work(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", int(url.rsplit(":", 1)[1]), timeout=30)
        try:
            while not over.is_set() and len(told) < 900:  # the journal holds the newest thousand
                body = json.dumps({**good, "prompt": f"{number}-{len(told)}"})
                connection.request("POST", PATH, body, {**HEAD, "Prefer": "delay=0.1"})  # some are on their way always
                answer = connection.getresponse()
                answer.read()
                told.append((answer.status, answer.headers["Mock-Exchange"]))
        except (OSError, http.client.HTTPException) as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def answering(url: str, good: dict[str, Any]) -> int:
    """How many mocks answer behind a balancer."""
    answers = [at(url, value=good) for _ in range(8)]
    return len({name_of(one).split("-")[0] for one in answers if one.status == 200})


def test_nobody_notices_that_a_mock_was_killed(
    redis: Server, balanced: tuple[str, list[int]], good: dict[str, Any]
) -> None:
    url, ports = balanced
    with ExitStack() as stack:
        mocks = [stack.enter_context(process(port=port, state=redis.url)) for port in ports]
        eventually(lambda: answering(url, good) == 2)
        assert at(url, "POST", "/__admin/reset?session=*").status == 200
        with load(url, good, 12) as told:
            for end in ("kill", "terminate"):
                before = len(told)
                eventually(lambda before=before: len(told) > before + 60)  # type: ignore[misc]
                getattr(mocks[0][0], end)()
                mocks[0][0].wait(10)
                eventually(lambda before=before: len(told) > before + 100)  # type: ignore[misc]
                mocks[0] = stack.enter_context(process(port=ports[0], state=redis.url))
                names = set(told)
                eventually(lambda names=names: len({n.split("-")[0] for _, n in set(told) - names}) == 2)  # type: ignore[misc]
        assert {status for status, _ in told} == {200}
        kept = {one["id"] for one in at(url, "GET", "/__admin/requests").json()["requests"]}
        assert {name for _, name in told} <= kept
        assert len({name.split("-")[0] for _, name in told}) == 4


def test_a_scenario_goes_on_where_the_killed_mock_was(
    redis: Server, balanced: tuple[str, list[int]], good: dict[str, Any]
) -> None:
    url, ports = balanced
    with ExitStack() as stack:
        mocks = [stack.enter_context(process(port=port, state=redis.url)) for port in ports]
        eventually(lambda: answering(url, good) == 2)
        steps = [{"response": {"status": 400 + number}} for number in range(190)]
        assert at(url, "PUT", "/__admin/scenarios", value={"name": "own", "steps": steps}).status == 200
        at(url, "DELETE", "/__admin/requests?session=*")
        killer = threading.Timer(0.3, mocks[0][0].kill)
        killer.start()
        told = []
        while killer.is_alive() or len(told) < 60:
            assert len(told) < 180
            told.append(at(url, value=good).status - 400)
            time.sleep(0.01)
        # a request that was cut off may have had its turn: the balancer's second try has the next one
        assert told == sorted(set(told))
        assert told[-1] - len(told) in (-1, 0)
        kept = [one["status"] - 400 for one in at(url, "GET", "/__admin/requests").json()["requests"]]
        assert set(told) <= set(kept)
        assert len(kept) == len(set(kept))
