"""Faults of meaning: every field has its type, and yet the answer fits neither request, clock nor session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faulty.faithful import Call
from tests.faulty.fault import Chapter, Weight, ask, document, put, turn, when

chapter = Chapter("meaning", [])
add = chapter.add

_ONE, _TWO, _THREE, _FIVE, _TEN = (ask(n=n) for n in (1, 2, 3, 5, 10))


def _count(name: str, wrong: str, size: Callable[[Call], int], *witness: Any) -> None:
    def change(call: Call, doc: dict[str, Any]) -> dict[str, Any]:
        choices, wanted = doc["choices"], size(call)
        spare = [{**choices[-1], "index": index} for index in range(len(choices), wanted)] if choices else []
        return {**doc, "choices": [*choices[:wanted], *spare]}

    add(name, "error", wrong, "n: the number of images to generate", document(change), *witness)


_count("count-always-one", "one choice whatever n is", lambda call: 1, _TWO)
_count("count-minus-one", "one choice less than n when n is above 1", lambda call: max(1, call.n - 1), _TWO)
_count("count-capped-at-four", "at most four choices", lambda call: min(4, call.n), _FIVE)
_count("count-plus-one", "one choice more than n", lambda call: call.n + 1)
_count("count-short-above-two", "two choices when n is above 2", lambda call: min(2, call.n), _THREE)
_count("count-nine-of-ten", "nine choices for n 10", lambda call: 9 if call.n == 10 else call.n, _TEN)
_count("count-doubled-for-two", "four choices for n 2", lambda call: 4 if call.n == 2 else call.n, _TWO)
_count("count-zero", "no choices at all", lambda call: 0)
_count("count-odd-rounded-up", "odd n above 1 is rounded up", lambda call: call.n + (call.n > 1) * (call.n % 2), _THREE)


def _n_before(call: Call, doc: dict[str, Any]) -> dict[str, Any]:
    before = call.session.memory.get("n", call.n)
    call.session.memory["n"] = call.n
    return {**doc, "choices": doc["choices"][:before]}


add(
    "count-of-previous",
    "error",
    "not more choices than the previous request asked for",
    "n: the number of images to generate",
    document(_n_before),
    _ONE,
    _TWO,
)


def _index(name: str, wrong: str, change: Callable[[int, int], int], *witness: Any, weight: Weight = "error") -> None:
    """``change`` gets position and number of choices."""

    def renumber(choices: list[Any]) -> list[Any]:
        return [{**item, "index": change(place, len(choices))} for place, item in enumerate(choices)]

    add(
        name,
        weight,
        wrong,
        "choices[].index is the position of the choice (0 in the example)",
        turn("choices", renumber),
        *witness,
    )


_index("index-all-zero", "every index is 0", lambda place, count: 0, _TWO)
_index("index-one-based", "indexes begin at 1", lambda place, count: place + 1)
_index("index-reversed", "indexes run backwards", lambda place, count: count - 1 - place, _TWO)
_index("index-gaps", "indexes are 0, 2, 4", lambda place, count: 2 * place, _TWO)
_index(
    "index-last-twice",
    "the last index repeats the one before",
    lambda place, count: min(place, max(0, count - 2)),
    _TWO,
)
_index("index-negative", "the index is -1", lambda place, count: -1)
_index("index-restarts-after-four", "indexes restart after four choices", lambda place, count: place % 4, _FIVE)
_index(
    "index-swapped-above-two",
    "the last two indexes are swapped when n is above 2",
    lambda place, count: place if count < 3 or place < count - 2 else 2 * count - 3 - place,
    _THREE,
)


def _usage(
    name: str,
    wrong: str,
    change: Callable[[Call, int, int], tuple[int, int, int]],
    *witness: Any,
    weight: Weight = "error",
) -> None:
    """``change`` gets the true numbers of prompt and completion tokens and gives the three told."""

    def apply(call: Call, doc: dict[str, Any]) -> dict[str, Any]:
        told = change(call, doc["usage"]["prompt_tokens"], doc["usage"]["completion_tokens"])
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        return {**doc, "usage": doc["usage"] | dict(zip(names, told, strict=True))}

    add(
        name, weight, wrong, "total_tokens is the sum of prompt_tokens and completion_tokens", document(apply), *witness
    )


_usage("usage-off-by-one", "total_tokens is one too many", lambda call, p, c: (p, c, p + c + 1))
_usage("usage-total-is-completion", "total_tokens leaves out the prompt", lambda call, p, c: (p, c, c))
_usage("usage-total-is-prompt", "total_tokens leaves out the completion", lambda call, p, c: (p, c, p))
_usage("usage-total-zero", "total_tokens is 0", lambda call, p, c: (p, c, 0))
_usage(
    "usage-sum-wrong-above-one",
    "total_tokens counts one image only when n is above 1",
    lambda call, p, c: (p, c, p + c // max(1, call.n)),
    _TWO,
)
_usage(
    "usage-sum-wrong-long-prompt",
    "total_tokens leaves out what a prompt has above 400 characters",
    lambda call, p, c: (p, c, min(p, 108) + c),
    ask(prompt="a" * 600),
)
_usage("usage-negative-prompt", "prompt_tokens is negative", lambda call, p, c: (-p, c, c - p))
_usage("usage-negative-completion", "completion_tokens is -1 and the sum adds up", lambda call, p, c: (p, -1, p - 1))
_usage("usage-sum-overflows", "total_tokens is cut to 12 bits", lambda call, p, c: (p, c, (p + c) % 4096), _FIVE)


def _accumulate(call: Call, prompt: int, completion: int) -> tuple[int, int, int]:
    total = call.session.memory.get("total", 0) + prompt + completion
    call.session.memory["total"] = total
    return prompt, completion, total


_usage("usage-accumulates", "total_tokens is the sum over the session", _accumulate, _ONE, _ONE)


def _created(
    name: str, wrong: str, change: Callable[[Call, int], int], *witness: Any, weight: Weight = "error"
) -> None:
    def apply(call: Call, doc: dict[str, Any]) -> dict[str, Any]:
        return {**doc, "created": change(call, doc["created"])}

    add(
        name,
        weight,
        wrong,
        "created: unix seconds of the creation (1677652288 in the example)",
        document(apply),
        *witness,
    )


def _first(call: Call, created: int) -> int:
    return int(call.session.memory.setdefault("created", created))


_created("created-milliseconds", "created is in milliseconds", lambda call, now: now * 1000)
_created("created-microseconds", "created is in microseconds", lambda call, now: now * 1_000_000)
_created("created-zero", "created is 0", lambda call, now: 0)
_created("created-example", "created is always the number of the example", lambda call, now: 1677652288)
_created("created-frozen", "created stays at the first answer's", _first, _ONE, _ONE, weight="warning")
_created("created-tomorrow", "created lies a day ahead", lambda call, now: now + 86_400)
_created("created-yesterday", "created lies a day back", lambda call, now: now - 86_400)
_created("created-local-time", "created is China's local time taken for UTC", lambda call, now: now + 8 * 3600)
_created(
    "created-decreasing",
    "created falls by a minute with each answer",
    lambda call, now: now - 60 * call.turn,
    _ONE,
    _ONE,
)
_created("created-negative", "created is negative", lambda call, now: -now)
_created("created-expiry", "created is an expiry an hour ahead", lambda call, now: now + 3600)
_created(
    "created-ms-above-one",
    "created is in milliseconds when n is above 1",
    lambda call, now: now * 1000 if call.n > 1 else now,
    _TWO,
)


def _id(name: str, wrong: str, change: Callable[[Call, str], str], *witness: Any, weight: Weight = "error") -> None:
    def apply(call: Call, doc: dict[str, Any]) -> dict[str, Any]:
        return {**doc, "id": change(call, doc["id"])}

    add(name, weight, wrong, "id: identifies the answer", document(apply), *witness)


def _every_second(call: Call, name: str) -> str:
    if call.turn % 2:
        call.session.memory["id"] = name
    return str(call.session.memory["id"])


def _by_body(call: Call, name: str) -> str:
    return str(call.session.memory.setdefault(call.request.body.hex(), name))


_id("id-constant", "id is always the one of the example", lambda call, name: "chatcmpl-123")
_id("id-empty", "id is empty", lambda call, name: "")
_id("id-repeated", "every second id repeats the one before", _every_second, _ONE, _TWO)
_id("id-by-body", "equal bodies get equal ids", _by_body, _ONE, _ONE)
_id(
    "id-cycle-of-ten",
    "ids repeat after ten answers",
    lambda call, name: f"chatcmpl-{call.turn % 10}",
    *[ask(prompt=f"p{i}") for i in range(11)],
    weight="warning",
)


def _stale(call: Call, doc: dict[str, Any]) -> Any:
    before = call.session.memory.get("stale", doc)
    call.session.memory["stale"] = doc
    return before


def _cached(call: Call, doc: dict[str, Any]) -> Any:
    return call.session.memory.setdefault(call.request.body.hex(), doc)


def _cached_by_prompt(call: Call, doc: dict[str, Any]) -> Any:
    return call.session.memory.setdefault(call.prompt, doc)


_OWN = "creates a completion for the prompt and parameters given"
add("stale-answer", "error", "each answer is the one of the request before", _OWN, document(_stale), _ONE, _TWO)
add(
    "cached-answer",
    "error",
    "equal bodies get the very same answer, id and created included",
    _OWN,
    document(_cached),
    _ONE,
    _ONE,
)
add(
    "cached-by-prompt",
    "error",
    "the answer is cached by prompt and ignores n and size",
    _OWN,
    document(_cached_by_prompt),
    _ONE,
    _TWO,
)

_FINISH = 'finish_reason: string ("stop" in the example)'
add(
    "content-empty",
    "warning",
    "content is empty",
    "message.content holds the result",
    put("choices.*.message.content", ""),
)
add(
    "content-null-word",
    "info",
    "content is the word null",
    "message.content holds the result",
    put("choices.*.message.content", "null"),
)
add(
    "content-undefined",
    "info",
    "content is [object Object]",
    "message.content holds the result",
    put("choices.*.message.content", "[object Object]"),
)
add("finish-reason-empty", "warning", "finish_reason is empty", _FINISH, put("choices.*.finish_reason", ""))
add(
    "finish-reason-unknown",
    "info",
    "finish_reason is FINISHED_OK",
    _FINISH,
    put("choices.*.finish_reason", "FINISHED_OK"),
)
add(
    "finish-reason-error",
    "warning",
    "finish_reason is error in a success",
    _FINISH,
    put("choices.*.finish_reason", "error"),
)
add(
    "role-user",
    "warning",
    "the role of the message is user",
    'role is "assistant" in the example',
    put("choices.*.message.role", "user"),
)
_OBJECT = 'object: string ("chat.completion" in the example)'
add("object-chunk", "warning", "object is chat.completion.chunk", _OBJECT, put("object", "chat.completion.chunk"))
add("object-list-kind", "warning", "object is list", _OBJECT, put("object", "list"))
add("object-empty", "warning", "object is empty", _OBJECT, put("object", ""))
add("object-error", "warning", "object is error", _OBJECT, put("object", "error"))
add(
    "object-other-above-one",
    "warning",
    "object is image.generation when n is above 1",
    _OBJECT,
    when(lambda call: call.n > 1, put("object", "image.generation")),
    _TWO,
)
add(
    "success-with-error",
    "warning",
    "a success carries an error object beside its choices",
    "200 answers id, object, created, choices and usage",
    document(lambda call, doc: {**doc, "error": {"message": "upstream timed out", "type": "upstream_error"}}),
)
