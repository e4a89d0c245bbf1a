"""What a picture of the mock costs, against what Pillow needs to save a picture of that size at all.

    python benchmarks/pictures.py [--rounds 30] [--size 1024x1024] [--ceiling 1.0]

The reference is Pillow's ``save`` of a smooth RGB picture of the same size as PNG, with its defaults: what a mock would do
that draws with Pillow and thinks no further.  Times are CPU time of this process, medians in milliseconds; every picture has
another prompt and another design, so nothing comes from a cache but the fonts.  The exit code is 1 when the default style
as PNG costs more than ``--ceiling`` times the reference.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

from mockserver.drawing import drawn
from mockserver.gallery import Gallery
from mockserver.pictures import FORMATS, Picture, size_of

PROMPTS = (
    "A childrens book drawing of a veterinarian listening to the heartbeat of a baby otter",
    "a man walks through the rain, number",
    "一只可爱的小猪在草地上奔跑，远处是雪山",
)


def cpu(work: Callable[[int], object], rounds: int) -> float:
    """Milliseconds of CPU time that one call takes, the median of some, after three for warming up."""
    for number in range(3):
        work(-number)
    took = []
    for number in range(rounds):
        began = time.process_time()
        work(number)
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000


def picture(size: tuple[int, int], kind: str, transparent: bool, number: int) -> Picture:
    """A picture that was not drawn before."""
    prompt = f"{PROMPTS[number % len(PROMPTS)]} {number}"
    return Picture(*size, kind, transparent, 85, prompt, "a-model", 1, 1, number * 7919 % 2**64)


def scene(size: tuple[int, int], kind: str, transparent: bool, number: int) -> bytes:
    """A picture in the default style."""
    return drawn(picture(size, kind, transparent, number), "scene")


def saved(image: Image.Image, _: int) -> bytes:
    """The reference."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--size", type=size_of, default=(1024, 1024))
    parser.add_argument("--ceiling", type=float, default=1.0)
    options = parser.parse_args()
    across = Image.linear_gradient("L").resize(options.size)
    smooth = Image.merge("RGB", (across, across.rotate(180), across.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    reference = cpu(partial(saved, smooth), options.rounds)
    print(f"{'reference: a Pillow save':34}{reference:8.2f} ms")

    def told(name: str, took: float) -> float:
        print(f"{name:34}{took:8.2f} ms{took / reference:8.2f} of the reference")
        return took / reference

    ratio = 0.0
    for kind in FORMATS:
        for transparent in (False, True) if kind != "jpeg" else (False,):
            what = f"scene, {kind}{', transparent' if transparent else ''}"
            cost = told(what, cpu(partial(scene, options.size, kind, transparent), options.rounds))
            ratio = ratio or cost
    told("plain, png", cpu(lambda n: drawn(picture(options.size, "png", False, n), "plain"), options.rounds))
    gallery, again = Gallery(), picture(options.size, "png", False, 1)
    gallery.file(again, True)
    told("again, from the gallery, as base64", cpu(lambda _: gallery.kept(again, True), options.rounds))
    return 0 if ratio <= options.ceiling else 1


if __name__ == "__main__":
    sys.exit(main())
