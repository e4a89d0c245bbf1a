"""Landscapes as planes of tones: a sky, a sun, and hills, mountains or dunes that get darker towards the viewer.

Which colours the tones are, and what is written on them, is left to :mod:`mockserver.drawing`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Final

from PIL import Image, ImageDraw

TOP: Final = 223
"""The lightest tone; 0 is the darkest."""
SUPERSAMPLED_AT_MOST: Final = 2048 * 2048
"""Pixels up to which edges are drawn twice as large and made smaller, which smooths them."""
_GROUND: Final = 0.64
"""The part of the height below which there is only the nearest layer."""
_BAND: Final = 4
"""Rows of the sky, before they are made smaller, that share a tone: fewer than the steps of the scale need."""
_CREST: Final = 0.66
"""Where on its length a dune is highest."""


def landscape(width: int, height: int, random: Random) -> Image.Image:
    """Sky, sun and layers that get darker towards the viewer, drawn twice as large where that is affordable."""
    whole = Image.new("L", (width, height), _tone_at(1))
    factor = 2 if width * height * 4 <= SUPERSAMPLED_AT_MOST else 1
    rows = max(1, int(height * _GROUND)) * factor
    width, height = width * factor, height * factor
    horizon = random.uniform(0.34, 0.46)
    bands = -(-rows // _BAND)
    column = Image.frombytes("L", (1, bands), bytes(_sky(band * _BAND / height / horizon) for band in range(bands)))
    upper = column.resize((width, bands * _BAND), Image.Resampling.NEAREST)
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
    whole.paste(upper.reduce(factor) if factor > 1 else upper)
    return whole


def _tone_at(depth: float) -> int:
    """The tone of a layer: darker the nearer it is."""
    return round(122 - 112 * math.pow(depth, 0.8))


def _sky(part: float) -> int:
    """From the middle of the scale above to its light end at the horizon."""
    return round(150 + 62 * math.pow(min(1.0, part), 1.3))


def _sun(canvas: ImageDraw.ImageDraw, random: Random, width: int, height: int, horizon: float) -> None:
    unit = min(width, height)
    radius = unit * random.uniform(0.06, 0.11)
    x = width * random.choice((random.uniform(0.16, 0.36), random.uniform(0.64, 0.84)))
    y = height * horizon * random.uniform(0.35, 0.62)
    for ring, tone in ((1.75, 6), (1.36, 12)):
        shade = _sky(y / height / horizon) + tone
        canvas.ellipse((x - radius * ring, y - radius * ring, x + radius * ring, y + radius * ring), fill=shade)
    canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=TOP)


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
        return 0.75 - 1.5 * math.pow(max(0.0, 1 - slope), 1.6)

    return line
