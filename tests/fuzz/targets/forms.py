"""Forms in parts: read, judged and answered, whatever their boundaries, headers and names are."""

from __future__ import annotations

from mockserver.messages import Request
from mockserver.pipeline import Later
from tests.fuzz.targets.bodies import MOCKS

PATH = "/v1/images/edits"


def check(data: bytes) -> None:
    """The first line is the Content-Type, the rest the body."""
    kind, _, body = data.partition(b"\n")
    value = kind.strip(b"\r\0") or b"multipart/form-data; boundary=b"
    text = value.decode("latin-1")
    mock = MOCKS[3]
    mock.pipeline.judge.request(
        Request("POST", PATH, "", (("Content-Type", text), ("Authorization", "Bearer x")), body)
    )
    headers = [(b"content-type", value), (b"authorization", b"Bearer x"), (b"accept", b"*/*")]
    outcome = mock.pipeline.answer("POST", PATH.encode(), b"", headers, dict(headers), body, 0.0)
    if isinstance(outcome, Later):
        outcome = outcome.tell(outcome.make())
    assert outcome[0] != 500
