"""The request rules of ``POST /v1/images/generations``, each breach under its own name.

All breaches of a request are found, not only the first, so that a fault can forgive one of them. What an answer to a
breach looks like is left to the faithful server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.faulty.profiles import Profile
from tests.faulty.wire import Request

PATH = "/v1/images/generations"
PROMPT_MAX = 1000
N_MIN, N_MAX = 1, 10
SIZES: dict[str, tuple[str, ...]] = {
    "gpt": ("1024x1024", "1536x1024", "1024x1536", "auto"),
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
}
FIELDS = ("prompt", "n", "size", "model")


@dataclass(frozen=True)
class Breach:
    """One broken rule. A status of None stands for the one that the profile has for invalid requests."""

    rule: str
    message: str
    param: str | None = None
    status: int | None = None
    code: str = "invalid_value"

    def within(self, prefix: str) -> bool:
        """Whether the rule is the named one or belongs to the named group (``n`` covers ``n.max``)."""
        return self.rule == prefix or self.rule.startswith(prefix + ".")


Breaches = tuple[Breach, ...]


@dataclass(frozen=True)
class Reading:
    """A request as the server understands it: the parsed body (None if there is none) and what is wrong with it."""

    body: Any
    breaches: Breaches


def family(model: object) -> str:
    """The row of SIZES that a model belongs to; what is not DALL-E is a GPT image model."""
    return model if isinstance(model, str) and model in ("dall-e-2", "dall-e-3") else "gpt"


def json_type(value: object) -> str:
    """The JSON name of a value's type; a float without a fraction is an integer, as in JSON Schema."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names: dict[type, str] = {float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def parse(body: bytes) -> Any:
    """Strict JSON in UTF-8. Raises ValueError (also for what is too deep or has too many digits)."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _auth(request: Request, profile: Profile, key: str | None) -> list[Breach]:
    value = request.header("authorization")
    if value is None:
        return [Breach("auth.missing", "You didn't provide an API key.", None, 401, "missing_api_key")]
    scheme, _, token = value.partition(" ")
    right = scheme == "Bearer" if profile.scheme_case == "exact" else scheme.lower() == "bearer"
    if not right:
        return [Breach("auth.scheme", "Use Authorization: Bearer TOKEN.", None, 401, "invalid_api_key")]
    if not token.strip():
        return [Breach("auth.empty", "The API key is empty.", None, 401, "invalid_api_key")]
    if key is not None and token.strip() != key:
        return [Breach("auth.key", "Incorrect API key provided.", None, 401, "invalid_api_key")]
    return []


def _headers(request: Request, profile: Profile) -> list[Breach]:
    found: list[Breach] = []
    parts = [part.strip() for part in (request.header("content-type") or "").lower().split(";")]
    status = profile.media_status
    if not parts[0]:
        found.append(Breach("media.missing", "Content-Type must be application/json.", None, status))
    elif parts[0] != "application/json":
        found.append(Breach("media.other", f"Unsupported media type {parts[0]}.", None, status))
    elif profile.media_parameters == "utf-8" and any(part not in ("charset=utf-8", "") for part in parts[1:]):
        found.append(Breach("media.parameter", "The only charset is utf-8.", None, status))
    if profile.accept_header == "demand":
        ranges = [part.split(";")[0].strip() for part in (request.header("accept") or "").lower().split(",")]
        if not {"application/json", "application/*", "*/*"} & set(ranges):
            found.append(Breach("accept", "Accept must allow application/json.", None, 406))
    return found


def _prompt(body: dict[str, Any], profile: Profile) -> list[Breach]:
    prompt = body["prompt"]
    if not isinstance(prompt, str):
        return [_mistyped("prompt", prompt, "string")]
    if len(prompt) > PROMPT_MAX:
        text = f"prompt must have at most {PROMPT_MAX} characters."
        return [Breach("prompt.long", text, "prompt", code="string_above_max_length")]
    if not prompt and profile.empty_prompt == "refuse":
        return [Breach("prompt.empty", "prompt must not be empty.", "prompt")]
    return []


def _number(body: dict[str, Any], _: Profile) -> list[Breach]:
    n = body["n"]
    if json_type(n) != "integer":
        return [_mistyped("n", n, "integer")]
    if n < N_MIN:
        return [Breach("n.min", f"n must be at least {N_MIN}.", "n", code="integer_below_min_value")]
    if n > N_MAX:
        return [Breach("n.max", f"n must be at most {N_MAX}.", "n", code="integer_above_max_value")]
    return []


def _size(body: dict[str, Any], _: Profile) -> list[Breach]:
    size = body["size"]
    if not isinstance(size, str):
        return [_mistyped("size", size, "string")]
    allowed = SIZES[family(body.get("model"))]
    if size in allowed:
        return []
    rule = "size.family" if any(size in sizes for sizes in SIZES.values()) else "size.enum"
    return [Breach(rule, f"size must be one of {', '.join(allowed)}.", "size")]


def _model(body: dict[str, Any], profile: Profile) -> list[Breach]:
    if "model" not in body:
        return []
    model = body["model"]
    if not isinstance(model, str):
        return [_mistyped("model", model, "string")]
    known = model.startswith("gpt-image-") or (profile.models == "documented" and model in SIZES)
    if profile.models == "any" or known:
        return []
    return [Breach("model.unknown", "The model does not exist.", "model", 404, "model_not_found")]


def _mistyped(field: str, value: object, wanted: str) -> Breach:
    found = json_type(value)
    text = f"Invalid type for '{field}': expected {wanted}, got {found}."
    return Breach(f"{field}.type.{found}", text, field, code="invalid_type")


def _fields(body: dict[str, Any], profile: Profile) -> list[Breach]:
    found = _model(body, profile)
    for name, check in (("prompt", _prompt), ("n", _number), ("size", _size)):
        if name not in body:
            text = f"Missing required parameter: '{name}'."
            found.append(Breach(f"{name}.missing", text, name, code="missing_required_parameter"))
        else:
            found += check(body, profile)
    unknown = [name for name in body if name not in FIELDS]
    if unknown and profile.unknown_properties == "refuse":
        text = f"Unknown parameter: '{unknown[0]}'."
        found.append(Breach("unknown", text, unknown[0], code="unknown_parameter"))
    return found


def read(request: Request, profile: Profile, key: str | None) -> Reading:
    """What a request asks for and every rule that it breaks, the gravest first."""
    found: list[Breach] = []
    if request.path != PATH:
        found.append(Breach("path", f"Invalid URL ({request.method} {request.path})", None, 404, "unknown_url"))
    elif request.method != "POST":
        found.append(Breach("method", f"Not allowed to {request.method} on {PATH}.", None, 405, "method_not_allowed"))
    found += _auth(request, profile, key) + _headers(request, profile)
    if not request.body.strip():
        return Reading(None, (*found, Breach("body.empty", "The body is empty.", code="invalid_json")))
    try:
        body = parse(request.body)
    except ValueError:
        return Reading(None, (*found, Breach("body.malformed", "The body is not valid JSON.", code="invalid_json")))
    if not isinstance(body, dict):
        text = "The body must be a JSON object."
        return Reading(body, (*found, Breach(f"body.type.{json_type(body)}", text, code="invalid_type")))
    return Reading(body, (*found, *_fields(body, profile)))
