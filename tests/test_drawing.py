"""Pictures as drawn: each differs, each decodes, and its text is written in letters that its fonts really have."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, features

from mockserver import lettering
from mockserver.drawing import drawn
from mockserver.pictures import Choices, Picture, picture_of

RULE: dict[str, Any] = {
    "as": "base64",
    "size": {"request": "/extent", "default": "any", "unless": {"any": "256x256"}},
    "prompt": {"request": "/motif"},
}
TEXTS = {
    "Latin": "Straße naïve façade Łódź",
    "Greek and Cyrillic": "Ελληνικά Русский Қазақ",
    "Chinese": "一只可爱的小猪在草地上奔跑",
    "Japanese": "猫がカーテンの後ろにいます",
    "Korean": "산책하는 남자와 강아지",
    "Arabic": "رجل يمشي مع كلبه",
    "Hebrew": "איש הולך ברחוב",
    "Hindi": "क्षत्रिय एक आदमी चलता है",
    "others": "মানুষ ਆਦਮੀ માણસ மனிதன் మనిషి ಮನುಷ್ಯ മനുഷ്യൻ මිනිසා คน ຄົນ មនុស្ស လူ კაცი մարդ ሰው",
    "emoji": "🐶 👩\u200d🚀 🇩🇪 👍🏽 ❤\ufe0f ✨ 🫠",
    "signs": "∑ → ½ ₿ € ™ • … “” „ —",
}


def picture(**changes: Any) -> Image.Image:
    image = Image.open(
        io.BytesIO(drawn(Picture(**{"width": 320, "height": 320, "prompt": "a heron", **changes}), "scene"))
    )
    image.load()
    return image


@pytest.mark.parametrize("name", TEXTS)
def test_every_script_is_written_in_glyphs(name: str) -> None:
    """No character falls back to its code point, and none of the glyphs is the font's empty box."""
    text = TEXTS[name]
    assert "U+" not in lettering.visible(text)
    layout = lettering.fitted(text, 900, 400, 60, 20)
    for run in (run for line in layout.lines for run in line):
        font = ImageFont.truetype(lettering.FONTS / run.font, 48)
        box = mask(font, "\uffff")
        for c in run.text:
            if c not in "\u200c\u200d" and not c.isspace():
                assert ImageChops.difference(mask(font, c), box).getbbox(), f"{c!r} is a box in {run.font}"


def mask(font: ImageFont.FreeTypeFont, text: str) -> Image.Image:
    plane = Image.new("L", (120, 120))
    ImageDraw.Draw(plane).text((30, 80), text, 255, font, anchor="ls")
    return plane


def test_the_table_of_characters_tells_the_truth() -> None:
    """Samples of what the fonts are said to have are in them, and what is said to be missing is not."""
    table = json.loads((lettering.FONTS / "coverage.json").read_text(encoding="utf-8"))
    for name, ranges in table.items():
        font = ImageFont.truetype(lettering.FONTS / name, 24)
        box = font.getmask("\uffff").getbbox(), bytes(font.getmask("\uffff"))
        for first, last in ranges[:: max(1, len(ranges) // 25)]:
            for point in {first, last}:
                glyph = font.getmask(chr(point))
                assert (glyph.getbbox(), bytes(glyph)) != box or glyph.getbbox() is None, f"{name} lacks U+{point:04X}"


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow cannot shape")
def test_arabic_is_joined_and_runs_from_the_right() -> None:
    font = ImageFont.truetype(lettering.FONTS / lettering.TEXT, 48)
    apart = sum(font.getlength(c) for c in "كلب")
    assert font.getlength("كلب") < apart * 0.9, "letters in their joined forms are narrower"
    layout = lettering.fitted("كلب size 1024 猫 قطة", 900, 100, 40, 20)
    assert not layout.rightward
    shown = [run.text.strip() for run in lettering._ordered(layout.lines[0], 1) if run.text.strip()]
    assert shown == ["قطة", "size 1024", "猫", "كلب"], "from left to right as the eye meets them"


def test_what_no_font_has_is_written_as_its_code_point() -> None:
    assert lettering.visible("a\u0f40b") == "a U+0F40 b"
    assert lettering.visible("a\tb\x00\u202e\r\n c") == "a b c"


@pytest.mark.parametrize(
    "text", ["word " * 400, "x" * 3000, "猫" * 3000, "क" * 900, "🐶" * 500, "", " ", "\x00", "ل" * 999]
)
@pytest.mark.parametrize("size", [(320, 320), (640, 120), (96, 400), (2, 2), (1, 900), (95, 95)])
def test_any_text_fits_any_size(text: str, size: tuple[int, int]) -> None:
    made = picture_of(Choices(RULE), {"motif": text, "extent": "x".join(map(str, size))}, 1, 1, "")
    image = picture(width=size[0], height=size[1], prompt=made.prompt)
    assert image.size == size
    if min(size) >= 96:
        layout = lettering.fitted(made.prompt, 200, 90, 30, 10)
        assert layout.height <= 90


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_number_prompt_model_and_size_show(kind: str) -> None:
    """Pictures that differ in one of them alone differ in the part where it is written."""
    usual = picture(format=kind).convert("RGB")
    for change in ({"prompt": "an egret"}, {"model": "brush"}, {"number": 2}, {"count": 3}):
        other = picture(format=kind, **change).convert("RGB")
        box = ImageChops.difference(usual, other).point(lambda value: 255 if value > 60 else 0).getbbox()
        assert box is not None
        assert box[1] > 150, f"{change} shows in the lower part"


def test_designs_differ_and_repeat() -> None:
    designs = [drawn(Picture(256, 256, design=number), "scene") for number in range(24)]
    assert len(set(designs)) == 24
    assert designs == [drawn(Picture(256, 256, design=number), "scene") for number in range(24)]


def test_drafts_are_made_of_blocks_that_get_smaller() -> None:
    for draft, blocks in ((0.75, 16), (0.25, 40)):
        image = picture(prompt="", draft=draft).convert("RGB").crop((0, 0, 320, 180))
        side = 320 // blocks
        small = image.resize((blocks, 180 // side), Image.Resampling.NEAREST)
        again = small.resize((320, 180 // side * side), Image.Resampling.NEAREST)
        assert again.tobytes() == image.crop((0, 0, 320, 180 // side * side)).tobytes()


def test_choices_of_a_request() -> None:
    def size(rule: dict[str, Any], body: Any) -> tuple[int, int]:
        made = picture_of(Choices(rule), body, 1, 1, "")
        return made.width, made.height

    assert size(RULE, {"extent": "64X32"}) == (64, 32)
    assert (
        size(RULE, {"extent": None}) == size(RULE, {}) == size(RULE, []) == size(RULE, {"extent": "any"}) == (256, 256)
    )
    for odd in ("0x5", "5x", "99999x99999", "1e3x1", 7, ["64x32"], True):
        assert size(RULE, {"extent": odd}) == (1024, 1024)
    for quality, taken in ((50, 50), (-5, 0), (900, 100), ("x", 85), (True, 1)):
        assert picture_of(Choices({"quality": {"request": "/q"}}), {"q": quality}, 1, 1, "").quality == taken
    assert picture_of(Choices({"format": {"default": "gif"}}), {}, 1, 1, "").format == "png"
    jpeg = {"format": {"default": "jpeg"}, "background": {"default": "transparent"}}
    assert not picture_of(Choices(jpeg), {}, 1, 1, "").transparent
