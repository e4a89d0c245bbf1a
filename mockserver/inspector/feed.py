"""What the list of the page is told: the whole journal at first, then what is new, as server-sent events or one by one.

The journal is looked at a few times a second while somebody listens; nobody listening costs the API's path nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from mockserver.encoding import encoded
from mockserver.inspector.view import line
from mockserver.state import AnyJournal

LOOKED_EVERY_S: Final = 0.25
_SIGN_OF_LIFE_S: Final = 15.0
"""After so long a silence a comment is sent: so a listener who is gone is noticed."""
LISTED: Final = 10_000
"""Lines that are sent at most, the newest."""


def cursor(journal: AnyJournal) -> str:
    """Where a reader of the journal is: what was cleared so far, and the newest id."""
    return f"{journal.cleared}.{journal.newest}"


def news(journal: AnyJournal, after: str) -> dict[str, Any]:
    """The lines after a cursor, oldest first; with ``whole`` they stand for all that was told before."""
    cleared, _, last = after.partition(".")
    now = str(journal.cleared)
    known = (journal.since(last) if last else journal.entries()) if cleared == now else None
    found = journal.entries() if known is None else known
    newest = found[-1].id if found else last if known is not None else ""
    return {
        "cursor": f"{now}.{newest}",  # of what is told here: the journal may have grown meanwhile
        "whole": known is None,
        "total": len(journal),
        "dropped": journal.dropped,
        "requests": [line(entry) for entry in found[-LISTED:]],
    }


async def events(journal: AnyJournal, after: str, over: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The same again and again as server-sent events, until whoever listens is gone or it is over."""
    silent = 0.0
    first = True
    while not over():
        if first or cursor(journal) != after:
            told = await run_in_threadpool(news, journal, after)
            after, first, silent = told["cursor"], False, 0.0
            yield b"id: %b\ndata: %b\n\n" % (after.encode(), encoded(told))
        elif silent >= _SIGN_OF_LIFE_S:
            silent = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(LOOKED_EVERY_S)
        silent += LOOKED_EVERY_S
