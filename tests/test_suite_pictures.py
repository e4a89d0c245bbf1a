"""The suite judges pictures: clean on the mock, and telling what is wrong with those of a server that spoils them."""

from __future__ import annotations

import base64
import http.client
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contract_tests import following
from contract_tests.budget import Budget
from contract_tests.examination import Examination
from contract_tests.plan import make_plan
from contract_tests.target import Target
from mockserver import openapi
from mockserver.meaning import PICTURES_AT_MOST
from mockserver.messages import Request
from mockserver.server import Running
from mockserver.validation import Judge
from mockserver.viewing import UnfollowedError
from tests.test_suite_run import report_of, suite

EASEL = str(Path(__file__).parent / "pictured")
OWN = ("host", "accept-encoding", "connection", "content-length", "transfer-encoding", "date")
"""Headers of one connection."""
Spoil = Callable[[dict[str, Any], dict[str, Any]], None]
"""Changes an accepted answer, given the request."""


@contextmanager
def spoiling(mock: Running, spoil: Spoil) -> Iterator[str]:
    """A server that passes everything on to the mock and spoils its pictures."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.headers.get("Transfer-Encoding"):
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size + 2)[:-2]
                self.rfile.readline()
            headers = {n: v for n, v in self.headers.items() if n.lower() not in OWN}
            connection = http.client.HTTPConnection("127.0.0.1", mock.port)
            connection.request(self.command, self.path, body, {**headers, "Host": self.headers["Host"]})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if answer.status == 200 and self.command == "POST":
                value = json.loads(content)
                spoil(json.loads(body), value)
                content = json.dumps(value).encode()
            self.send_response(answer.status)
            for name, text in answer.getheaders():
                if name.lower() not in OWN:
                    self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = pass_on  # noqa: N815

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/studio"
        finally:
            server.shutdown()


def repainted(text: str, kind: str, size: tuple[int, int] | None = None) -> str:
    image = Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB")
    stream = io.BytesIO()
    (image.resize(size) if size else image).save(stream, kind)
    return base64.b64encode(stream.getvalue()).decode()


def spoilt(asked: dict[str, Any], answer: dict[str, Any]) -> None:
    """PNG whatever was asked for, one format of paper turned, all pictures of an answer alike, addresses that end."""
    canvases = answer["canvases"]
    for canvas in canvases:
        turned = (320, 200) if asked.get("extent") == "200x320" else None
        canvas["inline"] = repainted(canvases[0]["inline"], "PNG", turned)
        canvas["link"] += ".gone"


def test_the_suite_finds_what_is_wrong_with_pictures(start: Callable[..., Running], tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with spoiling(start(contract=EASEL), spoilt) as url:
        done = suite(url, "--contract", EASEL, "--report", f"json={path}")
    assert done.returncode == 1, done.stderr
    found = {finding["rule"]: finding for finding in report_of(path)["findings"]}
    assert set(found) == {f"meaning.image-{fault}" for fault in ("format", "size", "background", "same", "url")}, {
        name: finding["message"] for name, finding in found.items()
    }
    assert "200x320" in found["meaning.image-size"]["condition"]
    assert "transparent" in found["meaning.image-background"]["condition"]
    assert "404" in found["meaning.image-url"]["observed"]


def test_the_mock_s_own_pictures_are_clean(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    done = suite("--contract", EASEL, "--report", f"json={path}", "--seed", "5")
    assert (done.returncode, report_of(path)["findings"]) == (0, []), done.stdout


def test_an_address_is_followed_without_the_key(start: Callable[..., Running]) -> None:
    mock = start(contract=EASEL)
    near = Target(f"http://127.0.0.1:{mock.port}", openapi.load(EASEL), "a-secret-key")
    with pytest.raises(LookupError, match="status 404"):
        near.followed(f"http://127.0.0.1:{mock.port}/nothing?x=1")
    (entry,) = mock.journal.entries()
    assert "a-secret-key" not in str(entry.exchange)
    with pytest.raises(LookupError, match="leads nowhere"):
        near.followed("http://127.0.0.1:1/x.png")
    near.close()


@contextmanager
def odd_pictures() -> Iterator[tuple[str, list[str]]]:
    """A server of files that come by detours or never, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            asked.append(self.path)
            where = {"/moved": "/file", "/round": "/round", "/inside": "http://169.254.169.254/latest/meta-data"}
            if self.path in where:
                self.send_response(302)
                self.send_header("Location", where[self.path])
                self.end_headers()
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a file")
            with suppress(OSError):
                while self.path == "/drip":
                    time.sleep(0.05)
                    self.wfile.write(b"x")

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("host", "error", "said"),
    [
        ("127.0.0.1", LookupError, "machine of whoever reads it"),
        ("0.0.0.0", LookupError, "machine of whoever reads it"),
        ("[::ffff:127.0.0.1]", LookupError, "machine of whoever reads it"),
        ("169.254.169.254", LookupError, "network of whoever reads it"),
        ("10.1.2.3", LookupError, "network of whoever reads it"),
        ("127.1", UnfollowedError, "network of whoever runs"),
        ("2130706433", UnfollowedError, "network of whoever runs"),
        ("u:p@0x7f.1", UnfollowedError, "network of whoever runs"),
    ],
)
def test_no_address_leads_nearer_than_the_api_is(host: str, error: type[LookupError], said: str) -> None:
    """However it is written: what counts is where the connection leads, and that is known before anything is sent."""
    far = Target("http://api.easel.example", openapi.load(EASEL), "k")
    with odd_pictures() as (url, asked):
        with pytest.raises(LookupError, match=said) as raised:
            far.followed(f"http://{host}:{url.rpartition(':')[2]}/file")
        assert type(raised.value) is error
        assert asked == []
    far.close()


def test_pictures_that_come_by_detours_or_never() -> None:
    with odd_pictures() as (url, asked):
        near = Target(url, openapi.load(EASEL), "k", timeout_s=1.5)
        assert near.followed(f"{url}/moved") == b"a file"
        assert asked == ["/moved", "/file"]
        with pytest.raises(LookupError, match="network of whoever reads it"):
            near.followed(f"{url}/inside")
        with pytest.raises(LookupError, match="on and on"):
            near.followed(f"{url}/round")
        started = time.monotonic()
        with pytest.raises(LookupError, match="did not give all of a picture within"):
            near.followed(f"{url}/drip")
        assert time.monotonic() - started < 10
        near.close()


def test_a_picture_has_less_time_than_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "ONE_S", 0.5)
    with odd_pictures() as (url, _):
        near = Target(url, openapi.load(EASEL), "k", timeout_s=20)
        assert near.send(Request("GET", "/file", "", (), b"")).response is not None
        started = time.monotonic()
        with pytest.raises(LookupError, match="did not give all of a picture within"):
            near.followed(f"{url}/drip")
        assert time.monotonic() - started < 3
        near.close()


def test_one_answer_does_not_have_pictures_without_end(start: Callable[..., Running], tmp_path: Path) -> None:
    """An answer has room for thousands of addresses; each asked for would be a request more."""
    count = 0

    def many(_: dict[str, Any], answer: dict[str, Any]) -> None:
        answer["canvases"] *= 500

    class Counting(Target):
        def followed(self, url: str) -> bytes:
            nonlocal count
            count += 1
            return super().followed(url)

    contract = openapi.load(EASEL)
    judge = Judge(contract)
    with spoiling(start(contract=EASEL), many) as url:
        target = Counting(url, contract, "sk-contract-test")
        examination = Examination(judge, target, Budget())
        trial = examination.send(make_plan(judge, 1, 60, False, True).valid[0], confirm=False)
        target.close()
    assert trial is not None
    assert "meaning.length" in {violation.rule for violation in trial.violations}
    assert 0 < count <= PICTURES_AT_MOST
