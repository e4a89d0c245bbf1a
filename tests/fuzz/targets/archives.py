"""Recorded traffic: HAR, our own lines, and zips of either, from any bytes; what was read is judged and can be written again."""

from __future__ import annotations

import io

from mockserver import cassette, har, ndjson, openapi
from mockserver.errors import RecordError
from mockserver.redaction import Redactor
from mockserver.validation import Judge

JUDGE = Judge(openapi.load())
REDACTOR = Redactor(JUDGE.contract)
FORMS: dict[bytes, cassette.Form] = {b"h": "har", b"n": "ndjson"}


def check(data: bytes) -> None:
    """The first byte names the form; any other leaves that to be found out."""
    stream = io.BufferedReader(io.BytesIO(data[1:]))  # type: ignore[type-var]
    form = FORMS.get(data[:1]) or cassette.form_of(stream, "fuzzed")
    try:
        found = list(cassette.exchanges(stream, "fuzzed", form, []))
    except RecordError:
        return
    for exchange in found[:20]:
        JUDGE.exchange(exchange)
        clean = cassette.redacted(exchange, REDACTOR)
        har.entry(clean, "http://127.0.0.1")
        list(ndjson.read(io.BytesIO(ndjson.line(clean)), "again", []))
