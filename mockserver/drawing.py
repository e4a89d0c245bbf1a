"""Pictures drawn: a landscape in one scale of colours with the prompt written into it, encoded as asked.

The whole picture is one plane of tones, and its palette is the scale: blending tones blends colours, so edges and letters
are smooth, and one byte per pixel is what has to be packed.  Pillow is imported with this module, which is imported when
the first picture is drawn.
"""

from __future__ import annotations

import io
from functools import lru_cache
from random import Random
from typing import Final

from PIL import Image, ImageDraw

from mockserver.lettering import draw, fitted
from mockserver.pictures import Picture, Style
from mockserver.scenery import SUPERSAMPLED_AT_MOST, TOP, landscape

_CLEAR: Final = TOP + 1
"""The first of the 32 steps from nothing to the darkest colour, which edges of a cut-out are made of."""
_STEPS: Final = 32
_SMALLEST_WITH_TEXT: Final = 96
_LOSSLESS_FROM: Final = 95
"""The quality from which WebP keeps every pixel, which for such planes is faster besides."""
_RUNS: Final = 3
"""zlib's strategy for runs of equal bytes, which most of a plane is."""

_Colour = tuple[int, int, int]

_SCALES: Final[tuple[tuple[_Colour, ...], ...]] = (
    ((18, 22, 46), (52, 48, 104), (168, 84, 128), (244, 152, 112), (255, 226, 178), (255, 250, 240)),
    ((10, 34, 46), (16, 74, 92), (44, 136, 140), (132, 198, 176), (226, 240, 206), (252, 255, 246)),
    ((28, 20, 52), (66, 44, 120), (116, 86, 190), (178, 146, 230), (238, 208, 250), (254, 248, 255)),
    ((36, 20, 24), (104, 36, 48), (190, 66, 58), (240, 138, 76), (254, 214, 140), (255, 248, 228)),
    ((12, 30, 28), (24, 72, 56), (66, 128, 78), (150, 186, 100), (238, 230, 158), (255, 253, 236)),
    ((14, 24, 52), (26, 62, 116), (56, 120, 184), (122, 182, 224), (214, 234, 246), (250, 253, 255)),
    ((34, 24, 42), (92, 50, 86), (172, 84, 118), (230, 142, 146), (252, 208, 190), (255, 246, 238)),
    ((20, 26, 34), (50, 66, 84), (96, 122, 142), (160, 184, 194), (236, 222, 190), (255, 250, 236)),
)
"""Colours from dark to light, each scale one mood: dusk, lagoon, violet, embers, meadow, ice, rose, slate."""


def drawn(picture: Picture, style: Style) -> bytes:
    """The file that holds a picture."""
    random = Random(picture.design)
    scale = _palette(random.randrange(len(_SCALES)))
    plane = _plain(picture, random) if style == "plain" else _scene(picture, random)
    return _encoded(plane, scale, picture)


@lru_cache(maxsize=len(_SCALES))
def _palette(number: int) -> bytes:
    """256 colours: the scale by tone, then the darkest colour once for each step of transparency."""
    stops = _SCALES[number]
    made = bytearray()
    for tone in range(TOP + 1):
        place = tone / TOP * (len(stops) - 1)
        low = min(int(place), len(stops) - 2)
        part = place - low
        made += bytes(round(a + (b - a) * part) for a, b in zip(stops[low], stops[low + 1], strict=True))
    return bytes(made) + bytes(stops[0]) * _STEPS


def _plain(picture: Picture, random: Random) -> Image.Image:
    """One tone, and the bits of the design as a row of squares, so that no two designs look the same."""
    plane = Image.new(
        "L", (picture.width, picture.height), _CLEAR if picture.transparent else random.randrange(90, 180)
    )
    across = min(8, picture.width)
    side = max(1, min(picture.width, picture.height) // 16)
    canvas = ImageDraw.Draw(plane)
    for bit in range(64):
        if picture.design >> bit & 1:
            x, y = bit % across * side, bit // across * side
            canvas.rectangle((x, y, x + side - 1, y + side - 1), 40)
    return plane


def _scene(picture: Picture, random: Random) -> Image.Image:
    plane = landscape(picture.width, picture.height, random)
    if picture.draft:
        grain = max(2, int(max(plane.size) * (0.01 + 0.07 * picture.draft)))
        small = plane.resize((max(1, plane.width // grain), max(1, plane.height // grain)), Image.Resampling.BOX)
        plane = small.resize(plane.size, Image.Resampling.NEAREST)
    if min(plane.size) >= _SMALLEST_WITH_TEXT:
        _write(plane, picture)
    return _cut_out(plane) if picture.transparent else plane


def _write(plane: Image.Image, picture: Picture) -> None:
    """The prompt in the dark part, below it size, model and number."""
    width, height = plane.size
    canvas = ImageDraw.Draw(plane)
    unit = min(width, height)
    margin = round(width * 0.5 - min(width * 0.42, height * 0.9)) if width > 2 * height else round(width * 0.08)
    inner = width - 2 * margin
    small = max(9, round(unit * 0.026))
    notes = [f"{width} × {height}", picture.model, f"{picture.number} of {picture.count}"]
    foot = fitted("  ·  ".join(note for note in notes if note), inner, round(small * 1.5), small, 8)
    foot_top = height - round(height * 0.055) - foot.height
    top = round(height * 0.585)
    room = round(foot_top - top - small * 1.1)
    if picture.prompt.strip() and room > small:
        layout = fitted(picture.prompt, inner, room, round(unit * 0.088), max(10, round(unit * 0.03)))
        draw(canvas, layout, margin, top, inner, TOP)
    if room > 0:
        rule = foot_top - small * 0.55
        canvas.line((margin, rule, margin + unit * 0.07, rule), 150, max(1, unit // 400))
    draw(canvas, foot, margin, foot_top, inner, 176)


def _cut_out(plane: Image.Image) -> Image.Image:
    """The picture within rounded corners, with nothing around them."""
    width, height = plane.size
    inset = round(min(width, height) * 0.03)
    radius = round(min(width, height) * 0.09)
    scale = 2 if width * height * 4 <= SUPERSAMPLED_AT_MOST else 1
    mask = Image.new("L", (width * scale, height * scale), 0)
    box = tuple(place * scale for place in (inset, inset, width - inset - 1, height - inset - 1))
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * scale, fill=255)
    mask = mask.reduce(scale) if scale > 1 else mask
    edge = mask.point([min(_CLEAR + alpha * _STEPS // 256, 255) for alpha in range(256)])
    edge.paste(plane, mask=mask.point([255 if alpha == 255 else 0 for alpha in range(256)]))
    return edge


def _encoded(plane: Image.Image, scale: bytes, picture: Picture) -> bytes:
    file = io.BytesIO()
    plane.putpalette(scale)
    shown = _with_alpha(plane) if picture.transparent else plane
    match picture.format:
        case "jpeg":
            shown.convert("RGB").save(file, "JPEG", quality=max(1, picture.quality))
        case "webp":
            whole = picture.quality >= _LOSSLESS_FROM
            true = shown.convert("RGBA" if picture.transparent else "RGB")
            true.save(file, "WEBP", lossless=whole, quality=0 if whole else picture.quality, method=0)
        case _:
            shown.save(file, "PNG", compress_level=1, compress_type=_RUNS)
    return file.getvalue()


def _with_alpha(plane: Image.Image) -> Image.Image:
    """With a channel of transparency, which all readers of PNG understand in the same way; a palette's not all do."""
    shown = plane.convert("RGB")
    tones = Image.frombytes("L", plane.size, plane.tobytes())
    shown.putalpha(tones.point([255] * _CLEAR + [step * 255 // (_STEPS - 1) for step in range(_STEPS)]))
    return shown
