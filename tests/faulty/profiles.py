"""Ways to be faithful: every choice that the documented page leaves open, under a name.

No profile is drift. A test suite that complains about one of them accuses a server that keeps all its promises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Profile:
    """One set of choices; the defaults are those of the profile ``plain``."""

    # What is refused and how.
    unknown_properties: Literal["ignore", "refuse"] = "ignore"
    empty_prompt: Literal["accept", "refuse"] = "accept"
    models: Literal["documented", "gpt", "any"] = "documented"
    invalid_status: int = 400
    media_status: int = 415
    accept_header: Literal["ignore", "demand"] = "ignore"
    media_parameters: Literal["any", "utf-8"] = "any"
    scheme_case: Literal["any", "exact"] = "any"
    # Errors.
    error_style: Literal["openai", "bare", "relay"] = "openai"
    error_code: Literal["string", "null"] = "string"
    # The document of a success.
    content: Literal["varying", "constant", "markdown"] = "varying"
    usage: Literal["varying", "constant", "zero"] = "varying"
    choice_fields: Literal["all", "none"] = "all"
    extra_fields: bool = False
    id_style: Literal["chatcmpl", "uuid"] = "chatcmpl"
    clock_offset: int = 0
    # Bytes and framing.
    layout: Literal["compact", "spaced", "pretty", "padded"] = "compact"
    escapes: bool = False
    media_type: str = "application/json"
    framing: Literal["length", "chunked", "close"] = "length"
    gzip: bool = False
    keep_alive: bool = True
    header_case: Literal["title", "lower", "upper"] = "title"
    extra_headers: tuple[tuple[str, str], ...] = ()


PROFILES: dict[str, Profile] = {
    "plain": Profile(),
    "documented": Profile(content="constant", usage="constant", models="gpt", layout="spaced"),
    "strict-body": Profile(unknown_properties="refuse", empty_prompt="refuse"),
    "unprocessable": Profile(invalid_status=422, error_code="null"),
    "strict-headers": Profile(accept_header="demand", media_parameters="utf-8", scheme_case="exact"),
    "media-400": Profile(media_status=400, empty_prompt="refuse"),
    "gpt-only": Profile(models="gpt", error_code="null"),
    "any-model": Profile(models="any"),
    "bare-errors": Profile(error_style="bare"),
    "relay": Profile(
        error_style="relay",
        models="gpt",
        framing="chunked",
        content="markdown",
        extra_fields=True,
        extra_headers=(("X-Oneapi-Request-Id", "20260716101112131415161abcdefgh"), ("Server", "nginx")),
    ),
    "extra-fields": Profile(extra_fields=True, usage="zero"),
    "sparse": Profile(choice_fields="none"),
    "markdown": Profile(content="markdown", usage="constant"),
    "uuid-ids": Profile(id_style="uuid", content="constant"),
    "clock-behind": Profile(clock_offset=-2),
    "chunked": Profile(framing="chunked"),
    "until-close": Profile(framing="close"),
    "gzip": Profile(gzip=True),
    "gzip-chunked": Profile(gzip=True, framing="chunked", header_case="lower"),
    "no-keep-alive": Profile(keep_alive=False),
    "odd-headers": Profile(header_case="upper", media_type="Application/JSON", error_code="null"),
    "pretty": Profile(layout="pretty", media_type="application/json; charset=utf-8"),
    "padded": Profile(layout="padded", media_type="application/json;charset=UTF-8"),
    "escaped": Profile(escapes=True, layout="spaced"),
    "limits-told": Profile(
        extra_headers=(
            ("X-RateLimit-Limit-Requests", "60"),
            ("X-RateLimit-Remaining-Requests", "59"),
            ("Set-Cookie", "route=a1; Path=/; HttpOnly"),
            ("Cache-Control", "no-store"),
        ),
        unknown_properties="refuse",
        invalid_status=422,
    ),
}
