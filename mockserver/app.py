"""The mock as an ASGI application: the API in front, Starlette with the administration behind it.

The API path costs no routing: only what begins with ``/__admin`` reaches Starlette.  Reading a body within its limit is done
here; what is answered is left to :mod:`mockserver.pipeline`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mockserver import forms, openapi
from mockserver.connections import Connections, Hold
from mockserver.contract import Contract
from mockserver.delivery import AT_ONCE, GONE, LARGE, Receive, Send, deliver, reset, transport_of
from mockserver.errors import StateError, UsageError
from mockserver.gallery import Gallery
from mockserver.identifiers import Identifiers
from mockserver.intake import Came
from mockserver.outbox import Outbox
from mockserver.pipeline import CLIENT_GONE, REFUSED, Later, Outcome, Pipeline
from mockserver.scenarios import Scenario, read_scenarios
from mockserver.settings import BODY_AT_MOST, FORM_AT_MOST, Settings
from mockserver.state import opened

ADMIN: Final = b"/__admin"
_DISCARDED_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a body beyond the limit that are read and dropped, so that the client gets to read the refusal."""
_SILENCE_S: Final = 60.0
"""Seconds between two complaints that the state cannot be reached."""
_now = time.time
_UNWANTED: Final = {"type": "http.request", "body": b"", "more_body": True}
"""What stands for the body of a client that waits for leave to send too much, and gets none."""
NO_HEADERS: Final[list[tuple[bytes, bytes]]] = []


class Mock:
    """One mock: an ASGI application with its settings, journal, and the pipeline of the contract it serves.

    ``started`` is when its first process was, in seconds of the epoch; None: this is it.
    Raises ContractError when the contract cannot be used, UsageError when the settings name no scenario of it.
    """

    def __init__(self, settings: Settings, started: float | None = None) -> None:
        contract = openapi.load(settings.contract)
        takes_files = any(o.type.startswith(forms.MEDIA_TYPE) for op in contract.operations for o in op.body)
        if takes_files and settings.max_body == BODY_AT_MOST:
            settings = replace(settings, max_body=FORM_AT_MOST)
        self.settings = settings
        self.gallery = Gallery(settings.image_style)
        self.started = _now() if started is None else started
        self.connections = Connections()
        self._identifiers = Identifiers()
        scenarios = read_scenarios(contract.document)
        self.state = opened(settings, contract.name, self._first(scenarios))
        self.journal, self.stage = self.state.journal, self.state.stage
        self._complained = -_SILENCE_S
        self._shared = self.state.store is not None
        self.outbox = Outbox(self._keep if self._shared else None)
        self.pipeline = self._pipeline(contract, scenarios)
        self.shortcuts = self.pipeline.shortcuts
        """The short ways that are open, by method and path."""
        self._admin: Any = None

    @property
    def contract(self) -> Contract:
        """The contract that is served."""
        return self.pipeline.contract

    @property
    def base_path(self) -> str:
        """The path below which the contract's paths lie."""
        return self.contract.base_path

    def reload(self) -> None:
        """Serve the contract as its files are now; raises ContractError and keeps the old one when it is broken."""
        contract = openapi.load(self.settings.contract)
        self.pipeline = self._pipeline(contract, read_scenarios(contract.document))
        if not self.connections.ending:
            self.shortcuts = self.pipeline.shortcuts

    def end(self) -> None:
        """From now on only finish what has begun, and say so to every client."""
        self.connections.end()
        self.shortcuts = {}

    def _pipeline(self, contract: Contract, scenarios: dict[str, Scenario]) -> Pipeline:
        return Pipeline(contract, scenarios, self.settings, self.state, self._identifiers, self.gallery)

    def close(self) -> None:
        """Let go of what the mock shares with others."""
        self.state.close()

    def _first(self, scenarios: dict[str, Scenario]) -> Scenario | None:
        name = self.settings.scenario
        if name is None:
            return None
        if name not in scenarios:
            raise UsageError(f"there is no scenario {name!r}; there is {', '.join(scenarios) or 'none'}")
        return scenarios[name]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request; whatever is not HTTP is not spoken here."""
        if scope["type"] != "http":
            return
        path = scope["raw_path"]
        if path.startswith(ADMIN) and (len(path) == len(ADMIN) or path[len(ADMIN) : len(ADMIN) + 1] == b"/"):
            await self._administration()(scope, receive, send)
            return
        started = _now()
        headers = scope["headers"]
        named = dict(headers)
        if b"expect" in named and _announced(named) > self.settings.max_body:
            message: MutableMapping[str, Any] = _UNWANTED
        else:
            message = await receive()
        if message["type"] != "http.request":
            self._unfinished(scope, named, b"", started)
            return
        body: bytes = message["body"]
        trouble, more = "", NO_HEADERS
        if message.get("more_body") or len(body) > self.settings.max_body:
            hold = Hold(partial(_drop, send))
            try:
                read = await self._rest(bytearray(body), bool(message.get("more_body")), named, receive, hold)
            finally:
                self.connections.release(hold)
            if isinstance(read, bytes):
                self._unfinished(scope, named, read, started)
                return
            body, trouble, more = read
        try:
            outcome = self.pipeline.answer(
                scope["method"], path, scope["query_string"], headers, named, body, started, trouble
            )
            if isinstance(outcome, Later):
                outcome = outcome.tell(await self.gallery.apart(outcome.make))
            status, sent, content, way = outcome
        except StateError as lost:
            status, sent, content, way = self._unkept(lost)
        except Exception as error:  # noqa: BLE001  the last resort: whatever a contract is, no client sees our inside
            status, sent, content, way = self._failed(scope["method"], path, error)
        if self._shared and not self.outbox.send():
            status, sent, content, way = self._unkept()
        if more:
            sent.extend(more)
        if way is AT_ONCE:
            await send({"type": "http.response.start", "status": status, "headers": sent})
            await send({"type": "http.response.body", "body": content})
            stayed = len(content) < LARGE or await _taken(send)
        else:
            hold = Hold(partial(_drop, send))
            self.connections.hold(hold, len(content))
            try:
                stayed = await deliver(status, sent, content, way, receive, send, self.connections.pause)
            finally:
                self.connections.release(hold)
            stayed = stayed and (len(content) < LARGE or way.cut is not None or await _taken(send))
        if not stayed:
            self.missed(dict(sent).get(b"mock-exchange", b"").decode())

    def missed(self, name: str) -> None:
        """Note in the journal that the client did not stay for the answer of an exchange."""
        if self._shared:
            self.outbox.send()  # what waits to be recorded is lost with its answers, or not at all
        try:
            self.journal.amend(name, GONE)
        except StateError as lost:
            self._unkept(lost)

    def _unfinished(
        self, scope: MutableMapping[str, Any], named: dict[bytes, bytes], body: bytes, started: float
    ) -> None:
        """Record a request that did not come to its end."""
        refused = scope.get(REFUSED)
        status, why = refused or (CLIENT_GONE, "the client went away before its request was complete")
        came = Came(scope["method"], scope["raw_path"], scope["query_string"], scope["headers"], named, body, started)
        self.pipeline.unfinished(came, status, why)
        if self._shared:
            self.outbox.send()

    def _keep(self) -> bytes:
        """Commit what was recorded; b"", or the answer that requests get whose record could not be kept."""
        try:
            self.journal.commit()
        except StateError as trouble:
            status, headers, body, _ = self._unkept(trouble)
            head = b"".join(b"%b: %b\r\n" % pair for pair in headers)
            return b"HTTP/1.1 %d Service Unavailable\r\n%b\r\n%b" % (status, head, body)
        return b""

    def _unkept(self, trouble: StateError | None = None) -> Outcome:
        """The answer where nothing can be recorded; and a line about it now and then."""
        if trouble is not None and time.monotonic() > self._complained + _SILENCE_S:
            self._complained = time.monotonic()
            sys.stderr.write(f"error: {trouble}; requests get a 503 meanwhile\n")
        found = self.pipeline.envelope.error(
            None, 503, "the mock cannot keep its state; see its error output", "", None
        )
        length = b"%d" % len(found.body)
        headers = [(b"content-type", found.kind), (b"content-length", length), (b"retry-after", b"1")]
        return 503, headers, found.body, AT_ONCE

    def _failed(self, method: str, path: bytes, error: Exception) -> Outcome:
        """The answer where the contract cannot be followed, and a line that says so to whoever runs the mock."""
        what = f"{method} {path.decode('latin-1')!r} cannot be answered: {type(error).__name__}: {error}"
        line = "".join(c if c.isprintable() else "?" for c in what)
        sys.stderr.write(f"error: {line[:500]}; lint says what is wrong with the contract\n")
        message = "the mock cannot follow its contract here; see its error output"
        found = self.pipeline.envelope.error(None, 500, message, "", None)
        headers = [(b"content-type", found.kind), (b"content-length", b"%d" % len(found.body))]
        return found.status, headers, found.body, AT_ONCE

    async def _rest(
        self, body: bytearray, unread: bool, named: dict[bytes, bytes], receive: Receive, hold: Hold
    ) -> tuple[bytes, str, list[tuple[bytes, bytes]]] | bytes:
        """The whole body; beyond the limit none of it, a sentence and the headers that end the connection.

        Where its end does not come, the bytes that came.
        """
        limit = self.settings.max_body
        size = _announced(named)
        if b"expect" in named and size > limit:
            return b"", _too_large(limit, size), [(b"connection", b"close")]
        total = len(body)
        self.connections.hold(hold, total)
        while unread:
            message = await receive()
            if message["type"] != "http.request":
                return bytes(body)
            piece = message.get("body", b"")
            unread = bool(message.get("more_body"))
            total += len(piece)
            if total <= limit and size <= limit:
                body += piece
                self.connections.hold(hold, len(piece))
            else:
                body.clear()
                self.connections.release(hold)
                if total > _DISCARDED_AT_MOST:
                    break
        if total <= limit and size <= limit:
            return bytes(body), "", []
        return b"", _too_large(limit, max(size, total)), [(b"connection", b"close")] if unread else []

    def _administration(self) -> Any:
        """The Starlette application, made when first asked for: serving an API does not need it."""
        if self._admin is None:
            from mockserver.admin import administration

            self._admin = administration(self)
        return self._admin


def _drop(send: Send) -> None:
    """End the connection of an ASGI ``send``."""
    transport = transport_of(send)
    if transport is not None:
        getattr(transport.get_protocol(), "drop", partial(reset, transport))()


async def _taken(send: Send) -> bool:
    """Whether the client takes what was sent to it, where the server can tell."""
    transport = transport_of(send)
    if transport is None:
        return True
    ours = transport.get_protocol()  # None once the client is gone
    return ours is not None and (not hasattr(ours, "taken") or bool(await ours.taken()))


def _announced(named: dict[bytes, bytes]) -> int:
    """The Content-Length, 0 where there is none."""
    announced = named.get(b"content-length", b"")
    return int(announced) if announced.isdigit() and len(announced) < 20 else 0


def _too_large(limit: int, size: int) -> str:
    return f"the body must have at most {limit} bytes; got {size} bytes"
