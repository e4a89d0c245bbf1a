"""Streams of events: cut into pieces that are together the stream, read, and judged as the answer to a request for one."""

from __future__ import annotations

from mockserver import sse
from mockserver.messages import Exchange, Request, Response
from tests.fuzz.targets.bodies import MOCKS, PATH, TEXTS

BODY = b'{"prompt": "a", "model": "gpt-image-1", "stream": true, "partial_images": 2}'
REQUEST = Request("POST", PATH, "", TEXTS, BODY)


def check(data: bytes) -> None:
    """The whole data is the stream."""
    assert b"".join(sse.pieces(data)) == data
    stream = sse.read(data)
    assert all("\n" not in event.name for event in stream.events)
    answer = Response(200, (("Content-Type", "text/event-stream"),), data)
    MOCKS[3].pipeline.judge.exchange(Exchange("x", REQUEST, answer, started=1.0))
