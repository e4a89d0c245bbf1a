"""Faults in the error document, keys and traces in it, and refusals of valid requests now and then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faulty.faithful import Call, Hooks
from tests.faulty.fault import Ask, Chapter, Condition, Weight, ask
from tests.faulty.faults.errors import BAD, ENVELOPE, MALFORMED, about
from tests.faulty.rules import Breach, Breaches

chapter = Chapter("errors", [])
add = chapter.add

VALID = "a request that keeps the page's rules gets 200"


def _document(
    name: str, weight: Weight, wrong: str, change: Callable[[Call, dict[str, Any]], Any], *witness: Ask
) -> None:
    add(name, weight, wrong, ENVELOPE, Hooks(error=change), *(witness or (BAD,)))


def _inner(**fields: Any) -> Callable[[Call, dict[str, Any]], Any]:
    return lambda call, doc: {"error": doc["error"] | fields}


def _without(name: str) -> Callable[[Call, dict[str, Any]], Any]:
    return lambda call, doc: {"error": {key: value for key, value in doc["error"].items() if key != name}}


_document("error-string", "warning", "error is a string", lambda c, d: {"error": d["error"]["message"]})
_document(
    "error-on-top",
    "warning",
    "message and code are on top, without error",
    lambda c, d: {"message": d["error"]["message"], "code": 40001},
)
_document("error-list", "warning", "errors is a list", lambda c, d: {"errors": [d["error"]]})
_document(
    "error-detail",
    "warning",
    "errors are {detail: [...]} as FastAPI has them",
    lambda c, d: {"detail": [{"loc": ["body"], "msg": d["error"]["message"]}]},
)
_document("error-null", "warning", "error is null", lambda c, d: {"error": None})
_document("error-empty-object", "warning", "error is {}", lambda c, d: {"error": {}})
_document("error-array", "warning", "error is a list", lambda c, d: {"error": [d["error"]]})
_document("error-json-list", "warning", "the body is a list", lambda c, d: [d])
_document(
    "error-success-flag",
    "warning",
    "errors are {success: false, msg}",
    lambda c, d: {"success": False, "msg": d["error"]["message"]},
)
_document("error-message-missing", "warning", "an error has no message", _without("message"))
_document("error-message-null", "warning", "the message of an error is null", _inner(message=None))
_document("error-message-object", "warning", "the message of an error is an object", _inner(message={"zh": "参数错误"}))
_document("error-message-empty", "info", "the message of an error is empty", _inner(message=""))
_document("error-type-missing", "info", "an error has no type", _without("type"))
_document("error-type-number", "warning", "the type of an error is a number", _inner(type=3))
_document("error-code-object", "warning", "the code of an error is an object", _inner(code={"value": 400}))
_document("error-param-list", "warning", "param is a list", _inner(param=["n"]))

_TRACE = (
    'Traceback (most recent call last):\n  File "/srv/relay/images.py", line 214, in generate\n'
    "    n = int(body['n'])\nValueError: invalid literal for int()"
)
_GOROUTINE = (
    "panic: runtime error: index out of range [0]\ngoroutine 91 [running]:\n"
    "main.relay(0xc0000b2000)\n\t/app/relay.go:88"
)
_SAFE = "an answer tells nothing of the server's inside and no key"
add(
    "error-stack-trace",
    "error",
    "the message of an error is a stack trace",
    _SAFE,
    Hooks(error=_inner(message=_TRACE)),
    BAD,
)


def _traced(call: Call, doc: dict[str, Any]) -> Any:
    return doc if not about("body.malformed")(call) else {"error": doc["error"] | {"message": _GOROUTINE}}


def _leak(call: Call, doc: dict[str, Any]) -> Any:
    key = call.request.header("authorization") or "none"
    return {"error": doc["error"] | {"message": f"{doc['error']['message']} (key: {key.split(' ')[-1]})"}}


def _mirror(call: Call, doc: dict[str, Any]) -> Any:
    return {**doc, "request": {"headers": dict(call.request.headers)}}


def _upstream(call: Call, doc: dict[str, Any]) -> Any:
    key = "sk-proj-" + "Zx8Kq2Lm4Nv6Bt0Rw1Ys3Ud5" * 2
    return {"error": doc["error"] | {"message": f"upstream refused Authorization: Bearer {key}"}}


add(
    "error-panic",
    "error",
    "malformed JSON is answered with the trace of a panic",
    _SAFE,
    Hooks(error=_traced),
    MALFORMED,
)
add("error-leaks-key", "error", "errors repeat the caller's key", _SAFE, Hooks(error=_leak), BAD)
add(
    "error-mirrors-headers",
    "error",
    "errors repeat the headers of the request, the key among them",
    _SAFE,
    Hooks(error=_mirror),
    BAD,
)
add("error-leaks-upstream-key", "error", "errors show the relay's own key", _SAFE, Hooks(error=_upstream), BAD)


def _now_and_then(name: str, status: int, weight: Weight, wrong: str, condition: Condition, *witness: Ask) -> None:
    breach = Breach("busy", "The upstream is busy, try again.", None, status, "upstream_error")

    def judge(call: Call) -> Breaches:
        if call.refused:
            return call.breaches
        call.session.memory["valid"] = call.session.memory.get("valid", 0) + 1
        return (breach,) if condition(call) else ()

    add(name, weight, wrong, VALID, Hooks(judge=judge), *witness)


def _valid(call: Call) -> int:
    return int(call.session.memory["valid"])


_PAIR = (ask(), ask(prompt="a fox"))
_FIVE = tuple(ask(prompt=f"fox {number}") for number in range(5))
_now_and_then(
    "second-refused", 400, "error", "every second valid request gets 400", lambda c: _valid(c) % 2 == 0, *_PAIR
)
_now_and_then("fifth-refused", 422, "error", "every fifth valid request gets 422", lambda c: _valid(c) % 5 == 0, *_FIVE)
_now_and_then(
    "second-unauthorized", 401, "warning", "every second valid request gets 401", lambda c: _valid(c) % 2 == 0, *_PAIR
)
_now_and_then("third-500", 500, "warning", "every third valid request gets 500", lambda c: _valid(c) % 3 == 0, *_FIVE)
_now_and_then("first-503", 503, "warning", "the first valid request gets 503", lambda c: _valid(c) == 1)


def _repeated(call: Call) -> bool:
    seen: set[bytes] = call.session.memory.setdefault("bodies", set())
    known = call.request.body in seen
    seen.add(call.request.body)
    return known


_now_and_then("repeat-conflict", 409, "error", "a valid body sent a second time gets 409", _repeated, ask(), ask())
