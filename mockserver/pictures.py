"""What a picture of an answer has to be like: the keyword ``x-image`` and a request's body become a ``Picture``.

The mock draws it (:mod:`mockserver.drawing`), the judge holds what came against it (:mod:`mockserver.viewing`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from mockserver.pointers import find

Style = Literal["scene", "plain"]
"""How the mock draws: ``scene`` is the default; ``plain`` is one colour and a code of the design, for load tests."""
FORMATS: Final = ("png", "jpeg", "webp")
"""Formats that are drawn and recognised; others in a contract are neither."""
KINDS: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
"""Format -> media type."""
PIXELS_AT_MOST: Final = 4096 * 4096
"""Pixels of a picture that is drawn or decoded; beyond, it is left alone."""
SHOWN_AT_MOST: Final = 280
"""Characters of a prompt that are written into its picture."""

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.IGNORECASE)
_USUAL_SIZE: Final = (1024, 1024)
_WITHOUT_ALPHA: Final = "jpeg"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to be drawn: ``width`` and ``height`` in pixels, ``format`` of :data:`FORMATS`, ``quality`` 0 to 100.

    ``prompt`` and ``model`` are written into it, with ``number`` of ``count``, counted from 1.  ``design`` decides colours
    and motif.  ``draft`` is 0 for a finished picture, else how much of it is still missing, below 1.
    """

    width: int
    height: int
    format: str = "png"
    transparent: bool = False
    quality: int = 85
    prompt: str = ""
    model: str = ""
    number: int = 1
    count: int = 1
    design: int = 0
    draft: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks of its pictures; None where it leaves the choice to the server or the contract says nothing."""

    size: tuple[int, int] | None
    format: str | None
    transparent: bool | None


class Choices:
    """What an ``x-image`` says about its pictures, to be read from the bodies of requests."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        self.is_draft: Final = bool(rule.get("draft"))
        choices = {name: choice for name, choice in rule.items() if isinstance(choice, Mapping)}
        self._places = {name: choice["request"] for name, choice in choices.items() if "request" in choice}
        self._usual = {name: choice.get("default") for name, choice in choices.items()}
        self._unless: dict[str, Mapping[str, Any]] = {n: c["unless"] for n, c in choices.items() if "unless" in c}

    def asked(self, name: str, request: Any) -> Any:
        """What a request says about ``name``; else what the contract says that it is by default; else None."""
        place = self._places.get(name)
        value = find(request, place) if place is not None else None
        return self._usual.get(name) if value is None else value

    def demanded(self, name: str, request: Any) -> Any:
        """The same without the words that leave the choice to the server, which are None."""
        value = self.asked(name, request)
        return None if isinstance(value, str) and value in self._unless.get(name, ()) else value

    def taken(self, name: str, request: Any) -> Any:
        """The same with what the server takes for such words."""
        value = self.asked(name, request)
        unless = self._unless.get(name)
        return unless.get(value, value) if unless and isinstance(value, str) else value


def wanted(rule: Mapping[str, Any], request: Any) -> Wanted:
    """What the body of a request demands by an ``x-image``."""
    choices = Choices(rule)
    size, kind, background = (choices.demanded(name, request) for name in ("size", "format", "background"))
    transparent = {"transparent": True, "opaque": False}.get(str(background))
    if transparent and choices.taken("format", request) == _WITHOUT_ALPHA:
        transparent = None  # who asks for both cannot get both
    return Wanted(size_of(size), str(kind) if kind in FORMATS else None, transparent)


def picture_of(choices: Choices, request: Any, number: int, count: int, seed: str, missing: float = 0.0) -> Picture:
    """The picture that the mock gives to a request body: the ``number``-th of ``count``, by a seed ("" for none).

    ``missing`` is how much of a draft is still missing.
    """
    taken = choices.taken
    kind = taken("format", request)
    kind = kind if kind in FORMATS else FORMATS[0]
    prompt, model = str(taken("prompt", request) or ""), str(taken("model", request) or "")
    width, height = size_of(taken("size", request)) or _USUAL_SIZE
    if width * height > PIXELS_AT_MOST:
        width, height = _USUAL_SIZE
    quality = taken("quality", request)
    digest = hashlib.blake2b(repr((prompt, model, number, seed)).encode("utf-8", "replace"), digest_size=8)
    return Picture(
        width,
        height,
        kind,
        taken("background", request) == "transparent" and kind != _WITHOUT_ALPHA,
        min(100, max(0, int(quality))) if isinstance(quality, int | float) else 85,
        prompt if len(prompt) <= SHOWN_AT_MOST else prompt[: SHOWN_AT_MOST - 1] + "…",
        model[:80],
        number,
        count,
        int.from_bytes(digest.digest(), "big"),
        missing if choices.is_draft else 0.0,
    )


def prompt_of(rule: Mapping[str, Any], request: Any) -> Any:
    """What a request body says that the picture shall show; None where it or the contract says nothing."""
    return Choices(rule).asked("prompt", request)


def size_of(text: Any) -> tuple[int, int] | None:
    """Width and height of ``WIDTHxHEIGHT``; None for anything else."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    return (int(match[1]), int(match[2])) if match else None
