"""Answers from a cassette: what a real server said to the same request, in the order in which it said it.

Equal requests get the recorded answers one after the other, then the last one again.  A request that the cassette does
not hold is not its business: the mock answers that as it would without one, and says so in the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mockserver import cassette, media
from mockserver.errors import RecordError
from mockserver.media import MISSING
from mockserver.messages import Exchange, Response
from mockserver.state.store import Store

_OF_THE_TRANSFER: Final = ("content-length", "transfer-encoding", "connection", "keep-alive", "date", "server")

Key = tuple[str, str, str, bytes]


@dataclass(slots=True)
class _Track:
    name: str
    answers: list[Response] = field(default_factory=list)
    next: int = 0


class Replay:
    """The answers of one cassette by request.

    ``store`` counts the answers of a track where several processes give them.
    """

    def __init__(self, exchanges: Iterable[Exchange], base_path: str, store: Store | None = None) -> None:
        self._base, self._store = base_path, store
        self._tracks: dict[Key, _Track] = {}
        for exchange in exchanges:
            request = exchange.request
            if exchange.response is not None:
                key = self._key(request.method, request.path, request.query, request.body)
                name = hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()
                self._tracks.setdefault(key, _Track(name)).answers.append(exchange.response)

    def __len__(self) -> int:
        return len(self._tracks)

    def answer(
        self, method: str, path: str, query: str, body: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        """Status, headers without those of the transfer, and body; None where nothing is recorded."""
        track = self._tracks.get(self._key(method, path, query, body))
        if track is None:
            return None
        turn = self._store.follow(track.name) if self._store else track.next
        track.next += 1
        response = track.answers[min(turn, len(track.answers) - 1)]
        headers = [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in response.headers
            if name.lower() not in _OF_THE_TRANSFER
        ]
        return response.status, headers, response.body

    def rewind(self) -> None:
        """Begin every track again."""
        if self._store is not None:
            self._store.rewind()
        for track in self._tracks.values():
            track.next = 0

    def _key(self, method: str, path: str, query: str, body: bytes) -> Key:
        path = path.removeprefix(self._base) if self._base else path
        value = media.read_json(body).value if body[:1] in (b"{", b"[") else MISSING
        same = body if value is MISSING else json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")
        return method, path, query, same


def read(path: str, base_path: str, store: Store | None = None) -> Replay:
    """Read a cassette; raises RecordError when it cannot be read or holds no answer."""
    replay = Replay(cassette.read(path), base_path, store)
    if not len(replay):
        raise RecordError(f"{path} holds no answer to replay")
    return replay
