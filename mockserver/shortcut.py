"""The short way to the normal answer, for plainly valid requests of one operation: made once, when a contract is read.

Nothing is decided differently here than on the long way (:mod:`mockserver.pipeline`): whatever is not plainly valid, carries
a wish or meets a scenario is not taken, and goes the long way.  ``tests/test_shortcut.py`` holds both against each other.
"""

from __future__ import annotations

import http
import os
import time
from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from mockserver.admission import UNDECIDED, Admit
from mockserver.asked import Asked
from mockserver.contract import Operation
from mockserver.gallery import Gallery, UndrawnError
from mockserver.identifiers import Identifiers
from mockserver.intake import RawHeaders
from mockserver.journal import Kind
from mockserver.redaction import Redactor
from mockserver.responders import Plan
from mockserver.settings import Settings
from mockserver.state import AnyJournal, AnyStage

_CHANGING: Final = (b"content-length", b"contract-violations", b"mock-exchange")
_ODD: Final = frozenset({b"prefer", b"mock-session", b"transfer-encoding"})
"""Headers with which a request is not plain."""
_now = time.time


class Taken(NamedTuple):
    """A request that was answered and recorded: the exchange's name and the answer's body."""

    name: bytes
    body: bytes


class Shortcut:
    """Answers plainly valid requests to one operation, and records them."""

    def __init__(
        self, operation: Operation, path: bytes, admit: Admit, plan: Plan, redactor: Redactor,
        journal: AnyJournal, stage: AnyStage, identifiers: Identifiers, gallery: Gallery, settings: Settings,
    ) -> None:  # fmt: skip
        self.status: Final = plan.status
        self.fixed: Final = tuple(plan.headers)
        phrase = http.HTTPStatus(plan.status).phrase if plan.status in set(http.HTTPStatus) else ""
        self.begin: Final = b"HTTP/1.1 %d %b\r\n" % (plan.status, phrase.encode())
        head = b"".join(b"%b: %b\r\n" % pair for pair in self.fixed).replace(b"%", b"%%")
        self._written = head + b"content-length: %d\r\ncontract-violations: 0\r\nmock-exchange: %b\r\n\r\n%b"
        self._admit, self._make = admit, plan.body
        self._kind = Kind(
            operation.method, path, plan.status, operation.id, (*(name for name, _ in self.fixed), *_CHANGING),
            tuple(value for _, value in self.fixed),
        )  # fmt: skip
        self._redactor, self._journal, self._stage, self._identifiers = redactor, journal, stage, identifiers
        self._gallery = gallery
        self._max_headers, self._max_body = settings.max_headers, settings.max_body
        self._bits = Random(os.urandom(16)).getrandbits

    def take(self, headers: RawHeaders, body: bytes, started: float) -> Taken | None:
        """The answer to a request, which is in the journal then; None, and nothing done, where a closer look is needed."""
        if not headers or not self._stage.idle or len(body) > self._max_body:
            return None
        names, values = zip(*headers, strict=True)
        if not _ODD.isdisjoint(names):
            return None
        value = self._admit(names, values, body)
        if value is UNDECIDED:
            return None
        clean = self._redactor.plainly(names, values)
        if clean is None:
            return None
        head = b"\n".join(clean[0])
        if len(head) > self._max_headers or b"\\u00" in body:
            return None
        try:
            answer = self._make(Asked(value, body, started, self._bits, headers, self._gallery))
        except UndrawnError:
            return None
        record = b"\n".join((head, body, answer))
        for secret in clean[1]:
            if secret in record:
                return None
        name = self._identifiers.fresh()
        self._journal.append((record, name, started, _now() - started, self._kind, names, len(answer)))
        return Taken(name, answer)

    def written(self, headers: RawHeaders, body: bytes, started: float) -> bytes | None:
        """The same as it goes over the wire, without the status line and what the server adds to every head."""
        taken = self.take(headers, body, started)
        if taken is None:
            return None
        name, answer = taken
        return self._written % (len(answer), name, answer)

    def headers(self, taken: Taken) -> Sequence[tuple[bytes, bytes]]:
        """The answer's headers."""
        length = (b"content-length", b"%d" % len(taken.body))
        return [*self.fixed, length, (b"contract-violations", b"0"), (b"mock-exchange", taken.name)]
