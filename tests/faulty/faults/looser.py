"""Faults of laxness about the fields of a request: the server serves, and bills, what the page forbids."""

from __future__ import annotations

from typing import Any

from tests.faulty.faithful import Call, Hooks
from tests.faulty.fault import Ask, Chapter, ask, forgive

chapter = Chapter("looser", [])
add = chapter.add

_PROMPT = "prompt: string, required, at most 1000 characters"
_N = "n: integer, required, between 1 and 10"
_SIZE = "size: string, required, one of the values for the family of the model"


def _longer(count: int, letter: str = "a") -> Ask:
    return ask(prompt=letter * count)


chapter.accepts("prompt-absent", "a request without prompt", _PROMPT, ("prompt.missing",), ask(drop=("prompt",)))
chapter.accepts("prompt-null-accepted", "null for prompt", _PROMPT, ("prompt.type.null",), ask(prompt=None))
chapter.accepts(
    "prompt-integer", "a number for prompt", _PROMPT, ("prompt.type.integer", "prompt.type.number"), ask(prompt=5)
)
chapter.accepts("prompt-boolean", "a boolean for prompt", _PROMPT, ("prompt.type.boolean",), ask(prompt=True))
chapter.accepts("prompt-list", "a list for prompt", _PROMPT, ("prompt.type.array",), ask(prompt=["a", "b"]))
chapter.accepts("prompt-object", "an object for prompt", _PROMPT, ("prompt.type.object",), ask(prompt={"text": "a"}))
chapter.accepts("prompt-any-type", "a prompt of any type", _PROMPT, ("prompt.type",), ask(prompt=["a"]))
chapter.accepts("prompt-any-length", "prompts of any length", _PROMPT, ("prompt.long",), _longer(5000))
chapter.accepts_if(
    "prompt-1001", "1001 characters", _PROMPT, "prompt.long", lambda c: len(c.prompt) == 1001, _longer(1001)
)
chapter.accepts_if(
    "prompt-1024", "up to 1024 characters", _PROMPT, "prompt.long", lambda c: len(c.prompt) <= 1024, _longer(1024)
)
chapter.accepts_if(
    "prompt-4000",
    "up to 4000 characters, as dall-e-3 does",
    _PROMPT,
    "prompt.long",
    lambda c: len(c.prompt) <= 4000,
    _longer(4000),
)
chapter.accepts_if(
    "prompt-above-4000",
    "prompts above 4000 characters and cuts them",
    _PROMPT,
    "prompt.long",
    lambda c: len(c.prompt) > 4000,
    _longer(4001),
)
chapter.accepts_if(
    "prompt-long-multibyte",
    "prompts above 1000 characters when they are not ASCII",
    _PROMPT,
    "prompt.long",
    lambda c: not c.prompt.isascii(),
    _longer(1001, "图"),
)
chapter.accepts_if(
    "prompt-long-dall-e-3",
    "prompts above 1000 characters for dall-e-3",
    _PROMPT,
    "prompt.long",
    lambda c: c.get("model") == "dall-e-3",
    ask(prompt="a" * 1001, model="dall-e-3", size="1024x1024"),
)
chapter.accepts_if(
    "prompt-long-trimmed",
    "prompts above 1000 characters when white space at their ends makes them so",
    _PROMPT,
    "prompt.long",
    lambda c: len(c.prompt.strip()) <= 1000,
    ask(prompt="a" * 999 + "  "),
    weight="warning",
)
chapter.accepts_if(
    "prompt-in-graphemes",
    "prompts above 1000 characters by not counting combining marks",
    _PROMPT,
    "prompt.long",
    lambda c: len(c.prompt.replace("\u0301", "")) <= 1000,
    ask(prompt="e\u0301" * 600),
    weight="warning",
)

chapter.accepts("n-absent", "a request without n", _N, ("n.missing",), ask(drop=("n",)))
chapter.accepts("n-null", "null for n", _N, ("n.type.null",), ask(n=None))
chapter.accepts("n-string", 'a string for n ("2" is taken for 2)', _N, ("n.type.string",), ask(n="2"))
chapter.accepts_if(
    "n-empty-string", "an empty string for n", _N, "n.type.string", lambda c: c.get("n") == "", ask(n="")
)
chapter.accepts("n-fraction", "a fraction for n and rounds it", _N, ("n.type.number",), ask(n=1.5))
chapter.accepts("n-boolean", "true for n", _N, ("n.type.boolean",), ask(n=True))
chapter.accepts("n-list", "a list for n", _N, ("n.type.array",), ask(n=[1]))
chapter.accepts("n-object", "an object for n", _N, ("n.type.object",), ask(n={"value": 1}))
chapter.accepts_if("n-zero", "n 0", _N, "n.min", lambda c: c.get("n") == 0, ask(n=0))
chapter.accepts_if("n-negative", "negative n", _N, "n.min", lambda c: c.get("n") < 0, ask(n=-1))
chapter.accepts_if("n-eleven", "n 11", _N, "n.max", lambda c: c.n == 11, ask(n=11))
chapter.accepts_if("n-huge", "n above a million", _N, "n.max", lambda c: c.n > 1_000_000, ask(n=2**31))
chapter.accepts("n-any-above", "any n above 10", _N, ("n.max",), ask(n=11))
chapter.accepts_if(
    "n-eleven-dall-e-2",
    "n above 10 for dall-e-2",
    _N,
    "n.max",
    lambda c: c.get("model") == "dall-e-2",
    ask(n=11, model="dall-e-2", size="256x256"),
)


def _clamp(call: Call, doc: dict[str, Any]) -> Any:
    return {**doc, "choices": doc["choices"][:10]}


add(
    "n-clamped",
    "error",
    "takes any n above 10 for 10",
    _N,
    Hooks(judge=forgive("n.max").judge, document=_clamp),
    ask(n=50),
)

chapter.accepts("size-absent", "a request without size", _SIZE, ("size.missing",), ask(drop=("size",)))
chapter.accepts("size-null", "null for size", _SIZE, ("size.type.null",), ask(size=None))
chapter.accepts("size-integer", "a number for size", _SIZE, ("size.type.integer",), ask(size=1024))
chapter.accepts("size-list", "a list for size", _SIZE, ("size.type.array",), ask(size=["1024x1024"]))
chapter.accepts(
    "size-object", "an object for size", _SIZE, ("size.type.object",), ask(size={"width": 1024, "height": 1024})
)
chapter.accepts("size-any", "any string for size", _SIZE, ("size.enum", "size.family"), ask(size="banana"))


def _size_if(name: str, wrong: str, sizes: set[str], model: str = "gpt-image-1.5", change: Any = str) -> None:
    """Accepts the sizes, after a change of their spelling, for one model."""

    def met(call: Call) -> bool:
        size = call.get("size")
        return isinstance(size, str) and change(size) in sizes and (call.get("model") or "gpt-image-1.5") == model

    chapter.accepts_if(name, wrong, _SIZE, "size", met, *_SPELLINGS[name])


_GPT = {"1024x1024", "1536x1024", "1024x1536", "auto"}
_SPELLINGS = {
    "size-capitals": (ask(size="AUTO"),),
    "size-trimmed": (ask(size=" 1024x1024 "),),
    "size-times-sign": (ask(size="1024×1024"),),
    "size-asterisk": (ask(size="1024*1024"),),
    "size-empty": (ask(size=""),),
    "size-4096": (ask(size="4096x4096"),),
    "size-aspect-ratio": (ask(size="16:9"),),
    "size-small-for-gpt": (ask(size="256x256"),),
    "size-middle-for-gpt": (ask(size="512x512"),),
    "size-dall-e-3-for-gpt": (ask(size="1792x1024"),),
    "size-gpt-for-dall-e-2": (ask(model="dall-e-2", size="1536x1024"),),
    "size-auto-for-dall-e-2": (ask(model="dall-e-2", size="auto"),),
    "size-gpt-for-dall-e-3": (ask(model="dall-e-3", size="1024x1536"),),
    "size-small-for-dall-e-3": (ask(model="dall-e-3", size="512x512"),),
}
_size_if("size-capitals", "sizes in capitals", _GPT, change=str.lower)
_size_if("size-trimmed", "sizes with blanks around them", _GPT, change=str.strip)
_size_if("size-times-sign", "sizes with the multiplication sign", _GPT, change=lambda size: size.replace("×", "x"))
_size_if("size-asterisk", "sizes with an asterisk", _GPT, change=lambda size: size.replace("*", "x"))
_size_if("size-empty", "an empty size", {""})
_size_if("size-4096", "size 4096x4096", {"4096x4096"})
_size_if("size-aspect-ratio", "an aspect ratio for size", {"16:9", "1:1", "9:16"})
_size_if("size-small-for-gpt", "256x256 for a GPT image model", {"256x256"})
_size_if("size-middle-for-gpt", "512x512 for a GPT image model", {"512x512"})
_size_if("size-dall-e-3-for-gpt", "the sizes of dall-e-3 for a GPT image model", {"1792x1024", "1024x1792"})
_size_if("size-gpt-for-dall-e-2", "the sizes of GPT image models for dall-e-2", {"1536x1024", "1024x1536"}, "dall-e-2")
_size_if("size-auto-for-dall-e-2", "auto for dall-e-2", {"auto"}, "dall-e-2")
_size_if("size-gpt-for-dall-e-3", "the sizes of GPT image models for dall-e-3", {"1536x1024", "1024x1536"}, "dall-e-3")
_size_if("size-small-for-dall-e-3", "the small sizes of dall-e-2 for dall-e-3", {"256x256", "512x512"}, "dall-e-3")
chapter.accepts(
    "size-other-family", "any size of any family for any model", _SIZE, ("size.family",), ask(size="256x256")
)

chapter.accepts(
    "model-any-type",
    "a model that is no string",
    'model: "gpt-image-1.5" in the example',
    ("model.type",),
    ask(model=15),
    weight="info",
)
chapter.accepts(
    "all-absent",
    "an empty object",
    "prompt, n and size are required",
    ("prompt.missing", "n.missing", "size.missing"),
    ask(body=b"{}"),
)
