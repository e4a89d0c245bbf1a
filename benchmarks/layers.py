"""What each layer costs a request, in microseconds of CPU time: over sockets as a whole, and step by step in this process.

    python benchmarks/layers.py [--rounds 30] [--requests 1000] [--connections 32] [--write]

The reference is a bare ASGI application on the same uvicorn.  Steps are timed on the objects that a running mock uses; what is
left of the whole is sockets, the HTTP parser and the protocol.  Shown is the calmest tenth of the rounds.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import page, peers, throughput  # noqa: E402
from mockserver.accelerator import Accelerator  # noqa: E402
from mockserver.app import Mock  # noqa: E402
from mockserver.asked import Asked  # noqa: E402
from mockserver.plain import read_plain  # noqa: E402
from mockserver.settings import Settings  # noqa: E402

Headers = list[tuple[bytes, bytes]]


def serve_starlette() -> None:
    """Serve the bare answer through Starlette with one route, and print the URL."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(throughput.ANSWER, media_type="application/json")

    application = Starlette(routes=[Route(peers.PATH, answer, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        application, http="httptools", loop="uvloop", ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def over_sockets(options: argparse.Namespace) -> list[float]:
    """The bare application, the same through Starlette, and the mock."""
    theirs = (sys.executable, str(ROOT / "benchmarks" / "throughput.py"), "--serve")
    chosen = [
        peers.Peer("bare", False, "", (*theirs, "bare"), 2000, 0),
        peers.Peer("starlette", False, "", (sys.executable, __file__, "--serve", "starlette"), 2000, 0),
        peers.Peer("mock", True, "", (*theirs, "mock"), 2000, 0),
    ]
    figures = peers.measure(chosen, options)
    return [_calm([cpu for cpu, _ in figures[peer.name]]) for peer in chosen]


def _calm(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=10)[0]


class Steps:
    """The steps of the mock's short way, each on many different requests."""

    def __init__(self, rounds: int, count: int) -> None:
        self._rounds = rounds
        mock = Mock(Settings())
        pipeline = mock.pipeline
        operation = next(o for o in pipeline.contract.operations if o.path == peers.PATH)
        self._requests = [_parsed(request) for request in throughput.requests_of(count, 0)]
        admit, plan = pipeline.judge.admission(operation), pipeline.responder.plan(operation, None, None, "0")
        check = Accelerator(pipeline.contract.document.data).check(operation.body[0].schema)
        short = pipeline.shortcuts[b"POST", pipeline.base + peers.PATH.encode()]
        assert admit
        assert plan
        assert check
        bits, plainly, now = Random(0).getrandbits, pipeline.redactor.plainly, time.time()
        columns = [(*zip(*headers, strict=True), headers, body) for headers, body in self._requests]
        values = [read_plain(body) for *_, body in columns]
        answers = [
            plan.body(Asked(v, row[3], now, bits, row[2], mock.gallery)) for v, row in zip(values, columns, strict=True)
        ]
        self.read = self._time(read_plain, [(row[3],) for row in columns])
        self.validate = self._time(check, [(value,) for value in values])
        self.admit = self._time(admit, [(row[0], row[1], row[3]) for row in columns])
        self.answer = self._time(
            lambda value, headers, body: plan.body(Asked(value, body, now, bits, headers, mock.gallery)),
            [(value, row[2], row[3]) for value, row in zip(values, columns, strict=True)],
        )

        def redact(names: Any, given: Any, body: bytes, answer: bytes) -> bool:
            clean = plainly(names, given)
            record = b"\n".join((b"\n".join(clean[0]), body, answer)) if clean else b""
            return any(secret in record for secret in clean[1]) if clean else False

        rows = [(row[0], row[1], row[3], answer) for row, answer in zip(columns, answers, strict=True)]
        self.redact = self._time(redact, rows)
        mock.journal.clear()
        short.written(columns[0][2], columns[0][3], now)
        record = (b"x" * 900, b"name", now, 0.0, None, columns[0][0], 300)
        self.record = self._time(mock.journal.append, [(record,)] * count)
        self.whole = self._time(short.written, [(row[2], row[3], now) for row in columns])
        long = [(*row[2], (b"prefer", b"delay=0")) for row in columns]
        self.long = self._time(
            lambda headers, named, body: pipeline.answer("POST", pipeline.base + peers.PATH.encode(), b"", headers, named, body, now),
            [(headers, dict(headers), row[3]) for headers, row in zip(long, columns, strict=True)],
        )  # fmt: skip

    def _time(self, step: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> float:
        """Microseconds of CPU time per call, without what the loop itself costs."""
        spent, idle = [], []
        for _ in range(self._rounds):
            began = time.process_time()
            for given in arguments:
                step(*given)
            middle = time.process_time()
            for given in arguments:
                _nothing(*given)
            spent.append(middle - began)
            idle.append(time.process_time() - middle)
        return max(0.0, _calm(spent) - _calm(idle)) / len(arguments) * 1e6


def _nothing(*_: Any) -> None:
    pass


def _parsed(request: bytes) -> tuple[Headers, bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    pairs = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return [(name.lower(), value) for name, _, value in pairs], body


def table(bare: float, starlette: float, mock: float, steps: Steps) -> str:
    """The layers, the whole first."""
    known = steps.admit + steps.answer + steps.redact + steps.record
    rows = [
        ("**bare ASGI application**, reference: sockets, HTTP parser, uvicorn's protocol, ASGI", bare),
        ("the same answer through a Starlette route", starlette),
        ("**the mock**, a valid request", mock),
        ("of it: sockets, HTTP parser, the mock's protocol (no ASGI)", mock - steps.whole),
        ("of it: parse the JSON text", steps.read),
        ("of it: validate the value", steps.validate),
        ("of it: judge headers and credentials", steps.admit - steps.read - steps.validate),
        ("of it: compute the answer", steps.answer),
        ("of it: redact, and look for the key elsewhere", steps.redact),
        ("of it: append to the journal", steps.record),
        ("of it: name the exchange, write the head, the rest", steps.whole - known),
        ("a request that leaves the short way (here: it has `Prefer`), sockets and ASGI not counted", steps.long),
    ]
    lines = ["| layer | CPU per request | to the bare one |", "| --- | ---: | ---: |"]
    return "\n".join([*lines, *(f"| {name} | {cost:.1f} us | {cost / bare:.2f} |" for name, cost in rows)])


def main() -> int:
    """Measure, print the table, and write it into the documentation if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--write", action="store_true", help="put the table into docs/speed.md")
    parser.add_argument("--serve", choices=("starlette",), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_starlette()
        return 0
    text = f"{page.machine()}; load at the start {os.getloadavg()[0]:.1f}.\n\n"
    text += table(*over_sockets(options), Steps(options.rounds, options.requests))
    print(text)
    if options.write:
        page.write("layers", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
