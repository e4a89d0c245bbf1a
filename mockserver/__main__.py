"""The first lines of the program, for ``quickrouter-contract`` and for ``python -m mockserver``.

Everything else is imported below the first function call, where Ctrl-C is silent already.  What comes before these lines is
Python's own start, a hundredth of a second in which it shows a traceback.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130

try:
    import signal
    from types import FrameType
except KeyboardInterrupt:
    os._exit(INTERRUPTED)


def run() -> int:
    """Run the command line of the process and return its exit code; Ctrl-C ends it without a traceback, however early."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # whoever ignores it goes on ignoring it
    if ours:
        signal.signal(signal.SIGINT, _leave)
    from mockserver.cli import main

    try:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if ours:
            signal.signal(signal.SIGINT, _leave)


def _leave(_: int, __: FrameType | None) -> None:
    """Nothing has begun yet, or all is done and written: there is nothing to tidy up."""
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    sys.exit(run())
