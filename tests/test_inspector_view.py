"""What the inspector makes of messages: lines with their places, pictures whatever their field is called, nothing too long."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

import mockserver
from mockserver.findings import Severity, Violation
from mockserver.inspector import outline, pictures, view
from mockserver.inspector.visible import on_one_line, visible
from mockserver.journal import Entry
from tests.test_inspector import PNG

PLACE = view.Place("http://127.0.0.1:4010", 4010)
CODED = base64.b64encode(PNG).decode()
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(60))
WEBP = b"RIFF\x40\0\0\0WEBPVP8 " + bytes(60)


def entry(body: bytes = b"", kind: str = "application/json", answer: bytes = b"", *violations: Violation) -> Entry:
    return Entry(
        "a-1", 1.0, 0.5, "", "POST", b"/x", b"", (b"content-type",), (kind.encode(),), body, 200,
        (b"content-type",), (b"application/json",), answer, "op", violations, "", (), None,
    )  # fmt: skip


def broken(pointer: str, message: str = "wrong") -> Violation:
    return Violation("body.type", Severity.ERROR, "request", "op", pointer, message)


def marked(body: bytes, *violations: Violation, kind: str = "application/json") -> list[tuple[str, list[int]]]:
    opened = view.opened(entry(body, kind, b"", *violations), PLACE)
    return [(line["text"], line["marks"]) for line in opened["request"]["body"]["lines"] if "marks" in line]


def test_json_is_laid_out_with_places() -> None:
    form, lines = outline.lines('{"a/b": [1.0, null], "名": "x\\ny", "o": {}}'.encode(), "application/json")
    assert form == "json"
    assert [(line["at"], line["depth"], line.get("name"), line["text"] + line.get("end", "")) for line in lines] == [
        ("/body", 0, None, "{"),
        ("/body/a~1b", 1, '"a/b"', "["),
        ("/body/a~1b/0", 2, None, "1.0,"),
        ("/body/a~1b/1", 2, None, "null"),
        ("/body/a~1b", 1, None, "],"),
        ("/body/名", 1, '"名"', '"x\\ny",'),
        ("/body/o", 1, '"o"', "{}"),
        ("/body", 0, None, "}"),
    ]


def test_a_line_says_what_was_cut_short_unless_a_violation_is_worse() -> None:
    gone = "the client went away before the answer was complete"
    assert view.line(entry())["cut"] is False
    told = view.line(entry()._replace(cut=gone))
    assert (told["cut"], told["message"]) == (True, gone)
    assert view.line(entry(b"{}", "application/json", b"", broken("/body"))._replace(cut=gone))["message"] == "wrong"


def test_places_are_marked_or_the_nearest_that_is_shown() -> None:
    body = json.dumps({"a": {"b": [1, 2]}, "many": list(range(5000))}).encode()
    assert marked(body, broken("/body/a/b/1"), broken("/body/a/x"), broken("/body/many/4000")) == [
        ("{", [2]),
        ("2", [1]),
        ("[", [3]),
    ]
    assert marked(b'{"a": 1,\n"b": }', broken("/body", "not JSON: Expecting value at line 2, column 6")) == [
        ('"b": }', [1])
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 150 + b"]" * 150,
        json.dumps({str(number): "x" * 100_000 for number in range(50)}).encode(),
        json.dumps([[0] * 1000] * 1000).encode(),
        json.dumps({"k" * 1_000_000: {"k" * 100_000: [1] * 500}}).encode(),
        b"\n" * 3_000_000,
        b"x" * 3_000_000,
        b"\xff\xfe" * 1_000_000,
        b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n" * 50_000,
        b'{"a": 1, "a": 2}',
        ("é" * 400_000).encode(),
        b"{",
        b"\0",
    ],
    ids=[
        "deep",
        "long strings",
        "lists",
        "long names",
        "lines",
        "one line",
        "bytes",
        "parts",
        "twice",
        "letters",
        "cut",
        "zero",
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=b", ""])
def test_whatever_the_body_is_little_is_sent(body: bytes, kind: str) -> None:
    opened = view.opened(entry(body, kind, body, broken("/body/0/0")), PLACE)
    assert len(json.dumps(opened, ensure_ascii=False)) < 600_000
    for side in ("request", "response"):
        assert 0 < len(opened[side]["body"]["lines"]) <= outline.LINES + 1


@pytest.mark.parametrize(
    ("body", "kind", "types"),
    [
        (json.dumps({"deep": [{"thing": CODED}, CODED]}), "application/json", ["image/png", "image/png"]),
        (json.dumps({"x": f"data:image/png;base64,{CODED}"}), "application/json", ["image/png"]),
        (json.dumps({"x": base64.b64encode(JPEG).decode()}).replace("/", "\\/"), "application/json", ["image/jpeg"]),
        (json.dumps({"x": base64.urlsafe_b64encode(JPEG).decode()}), "application/json", ["image/jpeg"]),
        (f'event: a\ndata: {{"x":"{CODED}"}}\n\nevent: b\ndata: {{"y":"{CODED}"}}\n\n', "text/event-stream", ["image/png"] * 2),
        (base64.b64encode(WEBP).decode(), "text/plain", ["image/webp"]),
        (json.dumps({"x": "iVBORw0KGgo and words", "y": "A" * 5000 + CODED}), "application/json", []),
        (json.dumps({"x": "UklGR" + "A" * 500}), "application/json", []),
    ],
    ids=["nested", "data URL", "escaped slashes", "other alphabet", "events", "plain", "no picture", "no RIFF"],
)  # fmt: skip
def test_pictures_are_recognised_by_content(body: str, kind: str, types: list[str]) -> None:
    found = pictures.found(body.encode(), kind, 4010)
    assert [one.type for one in found] == types
    assert all(one.data in (PNG, JPEG, WEBP) for one in found)


def test_pictures_of_forms_and_whole_bodies() -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    body = form + PNG + b'\r\n--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na fox\r\n--b--\r\n'
    assert [one.data for one in pictures.found(body, "multipart/form-data; boundary=b", None)] == [PNG]
    form_lines = outline.lines(body, 'multipart/form-data; boundary="b"')
    assert form_lines[0] == "parts"
    assert [(line["at"], line["text"]) for line in form_lines[1]] == [
        ("/body/image", f"file a.png, image/png, {len(PNG)} bytes"),
        ("/body/prompt", "5 bytes"),
        ("/body/prompt", "a fox"),
    ]
    assert [one.data for one in pictures.found(JPEG, "application/octet-stream", None)] == [JPEG]


def test_a_content_coding_is_undone() -> None:
    coded = entry(gzip.compress(json.dumps({"x": CODED}).encode()))
    opened = view.opened(
        coded._replace(names=(*coded.names, b"content-encoding"), values=(*coded.values, b"gzip")), PLACE
    )
    assert opened["request"]["body"]["form"] == "json"
    assert [one["type"] for one in opened["request"]["pictures"]] == ["image/png"]


def test_only_pictures_of_the_mock_itself_are_loaded() -> None:
    answer = json.dumps({"urls": ["https://img.example/a.png?s=1&t=2", "http://localhost:4010/files/1.webp?e=2", "http://127.0.0.1:4010/p",
                                  "http://127.0.0.1:4010//evil.example/x.png", "http://127.0.0.1:81/b.jpg", "https://img.example/page"],
                         "text": "see ![it](http://127.0.0.1:4010/c.gif)."})  # fmt: skip
    shown = view.opened(entry(answer=answer.replace("&", "\\u0026").encode()), PLACE)["response"]["pictures"]
    assert [(one["url"], one["src"], one["load"]) for one in shown] == [
        ("https://img.example/a.png?s=1&t=2", "", False),
        ("http://localhost:4010/files/1.webp?e=2", "http://127.0.0.1:4010/files/1.webp?e=2", True),
        ("http://127.0.0.1:4010/p", "http://127.0.0.1:4010/p", False),
        ("http://127.0.0.1:4010//evil.example/x.png", "http://127.0.0.1:4010//evil.example/x.png", True),
        ("http://127.0.0.1:81/b.jpg", "", False),
        ("http://127.0.0.1:4010/c.gif", "http://127.0.0.1:4010/c.gif", True),
    ]


def test_what_a_screen_would_obey_is_written_out() -> None:
    assert visible("a\u202eb\x1b[31m\u200b\ud800\n", 100) == "a\\u202eb\\u001b[31m\\u200b\\ud800\n"
    assert on_one_line("a\nb", 100) == "a\\nb"
    assert visible("👩‍💻 שלום 一只", 100) == "👩‍💻 שלום 一只"
    assert visible("x" * 50, 10) == "x" * 10 + "…"


COLOURS = re.findall(
    r":root \{(.*?)\}", (Path(mockserver.__file__).parent / "inspector/page/style.css").read_text(), re.DOTALL
)


@pytest.mark.parametrize("block", COLOURS, ids=["light", "dark"])
def test_every_text_has_the_contrast_of_level_aa(block: str) -> None:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(colours[one]), luminance(colours[other])))
        return (high + 0.05) / (low + 0.05)

    for ground in ("back", "card", "error-back", "chosen"):
        for text in ("text", "dim", "link", "error", "warning", "info", "clean"):
            assert contrast(text, ground) >= 4.5, (text, ground)
    for ground in ("back", "card"):
        assert contrast("edge", ground) >= 3, ground
