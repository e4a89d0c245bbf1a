"""One child process with our stdin, stdout and stderr, run to its end, whatever the end is."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from mockserver.errors import UsageError

GRACE_S: Final = 5.0
"""Seconds that a process gets to end after it was told to."""
_GLANCE_S: Final = 0.25
_NOTICE_S: Final = 0.5
"""Seconds after which a process that a terminal's Ctrl-C did not reach is told by us."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: ``status`` as the system gives it (negative for a signal); what we did; what it left behind."""

    status: int
    timeout_s: float | None = None
    interrupted: bool = False
    left_running: bool = False

    @property
    def failure(self) -> str:
        """What went wrong with the command itself, in words; "" for nothing."""
        if self.timeout_s is not None:
            return f"the command was stopped after {self.timeout_s:g} s (--timeout)"
        if self.status < 0:
            try:
                name = signal.Signals(-self.status).name
            except ValueError:
                name = f"signal {-self.status}"
            return f"the command itself was ended by {name}"
        return f"the command itself failed with exit code {self.status}" if self.status else ""


def run(command: Sequence[str], environment: Mapping[str, str], timeout_s: float | None = None) -> Ended:
    """Run a command to its end; raises UsageError when there is no such command.

    Ctrl-C and SIGTERM are passed on, and the command gets time to end.  Where there is no terminal the command gets a
    process group of its own, so that what it started ends with it.
    """
    grouped = os.name == "posix" and not _has_terminal()
    with _terminable():
        child = _start(command, environment, 0 if grouped else None)
        try:
            _wait(child, timeout_s)
        except subprocess.TimeoutExpired:
            _end(child, grouped, signal.SIGTERM)
            return Ended(child.returncode, timeout_s=timeout_s)
        except KeyboardInterrupt:
            with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                if not grouped:
                    child.wait(_NOTICE_S)
            _end(child, grouped, signal.SIGINT)
            return Ended(child.returncode, interrupted=True)
    return Ended(child.returncode, left_running=grouped and _group_lives(child.pid))


def _wait(child: subprocess.Popen[bytes], timeout_s: float | None) -> None:
    """Wait for the end; raises TimeoutExpired.

    In small steps: the system may give a signal to any thread, and its handler runs when this one wakes up.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        rest = _GLANCE_S if until is None else min(_GLANCE_S, until - time.monotonic())
        try:
            child.wait(max(0.0, rest))
            return
        except subprocess.TimeoutExpired:
            if until is not None and time.monotonic() >= until:
                raise


def _start(command: Sequence[str], environment: Mapping[str, str], group: int | None) -> subprocess.Popen[bytes]:
    name = command[0]
    try:
        # the user's own command is what this is for; no shell reads it
        return subprocess.Popen(list(command), env=dict(environment), process_group=group)  # noqa: S603
    except FileNotFoundError:
        if shutil.which(name):
            raise UsageError(f"{name} cannot be run: the interpreter that its first line names is missing") from None
        raise UsageError(f"there is no command {name!r}{_meant(command)}") from None
    except PermissionError:
        what = "it is a folder" if Path(name).is_dir() else "it may not be executed"
        raise UsageError(f"{name} cannot be run: {what}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be run: {getattr(error, 'strerror', None) or error}") from None


def _meant(command: Sequence[str]) -> str:
    """Advice for a whole line given as one argument, and for a script that is not on the path."""
    name = command[0]
    if " " in name and len(command) == 1:
        return "; give the command and its arguments one by one, or use sh -c"
    return f"; ./{name} would be the file in this folder" if Path(name).is_file() else ""


def _end(child: subprocess.Popen[bytes], grouped: bool, first: signal.Signals) -> None:
    """Tell the process, wait, then make it end."""
    for number in (first, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if grouped and sys.platform != "win32":
                os.killpg(child.pid, number)
            elif child.poll() is None:
                child.send_signal(number)
        try:
            child.wait(GRACE_S)
            if number != first or not (grouped and _group_lives(child.pid)):
                return
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
    child.wait()


def _group_lives(group: int) -> bool:
    if sys.platform == "win32":
        return False
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


@contextmanager
def _terminable() -> Iterator[None]:
    """Within it, SIGTERM interrupts as Ctrl-C does."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
