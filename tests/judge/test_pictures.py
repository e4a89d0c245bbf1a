"""Pictures case by case: what a file shows, and what is wrong with a text that ought to lead to one."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from mockserver import pictures, viewing
from mockserver.dimensions import FastDimensions, size_of, wrong
from mockserver.pictures import Choices, Picture, Wanted
from mockserver.viewing import Fault, Seen, UnviewableError
from tests.judge.prints import picture


def half(kind: str) -> bytes:
    """The first half of a file."""
    stream = io.BytesIO()
    Image.radial_gradient("L").save(stream, kind)
    return stream.getvalue()[: len(stream.getvalue()) // 2]


ADDRESS = "https://a.example/b.png"


def file(kind: str = "PNG", mode: str = "RGB", colour: Any = 0, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (3, 2), colour).save(stream, kind, **options)
    return stream.getvalue()


def half_clear() -> bytes:
    """A picture of which one row shows through."""
    image = Image.new("RGBA", (3, 2), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 3, 1))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "through"),
    [
        (file(), "png", False),
        (file("JPEG"), "jpeg", False),
        (file("MPO", save_all=True, append_images=[Image.new("RGB", (3, 2), 5)]), "jpeg", False),
        (file("WEBP"), "webp", False),
        (file("GIF"), "gif", False),
        (file("BMP"), "bmp", False),
        (file("TIFF"), "tiff", False),
        (file(mode="RGBA", colour=(1, 2, 3, 255)), "png", False),
        (file(mode="RGBA", colour=(1, 2, 3, 254)), "png", True),
        (file(mode="LA", colour=(1, 255)), "png", False),
        (file(mode="LA", colour=(1, 0)), "png", True),
        (file(mode="P", transparency=0), "png", True),
        (file(mode="P", transparency=1), "png", False),
        (half_clear(), "png", True),
    ],
)
def test_what_a_file_shows(content: bytes, kind: str, through: bool) -> None:
    seen = viewing.seen(content)
    assert (seen.format, seen.size, seen.see_through) == (kind, (3, 2), through)
    assert len(seen.digest) == 32


def test_a_digest_is_about_the_pixels() -> None:
    plain = viewing.seen(file()).digest
    assert plain == viewing.seen(file(compress_level=0)).digest == viewing.seen(file("BMP")).digest
    turned = io.BytesIO()
    Image.new("RGB", (2, 3)).save(turned, "PNG")
    red, blue = (Image.new("P", (3, 2)) for _ in range(2))
    red.putpalette([255, 0, 0])
    blue.putpalette([0, 0, 255])
    painted = []
    for image in (red, blue):
        stream = io.BytesIO()
        image.save(stream, "PNG")
        painted.append(stream.getvalue())
    others = [file(colour=(0, 0, 1)), file("PNG", "L"), turned.getvalue(), *painted]
    assert len({plain, *(viewing.seen(other).digest for other in others)}) == 6


def test_the_largest_picture_that_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "PIXELS_AT_MOST", 6)
    assert viewing.seen(file()).digest
    monkeypatch.setattr(viewing, "PIXELS_AT_MOST", 5)
    assert viewing.seen(file(mode="RGBA")) == Seen("png", (3, 2), False, "")
    rule = {"as": "base64", "background": {"default": "transparent"}}
    assert viewing.faults(rule, {}, base64.b64encode(file()).decode()) == (Seen("png", (3, 2), False, ""), ())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)
    with pytest.raises(UnviewableError, match=r"^the picture has far more than 5 pixels$"):
        viewing.seen(file())


@pytest.mark.filterwarnings("error")
def test_a_large_picture_warns_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    assert viewing.seen(file()).digest


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no picture at all", "17 bytes that are no picture, beginning b'no picture a'"),
        (b"", "0 bytes that are no picture, beginning b''"),
        (file("PPM"), f"{len(file('PPM'))} bytes that are no picture, beginning b'P6\\n3 2\\n255\\n\\x00'"),
        (half("PNG"), "a picture that cannot be decoded: image file is truncated"),
        (half("JPEG"), "a picture that cannot be decoded: image file is truncated"),
        (half("GIF"), "a picture that cannot be decoded: image file is truncated"),
    ],
)
def test_what_is_no_picture(content: bytes, told: str) -> None:
    with pytest.raises(UnviewableError) as error:
        viewing.seen(content)
    assert str(error.value).startswith(told)


def test_a_decoder_that_says_much_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("x" * 500)

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(UnviewableError, match=f"^a picture that cannot be decoded: {'x' * 120}$"):
        viewing.seen(b"")


RULE: dict[str, Any] = {
    "as": "base64", "size": {"request": "/s"}, "format": {"request": "/f"}, "background": {"request": "/b"},
}  # fmt: skip
URL: dict[str, Any] = {**RULE, "as": "url"}
DRAWN = base64.b64encode(b"<?xml version='1.0'?>\n<!-- a\n -->\n <svg></svg>").decode()
OTHER = picture("WEBP", (2, 3), "RGBA", (0, 0, 0, 9))
NO_ADDRESS = [("image-url", "the absolute address of a picture is expected")]


@pytest.mark.parametrize(
    ("rule", "request_", "text", "told"),
    [
        (RULE, {}, picture(), []),
        (RULE, {"s": "3x2", "f": "png", "b": "opaque"}, picture(), []),
        (RULE, {"s": "2x3", "f": "webp", "b": "transparent"}, OTHER, []),
        (
            RULE, {"s": "3x2", "f": "png", "b": "opaque"}, OTHER,
            [("image-format", "png was asked for, a webp came"),
             ("image-size", "3x2 was asked for, a picture of 2x3 pixels came"),
             ("image-background", "an opaque background was asked for, parts of it are transparent")],
        ),
        (
            RULE, {"b": "transparent"}, picture(),
            [("image-background", "a transparent background was asked for, nothing of it is transparent")],
        ),
        (RULE, {}, "a", [("image-base64", "1 characters that are not base64: Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4")]),
        (RULE, {}, "\u00e4", [("image-base64", "1 characters that are not base64: string argument should contain only ASCII characters")]),
        (RULE, {}, picture()[:8] + "\n" + picture()[8:], [("image-base64", f"{len(picture()) + 1} characters that are not base64: Only base64 data is allowed")]),
        (RULE, {}, "AAAA", [("image-undecodable", "3 bytes that are no picture, beginning b'\\x00\\x00\\x00'")]),
        (
            RULE, {"s": "9x9"}, f"DATA:image/svg+xml;base64,{picture()}",
            [("image-base64", "base64 alone is expected; it begins with DATA:image/svg+xml;base64,"),
             ("image-size", "9x9 was asked for, a picture of 3x2 pixels came")],
        ),
        (
            RULE, {}, "data:image/png;base64,a",
            [("image-base64", "base64 alone is expected; it begins with data:image/png;base64,"),
             ("image-base64", "23 characters that are not base64: Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4")],
        ),
        (RULE, {}, DRAWN, []),
        (RULE, {"f": "png"}, DRAWN, [("image-undecodable", "46 bytes that are no picture, beginning b'<?xml versio'")]),
        (RULE, {}, base64.b64encode(b" " * 1995 + b"<svg>").decode(), []),
        (RULE, {}, base64.b64encode(b" " * 1996 + b"<svg>").decode(), [("image-undecodable", "2001 bytes that are no picture, beginning b'            '")]),
        (URL, {}, f"data:image/png;base64,{picture()}", []),
        (URL, {"s": "9x9"}, f"data:image/png;base64,{picture()}", [("image-size", "9x9 was asked for, a picture of 3x2 pixels came")]),
        (URL, {"s": "9x9"}, ADDRESS, []),
        (URL, {}, "http://a.example", []),
        (URL, {}, "ftp://a.example/b.png", NO_ADDRESS),
        (URL, {}, "https:///b.png", NO_ADDRESS),
        (URL, {}, "a.example/b.png", NO_ADDRESS),
        (URL, {}, "http://[", NO_ADDRESS),
        (URL, {}, "", NO_ADDRESS),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_text(
    rule: dict[str, Any], request_: dict[str, Any], text: str, told: list[tuple[str, str]]
) -> None:
    _, faults = viewing.faults(rule, request_, text)
    assert faults == tuple(Fault(*fault) for fault in told)


def test_an_address_is_followed_where_somebody_follows() -> None:
    asked: list[str] = []

    def follow(address: str) -> bytes:
        asked.append(address)
        return base64.b64decode(picture())

    shown, faults = viewing.faults(URL, {"s": "9x9"}, ADDRESS, follow)
    assert (shown, asked) == (viewing.seen(base64.b64decode(picture())), [ADDRESS])
    assert faults == (Fault("image-size", "9x9 was asked for, a picture of 3x2 pixels came"),)
    assert viewing.faults(URL, {}, "b.png", follow) == (None, (Fault(*NO_ADDRESS[0]),))
    assert viewing.faults(RULE, {}, ADDRESS, follow)[1][0].rule == "image-base64"
    assert asked == [ADDRESS], "what is no address is not followed"


def test_an_address_that_leads_nowhere() -> None:
    def follow(_: str) -> bytes:
        raise LookupError("it is gone")

    assert viewing.faults(URL, {}, ADDRESS, follow) == (None, (Fault("image-url", "it is gone"),))


def test_what_was_shown_comes_with_what_is_wrong() -> None:
    shown, _ = viewing.faults(RULE, {"s": "9x9"}, f"data:image/png;base64,{picture()}")
    assert shown == viewing.seen(base64.b64decode(picture()))
    assert viewing.faults(RULE, {}, DRAWN) == (None, ())
    assert viewing.faults(RULE, {}, "AAAA")[0] is None


CHOICES: dict[str, Any] = {
    "draft": True,
    "size": {"request": "/s", "default": "2x1", "unless": {"any": "3x3"}},
    "format": {"request": "/f", "unless": {"any": "jpeg"}},
    "background": {"request": "/b", "default": "clear", "unless": {"opaque": "transparent"}},
    "prompt": {"request": "/p", "default": "a heron"},
}


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ({}, Wanted((2, 1), None, None)),
        ({"s": "any", "f": "any", "b": "any"}, Wanted(None, None, None)),
        ({"s": "10x20", "f": "webp", "b": "transparent"}, Wanted((10, 20), "webp", True)),
        ({"s": "10X20", "f": "jpeg", "b": "opaque"}, Wanted((10, 20), "jpeg", None)),
        ({"s": "010x20", "f": "gif", "b": None}, Wanted(None, None, None)),
        ({"s": 10, "f": 5, "b": True}, Wanted(None, None, None)),
        ({"f": "jpeg", "b": "transparent"}, Wanted((2, 1), "jpeg", None)),
        ({"f": "any", "b": "transparent"}, Wanted((2, 1), None, None)),
        (None, Wanted((2, 1), None, None)),
    ],
)
def test_what_a_request_demands(request_: Any, wanted: Wanted) -> None:
    assert pictures.wanted(CHOICES, request_) == wanted
    assert pictures.wanted({"as": "base64", "draft": True}, request_) == Wanted(None, None, None)


PAINTED: dict[str, Any] = {
    "size": {"request": "/s", "unless": {"any": "30x20"}},
    "format": {"request": "/f"},
    "background": {"request": "/b"},
    "quality": {"request": "/q"},
    "prompt": {"request": "/p"},
    "model": {"request": "/m"},
}
USUAL = Picture(1024, 1024, "png", False, 85, "", "", 2, 3, 0, 0.0)


@pytest.mark.parametrize(
    ("request_", "painted"),
    [
        ({}, {}),
        ({"s": "any"}, {"width": 30, "height": 20}),
        ({"s": "4096x4096"}, {"width": 4096, "height": 4096}),
        ({"s": "4097x4096"}, {}),
        ({"f": "webp", "b": "transparent"}, {"format": "webp", "transparent": True}),
        ({"f": "jpeg", "b": "transparent"}, {"format": "jpeg"}),
        ({"f": "gif", "b": "opaque"}, {}),
        ({"q": 101}, {"quality": 100}),
        ({"q": -1}, {"quality": 0}),
        ({"q": 0.5}, {"quality": 0}),
        ({"q": "high"}, {}),
        ({"p": "x" * 280, "m": "y" * 81}, {"prompt": "x" * 280, "model": "y" * 80}),
        ({"p": "x" * 281, "m": 5}, {"prompt": "x" * 279 + "\u2026", "model": "5"}),
    ],
)
def test_what_is_painted(request_: Any, painted: dict[str, Any]) -> None:
    found = pictures.picture_of(Choices(PAINTED), request_, 2, 3, "seed", 0.5)
    assert replace(found, design=0) == replace(USUAL, **painted)
    draft = pictures.picture_of(Choices({**PAINTED, "draft": True}), request_, 2, 3, "seed", 0.5)
    assert draft == replace(found, draft=0.5)
    assert pictures.picture_of(Choices({"draft": True}), request_, 2, 3, "seed").draft == 0.0


def test_a_design_is_the_same_for_the_same_wishes() -> None:
    def design(number: int = 1, seed: str = "", **wishes: Any) -> int:
        return pictures.picture_of(Choices(PAINTED), wishes, number, 9, seed).design

    assert design() == design(s="30x20", f="jpeg", q=5) == 3456999048515235954
    assert len({design(), design(2), design(seed="x"), design(p="x"), design(m="x"), design(p="\ud800")}) == 6


@pytest.mark.parametrize(("request_", "prompt"), [({"p": "x"}, "x"), ({}, "a heron"), ({"p": 5}, 5)])
def test_what_a_picture_shall_show(request_: Any, prompt: Any) -> None:
    assert pictures.prompt_of(CHOICES, request_) == prompt
    assert pictures.prompt_of({}, request_) is None


LIMITS = {"multipleOf": 16, "side": 3840, "least": 64, "pixels": 3_686_400, "ratio": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1024x1024", ""),
        ("192x64", ""),
        ("2000000x1", "'2000000x1' is not WIDTHxHEIGHT"),
        ("1920x1920", ""),
        ("3072x1200", ""),
        ("1200x3072", ""),
        ("auto", "'auto' is not WIDTHxHEIGHT"),
        ("0x64", "'0x64' is not WIDTHxHEIGHT"),
        ("64x0064", "'64x0064' is not WIDTHxHEIGHT"),
        ("64X64", "'64X64' is not WIDTHxHEIGHT"),
        ("x" * 50, f"'{'x' * 40}' is not WIDTHxHEIGHT"),
        ("1024x1000", "1024x1000 is not divisible by 16"),
        ("1000x1024", "1000x1024 is not divisible by 16"),
        ("3856x1024", "3856 is longer than 3840"),
        ("1024x3856", "3856 is longer than 3840"),
        ("3840x960", "3840x960 is longer than 3 times its width or height"),
        ("48x96", "48 is shorter than 64"),
        ("1936x1920", "1936x1920 has more than 3686400 pixels"),
        ("208x64", "208x64 is longer than 3 times its width or height"),
    ],
)
def test_sizes_within_limits(text: str, told: str) -> None:
    assert wrong(LIMITS, text) == told
    if size_of(text):
        assert wrong({}, text) == wrong({}, "3x1") == ""
    fast = FastDimensions({}, LIMITS, [])
    fast.validate(5)
    if told:
        with pytest.raises(ValueError, match=r"^no such size$"):
            fast.validate(text)
    else:
        fast.validate(text)
