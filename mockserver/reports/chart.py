"""The picture of a run: suspicions cleared per image spent, as inline SVG that keeps its letters' size at any width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mockserver.reports.summary import counted

_TOP, _HEIGHT, _LEFT, _WIDTH = 14, 182, 36, 88
"""Pixels above, pixels of the plot, pixels to its left, per cent of the width that it takes."""


def figure(trials: Sequence[Mapping[str, Any]], left_open: int) -> str:
    """A ``figure``; the axis counts images, or requests where none cost any.  Empty without trials."""
    if not trials:
        return ""
    paid = trials[-1]["images"] > 0
    noun = "image" if paid else "request"
    points = [(trial["images"] if paid else trial["number"], trial["cleared"]) for trial in trials]
    widest, cleared = points[-1]
    everything = cleared + left_open
    free = max((height for at, height in points if at == 0), default=0)
    told = f"{counted(cleared, 'suspicion')} cleared for {counted(widest, noun)}"
    told += f", {free:,} of them before the first {noun} was bought" if paid and free else ""
    told += f"; {left_open:,} left open" if left_open else ""
    marks = _ticks(widest)
    x_labels = "".join(
        f'<text x="{100 * at / max(widest, 1):.2f}%" y="{_TOP + _HEIGHT + 18}" text-anchor="{"end" if at == widest else "middle"}">{at}</text>'
        for at in marks
    )
    y_labels = "".join(_level(at, everything) for at in _ticks(everything))
    path = _path(points, widest, everything)
    return (
        f'<figure><svg class="chart" role="img" aria-label="{escape(told)}">'
        f"{y_labels}"
        f'<svg x="{_LEFT}" y="{_TOP}" width="{_WIDTH}%" height="{_HEIGHT}" viewBox="0 0 100 100" '
        'preserveAspectRatio="none" overflow="visible">'
        f'<path class="area" d="{path} V100 H0 Z"/><path class="step" d="{path}"/></svg>'
        f'<svg x="{_LEFT}" width="{_WIDTH}%" overflow="visible">{x_labels}</svg>'
        f'<text x="{_LEFT}" y="{_TOP + _HEIGHT + 38}">{noun}s that the run paid for</text></svg>'.replace(
            "requests that the run paid for", "requests sent"
        )
        + f"<figcaption>{escape(told)}.</figcaption></figure>"
    )


def _level(value: int, everything: int) -> str:
    """A line across the plot with its number; the one for everything is dashed."""
    y = _TOP + _HEIGHT * (1 - value / max(everything, 1))
    kind = "axis all" if value == everything else "axis"
    return (
        f'<svg x="{_LEFT}" width="{_WIDTH}%" overflow="visible"><line class="{kind}" x1="0" x2="100%" '
        f'y1="{y:.1f}" y2="{y:.1f}"/></svg>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value}</text>'
    )


def _path(points: list[tuple[int, int]], widest: int, everything: int) -> str:
    """Steps in a square of 100 by 100."""
    drawn = ["M0 100"]
    for at, height in dict(points).items():
        drawn.append(f"H{100 * at / max(widest, 1):.2f} V{100 * (1 - height / max(everything, 1)):.2f}")
    return " ".join(drawn)


def _ticks(largest: int) -> list[int]:
    """0, the largest, and a few round numbers between that keep their distance from it."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if largest / s <= 5), largest)
    return [*range(0, max(1, largest - step // 2), max(1, step)), largest] if largest else [0]
