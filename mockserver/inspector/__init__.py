"""The inspector: the page at ``/__admin/`` and what it reads.  Which requests it may serve is decided by the administration.

The page's files lie in ``page``, are read once and need nothing from another host.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mockserver import __version__, har
from mockserver.curl import curl
from mockserver.findings import Side
from mockserver.inspector import feed, view
from mockserver.inspector.example import first_request
from mockserver.journal import Entry
from mockserver.problems import GUARDED, ProblemError, json_answer

if TYPE_CHECKING:
    from mockserver.app import Mock

_FOLDER: Final = Path(__file__).with_name("page")
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from elsewhere, no script or style in the page itself, and no way to make markup of a text."""
_FOR_DATA: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


class _File(NamedTuple):
    content: bytes
    type: str
    tag: str


class Inspector:
    """What the page of one mock asks for."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    def table(self) -> list[tuple[str, str, Callable[[Request], Awaitable[Response]]]]:
        """Path, method and endpoint of each route."""
        return [
            ("/__admin", "GET", self.page),
            ("/__admin/", "GET", self.page),
            ("/__admin/page/{name}", "GET", self.file),
            ("/__admin/about", "GET", self.about),
            ("/__admin/live", "GET", self.live),
            ("/__admin/har", "GET", self.archive),
            ("/__admin/requests/{id}/view", "GET", self.opened),
            ("/__admin/requests/{id}/{side}", "GET", self.body),
            ("/__admin/requests/{id}/{side}/pictures/{number}", "GET", self.picture),
        ]

    async def page(self, request: Request) -> Response:
        """The page itself."""
        return _served(request, _files()["index.html"])

    async def file(self, request: Request) -> Response:
        """A script, style or drawing of the page."""
        file = _files().get(request.path_params["name"])
        if file is None:
            raise ProblemError(404, "the page has no such file")
        return _served(request, file)

    async def about(self, request: Request) -> Response:
        """What is served here, and a first request to try."""
        mock, origin = self._mock, _place(request).origin
        example = first_request(mock.contract)
        return json_answer({
            "title": mock.contract.title,
            "contract": mock.contract.name,
            "version": __version__,
            "base_url": f"{origin}{mock.base_path}",
            "example": curl(example, origin, "", "") if example else "",
        })  # fmt: skip

    async def live(self, request: Request) -> Response:
        """What is new in the journal; a stream for whoever accepts one."""
        journal = self._mock.journal
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        if request.method == "GET" and "text/event-stream" in request.headers.get("accept", ""):
            headers = {"cache-control": "no-store", **GUARDED}
            told = feed.events(journal, after, lambda: self._mock.connections.ending)
            return StreamingResponse(told, 200, headers, "text/event-stream")
        return json_answer(await run_in_threadpool(feed.news, journal, after))

    async def archive(self, request: Request) -> Response:
        """The journal, or one session of it, as a HAR archive to keep."""
        session = request.query_params.get("session", "*")
        entries = self._mock.journal.entries(None if session == "*" else session)
        headers = {"cache-control": "no-store", "content-disposition": 'attachment; filename="mock.har"', **GUARDED}
        return StreamingResponse(_archived(entries, _place(request).origin), 200, headers, "application/json")

    async def opened(self, request: Request) -> Response:
        """One exchange as the page shows it."""
        return json_answer(await run_in_threadpool(view.opened, self._entry(request), _place(request)))

    async def body(self, request: Request) -> Response:
        """A whole body to keep, as bytes of no particular kind."""
        entry, side = self._entry(request), _side(request)
        content = entry.body if side == "request" else entry.answer_body
        name = f'attachment; filename="{entry.id}-{side}"'
        headers = {"cache-control": "no-store", "content-disposition": name, **GUARDED}
        headers["content-security-policy"] = _FOR_DATA
        return Response(content, 200, headers, "application/octet-stream")

    async def picture(self, request: Request) -> Response:
        """One picture out of a body."""
        entry, side, number = self._entry(request), _side(request), request.path_params["number"]
        found = dict(enumerate(await run_in_threadpool(view.pictures_of, entry, side, _place(request).port)))
        picture = found.get(int(number)) if number.isdecimal() and len(number) < 5 else None
        if picture is None or not (data := picture.data):
            raise ProblemError(404, f"the {side} holds no picture {number}")
        headers = {**GUARDED, "cache-control": "private, max-age=3600", "content-security-policy": _FOR_DATA}
        return Response(data, 200, headers, picture.type)

    def _entry(self, request: Request) -> Entry:
        identifier = request.path_params["id"]
        entry = self._mock.journal.get(identifier)
        if entry is None:
            raise ProblemError(404, f"the journal holds no exchange {identifier!r}; it keeps the newest ones only")
        return entry


@cache
def _files() -> dict[str, _File]:
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            found[path.name] = _File(content, _TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:20]}"')
    return found


def _served(request: Request, file: _File) -> Response:
    """The file, or word that the browser has it already."""
    headers = {**GUARDED, "etag": file.tag, "cache-control": "no-cache", "content-security-policy": POLICY}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if file.tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(file.content, 200, headers, file.type)


def _archived(entries: list[Entry], origin: str) -> Iterator[bytes]:
    yield har.OPENING.encode()
    for index, entry in enumerate(entries):
        comma = "," if index else ""
        yield f"{comma}\n{har.entry(entry.exchange, origin)}".encode("utf-8", "replace")
    yield har.CLOSING.encode()


def _side(request: Request) -> Side:
    side = request.path_params["side"]
    if side not in ("request", "response"):
        raise ProblemError(404, "there is nothing at this path")
    return "request" if side == "request" else "response"


def _place(request: Request) -> view.Place:
    """Scheme and host as the browser names them."""
    host = request.headers.get("host", "")
    server = request.scope.get("server")
    return view.Place(f"{request.url.scheme}://{host}", server[1] if server else None)
