"""Nothing is paid twice: exchanges are written to a cassette as they happen, and what it already holds is not sent again.

An interrupted or killed run goes on from its cassette; a replay takes everything from it and never asks the network.
What an exchange looks like on disk, and that no key gets there, is left to :mod:`mockserver.cassette`.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from mockserver import cassette
from mockserver.cassette import CONTRACT, PROBE
from mockserver.contract import Contract
from mockserver.errors import NotRecorded, RecordError
from mockserver.messages import Exchange, Request
from mockserver.redaction import REDACTED, Redactor

_SEED, _TARGET, _KEY, _LIMITS = "seed: ", "target: ", "key: ", "limits: "

Identity = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Head:
    """What the first exchange of a cassette tells about its run: seed, target, whether the user gave a key, and limits.

    ``contract`` is its name; ``max_requests`` and ``max_units`` are what the plan was made for.  None and "" where it tells
    nothing.
    """

    seed: int | None = None
    target: str = ""
    key_is_known: bool | None = None
    contract: str = ""
    max_requests: int | None = None
    max_units: int | None = None


def head(path: str) -> Head:
    """Read the head of a cassette; an empty one where there is no file.  Raises RecordError for a broken one."""
    if not Path(path).exists():
        return Head()
    first = next(iter(cassette.read(path)), None)
    if first is None:
        return Head()
    seed = _noted(first, _SEED)
    key = _noted(first, _KEY)
    requests, units = (_number(text) for text in (_noted(first, _LIMITS) + "/").split("/")[:2])
    return Head(
        _number(seed), _noted(first, _TARGET), key == "given" if key else None, _noted(first, CONTRACT), requests, units
    )


class Recording:
    """The exchanges of earlier runs, to be taken in order, and the file to which new ones are appended.

    ``replay_only`` forbids everything that the cassette does not hold.
    """

    def __init__(self, path: str, contract: Contract, key: str, about: Head, replay_only: bool) -> None:
        target = about.target
        given = "given" if about.key_is_known else "none"
        limits = f"{about.max_requests}/{about.max_units}"
        self._notes = (
            f"{CONTRACT}{about.contract}", f"{_SEED}{about.seed}", f"{_TARGET}{target}", f"{_KEY}{given}",
            f"{_LIMITS}{limits}",
        )  # fmt: skip
        self._known: dict[Identity, deque[Exchange]] = {}
        self.remarks: list[str] = []
        self._path, self._only, self._target = path, replay_only, target
        self._redactor = Redactor(contract, key)
        if Path(path).exists():
            for exchange in cassette.read(path, self.remarks):
                self._remember(exchange)
        elif replay_only:
            raise RecordError(f"{path}: there is no such cassette; test --record PATH writes one")
        self.held = sum(len(waiting) for waiting in self._known.values())
        self._tape = None if replay_only else cassette.Cassette(path, self._redactor)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What stands where a key stood: in an answer taken from the cassette it gives a leaked key away."""
        return (REDACTED.decode(),)

    @property
    def replaying(self) -> bool:
        """Whether nothing at all is sent."""
        return self._only

    def _remember(self, exchange: Exchange) -> None:
        target = _noted(exchange, _TARGET)
        if target and target != self._target and not self._only:
            raise RecordError(f"{self._path} holds a run against {target}, not {self._target}; name another file")
        self._known.setdefault(_identity(_noted(exchange, PROBE), exchange.request), deque()).append(exchange)

    def take(self, probe: str, request: Request) -> Exchange | None:
        """The next recorded exchange of a probe with the same request; None when it has to be sent.

        Raises NotRecorded in a replay that does not hold it.
        """
        self.require(probe, request)
        waiting = self._waiting(probe, request)
        return waiting.popleft() if waiting else None

    def _waiting(self, probe: str, request: Request) -> deque[Exchange] | None:
        clean = cassette.redacted(Exchange("", request, None), self._redactor).request
        return self._known.get(_identity(probe, clean))

    def require(self, probe: str, request: Request) -> None:
        """Raises NotRecorded in a replay that does not hold the next request of a probe."""
        if self._only and not self._waiting(probe, request):
            raise NotRecorded("the cassette does not hold it, and nothing is sent in a replay")

    def add(self, probe: str, exchange: Exchange) -> None:
        """Append an exchange that was just had; raises RecordError when the disk refuses."""
        if self._tape is not None:
            self._tape.write(replace(exchange, notes=(f"{PROBE}{probe}", *self._notes)), self._target)

    def close(self) -> None:
        """Give the file back."""
        if self._tape is not None:
            self._tape.close()


def _identity(probe: str, request: Request) -> Identity:
    return probe, request.method, request.target, hashlib.sha256(request.body).hexdigest()


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _noted(exchange: Exchange, prefix: str) -> str:
    return next((note.removeprefix(prefix) for note in exchange.notes if note.startswith(prefix)), "")
