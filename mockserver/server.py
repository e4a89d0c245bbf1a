"""Listening: binds the port, runs the application under uvicorn until told to stop, and says where it is.

``serve`` is for the command line, ``background`` for tests and fixtures.  What is answered is left to :mod:`mockserver.app`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import importlib.util
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from mockserver.app import Mock
from mockserver.descriptors import make_room, room
from mockserver.errors import ContractToolError
from mockserver.settings import Settings
from mockserver.state import AnyJournal
from mockserver.workers import end_with_parent, working

if TYPE_CHECKING:
    import uvicorn

_LOOPBACKS = ("127.0.0.1", "::1")
BACKLOG = 2048
START_TIMEOUT_S = 10.0
_DRAIN_S = 3
"""Seconds that clients have to take what was answered before the mock ends."""


@dataclass(frozen=True, slots=True)
class Running:
    """A mock that answers: ``url`` is its base URL, base path of the contract included; ``journal`` its record."""

    url: str
    port: int
    journal: AnyJournal
    mock: Mock


class _StoppedError(Exception):
    """SIGTERM came: the ordinary way to end a server."""


def _stop(_: int, __: FrameType | None) -> None:
    raise _StoppedError


def serve(settings: Settings) -> None:
    """Serve until SIGTERM (returns) or SIGINT (raises KeyboardInterrupt); the first line on stdout is the base URL.

    Raises ContractToolError when the address cannot be bound or the state not be kept, ContractError when the contract
    cannot be used.
    """
    with _place(settings) as (settings, private):
        _serve(settings, private)


def _serve(settings: Settings, private: str | None) -> None:
    host = at_home(settings.host)
    with contextlib.closing(listener_on(host, settings.port)) as listener, contextlib.closing(Mock(settings)) as mock:
        _run(mock, listener, url_of(host, listener.getsockname()[1], mock.base_path), private)


def _run(mock: Mock, listener: socket.socket, url: str, private: str | None) -> None:
    settings = mock.settings

    def ready() -> None:
        print(url, flush=True)

    before = signal.signal(signal.SIGTERM, _stop)
    try:
        _settle()
        others = working(settings.workers - 1, _work, (settings, listener, private, mock.started))
        with _reloading(mock), others as dismiss:
            _server(mock, ready, dismiss).run(sockets=[listener])
    except _StoppedError:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _place(settings: Settings) -> Iterator[tuple[Settings, str | None]]:
    """The settings with a place for the state, and the private folder in which it is: gone at the end."""
    if settings.workers == 1 or settings.state is not None:
        yield settings, None
        return
    with tempfile.TemporaryDirectory(prefix="quickrouter-contract-", ignore_cleanup_errors=True) as folder:
        yield replace(settings, state=os.path.join(folder, "state")), folder  # noqa: PTH118  settings hold text


@contextmanager
def background(settings: Settings) -> Iterator[Running]:
    """A mock in a thread on a free port, whatever port the settings name; stopped on leaving."""
    mock, host = Mock(replace(settings, port=0)), at_home(settings.host)
    listener = listener_on(host, 0)
    bound = listener.getsockname()[1]
    started = threading.Event()
    server = _server(mock, started.set)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            server.run(sockets=[listener])
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="mock", daemon=True)
    thread.start()
    started.wait(START_TIMEOUT_S)
    try:
        if failures or not server.started:
            raise ContractToolError(f"the mock did not start: {failures[0] if failures else 'no sign of life'}")
        yield Running(url_of(host, bound, mock.base_path), bound, mock.journal, mock)
    finally:
        server.should_exit = True
        thread.join(START_TIMEOUT_S)
        listener.close()
        mock.close()


def _reloading(mock: Mock, told: Callable[[str], None] | None = None) -> AbstractContextManager[None]:
    if not mock.settings.watch:
        return nullcontext()
    from mockserver.watch import watching

    return watching(mock, told)


def _work(settings: Settings, listener: socket.socket, private: str | None, started: float) -> None:
    """One further worker; an interrupt at the terminal reaches it too, and is its parent's to tell."""
    signal.signal(signal.SIGTERM, _stop)
    end_with_parent()
    try:
        with contextlib.closing(Mock(settings, started)) as mock, _reloading(mock, lambda _: None):
            _settle()
            _server(mock, lambda: None).run(sockets=[listener])
    except (KeyboardInterrupt, _StoppedError):
        return
    except ContractToolError as failure:
        sys.exit(f"error: {failure}")
    finally:
        parent = multiprocessing.parent_process()
        if private and parent and not parent.is_alive():
            shutil.rmtree(private, ignore_errors=True)


def _settle() -> None:
    """Keep the garbage collector away from what lives as long as the process, and from every request's few objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def at_home(host: str) -> str:
    """The host to listen on: IPv4's loopback is IPv6's where there is no IPv4."""
    if host == _LOOPBACKS[0]:
        try:
            socket.create_server((host, 0)).close()
        except OSError as error:
            return _LOOPBACKS[1] if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) else host
    return host


def listener_on(host: str, port: int) -> socket.socket:
    make_room()
    if not 0 <= port <= 65535:
        raise ContractToolError(f"cannot listen on {host}:{port}: ports end at 65535")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        if number == errno.EADDRINUSE:
            raise ContractToolError(
                f"port {port} on {host} is in use; stop what listens there, or choose another with --port (0: any free one)"
            ) from None
        if number == errno.EACCES:
            raise ContractToolError(
                f"port {port} on {host} may not be used by this user; ports from 1024 may"
            ) from None
        if number == errno.EADDRNOTAVAIL:
            raise ContractToolError(
                f"cannot listen on {host}:{port}: it is no address of this machine; --host 127.0.0.1 is this machine "
                "alone, 0.0.0.0 all of its addresses"
            ) from None
        reason = getattr(error, "strerror", None) or error
        raise ContractToolError(f"cannot listen on {host}:{port}: {reason}") from None


def url_of(host: str, port: int, base_path: str) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    shown = f"[{reachable}]" if ":" in reachable else reachable
    return f"http://{shown}:{port}{base_path}"


def _server(mock: Mock, ready: Callable[[], None], ending: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """What listens; ``ready`` is called when it does, ``ending`` when it is about to stop."""
    uvicorn = _import_uvicorn()
    swept = min(
        1.0, *(limit / 4 for limit in (mock.settings.request_timeout, mock.settings.send_timeout) if limit), 1.0
    )

    class Server(uvicorn.Server):  # type: ignore[misc, name-defined]
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                mock.connections.at_most = room()
                self._sweep()
                ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            mock.end()
            ending()
            await super().shutdown(sockets)
            self._abandon()

        def _abandon(self) -> None:
            for connection in list(self.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()

        def _sweep(self) -> None:
            if self.force_exit:
                self._abandon()
            mock.connections.sweep(one for one in self.server_state.connections if hasattr(one, "sweep"))
            asyncio.get_running_loop().call_later(swept, self._sweep)

    return Server(configuration(mock, "mockserver.protocol:BoundedProtocol", timeout_graceful_shutdown=_DRAIN_S))


def configuration(app: Any, protocol: str, **more: Any) -> uvicorn.Config:
    """How uvicorn serves an application of ours, quietly.

    ``protocol`` is ``module:class``, used where its parser is installed; the other one has a limit on heads of its own.
    """
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    config: uvicorn.Config = _import_uvicorn().Config(
        app,
        http=protocol if importlib.util.find_spec("httptools") else "h11",
        loop="uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        **more,
    )
    return config


def _import_uvicorn() -> Any:
    """uvicorn without its own file watcher, which it imports where it finds it and which costs start-up time."""
    hidden = "watchfiles" not in sys.modules and "uvicorn" not in sys.modules
    if hidden:
        sys.modules["watchfiles"] = None  # type: ignore[assignment]
    try:
        import uvicorn
    finally:
        if hidden:
            del sys.modules["watchfiles"]
    return uvicorn
