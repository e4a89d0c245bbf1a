"""Exchanges on disk: the one door through which they get there, and the way back.

Nothing is written that has not lost its keys first.  What a line or an entry looks like is left to :mod:`mockserver.ndjson`
and :mod:`mockserver.har`, what exchanges mean to :mod:`mockserver.checking`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, BinaryIO, Final, Literal, cast

from mockserver import har, media, ndjson, redaction
from mockserver.attachments import ZIP, beside, nowhere, unzipped
from mockserver.errors import RecordError
from mockserver.messages import Exchange, Headers, Request, Response, header
from mockserver.redaction import REDACTED, Redactor
from mockserver.reports import masks

Form = Literal["har", "ndjson"]

SUFFIXES: Final[dict[str, Form]] = {".har": "har", ".ndjson": "ndjson", ".jsonl": "ndjson"}
"""Ends of file names that say what is inside."""

PROBE: Final = "probe: "
"""How the note begins that names the probe for which a test run sent a request: what is wrong with it is deliberate."""
CONTRACT: Final = "contract: "
"""How the note begins that names the contract of such a run."""

ZIPPED: Final = ".har.zip"
"""End of the name of an archive that lies in a zip with its bodies, as Playwright writes it; it is only read."""

DECODED: Final = "the content coding was undone, because a key stood in the body"
_HAR: Final = re.compile(rb'\s*\{\s*"log"\s*:')
_BOM: Final = b"\xef\xbb\xbf"
_PEEKED: Final = 64 * 1024


def redacted(exchange: Exchange, redactor: Redactor) -> Exchange:
    """The exchange without any key: in headers, query, path, bodies, and wherever else the same secret stands."""
    request, response = exchange.request, exchange.response
    headers, secrets = redactor.headers(_raw(request.headers))
    query, more = redactor.query(request.query.encode("utf-8", "surrogatepass"))
    secrets += more
    answer_headers: list[tuple[bytes, bytes]] = []
    if response is not None:
        answer_headers, found = redactor.headers(_raw(response.headers))
        secrets += found
    secrets = redactor.sought(secrets)
    clean_body, clean_headers, note = _body(request.body, headers, secrets, redactor.own)
    clean_request = Request(
        request.method,
        redaction.words(request.path, secrets),
        redaction.words(query.decode("utf-8", "surrogatepass"), secrets),
        clean_headers,
        clean_body,
    )
    clean_response, more_note = None, ""
    if response is not None:
        body, kept, more_note = _body(response.body, answer_headers, secrets, redactor.own)
        clean_response = Response(response.status, kept, body, response.cut and redaction.words(response.cut, secrets))
    notes = (*exchange.notes, *dict.fromkeys(text for text in (note, more_note) if text))
    return replace(
        exchange,
        request=clean_request,
        response=clean_response,
        failure=exchange.failure and redaction.words(exchange.failure, secrets),
        notes=tuple(redaction.words(text, secrets) for text in notes),
    )


def secrets_of(request: Request, redactor: Redactor) -> tuple[bytes, ...]:
    """What must not be repeated of a request, the longest first."""
    _, secrets = redactor.headers(_raw(request.headers))
    _, more = redactor.query(request.query.encode("utf-8", "surrogatepass"))
    return redactor.sought((*secrets, *more))


class Cassette:
    """A file that exchanges are appended to, each as soon as it is there; whatever ends the process, the rest is whole.

    The end of the name decides the format: ``.har`` is an archive, anything else our NDJSON.  A file that is there is gone
    on with; a last line that was cut is taken away first.  Raises RecordError when it cannot be written.
    """

    def __init__(self, path: str, redactor: Redactor) -> None:
        self.path, self._redactor = path, redactor
        self.form: Form = SUFFIXES.get(Path(path).suffix.lower(), "ndjson")
        self._file = self._opened()
        try:
            self._empty = self._begin()
        except BaseException:
            self._file.close()
            raise

    def write(self, exchange: Exchange, origin: str = "") -> None:
        """Append one exchange; ``origin`` (scheme and host) stands in the URLs of an archive.

        Raises RecordError when the disk refuses.
        """
        clean = redacted(exchange, self._redactor)
        try:
            if self.form == "har":
                text = ("\n" if self._empty else ",\n") + har.entry(clean, origin or _origin(clean)) + har.CLOSING
                self._file.seek(-len(har.CLOSING), os.SEEK_END)
                self._file.write(text.encode("utf-8", "replace"))
            else:
                self._file.seek(0, os.SEEK_END)
                self._file.write(ndjson.line(clean))
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from None
        self._empty = False

    def close(self) -> None:
        """Give the file back; what was written is on it already."""
        self._file.close()

    def _opened(self) -> IO[bytes]:
        try:
            # prompts and answers are for whoever recorded them: a new file is readable to nobody else
            return os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b")
        except OSError as error:
            raise self._unwritable(error) from None

    def _begin(self) -> bool:
        """Make the file ready for its next exchange; whether it has none so far."""
        size = self._file.seek(0, os.SEEK_END)
        if self.form == "ndjson":
            if size and not self._is_ours():
                raise self._foreign()
            self._mend(size)
            return size == 0
        opening, closing = har.OPENING.encode(), har.CLOSING.encode()
        if size == 0:
            self._file.write(opening + closing)
            self._file.flush()
            return True
        self._file.seek(max(0, size - len(closing)))
        if self._file.read() != closing:
            raise self._foreign()
        return size == len(opening) + len(closing)

    def _mend(self, size: int) -> None:
        """End a last line that a killed process left without its end: a whole one is kept, half a one taken away."""
        start = size
        tail = b""
        while start and b"\n" not in tail:
            step = min(start, _PEEKED)
            start -= step
            self._file.seek(start)
            tail = self._file.read(step) + tail
        rest = tail[tail.rfind(b"\n") + 1 :]
        if not rest:
            return
        if media.read_json(rest).problems:
            self._file.truncate(size - len(rest))
        else:
            self._file.seek(0, os.SEEK_END)
            self._file.write(b"\n")

    def _is_ours(self) -> bool:
        """Whether a file begins with an exchange, or with the half of one that a killed process left."""
        self._file.seek(0)
        try:
            if next(ndjson.read(cast(BinaryIO, self._file), self.path, []), None) is not None:
                return True
        except RecordError:
            return False
        self._file.seek(0)
        return self._file.read(1) == b"{"

    def _foreign(self) -> RecordError:
        return RecordError(f"{self.path} is there and was not written by this command; name another file")

    def _unwritable(self, error: OSError) -> RecordError:
        return RecordError(f"traffic cannot be recorded in {self.path}: {error.strerror or error}")


def read(path: str, notes: list[str] | None = None) -> Iterator[Exchange]:
    """The exchanges of a HAR archive or an NDJSON record, in their order, one at a time.

    What had to be left out is said in ``notes``.  Raises RecordError naming file and place.
    """
    with opened(path) as stream:
        yield from exchanges(stream, path, form_of(stream, path), notes if notes is not None else [])


def exchanges(stream: BinaryIO, name: str, form: Form, notes: list[str]) -> Iterator[Exchange]:
    """The same from an open file; bodies that an archive keeps in other files are looked for beside it or in its zip."""
    if form == "ndjson":
        yield from ndjson.read(stream, name, notes)
    elif _peeked(stream).startswith(ZIP):
        with unzipped(stream, name) as (archive, inside):
            yield from har.read(archive, name, inside)
    else:
        yield from har.read(stream, name, beside(Path(name).parent) if Path(name).is_file() else nowhere)


def form_of(stream: BinaryIO, name: str) -> Form:
    """What an open file holds: by its first bytes, then by its name."""
    start = _peeked(stream)
    if _HAR.match(start) or start.startswith(ZIP):
        return "har"
    return SUFFIXES.get(Path(name).suffix.lower(), "ndjson")


def _peeked(stream: BinaryIO) -> bytes:
    """What an open file begins with; it stays to be read."""
    peek = getattr(stream, "peek", None)
    return cast(bytes, peek(_PEEKED)).removeprefix(_BOM) if peek else b""


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A file to read; raises RecordError when it cannot be."""
    try:
        with Path(path).open("rb", buffering=_PEEKED) as file:
            yield file
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}") from None


def _body(
    body: bytes, headers: list[tuple[bytes, bytes]], secrets: tuple[bytes, ...], own: tuple[bytes, ...]
) -> tuple[bytes, Headers, str]:
    """A body and its headers without secrets, also where they stand below a content coding; a note when it was undone."""
    shown = [(name.decode("utf-8"), redaction.text(value, secrets).decode("utf-8")) for name, value in headers]
    kept: Headers = tuple(shown)
    coding = header(kept, "content-encoding")
    if coding and secrets and body:
        plain, problem = media.decode(body, coding)
        if problem is None and (clean := _clean(plain, secrets, own)) != plain:
            return clean, tuple(pair for pair in kept if pair[0].lower() != "content-encoding"), DECODED
    return _clean(body, secrets, own), kept, ""


def _clean(body: bytes, secrets: tuple[bytes, ...], own: tuple[bytes, ...]) -> bytes:
    """A body without secrets, and without base64 of the key that was known before."""
    clean = redaction.text(body, secrets)
    for key in own:
        as_text = masks.without_base64(clean.decode("latin-1"), key.decode("latin-1"), REDACTED.decode())
        clean = as_text.encode("latin-1")
    return clean


def _raw(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in headers]


def _origin(exchange: Exchange) -> str:
    return f"http://{exchange.request.header('host') or 'unknown'}"
