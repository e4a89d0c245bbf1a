"""Where a store is, from what ``--state`` says: a file, or the address of a Redis server."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import urlsplit

from mockserver.errors import UsageError
from mockserver.state.store import Limits, Store

PASSWORD: Final = "QUICKROUTER_STATE_PASSWORD"  # noqa: S105  a name
"""The environment variable with the password of the Redis server."""
_REDIS: Final = ("redis", "rediss", "unix")


def store_at(place: str, name: str, limits: Limits) -> Store:
    """The store at a place, made there if need be; raises UsageError and StateError."""
    scheme, separator, _ = place.partition("://")
    if not separator:
        from mockserver.state.file import FileStore

        return FileStore(place, limits)
    if scheme not in _REDIS:
        raise UsageError(f"--state is a file or begins with redis://, rediss:// or unix://; got {scheme}://")
    try:
        secret = urlsplit(place).password or "password=" in urlsplit(place).query
    except ValueError as wrong:
        raise UsageError(f"--state is no address: {wrong}") from None
    if secret:
        raise UsageError(f"--state takes no password, which others could read there; put it into {PASSWORD}")
    from mockserver.state.redis import RedisStore

    return RedisStore(place, os.environ.get(PASSWORD), name, limits)
