"""Bodies of requests: judged strictly and quickly by both shipped contracts, and answered whatever the mock does about it."""

from __future__ import annotations

from mockserver.app import Mock
from mockserver.media import MISSING, decode, read_json
from mockserver.messages import Exchange, Request, Response
from mockserver.pipeline import Later
from mockserver.settings import Settings
from tests.fuzz.targets.contracts import HEADERS

MOCKS = [
    Mock(Settings(contract=name, on_violation=how, journal_entries=5, image_style="flat"))  # type: ignore[arg-type]
    for name in ("quickrouter", "openai-images")
    for how in ("enforce", "report", "ignore")
]
PATH = "/v1/images/generations"
TEXTS = (("Content-Type", "application/json"), ("Authorization", "Bearer x"), ("Accept", "*/*"))
CODINGS = ("", "gzip", "deflate", "gzip, gzip, gzip")


def check(data: bytes) -> None:
    """The first byte chooses mock and content coding of an answer with the same bytes."""
    choice, body = data[0] if data else 0, data[1:]
    reading = read_json(body)
    assert reading.problems or reading.value is not MISSING
    decoded, _ = decode(body, CODINGS[choice % 4])
    assert len(decoded) <= 64 * 1024 * 1024
    mock = MOCKS[choice // 4 % len(MOCKS)]
    judge = mock.pipeline.judge
    request = Request("POST", PATH, "", TEXTS, body)
    quick, strict = judge.request(request), judge.strictly(request)
    assert bool(quick.violations) == bool(strict.violations)
    outcome = mock.pipeline.answer("POST", PATH.encode(), b"", HEADERS, dict(HEADERS), body, 0.0)
    if isinstance(outcome, Later):
        outcome = outcome.tell(outcome.make())
    assert outcome[0] != 500
    for kind in ("application/json", "text/event-stream"):
        headers = (("Content-Type", kind), ("Content-Encoding", CODINGS[choice % 4]))
        judge.exchange(Exchange("x", request, Response(200, headers, body), started=1.0))
