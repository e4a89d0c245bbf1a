"""The one door where an exchange becomes a record: keys are replaced before anything is kept.

What carries a key is known from the contract's security schemes and from the names that headers, query parameters and
cookies of such APIs have; the same secret is replaced wherever else it stands.  Where records go is left to the journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote, unquote_to_bytes

from mockserver.contract import Contract
from mockserver.findings import Violation
from mockserver.spellings import Spelling, may_hide

REDACTED = b"[redacted]"
_BEARER = b"Bearer " + REDACTED
_PLAIN_BEARER = re.compile(rb"Bearer ([A-Za-z0-9._~-]{4,})").fullmatch
_SHORTEST = 4
"""A shorter secret is replaced in its own place only: elsewhere it would stand by chance all the time."""

UNMISTAKABLE = 8
"""A secret of that length is kept out of answers too; a shorter one may be a word of the answer."""

SOUGHT_AT_MOST = 32
"""Secrets of one message that are looked for elsewhere, the longest: no client has more keys, and each costs a search."""

_TELLING = re.compile(
    rb"auth|cookie|token|secret|passw|credential|signature|session-?key|api[-_]?key|access[-_]?key|(^|[-_])key$"
)
_HARMLESS = frozenset({b"authority", b"www-authenticate", b"max-tokens"})
_SCHEMES = frozenset({b"bearer", b"basic", b"digest", b"token"})
_NAMES_KEPT = 512

RawHeaders = Iterable[tuple[bytes, bytes]]


class Redactor:
    """Replaces keys.  ``known`` are those that are known before, such as the only one a server takes: they are replaced even
    where nobody sent them.  None and "" are none."""

    def __init__(self, contract: Contract, *known: str | None) -> None:
        schemes = [s for operation in contract.operations for alternative in operation.security for s in alternative]
        self._names = {scheme.name.lower().encode() for scheme in schemes}
        self._telling: dict[bytes, bool] = {}
        self._layouts: dict[tuple[bytes, ...], tuple[int, ...]] = {}
        self._always: tuple[bytes, ...] = tuple(dict.fromkeys(key.encode() for key in known if key))

    @property
    def own(self) -> tuple[bytes, ...]:
        """The keys that are known before."""
        return self._always

    def tells(self, name: bytes) -> bool:
        """Whether a header, query parameter or cookie of that name carries a secret."""
        found = self._telling.get(name)
        if found is None:
            lower = name.lower()
            found = lower in self._names or (lower not in _HARMLESS and _TELLING.search(lower) is not None)
            if len(self._telling) < _NAMES_KEPT:
                self._telling[name] = found
        return found

    def headers(self, headers: RawHeaders) -> tuple[list[tuple[bytes, bytes]], tuple[bytes, ...]]:
        """Headers without secrets, and the secrets that stood in them."""
        telling = self._telling
        clean: list[tuple[bytes, bytes]] = []
        found: list[bytes] = []
        for pair in headers:
            name, value = pair
            if telling[name] if name in telling else self.tells(name):
                shown, more = _without(name, value)
                found += more
                clean.append((name, shown))
            else:
                clean.append(pair)
        secrets = self.sought(found) if self._always or len(found) > 1 else tuple(found)
        if secrets:
            clean = [(name, text(value, secrets)) for name, value in clean] if _anywhere(clean, secrets) else clean
        return clean, secrets

    def plainly(
        self, names: tuple[bytes, ...], values: tuple[bytes, ...]
    ) -> tuple[tuple[bytes, ...], tuple[bytes, ...]] | None:
        """Values of headers of which none is repeated, secrets replaced in their own places; and the secrets.

        None unless every secret is a bearer token that neither a URL nor JSON needs to escape, so that only JSON's numeric
        escapes could hide it elsewhere.  The same secret elsewhere is left to whoever calls.
        """
        telling = self._layouts.get(names)
        if telling is None:
            telling = tuple(index for index, name in enumerate(names) if self.tells(name))
            if len(self._layouts) < _NAMES_KEPT:
                self._layouts[names] = telling
        secrets = self._always
        for index in telling:
            token = _PLAIN_BEARER(values[index])
            if token is None:
                return None
            values = (*values[:index], _BEARER, *values[index + 1 :])
            secrets += (token[1],)
        return values, secrets

    def query(self, query: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        """A query string without secrets, and the secrets that stood in it."""
        if b"=" not in query:
            return query, ()
        pieces, secrets = [], []
        for piece in query.split(b"&"):
            name, equals, value = piece.partition(b"=")
            if value and self.tells(unquote_to_bytes(name)):
                secrets += [value, unquote_to_bytes(value.replace(b"+", b" "))]
                value = REDACTED
            pieces.append(name + equals + value)
        return b"&".join(pieces), self.sought(secret for secret in secrets if len(secret) >= _SHORTEST)

    def sought(self, secrets: Iterable[bytes]) -> tuple[bytes, ...]:
        """The secrets to look for, each once, the longest first: a shorter one may be a part of it."""
        longest = sorted(dict.fromkeys(secrets), key=len, reverse=True)[:SOUGHT_AT_MOST]
        return tuple(sorted({*self._always, *longest}, key=len, reverse=True)) if self._always else tuple(longest)


def text(content: bytes, secrets: tuple[bytes, ...], shortest: int = _SHORTEST) -> bytes:
    """Bytes with every secret replaced, also where it is percent-encoded or written with JSON escapes."""
    wanted = [secret for secret in secrets if len(secret) >= shortest]
    if wanted and may_hide(content, wanted):
        content = Spelling(content, wanted).without(REDACTED)
    for secret in wanted:
        if secret in content:
            content = content.replace(secret, REDACTED)
        if b"%" in content:  # one that is no code may stand before the secret, and seem to be one with its beginning
            content = content.replace(quote(secret, safe="").encode(), REDACTED)
    return content


def violations(found: tuple[Violation, ...], secrets: tuple[bytes, ...]) -> tuple[Violation, ...]:
    """Violations whose sentences do not repeat a secret."""
    if not found or not secrets:
        return found
    return tuple(_violation(violation, secrets) for violation in found)


def words(sentence: str, secrets: tuple[bytes, ...]) -> str:
    """A sentence with every secret replaced."""
    return text(sentence.encode("utf-8", "surrogatepass"), secrets).decode("utf-8", "surrogatepass")


def _violation(violation: Violation, secrets: tuple[bytes, ...]) -> Violation:
    return replace(
        violation,
        pointer=words(violation.pointer, secrets),
        message=words(violation.message, secrets),
        documented=words(violation.documented, secrets),
        observed=words(violation.observed, secrets),
        param=words(violation.param, secrets),
        spoken=tuple(
            (key, words(value, secrets) if isinstance(value, str) else value) for key, value in violation.spoken
        ),
    )


def _without(name: bytes, value: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """A secret header's value with the secret replaced, and the secrets: the scheme's name may stay."""
    lower = name.lower()
    if lower in (b"cookie", b"set-cookie"):
        parts = value.split(b";")
        named = 1 if lower == b"set-cookie" else len(parts)  # after the first, Set-Cookie has attributes
        pairs = [part.partition(b"=") for part in parts[:named]]
        shown = [k.strip() + b"=" + REDACTED for k, _, _ in pairs] + [part.strip() for part in parts[named:]]
        # a shorter one may well be a word or a number, such as true, and bodies have those
        return b"; ".join(shown), tuple(v.strip() for _, _, v in pairs if len(v.strip()) >= UNMISTAKABLE)
    scheme, blank, rest = value.strip().partition(b" ")
    if blank and scheme.isalpha():
        found = (rest.strip(),)
        return scheme + b" " + REDACTED, tuple(s for s in found if len(s) >= _SHORTEST)
    secret = value.strip()
    if secret.lower() in _SCHEMES:
        return secret, ()  # a scheme without a token hides nothing
    return REDACTED, (secret,) if len(secret) >= _SHORTEST else ()


def _anywhere(headers: list[tuple[bytes, bytes]], secrets: tuple[bytes, ...]) -> bool:
    joined = b"\n".join([value for _, value in headers])
    return b"%" in joined or any(secret in joined for secret in secrets)
