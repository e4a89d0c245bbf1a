"""Which credentials a probe carries: the user's own, none, or a form that must be refused."""

from __future__ import annotations

from enum import Enum

from mockserver.contract import Operation
from mockserver.credentials import carrier

OTHER_HEADERS = ("api-key", "x-api-key")
"""Headers in which services other than the tested one take their keys: Azure's and Anthropic's."""


class Credentials(Enum):
    """The user's key, or one named deviation from it."""

    OWN = "own"
    NONE = "none"
    EMPTY = "empty token"
    SCHEME = "another scheme"
    BARE = "the key alone"
    ELSEWHERE = "in other headers"
    WRONG = "wrong key"

    def headers(self, operation: Operation, key: str) -> tuple[tuple[str, str], ...]:
        """The credential headers of a request to that operation."""
        if self is Credentials.NONE:
            return ()
        if self is Credentials.WRONG:
            return carrier(operation, "sk-not-a-valid-key-0000000000000000")
        own = carrier(operation, key)
        if self is Credentials.EMPTY:
            return tuple((name, value.partition(" ")[0] if " " in value else "") for name, value in own)
        if self is Credentials.BARE:
            return tuple((name, value.partition(" ")[2] or value) for name, value in own)
        if self is Credentials.ELSEWHERE:
            return tuple((name, key) for name in OTHER_HEADERS if name not in {taken.lower() for taken, _ in own})
        if self is Credentials.SCHEME:
            return tuple((name, f"Token {value.partition(' ')[2] or value}") for name, value in own)
        return own
