"""The suite judges pictures: clean on the mock, and telling what is wrong with those of a server that spoils them."""

from __future__ import annotations

import base64
import http.client
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from contract_tests.target import Target
from mockserver import openapi
from mockserver.server import Running
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


def test_an_address_is_followed_without_the_key_and_only_where_it_may_lead(start: Callable[..., Running]) -> None:
    mock = start(contract=EASEL)
    contract = openapi.load(EASEL)
    near = Target(f"http://127.0.0.1:{mock.port}", contract, "a-secret-key")
    with pytest.raises(LookupError, match="status 404"):
        near.followed(f"http://127.0.0.1:{mock.port}/nothing?x=1")
    (entry,) = mock.journal.entries()
    assert "a-secret-key" not in str(entry.exchange)
    with pytest.raises(LookupError, match="leads nowhere"):
        near.followed("http://127.0.0.1:1/x.png")
    near.close()
    far = Target("http://api.easel.example", contract, "k")
    with pytest.raises(LookupError, match="machine of whoever reads it"):
        far.followed(f"http://127.0.0.1:{mock.port}/x.png")
    far.close()
