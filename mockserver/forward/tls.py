"""Safe connections to the API: who vouches for certificates, and what is said where none came about."""

from __future__ import annotations

import os
import ssl
from typing import Final

import httpx

from mockserver.errors import UsageError
from mockserver.forward.flow import Problem

_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_UNKNOWN: Final = (18, 19, 20, 21)
"""OpenSSL's numbers for a certificate that is signed by itself or by nobody known."""
_PLAIN: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
"""What OpenSSL says of an answer that is no TLS."""


def authorities() -> ssl.SSLContext:
    """Who vouches for certificates: those that SSL_CERT_FILE or SSL_CERT_DIR name, else the common ones.

    Raises UsageError where they cannot be read.
    """
    try:
        return httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        named = next((f"{name}={os.environ[name]}" for name in _VARIABLES if os.environ.get(name)), "certificates")
        raise UsageError(f"{named} cannot be used: {error.strerror or error}") from None


def failure(error: BaseException) -> ssl.SSLError | None:
    """What of an error is about TLS; None for another failure."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        inner = getattr(found, "exceptions", None)
        found = inner[0] if inner else found.__cause__ or found.__context__
    return found


def problem(error: ssl.SSLError, host: str) -> Problem:
    """The proxy's answer for an API with which no safe connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        own = "; SSL_CERT_FILE may name a file with authorities of one's own" if error.verify_code in _UNKNOWN else ""
        detail = f"the certificate of {host} is not trusted: {error.verify_message.rstrip('.')}{own}"
        return Problem(502, "Certificate not trusted", "tls_certificate_error", detail)
    what = (error.reason or "no agreement").replace("_", " ").lower()
    hint = "; perhaps it speaks plain http" if error.reason in _PLAIN else ""
    return Problem(502, "No TLS", "tls_protocol_error", f"{host} does not speak TLS with us: {what}{hint}")
