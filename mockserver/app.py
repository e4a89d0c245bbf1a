"""The mock as an ASGI application."""

from __future__ import annotations

import itertools
import time
from typing import Any

import orjson

from mockserver import openapi
from mockserver.journal import Entry, Journal
from mockserver.messages import Request
from mockserver.rules import rule_for
from mockserver.settings import Settings
from mockserver.validation import Judge


class Mock:
    """One mock: settings, contract, journal; an ASGI application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.contract = openapi.load(settings.contract)
        self.judge = Judge(self.contract)
        self.journal = Journal(settings.journal_entries, settings.journal_bytes)
        self.base_path = self.contract.base_path
        self._ids = itertools.count(1)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        started = time.time()
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        path = scope["raw_path"].decode("ascii").removeprefix(self.base_path)
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"])
        request = Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, body)
        judged = self.judge.request(request)
        extra: list[tuple[bytes, bytes]] = []
        if judged.blocking or judged.operation is None:
            first = (judged.blocking or judged.violations)[0]
            status = rule_for(first.rule).status
            value: Any = {"error": {"message": first.message, "type": "invalid_request_error", "param": first.param or None,
                                    "code": None}}  # fmt: skip
            extra = [(b"allow", ", ".join(judged.match.allowed).encode())] if status == 405 else []
        else:
            spec = judged.operation.success
            status = judged.operation.success_status
            examples = spec.content[0].examples if spec and spec.content else {}
            value = next(iter(examples.values()), {})
        answer = orjson.dumps(value)
        identifier = f"x{next(self._ids)}"
        out = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
            (b"contract-violations", str(len(judged.violations)).encode()),
            (b"mock-exchange", identifier.encode()),
            *extra,
        ]
        kept = [(k, v) for k, v in scope["headers"] if k != b"authorization"]
        operation = judged.operation.id if judged.operation else ""
        self.journal.append(
            Entry(identifier, started, time.time() - started, "", request.method, request.path, scope["query_string"],
                  kept, body, status, out, answer, operation, judged.violations, "", ())
        )  # fmt: skip
        await send({"type": "http.response.start", "status": status, "headers": out})
        await send({"type": "http.response.body", "body": answer})
