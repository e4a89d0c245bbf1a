"""Faults under a condition: wrong for one size, model or number, one moment of the session, or two of them at once."""

from __future__ import annotations

from dataclasses import replace

from tests.faulty.fault import (
    Chapter,
    Condition,
    ask,
    document,
    on_success,
    put,
    turn,
)
from tests.faulty.faults.effects import CRASH, CREATED_TEXT, CUT, IMAGES, NO_ID, NO_USAGE, ONE_LESS, PAGE

chapter = Chapter("conditional", [])

_SIZE = "size: every listed value is served alike"
_N = "n: every number from 1 to 10 is served alike"
_SESSION = "every valid request gets the documented answer"


def _field(name: str, value: str) -> Condition:
    return lambda call: call.get(name) == value


_SHAPE = "every model gets the documented shape"
chapter.add_if(
    "auto-usage-null",
    "usage is null for size auto",
    _SIZE,
    _field("size", "auto"),
    put("usage", None),
    ask(size="auto"),
)
chapter.add_if(
    "landscape-no-choices",
    "1536x1024 gets no choices",
    _SIZE,
    _field("size", "1536x1024"),
    put("choices", []),
    ask(size="1536x1024"),
)
chapter.add_if("square-no-id", "1024x1024 gets no id", _SIZE, _field("size", "1024x1024"), NO_ID, ask(size="1024x1024"))
chapter.add_if(
    "portrait-201",
    "1024x1536 is answered with 201",
    _SIZE,
    _field("size", "1024x1536"),
    on_success(lambda c, a: replace(a, status=201)),
    ask(size="1024x1536"),
)
chapter.add_if(
    "dall-e-3-images",
    "dall-e-3 gets the shape of the images API",
    _SHAPE,
    _field("model", "dall-e-3"),
    IMAGES,
    ask(model="dall-e-3", size="1792x1024"),
    weight="warning",
)
chapter.add_if(
    "dall-e-2-no-usage",
    "dall-e-2 gets no usage",
    _SHAPE,
    _field("model", "dall-e-2"),
    NO_USAGE,
    ask(model="dall-e-2", size="256x256"),
    weight="warning",
)
chapter.add_if(
    "gpt-image-1-html",
    "gpt-image-1 gets a web page",
    _SHAPE,
    _field("model", "gpt-image-1"),
    PAGE,
    ask(model="gpt-image-1"),
    weight="warning",
)
chapter.add_if(
    "model-absent-no-choices",
    "a request without a model gets no choices",
    _SHAPE,
    lambda c: c.get("model") is None,
    put("choices", []),
    ask(drop=("model",)),
)
chapter.add_if(
    "n-one-unlisted",
    "the only choice stands without its list",
    _N,
    lambda c: c.n == 1,
    turn("choices", lambda value: value[0]),
)
chapter.add_if("n-two-no-usage", "n above 1 gets no usage", _N, lambda c: c.n > 1, NO_USAGE, ask(n=2))
chapter.add_if(
    "n-three-index-text",
    "indexes are strings when n is above 2",
    _N,
    lambda c: c.n > 2,
    turn("choices.*.index", str),
    ask(n=3),
)
chapter.add_if("n-five-500", "n above 4 gets 500", _N, lambda c: c.n > 4, CRASH, ask(n=5))
chapter.add_if("n-seven-cut", "n above 6 cuts the JSON", _N, lambda c: c.n > 6, CUT, ask(n=7))
chapter.add_if("n-ten-500", "n 10 gets 500", _N, lambda c: c.n == 10, CRASH, ask(n=10))
chapter.add_if(
    "later-choices-mistyped",
    "messages after the first choice are strings",
    _N,
    lambda c: c.n > 1,
    document(
        lambda c, d: {**d, "choices": [d["choices"][0], *({**item, "message": "done"} for item in d["choices"][1:])]}
    ),
    ask(n=2),
)
chapter.add_if(
    "last-choice-null",
    "the last of several choices is null",
    _N,
    lambda c: c.n > 1,
    turn("choices", lambda value: [*value[:-1], None]),
    ask(n=2),
)
chapter.add_if(
    "auto-and-several",
    "size auto with n above 1 gets one choice less",
    "size and n do not depend on each other",
    lambda c: c.n > 1 and c.get("size") == "auto",
    ONE_LESS,
    ask(n=2, size="auto"),
)
chapter.add_if(
    "landscape-and-cjk",
    "1536x1024 with a Chinese prompt makes created a string",
    "size and prompt do not depend on each other",
    lambda c: c.get("size") == "1536x1024" and not c.prompt.isascii(),
    CREATED_TEXT,
    ask(size="1536x1024", prompt="一只小猪"),
)
chapter.add_if(
    "long-and-several",
    "a prompt above 500 characters with n above 1 gets 500",
    "n and prompt do not depend on each other",
    lambda c: c.n > 1 and len(c.prompt) > 500,
    CRASH,
    ask(n=2, prompt="a" * 501),
)
chapter.add_if(
    "no-model-and-auto",
    "size auto without a model gets 500",
    "size does not need a model",
    lambda c: c.get("model") is None and c.get("size") == "auto",
    CRASH,
    ask(drop=("model",), size="auto"),
)

_TWELVE = tuple(ask(prompt=f"fox {number}") for number in range(12))
chapter.add_if("third-no-id", "every third answer has no id", _SESSION, lambda c: c.turn % 3 == 0, NO_ID, *_TWELVE[:3])
chapter.add_if(
    "fourth-no-usage", "every fourth answer has no usage", _SESSION, lambda c: c.turn % 4 == 0, NO_USAGE, *_TWELVE[:4]
)
chapter.add_if(
    "second-mistyped",
    "created is a string in every second answer",
    _SESSION,
    lambda c: c.turn % 2 == 0,
    CREATED_TEXT,
    *_TWELVE[:2],
)
chapter.add_if(
    "seventh-cut",
    "the JSON of every seventh answer is cut",
    _SESSION,
    lambda c: c.turn % 7 == 0,
    CUT,
    *_TWELVE[:7],
    weight="warning",
)
chapter.add_if(
    "first-mistyped", "created is a string in the first answer", _SESSION, lambda c: c.turn == 1, CREATED_TEXT
)
chapter.add_if(
    "after-five-images",
    "answers after the fifth have the shape of the images API",
    _SESSION,
    lambda c: c.turn > 5,
    IMAGES,
    *_TWELVE[:6],
)
chapter.add_if(
    "after-ten-no-choices",
    "answers after the tenth have no choices",
    _SESSION,
    lambda c: c.turn > 10,
    put("choices", []),
    *_TWELVE,
    weight="warning",
)
chapter.add_if(
    "after-refusal-mistyped",
    "the answer after a refusal has no usage",
    _SESSION,
    lambda c: c.session.log[-1:] != [] and c.session.log[-1][2] >= 400,
    NO_USAGE,
    ask(n=11),
    ask(),
)
