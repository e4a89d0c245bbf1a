"""A request as a curl line that a person can run; the key is read from the environment, never written."""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import replace

from mockserver.messages import HEADER_NAME, Request

_OWN = ("content-length", "host", "connection", "accept-encoding")
_BROWSERS = ("origin", "referer", "priority", "upgrade-insecure-requests")
_GLOBBED = re.compile(r"[\[\]{}]")
"""What curl makes several addresses of, each asked for: one that a record holds must not become a thousand requests."""
_OBEYED = re.compile(r'["$`\\!]')
"""What a shell obeys in double quotes."""
_GOES_ON = re.compile(r"[A-Za-z0-9_]")
"""What would belong to the name of a variable that stands before it."""
_ESCAPED = (39, 92)
"""Apostrophe and backslash, which end or open an escape inside ``$'...'``."""


def curl(request: Request, base_url: str, key: str, variable: str) -> str:
    """One shell command; ``variable`` names the environment variable that holds the key.

    Requests of records are anybody's: none of their texts is run, names a file or becomes several addresses.
    """
    parts = ["curl", "-sS"]
    if request.method != "POST" or not request.body:
        parts += ["-X", shlex.quote(request.method)]
    parts += ["--globoff"] if _GLOBBED.search(request.target) else []
    parts.append(shlex.quote(f"{base_url}{request.target}"))
    for name, value in request.headers:
        if name.lower() in _OWN or not HEADER_NAME.fullmatch(name):
            continue
        if len(key) >= 4 and key in value:
            before, _, after = value.partition(key)
            parts += ["-H", _with_variable(f"{name}: {before}", variable, after)]
        else:
            parts += ["-H", shlex.quote(f"{name}: {value}")]
    if b"\0" in request.body:  # no argument of a command can hold it
        text = base64.b64encode(request.body).decode()
        return f"printf %s {text} | base64 -d | {' '.join(parts)} --data-binary @-"
    if request.body:
        # curl reads the file whose name follows an @
        parts += ["--data-raw" if request.body.startswith(b"@") else "--data-binary", _data(request.body)]
    return " ".join(parts)


def without_browser(request: Request, *, cookie: bool = False) -> Request:
    """The request without what a browser adds of its own accord; ``cookie`` keeps the cookies, which may carry the key.

    Records of browsers have lost the values of cookies, and a line that sent the key in their place would leak it.
    """

    def own(name: str) -> bool:
        lower = name.lower()
        return lower in _BROWSERS or lower.startswith("sec-") or (lower == "cookie" and not cookie)

    return replace(request, headers=tuple(pair for pair in request.headers if not own(pair[0])))


def _data(body: bytes) -> str:
    """The body in quotes; what a terminal or a shell would change is written as ``$'...'`` escapes."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return "$'" + "".join(chr(b) if 32 <= b < 127 and b not in _ESCAPED else f"\\x{b:02x}" for b in body) + "'"
    if all(character.isprintable() or character == "\n" for character in text):
        return shlex.quote(text)
    return "$'" + "".join(map(_character, text)) + "'"


def _character(character: str) -> str:
    if ord(character) in _ESCAPED:
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def _with_variable(before: str, variable: str, after: str) -> str:
    """An argument with the value of a variable in it; texts that a shell would obey stand in quotes of their own."""
    if _OBEYED.search(before + after):
        return f'{shlex.quote(before)}"${variable}"{shlex.quote(after) if after else ""}'
    named = f"{{{variable}}}" if _GOES_ON.match(after) else variable
    return f'"{before}${named}{after}"'
