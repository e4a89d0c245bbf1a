"""What a mock is started with, as one frozen value; the command line and the fixtures build it.

What the numbers limit is left to the modules that read them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mockserver.pictures import Style

OnViolation = Literal["enforce", "report", "ignore"]

BODY_AT_MOST = 1024 * 1024
"""Bytes of one request's body, unless another limit is set."""
FORM_AT_MOST = 64 * 1024 * 1024
"""The same for a contract that takes files."""

HEAD_AT_MOST = 64 * 1024
"""Bytes of a request's head."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """One mock's settings.

    ``contract`` is a shipped name, a folder or a file, None for the default one; ``port`` 0 means any free port;
    ``scenario`` names the scenario that is armed from the start; with ``seed`` equal requests get equal bytes.
    ``on_violation``: ``enforce`` refuses a request that breaks the contract, ``report`` journals the violation and serves,
    ``ignore`` does not judge requests.  ``api_key`` is the only valid key, None for any; it is never shown.
    ``replay`` is a cassette whose answers are given to the requests that it holds.
    ``delay`` seconds are waited before every answer, in a stream before every event.
    ``workers`` processes serve; ``state`` says where they keep journal and scenarios, a file or the address of a Redis
    server, None for the memory of the only one.
    ``request_timeout`` is how many seconds a request may take to arrive, ``send_timeout`` how long an answer may take to be
    taken; either gets a second more for every 1000 bytes that move, and 0 is for ever.
    ``watch`` reloads the contract when one of its files changes.  ``max_body`` and ``max_headers`` are bytes of one request;
    ``journal_entries`` and ``journal_bytes`` bound what the journal keeps.
    ``image_style`` is how pictures are drawn.
    """

    contract: str | None = None
    host: str = "127.0.0.1"
    port: int = 4010
    scenario: str | None = None
    seed: int | None = None
    workers: int = 1
    state: str | None = None
    on_violation: OnViolation = "enforce"
    api_key: str | None = field(default=None, repr=False)
    watch: bool = False
    delay: float = 0.0
    max_body: int = BODY_AT_MOST
    max_headers: int = HEAD_AT_MOST
    request_timeout: float = 60.0
    send_timeout: float = 300.0
    replay: str | None = None
    journal_entries: int = 1000
    journal_bytes: int = 32 * 1024 * 1024
    image_style: Style = "scene"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the mock."""
        return self.host in LOOPBACK or self.host.startswith("127.")
