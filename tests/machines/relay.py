"""Stands between a client and a Redis server, and breaks connections where it hurts most."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator

_Broken = Callable[[bytes], bool]


class Relay:
    """Passes on what comes on ``port``, until a request arrives that ``losing`` says yes to.

    The server gets that request, and its answer goes no further: the client's connection is closed in its place.  With
    ``late`` the client's connection stays open and silent, and the server gets the request only with :meth:`deliver`.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.losing: _Broken = lambda _: False
        self.late = False
        self.lost = 0
        self._kept: list[tuple[socket.socket, bytes]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def deliver(self) -> None:
        """Let the server have what came late, and wait for its answers."""
        for server, request in self._kept:
            server.sendall(request)
            server.settimeout(5)
            assert server.recv(65536)
            server.close()
        self._kept.clear()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._server))
        with contextlib.suppress(OSError), client, contextlib.ExitStack() as held:
            held.enter_context(server)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if server in ready:
                    if not (data := server.recv(65536)):
                        break
                    client.sendall(data)
                if client in ready:
                    if not (data := client.recv(1 << 20)):
                        break
                    if self.losing(data):
                        self.lost += 1
                        if self.late:
                            self._kept.append((server, data))
                            held.pop_all()
                            client.recv(1)  # until the client gives up
                        else:
                            server.sendall(data)
                            assert server.recv(65536)
                        return
                    server.sendall(data)


@contextlib.contextmanager
def relayed(server: int) -> Iterator[Relay]:
    """A relay before the server on that port."""
    relay = Relay(server)
    try:
        yield relay
    finally:
        relay.close()
