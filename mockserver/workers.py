"""The further processes of a mock with several workers: started, replaced when one ends, ended with the first one.

What a worker does is given as a function; that none outlives the first process is seen to on both sides.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

_END_TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 2.0
"""How long nobody takes the place of a worker that was not killed at work: all may be about to end, or to fail alike."""
_START_S: Final = 0.5


@contextmanager
def working(count: int, target: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[Callable[[], None]]:
    """Keep ``count`` processes at work until the block is left; ``target`` runs in each of them.

    What is given lets them begin to end before that.
    """
    if not count:
        yield lambda: None
        return
    crew = _Crew(count, target, arguments)
    try:
        yield crew.dismiss
    finally:
        crew.end()


def end_with_parent() -> None:
    """Let this worker end, as by SIGTERM, when the process that started it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


class _Crew:
    def __init__(self, count: int, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._target, self._arguments = target, arguments
        self._dismissed = False
        self._stopped, self._stop = connection.Pipe(duplex=False)
        self._begun = {self._another(): time.monotonic() for _ in range(count)}
        self._thread = threading.Thread(target=self._replace, name="workers", daemon=True)
        self._thread.start()

    def dismiss(self) -> None:
        if self._dismissed:
            return
        self._dismissed = True
        self._stop.send(None)
        self._thread.join()
        for process in self._begun:
            process.terminate()

    def end(self) -> None:
        self.dismiss()
        for process in self._begun:
            process.join(_END_TIMEOUT_S)
        self._stop.close()
        self._stopped.close()

    def _another(self) -> BaseProcess:
        process = multiprocessing.get_context("spawn").Process(target=self._target, args=self._arguments, daemon=True)
        process.start()
        return process

    def _replace(self) -> None:
        """Put a new process in the place of each one that ended, until told to stop."""
        while self._stopped not in connection.wait([self._stopped, *(one.sentinel for one in self._begun)]):
            for process in [one for one in self._begun if one.exitcode is not None]:
                lived = time.monotonic() - self._begun[process]
                by_itself = (process.exitcode or 0) >= 0 or process.exitcode in (-signal.SIGTERM, -signal.SIGINT)
                if (by_itself or lived < _START_S) and self._stopped.poll(_PAUSE_S):
                    return
                print(
                    f"worker {process.pid} {_ended(process.exitcode)}; another takes its place",
                    file=sys.stderr,
                    flush=True,
                )
                process.join()
                del self._begun[process]
                self._begun[self._another()] = time.monotonic()


def _ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
