"""Where a store is, from what ``--state`` says: a file, or the address of a Redis server."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from mockserver.errors import StateError, UsageError
from mockserver.state.store import Limits, Store

PASSWORD: Final = "QUICKROUTER_STATE_PASSWORD"  # noqa: S105  a name
"""The environment variable with the password of the Redis server."""
_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_KNOWN: Final = {"redis": (), "rediss": _FILES, "unix": ("db",)}
"""What an address may say after its question mark."""


def store_at(place: str, name: str, limits: Limits) -> Store:
    """The store at a place, made there if need be; raises UsageError and StateError."""
    if not place:
        raise UsageError("--state is empty; it is a file or an address such as redis://HOST")
    scheme, separator, _ = place.partition("://")
    if not separator:
        if place.partition(":")[0] in _KNOWN:
            raise UsageError(f"--state is a file or an address such as redis://HOST; got {place}, without the //")
        from mockserver.state.file import FileStore

        return FileStore(place, name, limits)
    if scheme not in _KNOWN:
        raise UsageError(f"--state is a file or begins with redis://, rediss:// or unix://; got {scheme}://")
    try:
        _check(urlsplit(place), _KNOWN[scheme])
    except ValueError as wrong:
        raise UsageError(f"--state is no address: {wrong}") from None
    from mockserver.state.redis import RedisStore

    return RedisStore(place, os.environ.get(PASSWORD), name, limits)


def _check(address: SplitResult, known: tuple[str, ...]) -> None:
    """Raises UsageError for what is no address of a server, and StateError for a file that it names and that is not there."""
    asked = parse_qsl(address.query, keep_blank_values=True)
    if address.password or any(name == "password" for name, _ in asked):
        raise UsageError(f"--state takes no password, which others could read there; put it into {PASSWORD}")
    for name, value in asked:
        if name not in known:
            raise UsageError(f"--state knows no {name}= in {address.scheme}://; it knows {', '.join(known) or 'none'}")
        if name in _FILES and not os.access(value, os.R_OK):
            raise StateError(f"--state names a file that cannot be read: {name}={value}")
    numbers = [value for name, value in asked if name == "db"]
    numbers += [address.path[1:]] if address.scheme != "unix" and address.path not in ("", "/") else []
    for number in numbers:
        if not (number.isascii() and number.isdigit()):
            raise UsageError(f"--state names a database by its number, as in redis://HOST/0; got {number!r}")
    if address.scheme == "unix" and not address.path:
        raise UsageError("--state names the path of a socket, as in unix:///run/redis.sock")
    if address.scheme != "unix" and not address.hostname:
        raise UsageError(f"--state names a host, as in {address.scheme}://HOST")
    _ = address.port  # raises ValueError
