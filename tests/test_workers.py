"""Several workers: one journal and one course of scenarios whoever answers, and what happens when one of them dies."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from mockserver.cli.mock import command
from mockserver.server import Running
from mockserver.state.places import PASSWORD
from tests.conftest import Answer, ask
from tests.test_mock_replay import BODY, PATH, tape
from tests.test_mock_server import INVENTED, at, process

__all__ = ["tape"]

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PROGRAM = next(iter(PROJECT["scripts"]))
EXTRAS = set(PROJECT["optional-dependencies"])


def eventually(check: Callable[[], Any], seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until
        time.sleep(0.05)


def workers_of(script: subprocess.Popen[str]) -> list[int]:
    """The further processes of a mock."""
    told = subprocess.run(["pgrep", "-P", str(script.pid), "-f", "spawn_main"], capture_output=True, text=True)
    return [int(line) for line in told.stdout.split()]


def name_of(answer: Answer) -> str:
    return answer.headers["mock-exchange"]


def wait_for(url: str, count: int, good: dict[str, Any], known: frozenset[str] = frozenset()) -> set[str]:
    """The workers that answer, when there are so many besides the known ones; by the beginning of the names they give."""
    found: set[str] = set()

    def look() -> bool:
        with contextlib.suppress(OSError, IndexError):  # a worker that was killed has broken its connections
            found.add(name_of(at(url, value=good)).split("-")[0])
        return len(found - known) >= count

    eventually(look)
    return found


def test_whichever_worker_answers(good: dict[str, Any]) -> None:
    with process(port=0, workers=2, seed=1) as (script, url), ThreadPoolExecutor(8) as pool:
        wait_for(url, 2, good)
        assert at(url, "POST", "/__admin/reset?session=*").status == 200

        answers = list(pool.map(lambda _: at(url, value=good), range(40)))
        names = [name_of(answer) for answer in answers]
        assert len({name.split("-")[0] for name in names}) == 2
        assert len(set(names)) == 40
        assert len({answer.body for answer in answers}) == 1, "with a seed the same request gets the same bytes"
        told = at(url, "GET", "/__admin/requests").json()
        assert (told["total"], {one["id"] for one in told["requests"]}) == (40, set(names))
        ages = []
        for _ in range(5):
            health = at(url, "GET", "/__admin/health").json()
            assert health["requests"] == 40
            ages.append(health["uptime_s"])
            assert at(url, "GET", f"/__admin/requests/{names[0]}").json()["id"] == names[0]
            assert at(url, "POST", "/__admin/verify", value={"times": 40, "status": 200}).status == 200

        assert ages == sorted(ages), "the mock's age, whichever worker is asked"

        own = {"Mock-Session": "own"}
        scenario = {"name": "own", "steps": [{"times": 17, "response": {"status": 418}}], "then": "normal"}
        assert at(url, "PUT", "/__admin/scenarios", value=scenario, headers=own).status == 200
        statuses = pool.map(lambda number: at(url, value=good, headers=own if number % 2 else {}).status, range(60))
        assert Counter(statuses) == {418: 17, 200: 43}
        assert at(url, "GET", "/__admin/scenarios", headers=own).json()["answered"] == 30
        assert at(url, "DELETE", "/__admin/requests", headers=own).json() == {"forgotten": 30}
        assert at(url, "POST", "/__admin/reset?session=*").json() == {"forgotten": 70}
        for _ in range(10):
            assert at(url, "PUT", "/__admin/scenarios", value={"name": "rate-limited"}, headers=own).status == 200
            assert [at(url, value=good, headers=own).status for _ in range(3)] == [429] * 3, "by the very next request"
            assert at(url, "DELETE", "/__admin/scenarios", headers=own).status == 200
            assert [at(url, value=good, headers=own).status for _ in range(3)] == [200] * 3

        script.send_signal(signal.SIGTERM)
        assert script.wait(15) == 0
        assert script.stderr
        assert script.stderr.read() == ""


def test_the_page_sees_what_any_worker_answers_and_forgets(good: dict[str, Any]) -> None:
    with process(port=0, workers=2) as (_, url), ThreadPoolExecutor(4) as pool:
        wait_for(url, 2, good)
        at(url, "POST", "/__admin/reset?session=*")
        port = int(url.rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as listener:
            head = f"GET /__admin/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
            listener.sendall(head.encode())
            seen = bytearray()

            def told(text: str) -> bool:
                if text.encode() not in seen:
                    seen.extend(listener.recv(1 << 20))
                return text.encode() in seen

            eventually(lambda: told('"whole":true'))
            names = {name_of(at(url, value=good)) for _ in range(30)}
            assert len({name.split("-")[0] for name in names}) == 2
            for name in names:
                eventually(lambda name=name: told(name))  # type: ignore[misc]
            seen.clear()
            answered = pool.map(lambda _: name_of(at(url, value=good)), range(200))
            forgotten = [at(url, "DELETE", "/__admin/requests").json()["forgotten"] for _ in range(20)]
            after = list(answered)
            left = at(url, "GET", "/__admin/requests").json()
            assert sum(forgotten) + left["total"] == len(names) + 200
            assert {one["id"] for one in left["requests"]} <= set(after)
            eventually(lambda: told('"whole":true'))
            last = name_of(at(url, value=good))
            eventually(lambda: told(last))


def test_a_killed_worker_loses_nothing_and_is_replaced(good: dict[str, Any]) -> None:
    with process(port=0, workers=2) as (script, url):
        before = wait_for(url, 2, good)
        answered: list[str] = []
        over = threading.Event()

        def load() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError, IndexError):
                    answered.append(name_of(at(url, value=good)))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answered) > 100)
        (worker,) = workers_of(script)
        os.kill(worker, signal.SIGKILL)
        time.sleep(0.1)
        over.set()
        for thread in threads:
            thread.join()
        kept = {one["id"] for one in at(url, "GET", "/__admin/requests").json()["requests"]}
        assert len(answered) < 900, "the journal holds the newest thousand"
        assert set(answered) <= kept
        wait_for(url, 1, good, frozenset(before))
        assert workers_of(script) != [worker]
        script.send_signal(signal.SIGTERM)
        assert script.wait(15) == 0
        assert script.stderr
        assert script.stderr.read() == f"worker {worker} was ended by SIGKILL; another takes its place\n"


def test_no_worker_outlives_the_first_process(good: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        with process(port=0, workers=2) as (script, url):
            wait_for(url, 2, good)
            (worker,) = workers_of(script)
            (private,) = Path(folder).glob("quickrouter-contract-*")
            assert (private.stat().st_mode & 0o777) == 0o700
            script.kill()
            script.wait(10)
            eventually(lambda: not private.exists())
            eventually(lambda: subprocess.run(["ps", "-p", str(worker)], capture_output=True).returncode)
            with pytest.raises(ConnectionRefusedError):
                at(url, value=good)


def test_a_cassette_is_played_once_by_all(tape: Path, good: dict[str, Any]) -> None:
    with process(port=0, workers=2, replay=str(tape)) as (_, url):
        wait_for(url, 2, good)
        for _ in range(2):
            assert at(url, "POST", "/__admin/reset").status == 200
            answers = [at(url, "POST", PATH, value=BODY) for _ in range(8)]
            assert [answer.json()["created"] for answer in answers] == [1, *[2] * 7]


def test_all_workers_serve_a_changed_contract(tmp_path: Path) -> None:
    folder = tmp_path / "garden"
    shutil.copytree(INVENTED, folder)
    file = folder / "openapi.json"
    path = "/garden/v9/weather"
    with process(port=0, workers=2, contract=str(folder), watch=True) as (script, url):
        seen: dict[str, bytes] = {}

        def look() -> list[bytes]:
            answer = at(url, "GET", path)
            seen[name_of(answer).split("-")[0]] = answer.body
            return list(seen.values())

        eventually(lambda: look() == [b"rain, then sun"] * 2)
        time.sleep(0.5)  # the watchers begin after the first answers
        file.write_text(file.read_text(encoding="utf-8").replace("rain, then sun", "snow"), encoding="utf-8")
        eventually(lambda: look() == [b"snow"] * 2)
        script.send_signal(signal.SIGTERM)
        assert script.wait(15) == 0
        assert script.stderr
        assert script.stderr.read() == "the contract garden was reloaded\n"


def test_what_the_page_deploys_is_a_mock_that_starts(start: Callable[..., Running]) -> None:
    page = (ROOT / "docs" / "share.md").read_text(encoding="utf-8")
    documents = [one for block in re.findall(r"```yaml\n(.*?)```", page, re.S) for one in yaml.safe_load_all(block)]
    compose, deployment, service = documents
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    (port,) = [one["containerPort"] for one in container["ports"]]
    services = compose["services"]
    for arguments, hosts in ((services["mock"]["command"], set(services)), (container["args"], {"redis"})):
        with command.make_context(arguments[0], arguments[1:]) as context:
            assert (context.params["host"], context.params["port"]) == ("0.0.0.0", port)
            place = urlsplit(context.params["state"])
            assert (place.scheme, place.hostname in hosts, place.port, place.path) == ("redis", True, 6379, "/0")
    assert set(services["mock"]["depends_on"]) < set(services)
    first, last = services["mock"]["ports"][0].split(":")[0].split("-")
    assert int(last) - int(first) + 1 == services["mock"]["deploy"]["replicas"]
    assert services["mock"]["ports"][0].endswith(f":{port}")
    assert {one["name"] for one in container["env"]} == {PASSWORD}
    assert service["spec"]["selector"] == pod["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"]
    assert service["spec"]["ports"][0]["targetPort"] == port
    for probe in ("readinessProbe", "livenessProbe"):
        ((_, asked),) = [pair for pair in container[probe].items() if isinstance(pair[1], dict)]
        assert asked["port"] == port
    mock = start()
    assert ask(mock, "GET", container["readinessProbe"]["httpGet"]["path"]).status == 200
    assert all(f"mock-{number}:{port} " in page for number in (1, 2)), "the servers that nginx knows"
    for image in re.findall(r"```dockerfile\n(.*?)```", page, re.S):
        assert f'ENTRYPOINT ["{PROGRAM}"]' in image
        assert set(re.findall(r"/source\[(\w+)\]", image)) == {"redis"} <= EXTRAS
