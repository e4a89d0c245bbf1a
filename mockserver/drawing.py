"""Pictures drawn: a landscape in one scale of colours with the prompt written into it, encoded as asked.

The whole picture is one plane of tones, and its palette is the scale: blending tones blends colours, so edges and letters
are smooth, and one byte per pixel is what has to be packed.  Pillow is imported with this module, which is imported when
the first picture is drawn.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import Final, Literal

from PIL import Image, ImageDraw

from mockserver.lettering import draw, fitted
from mockserver.pictures import Picture

Style = Literal["scene", "plain"]
"""``scene`` is the default; ``plain`` is one colour and a code of the design, for load tests."""

_TOP, _CLEAR = 223, 224
"""The lightest tone; the first of the 32 steps from nothing to the darkest colour, which edges of a cut-out are made of."""
_STEPS: Final = 32
_SMALLEST_WITH_TEXT: Final = 96
_GROUND: Final = 0.64
"""The part of the height below which there is only the nearest layer."""
_RUNS: Final = 3
"""zlib's strategy for runs of equal bytes, which most of a plane is."""
_CREST: Final = 0.66
"""Where on its length a dune is highest."""
_SUPERSAMPLED_AT_MOST: Final = 2048 * 2048

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
    for tone in range(_TOP + 1):
        place = tone / _TOP * (len(stops) - 1)
        low = min(int(place), len(stops) - 2)
        part = place - low
        made += bytes(round(a + (b - a) * part) for a, b in zip(stops[low], stops[low + 1], strict=True))
    return bytes(made) + bytes(stops[0]) * _STEPS


def _plain(picture: Picture, random: Random) -> Image.Image:
    """One tone, and the bits of the design as a row of squares, so that no two designs look the same."""
    plane = Image.new("L", (picture.width, picture.height), _CLEAR if picture.transparent else random.randrange(90, 180))
    across = min(8, picture.width)
    side = max(1, min(picture.width, picture.height) // 16)
    canvas = ImageDraw.Draw(plane)
    for bit in range(64):
        if picture.design >> bit & 1:
            x, y = bit % across * side, bit // across * side
            canvas.rectangle((x, y, x + side - 1, y + side - 1), 40)
    return plane


def _scene(picture: Picture, random: Random) -> Image.Image:
    plane = _landscape(picture, random)
    if picture.draft:
        grain = max(2, int(max(plane.size) * (0.01 + 0.07 * picture.draft)))
        small = plane.resize((max(1, plane.width // grain), max(1, plane.height // grain)), Image.Resampling.BOX)
        plane = small.resize(plane.size, Image.Resampling.NEAREST)
    if min(plane.size) >= _SMALLEST_WITH_TEXT:
        _write(plane, picture)
    return _cut_out(plane) if picture.transparent else plane


def _landscape(picture: Picture, random: Random) -> Image.Image:
    """Sky, sun and layers that get darker towards the viewer, drawn twice as large where that is affordable."""
    factor = 2 if picture.width * picture.height * 4 <= _SUPERSAMPLED_AT_MOST else 1
    width, height = picture.width * factor, picture.height * factor
    rows = max(1, int(picture.height * _GROUND)) * factor
    horizon = random.uniform(0.34, 0.46)
    column = Image.frombytes("L", (1, rows), bytes(_sky(y / height / horizon) for y in range(rows)))
    upper = column.resize((width, rows), Image.Resampling.NEAREST)
    canvas = ImageDraw.Draw(upper)
    _sun(canvas, random, width, height, horizon)
    motif: Callable[[Random, float], Callable[[float], float]] = random.choice((_hills, _peaks, _dunes))
    layers = 4
    for layer in range(layers):
        depth = (layer + 1) / layers
        line = motif(random, depth)
        base = height * (horizon + (0.5 - horizon) * layer / (layers - 1))
        reach = min(width, height) * (0.15 - 0.06 * depth)
        places = [*range(0, width, max(1, width // 160)), width]
        edge = [(x, base - reach * line(x / width)) for x in places]
        canvas.polygon([*edge, (width, height), (0, height)], fill=_tone_at(depth))
    plane = Image.new("L", (picture.width, picture.height), _tone_at(1))
    plane.paste(upper.reduce(factor) if factor > 1 else upper)
    return plane


def _tone_at(depth: float) -> int:
    """The tone of a layer: darker the nearer it is."""
    return round(122 - 112 * depth**0.8)


def _sky(part: float) -> int:
    """From the middle of the scale above to its light end at the horizon."""
    return round(150 + 62 * min(1.0, part) ** 1.3)


def _sun(canvas: ImageDraw.ImageDraw, random: Random, width: int, height: int, horizon: float) -> None:
    unit = min(width, height)
    radius = unit * random.uniform(0.06, 0.11)
    x = width * random.choice((random.uniform(0.16, 0.36), random.uniform(0.64, 0.84)))
    y = height * horizon * random.uniform(0.35, 0.62)
    for ring, tone in ((1.75, 6), (1.36, 12)):
        shade = _sky(y / height / horizon) + tone
        canvas.ellipse((x - radius * ring, y - radius * ring, x + radius * ring, y + radius * ring), fill=shade)
    canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_TOP)


def _hills(random: Random, depth: float) -> Callable[[float], float]:
    waves = [(random.uniform(3, 6) * k, random.uniform(0, 6.3), 0.62 / k) for k in (1, 2.3)]
    return lambda x: sum(height * math.sin(x * many + phase) for many, phase, height in waves)


def _peaks(random: Random, depth: float) -> Callable[[float], float]:
    """Mountains far away, softer ground near by."""
    corners = [(-0.05, random.uniform(-0.6, 0.4))]
    while corners[-1][0] < 1:
        rising = corners[-1][1] < 0.15
        height = random.uniform(0.35, 1.15) if rising else random.uniform(-0.75, 0.1)
        corners.append((corners[-1][0] + random.uniform(0.07, 0.19), height))
    soft = depth > 0.6

    def line(x: float) -> float:
        index = next(place for place, corner in enumerate(corners) if corner[0] >= x)
        (start, low), (end, high) = corners[index - 1], corners[index]
        part = (x - start) / (end - start)
        part = (1 - math.cos(part * math.pi)) / 2 if soft else part
        return (low + (high - low) * part) * (0.6 if soft else 1)

    return line


def _dunes(random: Random, depth: float) -> Callable[[float], float]:
    """Long rises to windward, short falls to leeward."""
    many, phase = random.uniform(1.2, 2.6), random.random()

    def line(x: float) -> float:
        part = (x * many + phase) % 1
        slope = part / _CREST if part < _CREST else (1 - part) / (1 - _CREST)
        return 0.75 - 1.5 * (1 - slope) ** 1.6

    return line


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
        draw(canvas, layout, margin, top, inner, _TOP)
    if room > 0:
        rule = foot_top - small * 0.55
        canvas.line((margin, rule, margin + unit * 0.07, rule), 150, max(1, unit // 400))
    draw(canvas, foot, margin, foot_top, inner, 176)


def _cut_out(plane: Image.Image) -> Image.Image:
    """The picture within rounded corners, with nothing around them."""
    width, height = plane.size
    inset = round(min(width, height) * 0.03)
    radius = round(min(width, height) * 0.09)
    scale = 2 if width * height * 4 <= _SUPERSAMPLED_AT_MOST else 1
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
    alpha = bytes([255] * _CLEAR + [step * 255 // (_STEPS - 1) for step in range(_STEPS)])
    match picture.format:
        case "jpeg":
            plane.convert("RGB").save(file, "JPEG", quality=max(1, picture.quality))
        case "webp":
            shown = _with_alpha(plane, alpha) if picture.transparent else plane.convert("RGB")
            shown.save(file, "WEBP", quality=picture.quality, method=0)
        case _:
            see_through = {"transparency": alpha} if picture.transparent else {}
            plane.save(file, "PNG", compress_level=1, compress_type=_RUNS, **see_through)
    return file.getvalue()


def _with_alpha(plane: Image.Image, alpha: Sequence[int]) -> Image.Image:
    shown = plane.convert("RGB")
    tones = Image.frombytes("L", plane.size, plane.tobytes())
    shown.putalpha(tones.point(list(alpha)))
    return shown
