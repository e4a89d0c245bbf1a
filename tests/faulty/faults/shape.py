"""Faults in the shape of a success: fields missing, null, of another type, or of another API altogether."""

from __future__ import annotations

import base64
from typing import Any

from tests.faulty.fault import Chapter, Weight, document, drop, put, turn

chapter = Chapter("shape", [])
add = chapter.add

_TYPES = {
    "id": "string",
    "object": "string",
    "created": "integer",
    "choices": "array",
    "usage": "object",
    "usage.prompt_tokens": "integer",
    "usage.completion_tokens": "integer",
    "usage.total_tokens": "integer",
}
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()


def _name(path: str) -> str:
    return path.replace(".*", "").replace(".", "-").replace("_", "-")


for _path, _type in _TYPES.items():
    add(f"{_name(_path)}-missing", "error", f"{_path} is missing", f"{_path}: {_type}, required", drop(_path))
    add(f"{_name(_path)}-null", "error", f"{_path} is null", f"{_path}: {_type}, required", put(_path, None))


def _mistype(name: str, path: str, wrong: str, value: Any, weight: Weight = "error") -> None:
    documented = f"{path}: {_TYPES.get(path) or _OPTIONAL[path]}"
    hooks = turn(path, value) if callable(value) else put(path, value)
    add(name, weight, f"{path} is {wrong}", documented, hooks)


_OPTIONAL = {
    "choices.*": "object",
    "choices.*.index": "integer, optional",
    "choices.*.message": "object, optional",
    "choices.*.finish_reason": "string, optional",
    "choices.*.message.role": "a string in the example",
    "choices.*.message.content": "a string in the example",
}

_mistype("id-integer", "id", "a number", 4711)
_mistype("id-object", "id", "an object", {"value": "chatcmpl-123"})
_mistype("object-boolean", "object", "a boolean", True)
_mistype("object-list", "object", "a list", ["chat.completion"])
_mistype("created-string", "created", "a string of digits", str)
_mistype("created-iso", "created", "an ISO 8601 date", "2026-11-23T10:00:00Z")
_mistype("created-float", "created", "a number with a fraction", lambda value: value + 0.25)
_mistype("created-boolean", "created", "a boolean", True)
_mistype("choices-object", "choices", "an object keyed by index", lambda v: {str(i): item for i, item in enumerate(v)})
_mistype("choices-single", "choices", "the only choice without its list", lambda value: value[0])
_mistype("choices-string", "choices", "a string", "stop")
_mistype("choices-of-strings", "choices.*", "a string", lambda value: "![image](https://files.example.com/a.png)")
_mistype("choices-of-null", "choices.*", "null", None)
_mistype("choices-nested", "choices", "a list of lists", lambda value: [value])
_mistype("choice-number", "choices.*", "a number", 0)
_mistype("usage-list", "usage", "a list", lambda value: [value])
_mistype("usage-number", "usage", "a number", 21)
_mistype("usage-string", "usage", "a string of JSON", '{"total_tokens":21}')
_mistype("prompt-tokens-string", "usage.prompt_tokens", "a string", str)
_mistype("prompt-tokens-boolean", "usage.prompt_tokens", "a boolean", True)
_mistype("completion-tokens-float", "usage.completion_tokens", "a number with a fraction", lambda value: value + 0.5)
_mistype("completion-tokens-object", "usage.completion_tokens", "an object", {"image": 1056})
_mistype("total-tokens-string", "usage.total_tokens", "a string", str)
_mistype("total-tokens-list", "usage.total_tokens", "a list", lambda value: [value])
_mistype("index-string", "choices.*.index", "a string", str)
_mistype("index-null", "choices.*.index", "null", None)
_mistype("index-float", "choices.*.index", "a number with a fraction", lambda value: value + 0.5)
_mistype("message-string", "choices.*.message", "a string", lambda value: value["content"])
_mistype("message-null", "choices.*.message", "null", None)
_mistype("message-list", "choices.*.message", "a list", lambda value: [value])
_mistype("finish-reason-null", "choices.*.finish_reason", "null", None)
_mistype("finish-reason-number", "choices.*.finish_reason", "a number", 0)
_mistype("finish-reason-object", "choices.*.finish_reason", "an object", {"type": "stop"})
_mistype("role-number", "choices.*.message.role", "a number", 1, "warning")
_mistype("content-null", "choices.*.message.content", "null", None, "warning")
_mistype(
    "content-parts", "choices.*.message.content", "a list of parts", lambda v: [{"type": "text", "text": v}], "warning"
)

add(
    "content-missing",
    "warning",
    "the message of a choice has no content",
    "message.content is in the documented example",
    drop("choices.*.message.content"),
)

_WHOLE = "200 answers an object with id, object, created, choices and usage"


def _images(item: dict[str, str], extra: dict[str, Any]) -> Any:
    return document(lambda call, doc: {"created": doc["created"], "data": [item] * call.n, **extra})


_TOKENS = {"input_tokens": 9, "output_tokens": 1056, "total_tokens": 1065}
add(
    "images-b64",
    "error",
    "answers in the shape of OpenAI's images API with b64_json",
    _WHOLE,
    _images({"b64_json": PIXEL}, {"usage": _TOKENS}),
)
add(
    "images-url",
    "error",
    "answers in the shape of OpenAI's images API with url",
    _WHOLE,
    _images({"url": "https://files.example.com/a.png"}, {}),
)
add(
    "wrapped-data", "error", "the document is wrapped in {data: ...}", _WHOLE, document(lambda call, doc: {"data": doc})
)
add(
    "wrapped-result",
    "error",
    "the document is wrapped in {code, message, data}",
    _WHOLE,
    document(lambda call, doc: {"code": 0, "message": "success", "data": doc}),
)
add("list-on-top", "error", "the document is in a list", _WHOLE, document(lambda call, doc: [doc]))
add("null-on-top", "error", "the body is the JSON null", _WHOLE, document(lambda call, doc: None))
add("empty-object", "error", "the body is {}", _WHOLE, document(lambda call, doc: {}))
add(
    "task-queued",
    "error",
    "answers a queued task instead of the result",
    _WHOLE,
    document(lambda call, doc: {"task_id": doc["id"], "status": "queued"}),
)


def _camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if isinstance(value, dict):
        return {
            key.split("_")[0] + key.title().replace("_", "")[len(key.split("_")[0]) :]: _camel(item)
            for key, item in value.items()
        }
    return value


def _rename(doc: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in doc.items()}


add(
    "camel-case",
    "error",
    "names are in camelCase",
    "usage.prompt_tokens and its siblings are required",
    document(lambda call, doc: _camel(doc)),
)
add(
    "usage-image-names",
    "error",
    "usage has input_tokens and output_tokens",
    "usage.prompt_tokens and usage.completion_tokens are required",
    turn(
        "usage", lambda value: _rename(value, {"prompt_tokens": "input_tokens", "completion_tokens": "output_tokens"})
    ),
)
add(
    "choices-renamed",
    "error",
    "choices is called images",
    "choices: array, required",
    document(lambda call, doc: _rename(doc, {"choices": "images"})),
)
add(
    "created-renamed",
    "error",
    "created is called created_at",
    "created: integer, required",
    document(lambda call, doc: _rename(doc, {"created": "created_at"})),
)
