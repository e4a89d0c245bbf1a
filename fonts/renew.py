"""Makes the fonts of the pictures anew from the packages that carry them: ``mockserver/fonts``.

    python fonts/renew.py          needs fontTools, apt-get (Debian), dpkg-deb and npm

``text.ttf`` is many scripts of Noto Sans merged into one font, so that one call shapes and orders a line of several
scripts.  ``cjk.ttf`` is Droid Sans Fallback from U+2E80 on, ``hangul.ttf`` the 2,350 syllables of KS X 1001 from Noto
Sans KR (all 11,172 would make the wheel 0.7 MB larger), ``emoji.ttf`` Noto Emoji in outlines.  Hinting is dropped.
``coverage.json`` lists the characters of each as ranges, because Pillow cannot say which ones a font has.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.merge import Merger
from fontTools.merge import Options as MergeOptions
from fontTools.ttLib import TTFont

TARGET = Path(__file__).resolve().parent.parent / "mockserver" / "fonts"
NOTO, DROID = "fonts-noto-core=20201225-1", "fonts-droid-fallback=1:6.0.1r16-1.1"
EMOJI, HANGUL = "@expo-google-fonts/noto-emoji@0.4.7", "@expo-google-fonts/noto-sans-kr@0.4.3"
SCRIPTS = (
    *("", "Arabic", "Hebrew", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Tamil", "Telugu", "Kannada"),
    *("Malayalam", "Sinhala", "Thai", "Lao", "Khmer", "Myanmar", "Georgian", "Armenian", "Ethiopic"),
    *("Symbols", "Symbols2", "Math"),
)
"""Parts of Noto Sans; an earlier one wins where several have a character."""
BASIC = 0x10000
"""Where symbols and mathematical letters end that are still taken."""
CJK = 0x2E80
NAMES = [0, 1, 2, 13, 14]
"""Entries of the name table that are kept: copyright, family, style, licence and its address."""


def cut(source: Path, target: Path, wanted: Iterable[int], features: bool = True) -> None:
    """Write the part of a font that shows some characters."""
    options = subset.Options(hinting=False, glyph_names=False, name_IDs=NAMES)
    options.drop_tables += ["FFTM", "STAT", "MVAR", "BASE", "VORG", "vhea", "vmtx"]
    if not features:
        options.layout_features = []
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    font.save(target)


def characters(font: Path) -> set[int]:
    """The code points that a font shows."""
    return {point for point in TTFont(font, lazy=True).getBestCmap() if point >= 0x20}


def text(noto: Path, work: Path) -> Path:
    """The scripts of Noto Sans in one font."""
    parts, taken = [], set[int]()
    for script in SCRIPTS:
        source, part = noto / f"NotoSans{script}-Regular.ttf", work / f"{script or 'Latin'}.ttf"
        wanted = characters(source) - taken
        if not script:
            wanted = {point for point in wanted if point < 0x2C00}
        if script in ("Symbols", "Symbols2", "Math"):
            wanted = {point for point in wanted if point < BASIC}
        taken |= wanted
        cut(source, part, wanted)
        parts.append(str(part))
    target = TARGET / "text.ttf"
    Merger(MergeOptions(drop_tables=["vmtx", "vhea", "MATH"])).merge(parts).save(target)
    return target


def hangul() -> set[int]:
    """The letters of Korean and the syllables of KS X 1001, which EUC-KR encodes in rows 16 to 40."""
    rows = (bytes([row, cell]) for row in range(0xB0, 0xC9) for cell in range(0xA1, 0xFF))
    return set(range(0x3131, 0x318F)) | {ord(code.decode("euc_kr")) for code in rows}


def npm(package: str, work: Path) -> Path:
    """The regular weight that a package carries."""
    subprocess.run(["npm", "pack", "--silent", package], cwd=work, check=True)
    (found,) = work.glob("*.tgz")
    with tarfile.open(found) as archive:
        archive.extractall(work / found.stem, filter="data")
    found.unlink()
    (font,) = (work / found.stem).glob("package/400Regular/*.ttf")
    return font


def ranges(points: set[int]) -> list[list[int]]:
    """Sorted ranges, both ends included."""
    found: list[list[int]] = []
    for point in sorted(points):
        if found and point == found[-1][1] + 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def main() -> None:
    """Download, cut, merge, write."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        subprocess.run(["apt-get", "download", NOTO, DROID], cwd=work, check=True)
        for package in work.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(work)], check=True)
        shared = work / "usr/share/fonts/truetype"
        letters = characters(text(shared / "noto", work))
        droid = shared / "droid/DroidSansFallbackFull.ttf"
        han = {point for point in characters(droid) if point >= CJK} - letters
        cut(droid, TARGET / "cjk.ttf", han, features=False)
        cut(npm(HANGUL, work), TARGET / "hangul.ttf", hangul(), features=False)
        emoji = npm(EMOJI, work)
        cut(emoji, TARGET / "emoji.ttf", characters(emoji))
        found = {file.name: ranges(characters(file)) for file in sorted(TARGET.glob("*.ttf"))}
    lines = [f"  {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in found.items()]
    (TARGET / "coverage.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
