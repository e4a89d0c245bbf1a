"""The judge looks at pictures: it takes those that were asked for, and names what is wrong with others."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mockserver import openapi, viewing
from mockserver.findings import Severity
from mockserver.meaning import Session
from mockserver.messages import Exchange, Request, Response
from mockserver.pictures import PIXELS_AT_MOST
from mockserver.rules import RULES
from mockserver.validation import Judge

JSON = (("Content-Type", "application/json"),)
LINK = "https://easel.example/heron.png"


@cache
def judge() -> Judge:
    return Judge(openapi.load(str(Path(__file__).parent / "pictured")))


def file(
    size: tuple[int, int] = (320, 200), kind: str = "PNG", mode: str = "RGB", colour: Any = 0, **options: Any
) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, colour).save(stream, kind, **options)
    return stream.getvalue()


def inline(content: bytes) -> str:
    return base64.b64encode(content).decode()


def exchange(name: str, wishes: dict[str, Any], *canvases: dict[str, str]) -> Exchange:
    asked = {"motif": "a heron", "extent": "320x200", "copies": len(canvases), **wishes}
    request = Request("POST", "/canvases", "", JSON, json.dumps(asked).encode())
    return Exchange(name, request, Response(200, JSON, json.dumps({"canvases": canvases}).encode()))


def found(wishes: dict[str, Any], *canvases: str | bytes, link: str = LINK) -> list[str]:
    """The rules that an answer with these pictures breaks, each with its place."""
    listed = [{"inline": inline(one) if isinstance(one, bytes) else one, "link": link} for one in canvases]
    violations = judge().exchange(exchange("e", wishes, *listed))
    return [f"{v.rule} {v.pointer}" for v in violations]


HERE = "/body/canvases/0/inline"
CLEAR: Any = (0, 0, 0, 0)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_what_was_asked_for_is_taken(kind: str) -> None:
    assert found({"file": kind}, file(kind=kind)) == []
    assert found({"file": kind, "extent": "any"}, file((33, 44), kind=kind)) == [], "any size is the server's choice"
    if kind != "jpeg":
        assert found({"file": kind, "ground": "transparent"}, file(kind=kind, mode="RGBA", colour=CLEAR)) == []
        assert found({"file": kind, "ground": "any"}, file(kind=kind, mode="RGBA", colour=CLEAR)) == []
        assert found({"file": kind, "ground": "opaque"}, file(kind=kind, mode="RGBA", colour=(1, 2, 3, 255))) == []


def test_who_asks_for_a_transparent_jpeg_is_owed_none() -> None:
    assert found({"file": "jpeg", "ground": "transparent"}, file(kind="JPEG")) == []


@pytest.mark.parametrize(
    ("wishes", "content", "rule"),
    [
        ({}, "not base64!", "base64"),
        ({}, inline(file())[:-1], "base64"),
        ({}, inline(file())[:40] + "\n" + inline(file())[40:], "base64"),
        ({}, "", "undecodable"),
        ({}, b"no picture at all", "undecodable"),
        ({}, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "undecodable"),
        ({}, file()[:200], "undecodable"),
        ({}, file((320, 200), "JPEG")[:300], "undecodable"),
        ({}, file(kind="JPEG"), "format"),
        ({"file": "webp"}, file(), "format"),
        ({"file": "jpeg"}, file(kind="GIF"), "format"),
        ({}, file((200, 320)), "size"),
        ({}, file((319, 200)), "size"),
        ({"ground": "transparent"}, file(), "background"),
        ({"ground": "transparent"}, file(mode="RGBA", colour=(0, 0, 0, 255)), "background"),
        ({"ground": "opaque"}, file(mode="RGBA", colour=(0, 0, 0, 254)), "background"),
        ({"ground": "opaque"}, file(mode="P", transparency=0), "background"),
    ],
)
def test_what_was_not_asked_for_is_named(wishes: dict[str, Any], content: str | bytes, rule: str) -> None:
    assert found(wishes, content) == [f"meaning.image-{rule} {HERE}"]


def test_a_data_url_is_no_base64_and_is_looked_at_all_the_same() -> None:
    url = f"data:image/png;base64,{inline(file((1, 1)))}"
    assert found({}, url) == [f"meaning.image-base64 {HERE}", f"meaning.image-size {HERE}"]
    assert found({}, file(), link=url) == ["meaning.image-size /body/canvases/0/link"]
    assert found({}, file(), link=f"data:image/png;base64,{inline(file(colour=(9, 9, 9)))}") == []


@pytest.mark.parametrize(
    "link", ["", "heron.png", "/heron.png", "//easel.example/x", "ftp://easel.example/x", "http://["]
)
def test_an_address_has_scheme_and_host(link: str) -> None:
    assert found({}, file(), link=link) == ["meaning.image-url /body/canvases/0/link"]


def test_two_pictures_of_an_answer_are_not_the_same() -> None:
    same = [file(compress_level=1), file(compress_level=9)]
    assert same[0] != same[1], "it is the pixels that count"
    assert found({}, *same) == ["meaning.image-same /body/canvases/1/inline"]
    assert found({}, file(), file(colour=(0, 0, 1))) == []


def test_another_text_gets_another_picture() -> None:
    session, canvas = Session(), {"inline": inline(file()), "link": LINK}
    assert judge().exchange(exchange("e1", {}, canvas), session) == ()
    assert judge().exchange(exchange("e2", {"brush": "x"}, canvas), session) == (), "only the text counts"
    (violation,) = judge().exchange(exchange("e3", {"motif": "an egret"}, canvas), session)
    assert violation.rule == "meaning.image-repeated"
    assert violation.severity is Severity.WARNING
    assert "e1" in violation.message


def test_a_violation_says_what_was_wanted_and_what_came() -> None:
    canvas = {"inline": inline(file((200, 320), "JPEG")), "link": LINK}
    size, kind = sorted(judge().exchange(exchange("e", {}, canvas)), key=lambda v: v.rule, reverse=True)
    assert size.message == (
        "canvases[0].inline must have the size that the request's extent says; "
        "got 320x200 was asked for, a picture of 200x320 pixels came"
    )
    assert (kind.rule, kind.severity) == ("meaning.image-format", Severity.ERROR)
    assert size.place.endswith("/x-image")


def test_a_bomb_is_not_unpacked() -> None:
    """A few kilobytes that would be gigabytes of pixels: the header alone is read."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    for side in (5000, 60000):
        header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
        bomb = (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(bytes(10**6)))
            + chunk(b"IEND", b"")
        )
        assert side * side > PIXELS_AT_MOST
        rules = {rule.split()[0] for rule in found({}, bomb)}
        assert rules <= {"meaning.image-size", "meaning.image-undecodable"}
        assert rules


def test_damaged_files_of_all_kinds_are_findings_and_nothing_worse() -> None:
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        whole = file(kind=kind)
        for place in range(0, len(whole), max(1, len(whole) // 40)):
            damaged = bytearray(whole)
            damaged[place] ^= 0xFF
            viewing.faults({"as": "base64"}, {}, inline(bytes(damaged)))
            viewing.faults({"as": "base64"}, {}, inline(whole[:place]))


def test_every_fault_has_a_rule() -> None:
    names = {name for name in RULES if name.startswith("meaning.image-")}
    assert len(names) == 8
