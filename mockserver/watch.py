"""Reloading: serves a contract anew when one of its files changes, and keeps the old one while the new one is broken.

The file watcher is imported only here, by those who asked for it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mockserver.app import Mock
from mockserver.errors import ContractError

_SUFFIXES = (".json", ".yaml", ".yml")


@contextmanager
def watching(mock: Mock, told: Callable[[str], None] | None = None) -> Iterator[None]:
    """Reload the mock's contract on changes below its folder until the block is left.

    ``told`` gets one line per reload and per new problem; by default they go to stderr.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(mock, told or _to_stderr, stop), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)


def _watch(mock: Mock, told: Callable[[str], None], stop: threading.Event) -> None:
    from watchfiles import watch

    from mockserver import lint

    said = ""
    folder = mock.contract.document.folder
    for changes in watch(folder, stop_event=stop, debounce=200, step=20, rust_timeout=200, yield_on_timeout=True):
        if not any(path.endswith(_SUFFIXES) for _, path in changes):
            continue
        try:
            lint.prove(mock.settings.contract)
            mock.reload()
        except ContractError as broken:
            line = f"the contract is broken and the old one stays in use: {broken}"
            if line != said:
                told(line)
            said = line
        else:
            told(f"the contract {mock.contract.name} was reloaded")
            said = ""


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
