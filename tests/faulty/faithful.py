"""The server that keeps every documented promise, with seams where a fault may break one.

``Hooks`` are those seams: a fault sees the verdict, the document of a success, the document of an error, and the answer
before compression and framing, and returns each changed or not. Without hooks nothing here is wrong by any profile.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

from tests.faulty.profiles import Profile
from tests.faulty.rules import Breach, Breaches, json_type, read
from tests.faulty.wire import Answer, Headers, Request

MOST_CHOICES = 200
MOST_IMAGES = 10**9
DOCUMENTED_CONTENT = "\n\nHello there, how may I assist you today?"


@dataclass
class Session:
    """What one running server remembers; ``memory`` belongs to the fault."""

    profile: Profile
    key: str | None
    clock: Callable[[], float]
    seed: str
    requests: int = 0
    accepted: int = 0
    images: int = 0
    log: list[tuple[str, str, int]] = field(default_factory=list)
    memory: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request in its session: ``ordinal`` counts requests, ``turn`` accepted ones (both from 1)."""

    request: Request
    session: Session
    body: Any
    breaches: Breaches
    now: float
    ordinal: int
    turn: int = 0

    @property
    def refused(self) -> bool:
        return bool(self.breaches)

    def get(self, name: str) -> Any:
        """A field of the body, None when there is no such field or no object."""
        return self.body.get(name) if isinstance(self.body, dict) else None

    @property
    def prompt(self) -> str:
        value = self.get("prompt")
        return value if isinstance(value, str) else ""

    @property
    def n(self) -> int:
        """How many images the request asks for, with the best guess where a fault let an invalid value pass."""
        value = self.get("n")
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value.strip()[:9])
        if json_type(value) not in ("integer", "number"):
            return 1
        number: float = min(max(value, 0), MOST_IMAGES)
        return round(number)


@dataclass(frozen=True)
class Hooks:
    """Where a fault takes hold. ``answer`` is called for successes and refusals alike."""

    judge: Callable[[Call], Breaches] | None = None
    document: Callable[[Call, Any], Any] | None = None
    error: Callable[[Call, Any], Any] | None = None
    answer: Callable[[Call, Answer], Answer] | None = None


NO_HOOKS = Hooks()


def identifier(call: Call) -> str:
    """A fresh id, the same for the same seed and ordinal."""
    digest = hashlib.sha256(f"{call.session.seed}:{call.ordinal}".encode()).hexdigest()
    return str(uuid.UUID(digest[:32])) if call.session.profile.id_style == "uuid" else f"chatcmpl-{digest[:24]}"


def _usage(call: Call) -> dict[str, Any]:
    style = call.session.profile.usage
    if style == "zero":
        return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    if style == "constant":
        return {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    prompt, completion = 8 + len(call.prompt) // 4, 1056 * call.n
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _choice(call: Call, index: int, name: str) -> dict[str, Any]:
    profile = call.session.profile
    if profile.choice_fields == "none":
        return {}
    content = {
        "constant": DOCUMENTED_CONTENT,
        "markdown": f"![image {index + 1}](https://files.example.com/{name}/{index}.png)",
        "varying": f"图片 {index + 1} 已生成: {name}/{index}",
    }[profile.content]
    message: dict[str, Any] = {"role": "assistant", "content": content}
    choice: dict[str, Any] = {"index": index, "message": message, "finish_reason": "stop"}
    if profile.extra_fields:
        message |= {"refusal": None, "annotations": []}
        choice["logprobs"] = None
    return choice


def success(call: Call) -> dict[str, Any]:
    """The documented document for an accepted request."""
    profile, name = call.session.profile, identifier(call)
    document: dict[str, Any] = {
        "id": name,
        "object": "chat.completion",
        "created": int(call.now) + profile.clock_offset,
        "choices": [_choice(call, index, name) for index in range(min(call.n, MOST_CHOICES))],
        "usage": _usage(call),
    }
    if profile.extra_fields:
        document |= {"model": call.get("model"), "system_fingerprint": None, "service_tier": "default"}
        document["usage"]["prompt_tokens_details"] = {"cached_tokens": 0}
    return document


def error(call: Call, breach: Breach) -> dict[str, Any]:
    """The error envelope for a refused request."""
    profile = call.session.profile
    if profile.error_style == "bare":
        return {"error": {"message": breach.message, "type": "one_api_error"}}
    if profile.error_style == "relay":
        text = f"{breach.message} (request id: 20260716101112131415161abcdefgh)"
        return {"error": {"message": text, "type": "new_api_error", "param": breach.param or "", "code": breach.code}}
    code = breach.code if profile.error_code == "string" else None
    return {
        "error": {"message": breach.message, "type": "invalid_request_error", "param": breach.param, "code": code},
    }


def encode(document: Any, profile: Profile) -> bytes:
    """A document as JSON in the layout of the profile."""
    compact = profile.layout in ("compact", "padded")
    text = json.dumps(
        document,
        ensure_ascii=profile.escapes,
        indent=2 if profile.layout == "pretty" else None,
        separators=(",", ":") if compact else None,
        sort_keys=profile.layout == "pretty",
    )
    return ("\n\n" if profile.layout == "padded" else "").encode() + text.encode("utf-8", "replace")


def base_headers(session: Session, now: float) -> Headers:
    """Headers of every answer."""
    stamp = formatdate(now, usegmt=True)
    return (("Date", stamp), ("Content-Type", session.profile.media_type), *session.profile.extra_headers)


def deliver(answer: Answer, request: Request, profile: Profile) -> Answer:
    """An answer in the coding, framing and header case of the profile, unless it brings its own."""
    accepts = [part.split(";")[0].strip() for part in (request.header("accept-encoding") or "").split(",")]
    if profile.gzip and "gzip" in accepts and answer.body and not answer.coded:
        answer = replace(answer.with_header("Content-Encoding", "gzip"), body=gzip.compress(answer.body, mtime=0))
    if answer.framing == "auto":
        answer = replace(answer, framing=profile.framing if answer.body else "length")
    cases: dict[str, Callable[[str], str]] = {"title": str, "lower": str.lower, "upper": str.upper}
    case = cases[profile.header_case]
    return replace(answer, headers=tuple((case(name), value) for name, value in answer.headers))


def respond(session: Session, request: Request, hooks: Hooks) -> Answer:
    """The answer to one request, booked in the session."""
    profile = session.profile
    session.requests += 1
    now = session.clock()
    reading = read(request, profile, session.key)
    call = Call(request, session, reading.body, reading.breaches, now, session.requests)
    if hooks.judge is not None:
        call = replace(call, breaches=hooks.judge(call))
    headers = base_headers(session, now)
    if call.refused:
        breach = call.breaches[0]
        status = breach.status or profile.invalid_status
        document: Any = error(call, breach)
        if hooks.error is not None:
            document = hooks.error(call, document)
        if status == 405:
            headers = (*headers, ("Allow", "POST"))
    else:
        session.accepted += 1
        session.images += call.n
        call, status = replace(call, turn=session.accepted), 200
        document = success(call)
        if hooks.document is not None:
            document = hooks.document(call, document)
    answer = Answer(status, headers, encode(document, profile))
    if hooks.answer is not None:
        answer = hooks.answer(call, answer)
    session.log.append((request.method, request.path, answer.status))
    return deliver(answer, request, profile)


def refuse_bytes(session: Session, status: int) -> Answer:
    """The answer to bytes that are not an HTTP request."""
    session.requests += 1
    session.log.append(("", "", status))
    breach = Breach("http", "The request is not HTTP/1.1.", None, status, "bad_request")
    now = session.clock()
    call = Call(Request("", "", ()), session, None, (breach,), now, session.requests)
    return Answer(status, base_headers(session, now), encode(error(call, breach), session.profile))
