"""Text in any script as masks: lines that fit a box, each glyph from the first font that has it.

Shaping and the order of scripts within a font are left to Pillow's raqm.  Fonts are read when a character first needs them.
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageDraw, ImageFont, features

FONTS: Final = Path(__file__).resolve().parent / "fonts"
TEXT, CJK, HANGUL, EMOJI = "text.ttf", "cjk.ttf", "hangul.ttf", "emoji.ttf"

_LINE: Final = 1.36
"""Height of a line as a multiple of the size: room for marks above and below."""
_MEASURED_AT: Final = 64
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_NEVER_FIRST: Final = "、。，．！？：；）」』】》〉〕’”…ー々%)]},.!?:;"
_WAYS: Final = ("ltr", "rtl") if features.check("raqm") else (None, None)
"""Level -> direction; the basic layout of a Pillow without raqm knows only one."""
_SIMPLE, _CJK_FROM, _CJK_END = 0x0300, 0x3000, 0xD7A4
"""Below the first and between the others, letters do not change each other, so that their widths add up."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text in one font; ``level`` is 1 where it is read from the right, 0 from the left (UAX 9)."""

    text: str
    font: str
    level: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines of a text at a size in pixels; ``rightward`` is False for a text that begins with a right-to-left script."""

    size: int
    lines: tuple[tuple[Run, ...], ...]
    rightward: bool

    @property
    def height(self) -> float:
        """Pixels from the top of the first line to the bottom of the last."""
        return len(self.lines) * self.size * _LINE


def fitted(text: str, width: int, height: int, largest: int, smallest: int) -> Layout:
    """The text as large as fits the box; at the smallest size it is cut, with an ellipsis, where it still does not fit."""
    clean = visible(text)
    words = [(word, _width(word)) for word in _words(clean)]
    size = largest
    while size > smallest and not _fits(words, width, height, size):
        size = max(smallest, int(size * 0.92))
    lines, base = _wrapped(words, width / size * _MEASURED_AT), _base(clean)
    room = max(1, int(height / (size * _LINE)))
    if len(lines) > room:
        lines = [*lines[: room - 1], _shortened(lines[room - 1], width / size * _MEASURED_AT)]
    return Layout(size, tuple(tuple(_runs(line, base)) for line in lines), not base)


def draw(canvas: ImageDraw.ImageDraw, layout: Layout, left: float, top: float, width: float, tone: int) -> None:
    """Write the lines in a tone on a canvas of tones, to the side on which their script begins."""
    base = 0 if layout.rightward else 1
    for index, line in enumerate(layout.lines):
        baseline = round(top + (index + 0.78) * layout.size * _LINE)
        pieces = [(run.text, _font(run.font, layout.size), _WAYS[run.level]) for run in _ordered(line, base)]
        if len(pieces) == 1:
            x, anchor = (left + width, "rs") if base else (left, "ls")
            text, font, way = pieces[0]
            canvas.text((x, baseline), text, tone, font, anchor=anchor, direction=way)
            continue
        widths = [font.getlength(text, direction=way) for text, font, way in pieces]
        x = left + width - sum(widths) if base else left
        for (text, font, way), advance in zip(pieces, widths, strict=True):
            canvas.text((round(x), baseline), text, tone, font, anchor="ls", direction=way)
            x += advance


def visible(text: str) -> str:
    """The text in one paragraph, without controls, and with the code points that no font here has written out."""
    made = []
    for cluster in _clusters("".join(" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))):
        kept = "".join(c for c in cluster if unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c in "\u200c\u200d")
        if kept.strip("\u200c\u200d\ufe0e\ufe0f") and _font_of(cluster) is None:
            kept = f" U+{ord(kept[0]):04X} "
        made.append(kept)
    return " ".join("".join(made).split())


def _clusters(text: str) -> Iterator[str]:
    """Characters with what belongs to them: marks, joined emoji, pairs of regional indicators."""
    held = ""
    for c in text:
        flag = _is_flag(c) and len(held) == 1 and _is_flag(held)
        if held and (held[-1] == _JOINER or _continues(c) or flag):
            held += c
            continue
        if held:
            yield held
        held = c
    if held:
        yield held


def _continues(c: str) -> bool:
    skin_or_tag = "\U0001f3fb" <= c <= "\U0001f3ff" or "\U000e0020" <= c <= "\U000e007f"
    return c == _JOINER or c == "\u200c" or skin_or_tag or unicodedata.category(c) in ("Mn", "Me", "Mc")


def _is_flag(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"


@cache
def _coverage() -> dict[str, tuple[list[int], list[int]]]:
    """Font -> first and last code points of the ranges that it has."""
    tables = json.loads((FONTS / "coverage.json").read_text(encoding="utf-8"))
    return {name: ([first for first, _ in found], [last for _, last in found]) for name, found in tables.items()}


def _has(font: str, c: str) -> bool:
    firsts, lasts = _coverage()[font]
    place = bisect_right(firsts, ord(c)) - 1
    return place >= 0 and ord(c) <= lasts[place]


@lru_cache(maxsize=4096)
def _font_of(cluster: str) -> str | None:
    """The font for a cluster, by its first character; None where none has it."""
    pictorial = cluster[0] >= "\U0001f000" or _EMOJI_STYLE in cluster
    order = (EMOJI, TEXT, CJK) if pictorial else (TEXT, CJK, HANGUL, EMOJI)
    return next((font for font in order if _has(font, cluster[0])), None)


def _runs(text: str, base: int) -> list[Run]:
    """The text cut where its font or its direction changes; ``base`` is the level of the whole text."""
    clusters = list(_clusters(text))
    strong, last = [], base
    for cluster in clusters:
        if unicodedata.bidirectional(cluster[0]) in ("EN", "AN"):
            strong.append(last)  # digits go with the letters before them (UAX 9, W7)
            continue
        strong.append(_level(cluster))
        last = strong[-1] if strong[-1] >= 0 else last
    runs: list[Run] = []
    before = base
    for index, cluster in enumerate(clusters):
        level = strong[index]
        if level < 0:  # neutral: as its neighbours where they agree, else as the text (UAX 9, N1 and N2)
            after = next((found for found in strong[index:] if found >= 0), base)
            level = before if before == after else base
        before = level
        font = _font_of(cluster) or TEXT
        piece = cluster.replace(_EMOJI_STYLE, "") if font == EMOJI else cluster
        if runs and (runs[-1].font, runs[-1].level) == (font, level):
            runs[-1] = Run(runs[-1].text + piece, font, level)
        else:
            runs.append(Run(piece, font, level))
    return runs


def _level(cluster: str) -> int:
    """1 for letters of right-to-left scripts, 0 for others, -1 for what takes the direction of its neighbours."""
    found = unicodedata.bidirectional(cluster[0])
    return 1 if found in ("R", "AL") else 0 if found == "L" else -1


def _ordered(line: Sequence[Run], base: int) -> list[Run]:
    """The runs from left to right: what reads against the text is turned as a group (UAX 9, L2, by runs)."""
    groups: list[list[Run]] = []
    for run in line:
        if groups and groups[-1][0].level == run.level:
            groups[-1].append(run)
        else:
            groups.append([run])
    turned = [members[::-1] if members[0].level else members for members in groups]
    return [run for members in (turned[::-1] if base else turned) for run in members]


def _base(text: str) -> int:
    """1 where the first letter of a text belongs to a script that is read from the right, else 0 (UAX 9, P2)."""
    return next((level for c in text if (level := _level(c)) >= 0), 0)


@lru_cache(maxsize=64)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / name, size)


def _width(text: str) -> float:
    """Pixels at the size at which everything is measured."""
    if all(ord(c) < _SIMPLE or _CJK_FROM <= ord(c) < _CJK_END for c in text):
        return sum(map(_advance, text))
    return sum(_font(run.font, _MEASURED_AT).getlength(run.text) for run in _runs(text, 0))


@lru_cache(maxsize=2048)
def _advance(cluster: str) -> float:
    return _font(_font_of(cluster) or TEXT, _MEASURED_AT).getlength(cluster)


def _words(text: str) -> Iterator[str]:
    """What a line may be broken between; a space stays at the end of its word."""
    held = ""
    for cluster in _clusters(text):
        breaks = held and cluster not in _NEVER_FIRST and (held[-1] == " " or _wide(cluster) or _wide(held[-1]))
        if breaks and cluster != " ":
            yield held
            held = ""
        held += cluster
    if held:
        yield held


def _wide(cluster: str) -> bool:
    """Whether a line may be broken before and after: East Asian letters and emoji."""
    return unicodedata.east_asian_width(cluster[0]) in "WF" or _is_flag(cluster[0])


def _fits(words: list[tuple[str, float]], width: int, height: int, size: int) -> bool:
    scaled = width / size * _MEASURED_AT
    broken = size > 20 and any(measured > scaled for _, measured in words)
    return not broken and len(_wrapped(words, scaled)) * size * _LINE <= height


def _wrapped(words: list[tuple[str, float]], width: float) -> list[str]:
    """Lines of at most a width, greedily; a word that is longer than a line is broken between its clusters."""
    lines, line, filled = [], "", 0.0
    for word, measured in words:
        if filled + measured - (_SPACE if word.endswith(" ") else 0) <= width:
            line, filled = line + word, filled + measured
            continue
        if line:
            lines.append(line.rstrip())
        line, filled = word, measured
        if measured > width:
            *whole, line = _broken(word, width)
            lines += whole
            filled = _width(line)
    return [*lines, line.rstrip()] if line.strip() else lines


_SPACE: Final = 0.26 * _MEASURED_AT


def _broken(word: str, width: float) -> list[str]:
    pieces, held, filled = [], "", 0.0
    for cluster in _clusters(word):
        measured = _advance(cluster)
        if held and filled + measured > width:
            pieces.append(held)
            held, filled = "", 0.0
        held, filled = held + cluster, filled + measured
    return [*pieces, held]


def _shortened(line: str, width: float) -> str:
    """A line with an ellipsis at its end, cut so that it fits."""
    clusters = list(_clusters(line))
    while clusters and _width("".join(clusters).rstrip() + "…") > width:
        clusters.pop()
    return "".join(clusters).rstrip() + "…"
