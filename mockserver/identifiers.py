"""Names for exchanges: short, in order, and different in every process."""

from __future__ import annotations

import itertools
import os


class Identifiers:
    """Gives every exchange a name that no other has."""

    def __init__(self) -> None:
        self._prefix = os.urandom(5).hex().encode()
        self._next = itertools.count(1).__next__

    def fresh(self) -> bytes:
        """A name that was not given before."""
        return b"%b-%d" % (self._prefix, self._next())
