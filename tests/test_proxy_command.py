"""``proxy`` as a command: how it begins, ends, and what it says of a mistake in the call."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from test_cli import COMMAND, ROOT, environment, run

from mockserver import cassette
from mockserver.server import background
from mockserver.settings import Settings
from tests.proxied import HEADERS, KEY, OK, PATH


def test_the_command_ends_the_proxy(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, urllib.request, sys\n"
        "given = {'Content-Type': 'application/json', 'Accept': '*/*', 'Authorization': 'Bearer ' + os.environ['OPENAI_API_KEY']}\n"
        f"ask = urllib.request.Request(os.environ['OPENAI_BASE_URL'] + '/images/generations', {OK!r}, given)\n"
        "print(urllib.request.urlopen(ask).status)\nsys.exit(int(sys.argv[1]))\n"
    )
    with background(Settings()) as mock:
        target = [*("proxy", mock.url, "--record", str(tmp_path / "t.har")), "--", sys.executable, str(program)]
        done = run(*target, "0", OPENAI_API_KEY=KEY)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "200")
        assert done.stdout.splitlines()[-1].startswith("clean: 1 request, 1 image")
        assert KEY not in (tmp_path / "t.har").read_text() + done.stdout
        assert mock.journal.entries()[0].violations == ()
        done = run(*target, "7", OPENAI_API_KEY=KEY)
        assert done.returncode == 1
        assert "failed with exit code 7" in done.stderr
        assert run("proxy", mock.url, "--", sys.executable, "-c", "pass").returncode == 3
    assert len(list(cassette.read(str(tmp_path / "t.har")))) == 2


def test_a_key_of_the_environment_gets_into_no_record(tmp_path: Path) -> None:
    """Also where it stands in a body alone, or in another code, and no header carries it."""
    coded = base64.b64encode(f"user:{KEY}".encode()).decode()
    program = (
        "import os, urllib.request, urllib.error\n"
        f"ask = urllib.request.Request(os.environ['OPENAI_BASE_URL'] + '/{KEY}', b'{{\"a\": \"{KEY} {coded}\"}}')\n"
        "try: urllib.request.urlopen(ask)\nexcept urllib.error.HTTPError: pass\n"
    )
    with background(Settings()) as mock:
        options = ["--record", str(tmp_path / "t.ndjson"), "--report", f"json={tmp_path / 't.json'}"]
        done = run("proxy", mock.url, *options, "--", sys.executable, "-c", program, OPENAI_API_KEY=KEY)
    assert done.returncode == 1
    texts = [(tmp_path / name).read_text() for name in ("t.ndjson", "t.json")] + [done.stdout, done.stderr]
    assert "[redacted]" in texts[0]
    for text in texts:
        assert KEY not in text
        assert coded[8:-8] not in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_verdict(number: signal.Signals) -> None:
    with background(Settings()) as mock:
        command = [*COMMAND, "proxy", mock.url, "--port", "0"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=environment(), text=True)
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
            connection.request("POST", PATH, b"{}", HEADERS)
            assert connection.getresponse().status == 400
        os.kill(child.pid, number)
        out, _ = child.communicate(timeout=20)
    assert child.returncode == 1
    assert out.splitlines()[-1].startswith("findings: 3 errors")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ftp://a.example"], "is not a base URL"),
        (["http://u:p@a.example"], "must not hold credentials"),
        (
            ["http://a.example", "--record", "/no/such/folder/x.har"],
            "traffic cannot be recorded in /no/such/folder/x.har",
        ),
        ([], "Missing argument 'UPSTREAM_URL'"),
        (["http://127.0.0.1:1", "--", "no-such-command"], "there is no command 'no-such-command'"),
    ],
)
def test_usage_errors_are_one_line(arguments: list[str], said: str) -> None:
    done = run("proxy", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
