"""Exchanges on disk: what is written comes back, no key gets there, and a killed process leaves whole exchanges behind."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from mockserver import cassette, har, openapi
from mockserver.cassette import Cassette
from mockserver.errors import RecordError
from mockserver.messages import Exchange, Request, Response
from mockserver.ndjson import NO_REQUEST_BODY, NO_RESPONSE_BODY
from mockserver.redaction import Redactor

ROOT = Path(__file__).resolve().parent.parent
KEY = "sk-live-0a1b2c3d4e5f"


def redactor() -> Redactor:
    return Redactor(openapi.load("quickrouter"))


def exchange(**changes: Any) -> Exchange:
    values: dict[str, Any] = {
        "id": "x1",
        "request": Request(
            "POST",
            "/v1/images/generations",
            "a=1&api_key=" + KEY,
            (("Authorization", f"Bearer {KEY}"), ("X-Two", "a"), ("X-Two", "b")),
            f'{{"prompt": "雨 {KEY}"}}'.encode(),
        ),
        "response": Response(200, (("Content-Type", "application/json"),), b'{"id": "\xff"}', "cut after 12 bytes"),
        "started": 1.7e9,
        "duration": 1.25,
        "session": "s",
        "notes": ("a note",),
    }
    return Exchange(**(values | changes))


def written(path: Path, *exchanges: Exchange) -> None:
    record = Cassette(str(path), redactor())
    for one in exchanges:
        record.write(one, "https://api.example.com")
    record.close()


@pytest.mark.parametrize("name", ["t.ndjson", "t.har"])
def test_no_key_reaches_the_disk(tmp_path: Path, name: str) -> None:
    packed = gzip.compress(f'{{"echo": "{KEY}"}}'.encode())
    answer = Response(200, (("Content-Encoding", "gzip"), ("Set-Cookie", "s=topsecret1; Path=/")), packed)
    escaped = Request("POST", f"/v1/{KEY}", "", (("X-Api-Key", KEY),), b'{"prompt": "\\u0073k-live-0a1b2c3d4e5f"}')
    written(
        tmp_path / name,
        exchange(),
        exchange(response=answer),
        exchange(request=escaped, response=None, failure=f"refused {KEY}"),
    )
    raw = (tmp_path / name).read_bytes()
    assert KEY.encode() not in raw
    assert b"0a1b2c3d4e5f" not in raw
    assert b"topsecret1" not in raw
    back = list(cassette.read(str(tmp_path / name)))
    assert len(back) == 3
    assert back[1].response is not None
    assert json.loads(back[1].response.body) == {"echo": "[redacted]"}
    assert back[1].response.header("content-encoding") is None


def test_words_and_numbers_of_cookies_stay_in_bodies() -> None:
    """Attributes are no secrets, and neither is what any body may hold by chance: a record has to stay readable."""
    asked = Request("POST", "/a", "", (("Cookie", "seen=true; id=topsecret1"),), b'{"stream": true, "x": "topsecret1"}')
    kind = "s=topsecret2; Max-Age=3600; Domain=api.example.com; SameSite=None"
    answer = Response(200, (("Set-Cookie", kind),), b'{"created": 1736003600, "x": "None topsecret2"}')
    clean = cassette.redacted(exchange(request=asked, response=answer), redactor())
    assert clean.request.header("cookie") == "seen=[redacted]; id=[redacted]"
    assert json.loads(clean.request.body) == {"stream": True, "x": "[redacted]"}
    assert clean.response is not None
    assert clean.response.header("set-cookie") == kind.replace("topsecret2", "[redacted]")
    assert json.loads(clean.response.body) == {"created": 1736003600, "x": "None [redacted]"}


def test_ndjson_comes_back_as_it_was(tmp_path: Path) -> None:
    keyless = Request("GET", "/a%20b", "x=1&x=2", (("X-Two", "a"), ("X-Two", "b")), b"")
    packed = Response(201, (("Content-Encoding", "gzip"),), gzip.compress(b"{}"))
    given = [
        exchange(request=keyless),
        exchange(id="x2", request=keyless, response=None, failure="timeout"),
        exchange(id="x3", request=keyless, response=packed),
    ]
    written(tmp_path / "t.ndjson", *given)
    assert list(cassette.read(str(tmp_path / "t.ndjson"))) == given


def test_har_comes_back_with_what_har_can_say(tmp_path: Path) -> None:
    given = exchange(request=Request("POST", "/p", "q=%20", (("Host", "api.example.com"), ("X", "1")), b"\x00\xff"))
    written(tmp_path / "t.har", given)
    (back,) = cassette.read(str(tmp_path / "t.har"))
    assert (back.request, back.response) == (given.request, given.response)
    assert (back.started, back.duration, back.id) == (1.7e9, 1.25, f"{tmp_path / 't.har'}#1")
    log = json.loads((tmp_path / "t.har").read_text())["log"]
    assert log["version"] == "1.2"
    assert log["entries"][0]["request"]["url"] == "https://api.example.com/p?q=%20"


@pytest.mark.parametrize("name", ["t.ndjson", "t.har"])
def test_a_record_is_gone_on_with(tmp_path: Path, name: str) -> None:
    for _ in range(3):
        written(tmp_path / name, exchange())
    assert len(list(cassette.read(str(tmp_path / name)))) == 3
    written(tmp_path / f"empty-{name}")
    assert list(cassette.read(str(tmp_path / f"empty-{name}"))) == []


def test_a_har_of_somebody_else_is_not_written_into(tmp_path: Path) -> None:
    file = tmp_path / "t.har"
    file.write_text('{"log": {"entries": []}}')
    with pytest.raises(RecordError, match="was not written by this command"):
        Cassette(str(file), redactor())
    assert file.read_text() == '{"log": {"entries": []}}'


@pytest.mark.parametrize("content", ["some notes\nwithout an end", "[1]\n", '{"a": 1}\n{"b"', "\n\nx"])
def test_a_file_of_somebody_else_is_not_written_into(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(RecordError, match="was not written by this command"):
        Cassette(str(path), redactor())
    assert path.read_text() == content


@pytest.mark.parametrize("name", ["t.ndjson", "t.har"])
def test_a_new_record_is_for_nobody_else(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, exchange())
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    (tmp_path / name).chmod(0o644)
    written(tmp_path / name, exchange())
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o644


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="No such file"):
        Cassette(str(tmp_path / "no" / "t.ndjson"), redactor())


def test_a_cut_last_line_is_dropped_with_a_note_and_mended_by_the_next_run(tmp_path: Path) -> None:
    file = tmp_path / "t.ndjson"
    written(file, exchange(), exchange(id="x2"))
    whole = file.read_bytes()
    for cut in (1, 40, len(whole) // 2 - 1):
        file.write_bytes(whole[:-cut])
        notes: list[str] = []
        back = [one.id for one in cassette.read(str(file), notes)]
        if cut == 1:  # only the line break is gone: nothing is lost
            assert (back, notes) == (["x1", "x2"], [])
        else:
            assert (back, notes) == (["x1"], [f"{file}:2: the last line is cut and was left out"])
        written(file, exchange(id="x3"))
        assert [one.id for one in cassette.read(str(file))] == [*back, "x3"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": "x", "request"', "is not JSON"),
        (b'{"id": "\xff"}', "is not UTF-8"),
        (b'{"id": "x", "request": {"method": "GET"}, "response": null}', "no usable 'path'"),
        (b'{"request": {"method": "GET", "path": "/"}, "response": {"status": "200"}}', "no usable 'status'"),
        (b'{"request": {"method": "GET", "path": "/", "headers": ["a"]}, "response": null}', "pairs of texts"),
        (b'{"request": {"method": "GET", "path": "/", "base64": "?"}, "response": null}', "not base64"),
        (b'{"request": 1}', "no usable 'request'"),
        (b"[1]", "an exchange is an object"),
        (b"[" * 100_000, "cannot be read"),
    ],
)
def test_a_broken_line_elsewhere_names_file_and_line(tmp_path: Path, line: bytes, said: str) -> None:
    file = tmp_path / "t.ndjson"
    written(file, exchange())
    good = file.read_bytes()
    file.write_bytes(good + line + b"\n" + good)
    with pytest.raises(RecordError) as caught:
        list(cassette.read(str(file)))
    assert str(caught.value).startswith(f"{file}:2: ")
    assert said in str(caught.value)


WRITER = """
import sys, itertools
from mockserver import openapi
from mockserver.cassette import Cassette
from mockserver.messages import Exchange, Request, Response
from mockserver.redaction import Redactor
record = Cassette(sys.argv[1], Redactor(openapi.load("quickrouter")))
for number in itertools.count():
    record.write(Exchange(f"x{number}", Request("GET", "/"), Response(200, (), b"a" * 50_000)))
    if number == 20:
        print("ready", flush=True)
"""


@pytest.mark.parametrize("name", ["t.ndjson", "t.har"])
def test_what_was_written_survives_a_kill(tmp_path: Path, name: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / name)], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    back = []
    try:
        for one in cassette.read(str(tmp_path / name), []):
            back.append(one)
    except RecordError:
        assert name.endswith(".har")  # its end may be missing; the entries before it were read
    assert len(back) >= 20


def archive(path: Path, *entries: dict[str, Any], **log: Any) -> Path:
    path.write_text(json.dumps({"log": {"version": "1.2", **log, "entries": list(entries)}}), encoding="utf-8")
    return path


def entry(**changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "startedDateTime": "2026-11-23T10:00:00.000Z",
        "time": 1500,
        "request": {"method": "POST", "url": "https://a.example/v1/x?y=1#f", "headers": []},
        "response": {
            "status": 200,
            "headers": [],
            "content": {"size": 2, "mimeType": "application/json", "text": "{}"},
        },
    }
    for name, change in changes.items():
        value[name] = {**value[name], **change} if isinstance(change, dict) else change
    return value


def only(path: Path) -> Exchange:
    (found,) = cassette.read(str(path))
    return found


def test_har_of_a_browser(tmp_path: Path) -> None:
    headers = [
        {"name": ":method", "value": "POST"},
        {"name": ":authority", "value": "a.example"},
        {"name": "Accept", "value": "a"},
        {"name": "accept", "value": "b"},
        {"name": "X-Lines", "value": "one\ntwo"},
    ]
    asked = {"headers": headers, "postData": {"mimeType": "application/json", "text": '{"a": "雨"}'}}
    coded = {
        "headers": [{"name": "content-encoding", "value": "br"}],
        "content": {"text": "aGk=", "encoding": "base64"},
    }
    found = only(archive(tmp_path / "t.har", entry(request=asked, response=coded), pages=[{"entries": [1]}]))
    assert found.request.headers == (
        ("Host", "a.example"), ("Accept", "a"), ("accept", "b"), ("X-Lines", "one"), ("X-Lines", "two"),
    )  # fmt: skip
    assert (found.request.path, found.request.query, found.request.body) == ("/v1/x", "y=1", '{"a": "雨"}'.encode())
    assert found.response is not None
    assert (found.response.body, found.response.header("content-encoding")) == (b"hi", None)
    assert (found.started, found.duration) == (1795428000.0, 1.5)


def test_har_bodies_that_are_still_compressed_stay_so(tmp_path: Path) -> None:
    packed = base64.b64encode(gzip.compress(b"{}")).decode()
    coded = {
        "headers": [{"name": "Content-Encoding", "value": "gzip"}],
        "content": {"text": packed, "encoding": "base64"},
    }
    response = only(archive(tmp_path / "t.har", entry(response=coded))).response
    assert response is not None
    assert (gzip.decompress(response.body), response.header("content-encoding")) == (b"{}", "gzip")


def test_har_says_when_a_body_is_missing(tmp_path: Path) -> None:
    asked = {"bodySize": 20}
    dropped = {"content": {"size": 2, "text": ""}}
    assert only(archive(tmp_path / "t.har", entry(request=asked, response=dropped))).notes == (
        NO_REQUEST_BODY,
        NO_RESPONSE_BODY,
    )
    form = {"postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "b c"}]}}
    found = only(archive(tmp_path / "t.har", entry(request=form, response={"content": {"size": 0}})))
    assert (found.request.body, found.notes) == (b"a=b+c", ())
    parts = {"postData": {"mimeType": "multipart/form-data; boundary=x", "params": [{"name": "a", "value": "b"}]}}
    assert only(archive(tmp_path / "t.har", entry(request=parts))).notes == (NO_REQUEST_BODY,)


def test_har_bodies_in_files_are_read_beside_the_archive_only(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "body.json").write_text('{"a": 1}')
    (tmp_path / "secret").write_text("no")
    for name, body, notes in (("body.json", b'{"a": 1}', ()), ("../secret", b"", (NO_RESPONSE_BODY,))):
        outside = {"content": {"size": 8, "text": None, "_file": name}}
        found = only(archive(tmp_path / "in" / "t.har", entry(response=outside)))
        assert found.response is not None
        assert (found.response.body, found.notes) == (body, notes)


def test_har_without_an_answer(tmp_path: Path) -> None:
    silent = {"status": 0, "_error": "net::ERR_ABORTED"}
    found = only(archive(tmp_path / "t.har", entry(response=silent)))
    assert (found.response, found.failure) == (None, "net::ERR_ABORTED")
    cut = {"_error": "net::ERR_CONTENT_LENGTH_MISMATCH"}
    response = only(archive(tmp_path / "t.har", entry(response=cut))).response
    assert response is not None
    assert response.cut == "net::ERR_CONTENT_LENGTH_MISMATCH"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file ends"),
        ("[]", "'{' is expected at the beginning, got '['"),
        ('{"log": {"version": "1.2"}}', "it has no log.entries"),
        ('{"log": {"entries": {}}}', "'[' is expected in log.entries"),
        ('{"log": {"entries": [1]}}', "entry 1: it has no request"),
        ('{"log": {"entries": [{"request": {"method": "GET"}, "response": {}}]}}', "no url"),
        ('{"log": {"entries": [{"request"', "entry 1: the file ends in the middle"),
        ('{"log": {"entries": [nonsense' + " " * 100, "entry 1: not JSON"),
        ('{"log": {"entries": [' + "[" * 200_000, "entry 1: nested too deeply"),
        ('{"log": {"entries": [' + "9" * 5000 + "]}}", "entry 1: nested too deeply, or a number too long"),
    ],
)
def test_a_broken_archive_says_where(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "t.har"
    file.write_text(text)
    with pytest.raises(RecordError) as caught:
        list(cassette.read(str(file)))
    assert str(caught.value).startswith(str(file))
    assert said in str(caught.value)


def test_an_archive_is_known_by_its_content_and_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    text = json.dumps({"log": {"entries": [entry()]}}, indent=1)
    file = tmp_path / "traffic.json"
    file.write_text(text, encoding="utf-8-sig")
    assert len(list(cassette.read(str(file)))) == 1


def test_a_large_archive_is_never_held_whole(tmp_path: Path) -> None:
    """60 MB in entries of 200 kB, one value cut by every chunk, in a fifth of that memory."""
    file = tmp_path / "t.har"
    one = json.dumps(entry(response={"content": {"size": 200_000, "text": "雨x" * 50_000}}))
    with file.open("w", encoding="utf-8") as out:
        out.write('{"log": {"entries": [' + one)
        for _ in range(199):
            out.write("," + one)
        out.write("]}}")
    assert file.stat().st_size > 60_000_000
    tracemalloc.start()
    count = sum(1 for _ in cassette.read(str(file)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200
    assert most < 12_000_000


def test_our_archive_is_whole_after_every_exchange(tmp_path: Path) -> None:
    record = Cassette(str(tmp_path / "t.har"), redactor())
    for number in range(3):
        record.write(exchange(id=f"x{number}"))
        assert len(json.loads((tmp_path / "t.har").read_text())["log"]["entries"]) == number + 1
    record.close()
    assert har.CLOSING.encode() == (tmp_path / "t.har").read_bytes()[-len(har.CLOSING) :]
