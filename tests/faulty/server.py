"""Entry: a faulty or faithful server in a background thread, or in the foreground for tests by hand."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.faulty import FAULTS, PROFILES
from tests.faulty.faithful import NO_HOOKS, Hooks, Session, refuse_bytes, respond
from tests.faulty.wire import HEAD_LIMIT, Listener


class Server:
    """A running server: its base URL and what it has booked so far."""

    def __init__(self, session: Session, address: tuple[str, int]) -> None:
        self._session = session
        self.host, self.port = address

    @property
    def url(self) -> str:
        """Scheme, host and port without a path."""
        return f"http://{self.host}:{self.port}"

    @property
    def requests(self) -> int:
        """Requests read, refused ones included."""
        return self._session.requests

    @property
    def accepted(self) -> int:
        """Generations done, whatever the fault made of the answer."""
        return self._session.accepted

    @property
    def images(self) -> int:
        """Images asked for by the accepted requests."""
        return self._session.images

    @property
    def log(self) -> list[tuple[str, str, int]]:
        """(method, path without query, status meant) of every request; ("", "", status) for what was not HTTP."""
        return list(self._session.log)


async def _run(listening: socket.socket, session: Session, hooks: Hooks, stop: asyncio.Event) -> None:
    listener = Listener(
        lambda request: respond(session, request, hooks),
        lambda status: refuse_bytes(session, status),
        close=not session.profile.keep_alive,
    )
    server = await asyncio.start_server(listener.connected, sock=listening, limit=HEAD_LIMIT)
    await stop.wait()
    server.close()
    await listener.stop()


@contextmanager
def serve(
    fault: str | None = None,
    profile: str = "plain",
    key: str | None = None,
    *,
    port: int = 0,
    clock: Callable[[], float] = time.time,
    seed: str | None = None,
) -> Iterator[Server]:
    """Serve on 127.0.0.1 until the block ends.

    ``key`` is the only valid bearer token; without it any non-empty one is. With the same ``seed`` and ``clock`` the
    same requests get the same bytes. Raises KeyError for an unknown fault or profile, OSError for a port in use.
    """
    hooks = NO_HOOKS if fault is None else FAULTS[fault].hooks
    session = Session(PROFILES[profile], key, clock, seed or secrets.token_hex(8))
    # The socket listens before the thread runs, so no client can come too early and nobody has to wait.
    listening = socket.create_server(("127.0.0.1", port))
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def work() -> None:
        try:
            loop.run_until_complete(_run(listening, session, hooks, stop))
        finally:
            loop.close()

    thread = threading.Thread(target=work, name=f"faulty-{fault or profile}", daemon=True)
    thread.start()
    try:
        yield Server(session, listening.getsockname())
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=5)


def _table() -> str:
    rows = [
        f"{fault.category:<12}{fault.weight:<9}{'held out' if fault.held_out else '':<10}{fault.name:<34}{fault.wrong}"
        for fault in FAULTS.values()
    ]
    return "\n".join([*rows, "", "profiles: " + ", ".join(PROFILES)])


def main(arguments: list[str] | None = None) -> None:
    """Command line of ``python -m tests.faulty.server``."""
    parser = argparse.ArgumentParser(prog="python -m tests.faulty.server", description=__doc__)
    parser.add_argument("--fault", choices=sorted(FAULTS), metavar="NAME")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="plain", metavar="NAME")
    parser.add_argument("--key", help="the only valid bearer token; default: any")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--list", action="store_true", help="print the catalogue and end")
    options = parser.parse_args(arguments)
    if options.list:
        print(_table())
        return
    with serve(options.fault, options.profile, options.key, port=options.port) as server:
        print(server.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
