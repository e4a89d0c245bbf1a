"""Headers, wishes, targets and questions to the administration: read or refused in words."""

from __future__ import annotations

import contextlib

from mockserver import media
from mockserver.origins import stranger
from mockserver.pipeline import Later
from mockserver.preferences import preferences_of
from mockserver.queries import MalformedQueryError, query_of
from mockserver.scenarios import MalformedScenarioError, scenario_of
from tests.fuzz.targets.bodies import MOCKS

GOOD = b'{"model": "gpt-image-1.5", "prompt": "a", "n": 1, "size": "1024x1024"}'


def check(data: bytes) -> None:
    """First line method and target, then headers, then behind an empty line JSON for the administration."""
    head, _, rest = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    pairs = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    texts = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    stranger(method.decode("latin-1"), texts, True)
    for value in texts.values():
        preferences_of(value)
        media.media_type(value)
        media.charset(value)
    mock = MOCKS[len(lines) % len(MOCKS)]
    mock.stage.reset(None)
    named = dict(pairs)
    outcome = mock.pipeline.answer(method.decode("latin-1"), path, query, pairs, named, GOOD, 0.0)
    if isinstance(outcome, Later):
        outcome = outcome.tell(outcome.make())
    for name, value in outcome[1]:
        assert not {0, 10, 13} & {*name, *value}, (name, value)
    asked = media.read_json(rest).value
    entries = mock.journal.entries(None)
    try:
        question = query_of(asked, counted=True)
        question.find(entries)
        question.nearest(entries)
    except MalformedQueryError:
        pass
    with contextlib.suppress(MalformedScenarioError):
        scenario_of("x", asked)
