"""The administration below ``/__admin/``: journal, verification, scenarios, health.  Its errors are RFC 9457 problems.

A Starlette application around one mock; what is served to the API's clients is left to :mod:`mockserver.pipeline`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mockserver import __version__, media
from mockserver.errors import StateError
from mockserver.exhibition import exhibition
from mockserver.gallery import PATH
from mockserver.inspector import Inspector
from mockserver.journal import Entry
from mockserver.media import MISSING
from mockserver.origins import stranger
from mockserver.problems import ProblemError, json_answer, problem, unroutable
from mockserver.queries import MalformedQueryError, Query, query_of
from mockserver.records import record, summary
from mockserver.scenarios import MalformedScenarioError, Scenario, scenario_of

if TYPE_CHECKING:
    from mockserver.app import Mock

BODY_AT_MOST: Final = 1024 * 1024
_READ_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a body that is too large which are read and dropped, so that the client gets to read the refusal."""
_PAGE: Final = 1000

Endpoint = Callable[[Request], Awaitable[Response]]


def administration(mock: Mock) -> Starlette:
    """The application for one mock."""
    views = _Views(mock)
    table: list[tuple[str, str, Endpoint]] = [
        *Inspector(mock).table(),
        ("/__admin/health", "GET", views.health),
        ("/__admin/contract", "GET", views.contract),
        ("/__admin/requests", "GET", views.requests),
        ("/__admin/requests", "DELETE", views.forget),
        ("/__admin/requests/find", "POST", views.find),
        ("/__admin/requests/{id}", "GET", views.request),
        ("/__admin/verify", "POST", views.verify),
        ("/__admin/scenarios", "GET", views.scenarios),
        ("/__admin/scenarios", "PUT", views.arm),
        ("/__admin/scenarios", "DELETE", views.disarm),
        ("/__admin/reset", "POST", views.reset),
    ]
    by_path: dict[str, dict[str, Endpoint]] = {}
    for path, method, view in table:
        by_path.setdefault(path, {})[method] = view
    routes = [Route(path, _methods(mock, views), methods=sorted(views)) for path, views in by_path.items()]
    routes.append(Route(PATH + "{name}", exhibition(mock.gallery), methods=["GET"]))
    return Starlette(
        routes=routes,
        exception_handlers={ProblemError: problem, HTTPException: unroutable, StateError: _unreachable},
    )


def _methods(mock: Mock, views: dict[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if why := stranger(request.method, request.headers, mock.settings.loopback):
            raise ProblemError(403, why)
        return await views["GET" if request.method == "HEAD" else request.method](request)

    return endpoint


class _Views:
    def __init__(self, mock: Mock) -> None:
        self._mock = mock

    async def health(self, _: Request) -> Response:
        mock = self._mock
        if mock.state.store is not None:
            mock.state.store.check()
        return json_answer({
            "status": "ok",
            "version": __version__,
            "contract": mock.contract.name,
            "uptime_s": round(time.time() - mock.started, 3),
            "requests": len(mock.journal),
            "dropped": mock.journal.dropped,
        })  # fmt: skip

    async def contract(self, _: Request) -> Response:
        return json_answer(self._mock.contract.document.data)

    async def requests(self, request: Request) -> Response:
        entries = self._entries(request)
        shown = [summary(entry) for entry in entries[-_PAGE:]]
        return json_answer({"total": len(entries), "requests": shown})

    async def forget(self, request: Request) -> Response:
        return json_answer({"forgotten": self._mock.journal.clear(_session(request))})

    async def find(self, request: Request) -> Response:
        found = _query(await _body(request), counted=False).find(self._entries(request))
        return json_answer({"total": len(found), "requests": [record(entry) for entry in found[-_PAGE:]]})

    async def request(self, request: Request) -> Response:
        identifier = request.path_params["id"]
        entry = self._mock.journal.get(identifier)
        if entry is None:
            raise ProblemError(404, f"the journal holds no exchange {identifier!r}; it keeps the newest ones only")
        return json_answer(record(entry))

    async def verify(self, request: Request) -> Response:
        asked = await _body(request)
        query = _query(asked, counted=True)
        entries = self._entries(request)
        found = query.find(entries)
        count = len(found)
        low, high = query.at_least, query.at_most
        if (low is None or count >= low) and (high is None or count <= high):
            return json_answer({"verified": True, "count": count, "expected": query.expected,
                          "requests": [summary(entry) for entry in found[-_PAGE:]]})  # fmt: skip
        detail = f"{query.expected} expected, {count} found among {len(entries)} recorded requests"
        nearest = [{"missed": missed, "request": summary(entry)} for entry, missed in query.nearest(entries)]
        raise ProblemError(422, detail, verified=False, count=count, expected=query.expected, asked=asked,
                           requests=[summary(entry) for entry in found[-_PAGE:]], nearest=nearest)  # fmt: skip

    async def scenarios(self, request: Request) -> Response:
        return json_answer(self._playing(_own_session(request)))

    async def arm(self, request: Request) -> Response:
        mock, session = self._mock, _own_session(request)
        mock.stage.arm(session, self._scenario(await _body(request)))
        return json_answer(self._playing(session))

    async def disarm(self, request: Request) -> Response:
        mock, session = self._mock, _own_session(request)
        mock.stage.arm(session, None)
        return json_answer(self._playing(session))

    async def reset(self, request: Request) -> Response:
        mock, session = self._mock, _session(request)
        mock.stage.reset(session)
        if mock.pipeline.replay is not None:
            mock.pipeline.replay.rewind()
        return json_answer({"forgotten": mock.journal.clear(session)})

    def _scenario(self, data: Any) -> Scenario:
        """The scenario that a body names, or the one that it spells out."""
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            raise ProblemError(
                400, 'an object with a name is expected, such as {"name": "..."}, with steps for a new one'
            )
        name = data["name"]
        if "steps" in data:
            try:
                return scenario_of(name, data)
            except MalformedScenarioError as wrong:
                raise ProblemError(400, str(wrong), pointer=wrong.pointer) from None
        known = self._mock.pipeline.scenarios
        if name not in known:
            raise ProblemError(404, f"there is no scenario {name!r}; there is {', '.join(known) or 'none'}")
        return known[name]

    def _playing(self, session: str) -> dict[str, Any]:
        mock = self._mock
        armed = mock.stage.armed(session)
        known = mock.pipeline.scenarios.values()
        return {
            "session": session,
            "armed": armed.name if armed else None,
            "answered": mock.stage.turn(session, armed) if armed else 0,
            "scenarios": [{"name": one.name, "description": one.description} for one in known],
        }

    def _entries(self, request: Request) -> list[Entry]:
        return self._mock.journal.entries(_session(request))


async def _unreachable(request: Request, failure: Exception) -> Response:
    return await problem(request, ProblemError(503, str(failure)))


def _own_session(request: Request) -> str:
    return request.headers.get("mock-session", "").strip()


def _session(request: Request) -> str | None:
    """The session that a request is about; None for all of them (``?session=*``)."""
    asked = request.query_params.get("session")
    if asked == "*":
        return None
    return asked if asked is not None else _own_session(request)


def _query(data: Any, *, counted: bool) -> Query:
    try:
        return query_of(data, counted=counted)
    except MalformedQueryError as wrong:
        raise ProblemError(400, str(wrong)) from None


async def _body(request: Request) -> Any:
    content, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= BODY_AT_MOST:
            content += piece
        elif size > _READ_AT_MOST:
            break
    if size > BODY_AT_MOST:
        raise ProblemError(413, f"the body must have at most {BODY_AT_MOST} bytes")
    reading = media.read_json(bytes(content))
    if reading.problems or reading.value is MISSING:
        raise ProblemError(400, "; ".join(problem.message for problem in reading.problems))
    return reading.value
