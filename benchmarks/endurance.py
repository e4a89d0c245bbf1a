"""Whether the mock stays small: memory and descriptors over many requests, with thousands of idle connections held open.

The mock runs in a process of its own.  Requests differ in every body; one in eight breaks the contract, one in eight has a
wish, one in sixteen is no JSON, and now and then a client vanishes in the middle.  The reference is the mock itself after the
first tenth of the requests: the journal is full then, so nothing may grow any more.

    python benchmarks/endurance.py [--requests 1000000] [--idle 5000] [--ceiling 1.1]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.throughput import answer_of, request_of

_AT_ONCE = 64
"""Requests that one connection has under way."""


def main() -> int:
    """Measure, print a table and one JSON line; 1 when memory grew beyond the ceiling or descriptors were lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--ceiling", type=float, default=1.1)
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("throughput.py")), "--serve", "mock"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        return _run(server.pid, port, options)
    finally:
        server.terminate()
        server.wait(10)


def _run(pid: int, port: int, options: argparse.Namespace) -> int:
    started = time.perf_counter()
    descriptors = _descriptors(pid)
    step = options.requests // 10
    sizes = []
    idle: list[socket.socket] = []
    for tenth in range(10):
        _load(port, step, tenth)
        if tenth == 0:
            idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(options.idle)]
            time.sleep(1)
        sizes.append(_memory_mb(pid))
        print(f"{(tenth + 1) * step:9} requests {sizes[-1]:8.1f} MB, {_descriptors(pid)} descriptors", flush=True)
    for one in idle:
        one.close()
    time.sleep(2)
    left = _descriptors(pid) - descriptors
    growth = max(sizes[1:]) / sizes[0]
    seconds = time.perf_counter() - started
    print(
        f"largest {growth:.3f} of the first (ceiling {options.ceiling}); {left} descriptors left over; {seconds:.0f} s"
    )
    print(
        json.dumps({"growth": round(growth, 4), "descriptors_left": left, "first_mb": sizes[0], "last_mb": sizes[-1]})
    )
    return 0 if growth <= options.ceiling and left <= 0 else 1


def _load(port: int, count: int, turn: int) -> None:
    """So many requests, pipelined over a few connections, one of which is dropped with answers under way."""
    rng = random.Random(turn)
    for start in range(0, count, 8 * _AT_ONCE):
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for batch in range(min(8, max(1, (count - start) // _AT_ONCE))):
                numbers = range(start + batch * _AT_ONCE, start + (batch + 1) * _AT_ONCE)
                one.sendall(b"".join(_request(rng, turn, number) for number in numbers))
                if rng.random() < 0.01:
                    break
                rest = b""
                for _ in numbers:
                    _, rest = answer_of(one, rest)


def _request(rng: random.Random, turn: int, number: int) -> bytes:
    kind = rng.randrange(16)
    text = "prompt " * rng.randrange(1, 60) + f"{turn}-{number}"
    if kind == 0:
        return request_of(b'{"prompt": ' + text.encode())
    body = {"size": "1024x1536", "prompt": text, "model": "gpt-image-1.5", "n": rng.randrange(1, 11)}
    if kind in (1, 2):
        body["n"] = rng.choice([0, 11, "1", None, 1.5])
    wish = b"Prefer: seed=%d\r\n" % number if kind in (3, 4) else b""
    return request_of(json.dumps(body).encode(), wish)


def _memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


if __name__ == "__main__":
    sys.exit(main())
