"""What is said when a Redis server cannot be used: what it is, and what would be right."""

from __future__ import annotations

import re
import ssl
from typing import Final

from redis import exceptions

from mockserver.state.places import PASSWORD

RIGHTS: Final = "~quickrouter-contract:* +@read +@write +@scripting +@transaction +@connection +time"
"""What a user of the server has to be allowed, as its ``ACL SETUSER`` takes it."""
_AFTER: Final = re.compile(r"\s*script: [0-9a-f]{40}.*", re.DOTALL)
_BEFORE: Final = re.compile(r"Error running script \(call to f_[0-9a-f]{40}\): (?:@user_script: ?\d+: )*-?")
"""Where in a script a command was refused, as Redis 7 and Redis 6 add it."""


def sentence(error: Exception, url: str, keys: str, user: str, *, secret: bool, reached: bool) -> str:
    """Why the state cannot be kept at ``url``.

    ``keys`` is what all names of keys begin with, ``user`` who was named, ``secret`` whether a password was given,
    ``reached`` whether the server has answered before.
    """
    words = _BEFORE.sub("", _AFTER.sub("", str(error))).strip().rstrip(".")
    if (why := _refusal(error, words, keys, user, secret)) is not None:
        return f"cannot keep the state at {url}: {why}"
    return f"cannot reach the state at {url}: {_unreached(error, words, url, reached)}"


def _refusal(error: Exception, words: str, keys: str, user: str, secret: bool) -> str | None:
    """Why a server that answers does not do what is asked; None where none answered."""
    who = f"user {user!r}" if user else "user 'default'"
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError):
        if not secret:
            return f"it wants a password, which belongs into the environment variable {PASSWORD}"
        return f"it does not take the password in {PASSWORD} for {who} ({words})"
    if isinstance(error, exceptions.ReadOnlyError) or words.startswith("READONLY"):
        return "it is a replica, which takes no writes; name its primary"
    if isinstance(error, exceptions.AskError | exceptions.ClusterError | exceptions.ClusterCrossSlotError) or (
        isinstance(error, exceptions.ResponseError) and "cluster mode" in words
    ):
        return f"it is part of a cluster ({words}); name a server that keeps all keys, with or without replicas"
    if isinstance(error, exceptions.OutOfMemoryError) or words.startswith("OOM"):
        return "it is full (maxmemory); let it have more, or give the mock a server of its own"
    if not isinstance(error, exceptions.ResponseError):
        return None
    if isinstance(error, exceptions.NoPermissionError) or "executing the script" in words:
        return f"{who} may not do what a mock does there ({words}); it needs {RIGHTS}"
    if words.startswith("WRONGTYPE"):
        return f"another program has put something else where names begin with {keys}; take another database number"
    if words.startswith("unknown command"):
        return f"a Redis server from version 6.2 on is needed, and no Sentinel ({words.partition(', with args')[0]})"
    return f"it refuses: {words}"


def _unreached(error: Exception, words: str, url: str, reached: bool) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return f"its certificate is not trusted ({cause.verify_message}); SSL_CERT_FILE names the file of an authority"
    if isinstance(error, exceptions.InvalidResponse):
        return "what answers there does not speak Redis's protocol"
    hint = ""
    if not reached and url.startswith("redis://") and ("closed by server" in words or "reset by peer" in words):
        hint = " (a server that encrypts is named by rediss://)"
    if not reached and url.startswith("rediss://") and ("SSL" in words or "Timeout" in words):
        hint = " (a server that does not encrypt is named by redis://)"
    return words + hint
