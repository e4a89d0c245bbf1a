"""Bytes on a connection, in pieces: the mock's own protocol and application with a transport that keeps what is written."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from mockserver.app import Mock
from mockserver.protocol import BoundedProtocol
from mockserver.settings import Settings

BETWEEN = b"\xff\xfe"
"""Where one piece ends and the next begins."""
WRITTEN_AT_MOST = 8 * 1024 * 1024


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed, self.ended = bytearray(), False, False

    def write(self, data: Any) -> None:
        if self.ended or self.closed:
            raise AssertionError("something is written behind the end")
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 4), "sockname": ("127.0.0.1", 4010)}.get(name, default)


MOCK = Mock(Settings(max_body=4096, journal_entries=20))
CONFIG = Config(
    MOCK, http=BoundedProtocol, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False
)
logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)
CONFIG.load()


async def _talk(pieces: list[bytes]) -> Wire:
    wire = Wire()
    protocol = BoundedProtocol(CONFIG, ServerState(), {})
    protocol.connection_made(wire)
    for piece in pieces:
        if wire.closed or wire.ended:
            break
        protocol.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(12):
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    for task in list(protocol.tasks):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return wire


def check(data: bytes) -> None:
    """Nothing but HTTP answers comes back, none of them a 500 that no scenario asked for; the next request is served."""
    MOCK.stage.reset(None)
    wire = asyncio.run(_talk(data.split(BETWEEN)))
    assert len(wire.written) < WRITTEN_AT_MOST
    if wire.written:
        assert wire.written.startswith(b"HTTP/1.1 "), bytes(wire.written[:80])
        asked = b"code=5" in data.lower() or b"example" in data or b"scenario" in data
        assert asked or b"HTTP/1.1 500" not in wire.written, bytes(wire.written[:300])
