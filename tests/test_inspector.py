"""The inspector over HTTP: its files and their policy, what is new, bodies, pictures and archives, and who may have them."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mockserver
from mockserver import cassette
from mockserver.server import Running
from tests.conftest import KEY, Answer, ask

PAGE = Path(mockserver.__file__).parent / "inspector" / "page"
FILES = sorted(path.name for path in PAGE.iterdir())
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAE0lEQVR4nGP8z8AARAwQEmIgAAAeEAH/S0x8nQAAAABJRU5ErkJggg=="
)


def look(mock: Running, path: str, headers: dict[str, str | None] | None = None) -> Answer:
    return ask(mock, "GET", f"/__admin/{path}", headers=headers)


def news(mock: Running, after: str = "") -> dict[str, Any]:
    return dict(look(mock, f"live?after={after}").json())


def test_the_page_has_a_strict_policy_and_nothing_inside_that_it_forbids(mock: Running) -> None:
    page = look(mock, "")
    assert page.headers["content-type"].startswith("text/html")
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    for name in ("script-src", "style-src", "img-src", "connect-src"):
        assert policy[name] == "'self'"
    assert (
        policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == policy["trusted-types"] == "'none'"
    )
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cross-origin-resource-policy"] == "same-origin"
    text = page.body.decode()
    assert not re.findall(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|javascript:", text)
    assert look(mock, "").body == ask(mock, "GET", "/__admin").body
    referred = re.findall(r'(?:src|href)="/__admin/page/([^"]+)"', text)
    assert "main.js" in referred
    assert set(referred) <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_files_are_known_again(mock: Running, name: str) -> None:
    first = look(mock, f"page/{name}")
    assert (first.status, first.body) == (200, (PAGE / name).read_bytes())
    kind = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}[
        name.rpartition(".")[2]
    ]
    assert first.headers["content-type"].startswith(kind)
    again = look(mock, f"page/{name}", {"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert look(mock, f"page/{name}", {"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize("name", FILES)
def test_files_ask_no_other_host_and_make_no_markup_of_data(name: str) -> None:
    text = (PAGE / name).read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\s\"'/]+", text) in ([], ["http://www.w3.org"])
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", text)
    assert text.count("\n") < 350


@pytest.mark.parametrize("name", ["../__init__.py", "..%2f__init__.py", "%2e%2e/__init__.py", "nothing.js", ""])
def test_no_other_file_is_served(mock: Running, name: str) -> None:
    assert look(mock, f"page/{name}").status == 404


def test_news_begin_with_everything_and_go_on_with_what_is_new(mock: Running, good: dict[str, Any]) -> None:
    empty = news(mock)
    assert (empty["whole"], empty["total"], empty["requests"]) == (True, 0, [])
    ask(mock, value=good)
    ask(mock, value={**good, "n": 11}, headers={"Mock-Session": "a"})
    first = news(mock, empty["cursor"])
    assert (first["whole"], [one["status"] for one in first["requests"]]) == (False, [200, 400])
    bad = first["requests"][1]
    assert (bad["severity"], bad["violations"], bad["session"]) == ("error", 1, "a")
    assert bad["message"] == "n must be at most 10; got 11"
    assert news(mock, first["cursor"])["requests"] == []
    ask(mock, value=good)
    assert len(news(mock, first["cursor"])["requests"]) == 1
    ask(mock, "POST", "/__admin/reset", headers={"Mock-Session": "a"})
    after = news(mock, first["cursor"])
    assert (after["whole"], after["total"], [one["status"] for one in after["requests"]]) == (True, 2, [200, 200])
    assert news(mock, "0.of-another-life-7")["whole"] is True


def test_news_of_a_full_journal(start: Callable[..., Running], good: dict[str, Any]) -> None:
    running = start(journal_entries=3)
    cursor = news(running)["cursor"]
    for _ in range(5):
        ask(running, value=good)
    told = news(running, cursor)
    assert (told["total"], told["dropped"], len(told["requests"])) == (3, 2, 3)


def test_a_listener_is_told_at_once(mock: Running, good: dict[str, Any]) -> None:
    with socket.create_connection(("127.0.0.1", mock.port), timeout=10) as listener:
        head = f"GET /__admin/live HTTP/1.1\r\nHost: 127.0.0.1:{mock.port}\r\nAccept: text/event-stream\r\n\r\n"
        listener.sendall(head.encode())
        stream = listener.makefile("rb")

        def event() -> dict[str, Any]:
            for line in stream:
                if line.startswith(b"data: "):
                    return dict(json.loads(line.removeprefix(b"data: ")))
            raise AssertionError("the stream ended")

        assert event()["whole"] is True
        name = ask(mock, value=good).headers["mock-exchange"]
        sent = time.monotonic()
        told = event()
        assert [one["id"] for one in told["requests"]] == [name]
        assert time.monotonic() - sent < 5
        mock.journal.clear()
        assert event()["whole"] is True


def test_an_opened_request_is_marked_and_explained(mock: Running, good: dict[str, Any]) -> None:
    body = {"model": "gpt-image-1.5", "prompt": "a", "n": 12}
    name = ask(mock, value=body, headers={"Accept": None}).headers["mock-exchange"]
    view = look(mock, f"requests/{name}/view").json()
    found = {one["pointer"]: one for one in view["found"]}
    lines = {tuple(line["marks"]): line["at"] for line in view["request"]["body"]["lines"] if "marks" in line}
    assert lines[(found["/body/n"]["number"],)] == "/body/n"
    assert lines[(found["/body/size"]["number"],)] == "/body", "what is absent is marked where it belongs"
    absent = view["request"]["headers"][-1]
    assert (absent["name"].lower(), absent["value"]) == ("accept", None)
    assert "必须介于 1 和 10 之间" in found["/body/n"]["source"]["quote"]
    assert found["/body/n"]["source"]["page"].startswith("https://")
    assert KEY not in json.dumps(view)
    assert look(mock, "requests/none-1/view").status == 404


def test_bodies_pictures_and_an_archive_can_be_kept(mock: Running, good: dict[str, Any], tmp_path: Path) -> None:
    step = {"response": {"status": 200, "body": {"picture": base64.b64encode(PNG).decode()}}}
    ask(mock, "PUT", "/__admin/scenarios", value={"name": "picture", "steps": [step]})
    answer = ask(mock, value=good)
    name = answer.headers["mock-exchange"]
    kept = look(mock, f"requests/{name}/response")
    assert kept.body == answer.body
    assert kept.headers["content-type"] == "application/octet-stream"
    assert kept.headers["content-disposition"].startswith("attachment")
    assert json.loads(look(mock, f"requests/{name}/request").body) == good
    view = look(mock, f"requests/{name}/view").json()
    source = view["response"]["pictures"][0]["src"]
    picture = ask(mock, "GET", source)
    assert (picture.headers["content-type"], picture.body) == ("image/png", PNG)
    assert "sandbox" in picture.headers["content-security-policy"]
    for path in ("response/pictures/1", "request/pictures/0", "response/pictures/x", "nothing", "nothing/pictures/0"):
        assert look(mock, f"requests/{name}/{path}").status == 404
    ask(mock, value=good, headers={"Mock-Session": "other"})
    for query, count in (("", 2), ("?session=other", 1), ("?session=", 1)):
        archive = look(mock, f"har{query}")
        file = tmp_path / "mock.har"
        file.write_bytes(dechunked(archive))
        assert len(list(cassette.read(str(file)))) == count
        assert KEY.encode() not in archive.body


def dechunked(answer: Answer) -> bytes:
    """The body of an answer in chunks."""
    whole, rest = b"", answer.body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        whole, rest = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="curl and bash are needed")
@pytest.mark.parametrize("length", [3, 30_000])
def test_the_curl_line_sends_the_same_again(mock: Running, good: dict[str, Any], length: int) -> None:
    body = {**good, "prompt": "it's \\ $HOME 一只" + "x" * length}
    name = ask(mock, value=body).headers["mock-exchange"]
    command = look(mock, f"requests/{name}/view").json()["curl"]
    assert len(command) < 10_000
    environment = {**os.environ, "QUICKROUTER_API_KEY": KEY}
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], env=environment, check=True, capture_output=True, timeout=60
    )
    first, second = mock.journal.entries()
    assert first.body == second.body
    assert (first.status, first.violations) == (second.status, second.violations)
    assert [violation.rule for violation in second.violations if "body" not in violation.rule] == []


@pytest.mark.parametrize("path", ["", "about", "live", "har", "page/main.js", "requests/x/view", "requests/x/request"])
def test_a_name_that_was_made_to_point_here_reads_nothing(mock: Running, path: str) -> None:
    assert look(mock, path, {"Host": "evil.example"}).status == 403


@pytest.mark.parametrize("path", ["", "about", "live", "har", "page/main.js", "requests", "requests/x/view"])
def test_pages_of_other_sites_can_embed_nothing(mock: Running, path: str) -> None:
    answer = look(mock, path)
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    assert look(mock, path, {"Origin": "https://evil.example"}).status == 403


def test_the_page_of_one_worker_shows_what_another_answered(
    start: Callable[..., Running], tmp_path: Path, good: dict[str, Any]
) -> None:
    one, other = (start(state=str(tmp_path / "state")) for _ in range(2))
    seen = news(one)
    name = ask(other, value=good).headers["mock-exchange"]
    told = news(one, seen["cursor"])
    assert ([line["id"] for line in told["requests"]], told["whole"]) == ([name], False)
    assert ask(other, "DELETE", "/__admin/requests").status == 200
    assert (news(one, told["cursor"])["whole"], news(one)["total"]) == (True, 0)


def test_the_first_example_is_a_request_that_the_contract_takes(mock: Running, garden: Running) -> None:
    about = look(mock, "about").json()
    assert about["contract"] == "quickrouter"
    assert about["base_url"] == mock.url
    if shutil.which("curl"):
        subprocess.run(["bash", "-c", about["example"]], check=True, capture_output=True, timeout=60)
        assert [(entry.status, entry.violations) for entry in mock.journal.entries()] == [(200, ())]
    assert garden.mock.base_path in look(garden, "about").json()["base_url"]


def test_many_listeners_do_not_hold_up_the_api(mock: Running, good: dict[str, Any]) -> None:
    gone = threading.Event()

    def listen() -> None:
        with socket.create_connection(("127.0.0.1", mock.port), timeout=10) as listener:
            head = f"GET /__admin/live HTTP/1.1\r\nHost: 127.0.0.1:{mock.port}\r\nAccept: text/event-stream\r\n\r\n"
            listener.sendall(head.encode())
            gone.wait(10)  # and never reads

    listeners = [threading.Thread(target=listen) for _ in range(20)]
    for listener in listeners:
        listener.start()
    try:
        started = time.monotonic()
        for _ in range(50):
            assert ask(mock, value=good).status == 200
        assert time.monotonic() - started < 5
    finally:
        gone.set()
        for listener in listeners:
            listener.join()
