"""How fast the mock answers, held against a bare ASGI application on the same server in the same run.

Both run in processes of their own under uvicorn with uvloop and httptools; the load comes from a third process over raw
keep-alive sockets, every body different.  Rounds alternate, so that a busy machine hurts both alike.  The verdict is the median, over all
pairs of rounds, of how many requests per second the mock answers for one of the bare application.  CPU time per request of the
server process is shown beside it, of the calmest tenth of the rounds, since other processes only ever add to a round.

    python benchmarks/throughput.py [--rounds 40] [--requests 400] [--connections 32] [--floor 0.6]
        [--workers 1] [--state PLACE]

``--workers`` and ``--state`` are those of the mock; the CPU time is then that of all its processes together.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ANSWER = json.dumps({"id": "x" * 30, "created": 1, "choices": [{"message": {"content": "y" * 150}}]}).encode()


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """The least that answers a POST: reads the body, sends a fixed one."""
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def serve_bare() -> None:
    """Serve the bare application and print its URL, as the mock does."""
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        bare,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def serve_mock(workers: int, state: str | None) -> None:
    """Serve the mock as the command line does."""
    sys.path.insert(0, str(ROOT))
    from mockserver.server import serve
    from mockserver.settings import Settings

    serve(Settings(port=0, workers=workers, state=state))


def requests_of(count: int, seed: int) -> list[bytes]:
    """Requests as bytes, no two alike, with the headers that a client sends."""
    found = []
    for number in range(count):
        text = f"a man walks his dog number {seed}-{number} along the river: evening light, oil on canvas"
        body = json.dumps({"size": "1024x1536", "prompt": text, "model": "gpt-image-1.5", "n": 1}).encode()
        found.append(request_of(body))
    return found


def request_of(body: bytes, more: bytes = b"") -> bytes:
    """A request as bytes; ``more`` are further header lines."""
    head = (
        b"POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1:4010\r\nAccept: application/json\r\n"
        b"Accept-Encoding: gzip, deflate\r\nAuthorization: Bearer sk-abcdefghijklmnopqrstuvwxyz012345\r\n"
        b"Content-Type: application/json\r\nUser-Agent: benchmark/1\r\n"
    )
    return head + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def load(port: int, count: int, connections: int, seed: int) -> tuple[float, int]:
    """Send ``count`` requests, no two alike, as :func:`sent` does."""
    return sent(port, requests_of(count, seed), connections)


def sent(port: int, work: Sequence[bytes], connections: int) -> tuple[float, int]:
    """Send requests, one at a time on each connection; seconds it took, and answers other than 200."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for one in sockets:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bad = 0
    began = time.perf_counter()
    for start in range(0, len(work), connections):
        batch = work[start : start + connections]
        for one, request in zip(sockets, batch, strict=False):
            one.sendall(request)
        for one, _ in zip(sockets, batch, strict=False):
            bad += not answer_of(one)[0].startswith(b"HTTP/1.1 200")
    took = time.perf_counter() - began
    for one in sockets:
        one.close()
    return took, bad


def answer_of(one: socket.socket, data: bytes = b"") -> tuple[bytes, bytes]:
    """One whole answer with a Content-Length or in chunks, and what came after it; ``data`` came before."""
    while True:
        head, blank, rest = data.partition(b"\r\n\r\n")
        if blank:
            size = _size(head.lower(), rest)
            if 0 <= size <= len(rest):
                end = len(head) + 4 + size
                return data[:end], data[end:]
        piece = one.recv(65536)
        if not piece:
            raise ConnectionError("the server closed the connection")
        data += piece


def _size(head: bytes, rest: bytes) -> int:
    """Bytes that the body takes on the wire, -1 where that is not known yet."""
    _, length, value = head.partition(b"content-length: ")
    if length:
        return int(value.split(b"\r\n", 1)[0])
    at = 0
    while (line := rest.find(b"\r\n", at)) >= 0:
        size = int(rest[at:line].split(b";")[0], 16)
        at = line + 2 + size + 2
        if size == 0:
            return at
    return -1


def cpu_s(pid: int) -> float:
    """CPU seconds that a process and its children have used, in all threads (Linux: to the nanosecond; elsewhere from ps,
    without the children).
    """
    folder = Path(f"/proc/{pid}/task")
    if folder.is_dir():
        tasks = list(folder.iterdir())
        own = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
        return own + sum(cpu_s(int(child)) for task in tasks for child in (task / "children").read_text().split())
    text = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    clock, _, hundredths = text.strip().partition(".")
    return sum(int(part) * 60**i for i, part in enumerate(reversed(clock.split(":")))) + float(f"0.{hundredths or 0}")


def _generator(pipe: Connection) -> None:
    while (order := pipe.recv()) is not None:
        pipe.send(load(*order))


def main() -> int:
    """Measure, print a table and one JSON line; 1 when the ratio is below the floor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--floor", type=float, default=0.6)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--state")
    parser.add_argument("--serve", choices=("bare", "mock"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve_bare() if options.serve == "bare" else serve_mock(options.workers, options.state)
        return 0
    more = ["--workers", str(options.workers), *(["--state", options.state] if options.state else [])]
    servers = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--serve", name, *more], stdout=subprocess.PIPE, text=True, env={**os.environ}
        )
        for name in ("bare", "mock")
    }
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    generator = multiprocessing.get_context("spawn").Process(target=_generator, args=(theirs,), daemon=True)
    generator.start()
    try:
        figures = _measure(servers, ours, options)
    finally:
        ours.send(None)
        for server in servers.values():
            server.terminate()
            server.wait(10)
    return _report(figures, options.floor)


def _measure(
    servers: dict[str, Any], pipe: Connection, options: argparse.Namespace
) -> dict[str, list[tuple[float, float]]]:
    ports = {name: int(server.stdout.readline().rsplit(":", 1)[1]) for name, server in servers.items()}
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
    for turn in range(-1, options.rounds):
        for name, server in servers.items():
            before = cpu_s(server.pid)
            pipe.send((ports[name], options.requests, options.connections, turn))
            took, bad = pipe.recv()
            if bad:
                raise SystemExit(f"{name}: {bad} of {options.requests} answers were not 200")
            if turn >= 0:  # the first round warms up
                figures[name].append(((cpu_s(server.pid) - before) / options.requests * 1e6, options.requests / took))
    return figures


def _report(figures: dict[str, list[tuple[float, float]]], floor: float) -> int:
    calm = {name: _calm([cpu for cpu, _ in rows]) for name, rows in figures.items()}
    ratio = calm["bare"] / calm["mock"]
    pairs = list(zip(figures["bare"], figures["mock"], strict=True))
    busy = statistics.median(plain[0] / full[0] for plain, full in pairs)
    by_rate = statistics.median(full[1] / plain[1] for plain, full in pairs)
    for name, rows in figures.items():
        cpu, rate = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"{name:5} {calm[name]:6.1f} us CPU per request in calm rounds ({cpu:.1f} in the middle), {rate:.0f} requests/s"
        )
    print(
        f"ratio {by_rate:.2f} by requests/s (floor {floor}); {ratio:.2f} by CPU time in calm rounds, {busy:.2f} in all"
    )
    print(
        json.dumps({"ratio": round(by_rate, 3), "ratio_cpu_calm": round(ratio, 3), "ratio_cpu": round(busy, 3), **calm})
    )
    return 0 if by_rate >= floor else 1


def _calm(values: list[float]) -> float:
    """The lowest tenth: what other processes of the machine add is never negative."""
    return statistics.quantiles(values, n=10)[0]


if __name__ == "__main__":
    sys.exit(main())
