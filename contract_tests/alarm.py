"""Ends the connection of a request that has no head of an answer at its deadline, however busily the server trickles."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any


class Alarm:
    """One deadline at a time, in seconds of :func:`time.perf_counter`; the thread that watches it starts with the first.

    Setting and lifting a deadline costs no switch between threads as long as deadlines grow, since the watcher looks again
    when the one that it knows of has passed; for an earlier one it is woken.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadline: float | None = None
        self._looks = 0.0
        """When the watcher looks again."""
        self._socket: socket.socket | None = None
        self._watcher: threading.Thread | None = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What httpcore tells (its ``trace`` extension): the stream made last is the one that the answer comes by."""
        stream = info.get("return_value")
        if event.endswith(("connect_tcp.complete", "start_tls.complete")) and stream is not None:
            self._socket = stream.get_extra_info("socket")

    @contextlib.contextmanager
    def at(self, deadline: float) -> Iterator[None]:
        """Watch over a block."""
        with self._changed:
            self._socket, self._deadline = None, deadline
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="alarm", daemon=True)
                self._watcher.start()
            elif deadline < self._looks:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._deadline = None

    def _watch(self) -> None:
        with self._changed:
            nap = 0.0
            while True:
                self._looks = time.perf_counter() + nap
                self._changed.wait(nap)
                now = time.perf_counter()
                if self._deadline is None:
                    nap = min(max(nap, 0.05) * 2, 5.0)
                elif self._deadline > now:
                    nap = self._deadline - now
                else:
                    self._deadline, nap = None, 0.05
                    self._ring()

    def _ring(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # not SSLSocket.shutdown, which changes what the other thread reads from
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
