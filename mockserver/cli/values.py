"""The kinds of values that options take: numbers, amounts, rates, reports, addresses; each says what is wrong with a bad one.

Most are functions from text to text, because ``click`` takes any callable as a type; all raise ``BadParameter``.
"""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import urlsplit

from click import BadParameter, Context, FloatRange, IntRange, Parameter

_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?(?:usd|\$)?", re.IGNORECASE)
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)/(s|m|min|h)")


class Whole(IntRange):
    """A whole number within bounds; what is none is not called a range."""

    name = "integer"


class Seconds(FloatRange):
    """A finite number of seconds within bounds: ``nan`` is within any, and a wait for so long never ends."""

    name = "number of seconds"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return number


def amount(text: str) -> str:
    """An amount of US dollars, ``0.50usd`` or ``0.50``; always returned with its unit."""
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise BadParameter(f"{text!r} is not an amount in US dollars, such as 0.50usd")
    return f"{found[1]}usd"


def rate(text: str) -> str:
    """Requests per time: ``5/s``, ``90/min`` or ``100/h``; above zero."""
    found = _RATE.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise BadParameter(f"{text!r} is not a rate above zero, such as 5/s, 90/min or 100/h")
    return found[0]


def report(text: str) -> str:
    """``FORMAT=PATH`` of a report; ``-`` stands for stdout."""
    from mockserver.reports import FORMATS

    form, separator, path = text.partition("=")
    if form not in FORMATS:
        raise BadParameter(f"there is no report format {form!r}; there are {', '.join(FORMATS)}")
    if not separator or not path:
        raise BadParameter(f"{text!r} lacks a path, as in {form}=report.{form}")
    return text


def address(text: str) -> str:
    """An ``http`` or ``https`` base URL without credentials, query or fragment; returned without a trailing slash."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadParameter(f"not a URL: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise BadParameter("a base URL must not hold credentials; the key is read from the environment")
    if parts.scheme not in ("http", "https") or not host:
        raise BadParameter(f"{text!r} is not a base URL such as https://api.example.com")
    if parts.query or parts.fragment:
        raise BadParameter("a base URL has neither a query nor a fragment")
    return text.rstrip("/")


def variable(text: str) -> str:
    """The name of an environment variable; whoever passes the key itself does not find it repeated in the message."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise BadParameter("this takes the name of an environment variable that holds the key, never the key")
    return text
