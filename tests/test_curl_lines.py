"""Curl lines are pasted into shells: what a record holds is an argument there, whatever it says."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from mockserver.curl import curl
from mockserver.messages import Request

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="bash is needed")

KEY = "the-key-itself"
URL = "http://127.0.0.1:1"
POST = Request("POST", "/make", "", (), b"{}")


def arguments(request: Request) -> list[str]:
    """What curl would be called with, if the line were pasted."""
    line = curl(request, URL, KEY, "THE_KEY")
    assert KEY not in line
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{line}"
    done = subprocess.run(
        ["bash", "-eu", "-c", script], env={"THE_KEY": "from-env"}, check=True, capture_output=True, timeout=20
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("X`echo a`$(b)", "k", None),
        ("X`exit`", KEY, "X`exit`: from-env"),
        ("$HOME!x", KEY, "$HOME!x: from-env"),
        ("X-Two", f'a "$(exit 7)" {KEY}`exit 7`\\', 'X-Two: a "$(exit 7)" from-env`exit 7`\\'),
        ("X-Two", f"a {KEY}b", "X-Two: a from-envb"),
        ('x"; exit 7; "-token', KEY, None),
        ("@/etc/passwd", "a", None),
    ],
)
def test_headers_of_a_record_run_nothing(name: str, value: str, sent: str | None) -> None:
    asked = arguments(Request("POST", "/make", "", ((name, value), ("X-After", "b")), b"{}"))
    own = [text for option, text in itertools.pairwise(asked) if option == "-H"]
    assert own == ([sent] if sent else []) + ["X-After: b"]


def test_a_method_of_a_record_is_one_argument() -> None:
    assert arguments(Request("PUT; exit 7;", "/make", "", ()))[1:4] == ["-X", "PUT; exit 7;", f"{URL}/make"]


def test_a_body_of_a_record_names_no_file() -> None:
    assert arguments(Request("POST", "/make", "", (), b"@/etc/passwd"))[-2:] == ["--data-raw", "@/etc/passwd"]
    assert arguments(POST)[-2:] == ["--data-binary", "{}"]


@pytest.mark.parametrize("query", ["a=[1-1000]", "a={b,c}"])
def test_an_address_of_a_record_stays_one_request(query: str) -> None:
    assert arguments(Request("POST", "/make", query, (), b"{}"))[1:3] == ["--globoff", f"{URL}/make?{query}"]
    assert "--globoff" not in arguments(POST)
