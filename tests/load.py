"""Clients that keep a mock busy, and what they got."""

from __future__ import annotations

import math
import socket
import threading
import time

from tests.conftest import parsed


class Load:
    """Clients that ask as fast as they can, each on a connection that it keeps, or on a new one every time."""

    def __init__(self, port: int, request: bytes, kept: int, fresh: int) -> None:
        self._port, self._request = port, request
        self.answered: list[str] = []
        """Ids of the exchanges of which the whole answer came."""
        self.lost: list[float] = []
        """When requests had been sent of which it did not: infinity where they had not."""
        self.refused = 0
        """Connections that were not made."""
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number < kept,)) for number in range(kept + fresh)]
        for thread in self._threads:
            thread.start()

    def _work(self, keep: bool) -> None:
        while not self._over.is_set():
            try:
                client = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            except ConnectionError:
                self.refused += 1
                self._over.wait(0.02)
                continue
            with client:
                while self._asked(client) and keep and not self._over.is_set():
                    pass

    def _asked(self, client: socket.socket) -> bool:
        """Whether the connection can be used again."""
        sent, data = math.inf, b""
        try:
            client.sendall(self._request)
            sent = time.monotonic()
            while b"\r\n\r\n" not in data or len(parsed(data).body) < int(parsed(data).headers["content-length"]):
                piece = client.recv(65536)
                if not piece:
                    raise ConnectionError
                data += piece
        except ConnectionError:
            self.lost.append(sent)
            return False
        answer = parsed(data)
        assert answer.status == 200
        self.answered.append(answer.headers["mock-exchange"])
        return answer.headers.get("connection") != "close"

    def has_answered(self, count: int) -> bool:
        return len(self.answered) > count

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
