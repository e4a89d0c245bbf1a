"""Faults of severity: the server refuses what the page allows."""

from __future__ import annotations

import re

from tests.faulty.faithful import Call
from tests.faulty.fault import Ask, Chapter, Condition, Weight, ask, refuse
from tests.faulty.rules import Breach

chapter = Chapter("stricter", [])
add = chapter.add

_LONG = "prompt: at most 1000 characters"
_TEXT = "prompt: any text of at most 1000 characters"
_N = "n: between 1 and 10"
_SIZE = "size: the values listed for the family of the model"
_REQUIRED = "prompt, n and size are the required fields"
_HEADER = "Content-Type: application/json, Accept: application/json"


def _refuses(
    name: str,
    wrong: str,
    breaks: str,
    condition: Condition,
    *witness: Ask,
    param: str | None = "prompt",
    weight: Weight = "error",
    status: int | None = None,
) -> None:
    breach = Breach(name, f"Invalid request: {name}.", param, status)
    add(name, weight, f"refuses {wrong}", breaks, refuse(condition, breach), *witness)


def _matches(pattern: str) -> Condition:
    compiled = re.compile(pattern, re.S)
    return lambda call: compiled.search(call.prompt) is not None


_refuses(
    "prompt-above-500", "prompts above 500 characters", _LONG, lambda c: len(c.prompt) > 500, ask(prompt="a" * 501)
)
_refuses(
    "prompt-above-255", "prompts above 255 characters", _LONG, lambda c: len(c.prompt) > 255, ask(prompt="a" * 256)
)
_refuses(
    "prompt-of-1000",
    "a prompt of exactly 1000 characters",
    _LONG,
    lambda c: len(c.prompt) >= 1000,
    ask(prompt="a" * 1000),
)
_refuses(
    "prompt-in-bytes",
    "prompts above 1000 bytes",
    _LONG,
    lambda c: len(c.prompt.encode("utf-8", "replace")) > 1000,
    ask(prompt="图" * 400),
)
_refuses(
    "prompt-in-utf16",
    "prompts above 1000 UTF-16 units",
    _LONG,
    lambda c: sum(1 + (ord(x) > 0xFFFF) for x in c.prompt) > 1000,
    ask(prompt="🦊" * 600),
)
_refuses(
    "prompt-in-escapes",
    "prompts above 1000 characters once escaped",
    _LONG,
    lambda c: len(ascii(c.prompt)) - 2 > 1000,
    ask(prompt="图" * 300),
)
_refuses("prompt-of-one", "prompts of a single character", _LONG, lambda c: len(c.prompt) == 1, ask(prompt="a"))
_refuses("prompt-below-ten", "prompts below ten characters", _LONG, lambda c: len(c.prompt) < 10, ask(prompt="a fox"))
_refuses(
    "prompt-words", "prompts above 150 words", _LONG, lambda c: len(c.prompt.split()) > 150, ask(prompt="fox " * 200)
)
_refuses("prompt-long-word", "words above 300 letters", _LONG, _matches(r"\S{301}"), ask(prompt="a" * 400))
_refuses("prompt-cjk", "Chinese prompts", _TEXT, _matches("[\u4e00-\u9fff]"), ask(prompt="一只可爱的小猪"))
_refuses("prompt-emoji", "prompts with an emoji", _TEXT, _matches("[\U0001f300-\U0001faff]"), ask(prompt="a 🦊"))
_refuses("prompt-not-ascii", "prompts that are not ASCII", _TEXT, lambda c: not c.prompt.isascii(), ask(prompt="café"))
_refuses("prompt-newline", "prompts with a line break", _TEXT, _matches("\n"), ask(prompt="a man\nwalks"))
_refuses("prompt-tab", "prompts with a tab", _TEXT, _matches("\t"), ask(prompt="a\tman"))
_refuses("prompt-quotes", "prompts with a quotation mark", _TEXT, _matches('"'), ask(prompt='a "man" walks'))
_refuses("prompt-backslash", "prompts with a backslash", _TEXT, _matches(r"\\"), ask(prompt="a\\man"))
_refuses("prompt-url", "prompts with a URL", _TEXT, _matches("https?://"), ask(prompt="like https://example.com/a.png"))
_refuses("prompt-rtl", "Arabic and Hebrew prompts", _TEXT, _matches("[\u0590-\u06ff]"), ask(prompt="رجل يمشي"))
_refuses(
    "prompt-combining", "prompts with combining marks", _TEXT, _matches("[\u0300-\u036f]"), ask(prompt="cafe\u0301")
)
_refuses("prompt-zero-width", "prompts with a zero width joiner", _TEXT, _matches("\u200d"), ask(prompt="👩\u200d🚀"))
_refuses("prompt-digits", "prompts of digits alone", _TEXT, lambda c: c.prompt.isdecimal(), ask(prompt="12345"))

_refuses("n-above-4", "n above 4", _N, lambda c: c.n > 4, ask(n=5), param="n")
_refuses("n-ten", "n 10 alone", _N, lambda c: c.n == 10, ask(n=10), param="n")
_refuses("n-two", "n above 1", _N, lambda c: c.n > 1, ask(n=2), param="n")
_refuses("n-even", "even n above 2", _N, lambda c: c.n > 2 and c.n % 2 == 0, ask(n=4), param="n")
_refuses("n-one", "n 1", _N, lambda c: c.n == 1, param="n")
_refuses(
    "n-as-float",
    "1.0 for n",
    "n: integer (1.0 is one in JSON Schema)",
    lambda c: isinstance(c.get("n"), float),
    ask(n=1.0),
    param="n",
    weight="info",
)


def _size(name: str, size: str, family: str | None, weight: Weight = "error") -> None:
    wrong = f"size {size} for {family or 'any model'}"

    def met(call: Call) -> bool:
        return call.get("size") == size and (family is None or call.get("model") == family)

    _refuses(name, wrong, _SIZE, met, ask(size=size, model=family or "gpt-image-1.5"), param="size", weight=weight)


_size("size-auto", "auto", None)
_size("size-landscape", "1536x1024", None)
_size("size-portrait", "1024x1536", None)
_size("size-square", "1024x1024", None)
_size("size-256-dall-e-2", "256x256", "dall-e-2", "warning")
_size("size-512-dall-e-2", "512x512", "dall-e-2", "warning")
_size("size-1024-dall-e-2", "1024x1024", "dall-e-2", "warning")
_size("size-wide-dall-e-3", "1792x1024", "dall-e-3", "warning")
_size("size-tall-dall-e-3", "1024x1792", "dall-e-3", "warning")

_refuses(
    "dall-e-3-one-only",
    "n above 1 for dall-e-3",
    _N,
    lambda c: c.get("model") == "dall-e-3" and c.n > 1,
    ask(model="dall-e-3", size="1024x1024", n=2),
    param="n",
    weight="warning",
)


def _demands(name: str, field: str) -> None:
    _refuses(name, f"requests without {field}", _REQUIRED, lambda c: c.get(field) is None, param=field)


_demands("demands-quality", "quality")
_demands("demands-response-format", "response_format")
_demands("demands-user", "user")
_refuses(
    "model-absent-500",
    "requests without a model, with 500",
    "model is not in the table of required fields",
    lambda c: c.get("model") is None,
    ask(drop=("model",)),
    param="model",
    status=500,
    weight="warning",
)
_refuses(
    "model-absent",
    "requests without a model",
    "model is not in the table of required fields",
    lambda c: c.get("model") is None,
    ask(drop=("model",)),
    param="model",
    weight="warning",
)
_refuses(
    "model-of-example",
    "the model of the documented example",
    'model: "gpt-image-1.5" in the example',
    lambda c: c.get("model") == "gpt-image-1.5",
    param="model",
)
_refuses(
    "charset-parameter",
    "Content-Type with charset=utf-8",
    _HEADER,
    lambda c: "charset" in (c.request.header("content-type") or "").lower(),
    ask(headers={"Content-Type": "application/json; charset=utf-8"}),
    param=None,
    status=415,
    weight="info",
)
_refuses(
    "media-type-case",
    "Content-Type in capitals",
    _HEADER,
    lambda c: (c.request.header("content-type") or "").lower() != c.request.header("content-type"),
    ask(headers={"Content-Type": "Application/JSON"}),
    param=None,
    status=415,
    weight="info",
)
_refuses(
    "chunked-request",
    "chunked request bodies",
    "the API speaks HTTP/1.1",
    lambda c: c.request.chunked,
    ask(chunked=True),
    param=None,
    status=411,
    weight="info",
)
_refuses(
    "header-case",
    "an authorization header in lower case",
    "header names have no case (RFC 9110)",
    lambda c: any(name == "authorization" for name, _ in c.request.headers),
    ask(headers={"Authorization": None, "authorization": "Bearer sk-caller-0123456789"}),
    param=None,
    status=401,
    weight="warning",
)
_refuses(
    "accept-list",
    "an Accept header that lists several types",
    "Accept: application/json",
    lambda c: "," in (c.request.header("accept") or ""),
    ask(headers={"Accept": "application/json, text/plain"}),
    param=None,
    status=406,
    weight="info",
)
