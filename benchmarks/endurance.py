"""Whether the mock stays small and serves on: over many requests, and with clients that are slow, vanish or are killed.

    python benchmarks/endurance.py [--scenario requests] [--requests 1000000] [--idle 5000] [--ceiling 1.1]
        [--workers 1] [--state FILE]

| scenario | what it does |
| --- | --- |
| requests | every body differs; one in eight breaks the contract, one in eight has a wish, one in sixteen is no JSON, and now and then a client vanishes in the middle |
| pictures | answers with pictures, streams of events, uploads; --requests is 60000 unless given |
| slow | thousands of clients that send a byte a second, hundreds that read nothing; others are timed meanwhile |
| reload | a contract is changed 200 times under load, every tenth time into a broken one |
| end | told to end, or killed, at a random moment under load, 20 times each; every answer that came is looked for in the journal |

For the first two, thousands of idle connections are held open.  The reference is the mock itself after the first tenth of the
requests, with all of them open: the journal is full then, so nothing may grow any more.  The mock runs in processes of its
own, memory is their proportional set size.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import trouble
from benchmarks.served import Served, served
from benchmarks.throughput import answer_of, request_of

_AT_ONCE = 64
"""Requests that one connection has under way."""
_STATE_AT_MOST_MB = 100
"""The journal's 32 MB, as much again of the write-ahead log, and what SQLite needs beside it."""
PICTURE = trouble.png(256)


def main() -> int:
    """Measure, print a table and one JSON line; 1 when something was lost or grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", choices=("requests", "pictures", *trouble.SCENARIOS), default="requests")
    parser.add_argument("--requests", type=int)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--ceiling", type=float, default=1.1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--state")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if options.scenario in trouble.SCENARIOS:
        return trouble.SCENARIOS[options.scenario]()
    pictures = options.scenario == "pictures"
    options.requests = options.requests or (60_000 if pictures else 1_000_000)
    arguments = ["--workers", str(options.workers), *(["--state", options.state] if options.state else [])]
    if pictures:
        arguments += ["--contract", "openai-images", "--image-style", "plain"]
    with served(*arguments) as mock:
        return _run(mock, options, _pictures if pictures else _load)


def _run(mock: Served, options: argparse.Namespace, load: Callable[[Served, int, int], None]) -> int:
    started = time.perf_counter()
    step = options.requests // 10
    mock.health()
    time.sleep(2)  # all workers are there
    descriptors = mock.descriptors()
    idle = [mock.connect() for _ in range(options.idle)]
    sizes, kept, entries = [], 0.0, 0
    for tenth in range(10):
        load(mock, step, tenth)
        sizes.append(mock.memory_mb())
        entries = max(entries, int(mock.health()["requests"]))
        kept = max(kept, _size_mb(options.state))
        print(
            f"{(tenth + 1) * step:9} requests {sizes[-1]:8.1f} MB, {mock.descriptors()} descriptors"
            + (f", state {kept:.1f} MB" if options.state else ""),
            flush=True,
        )
    for one in idle:
        one.close()
    time.sleep(7)  # longer than a connection may be idle after a request
    left = mock.descriptors() - descriptors
    growth = max(sizes[1:]) / sizes[0]
    seconds = time.perf_counter() - started
    print(
        f"largest {growth:.3f} of the first (ceiling {options.ceiling}); {left} descriptors left over; "
        f"{entries} entries in the journal at most; {seconds:.0f} s"
    )
    told = {"growth": round(growth, 4), "descriptors_left": left, "first_mb": sizes[0], "last_mb": sizes[-1]}
    print(json.dumps({**told, "entries": entries, "state_mb": round(kept, 1)}))
    return 0 if growth <= options.ceiling and left <= 0 and entries <= 1000 and kept < _STATE_AT_MOST_MB else 1


def _size_mb(state: str | None) -> float:
    """What a state takes on the disk, with what stands beside it."""
    place = Path(state) if state else None
    return sum(one.stat().st_size for one in place.parent.glob(f"{place.name}*")) / 1e6 if place else 0.0


def _load(mock: Served, count: int, turn: int) -> None:
    """So many requests, pipelined over a few connections, one of which is dropped with answers under way."""
    rng = random.Random(turn)
    for start in range(0, count, 8 * _AT_ONCE):
        with mock.connect() as one:
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


def _pictures(mock: Served, count: int, turn: int) -> None:
    """So many requests for pictures, streams and edits, a few on each connection, some of which are dropped."""
    rng = random.Random(turn)
    done = 0
    while done < count:
        with mock.connect() as one:
            for _ in range(rng.randrange(1, 20)):
                done += 1
                one.sendall(_wanted(rng, f"{turn}-{done}"))
                if rng.random() < 0.01:
                    one.recv(rng.choice([1, 5000, 50_000]))
                    break
                status = answer_of(one)[0][:12]
                if status != b"HTTP/1.1 200":
                    raise SystemExit(f"an answer was {status!r}")


def _wanted(rng: random.Random, text: str) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return trouble.upload(text, PICTURE + rng.randbytes(rng.randrange(100_000)))
    body = {
        "model": "gpt-image-1",
        "prompt": f"a picture {rng.randrange(500)}",
        "size": rng.choice(["1024x1024", "1536x1024"]),
    }
    if kind == 1:
        return request_of(json.dumps({**body, "stream": True, "partial_images": 3}).encode())
    return request_of(json.dumps({**body, "n": rng.randrange(1, 4)}).encode())


if __name__ == "__main__":
    sys.exit(main())
