"""The scenarios of ``endurance.py`` in which something goes wrong, and what clients of that kind send."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import socket
import statistics
import struct
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.served import ROOT, Served, served
from benchmarks.throughput import answer_of, request_of

_SENDERS, _READERS = 2000, 200
_GOOD = {"size": "1024x1536", "prompt": "a man walks", "model": "gpt-image-1.5", "n": 1}
_BEGINNINGS = (
    b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
    b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
)


def png(side: int) -> bytes:
    """A small picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes((side + 1) * side)))
        + chunk(b"IEND", b"")
    )


def upload(text: str, picture: bytes) -> bytes:
    """A request that edits a picture."""
    line = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
    body = line % (b"model", b"", b"gpt-image-1") + line % (b"prompt", b"", text.encode())
    body += line % (b"image", b'; filename="a.png"\r\nContent-Type: image/png', picture) + b"--b--\r\n"
    head = (
        b"POST /v1/images/edits HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nAuthorization: Bearer sk-abcdef\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n"
    )
    return head % len(body) + body


@contextmanager
def _timed(mock: Served, request: bytes) -> Iterator[list[float]]:
    """How long another client waits for each of its answers, in seconds."""
    took: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            before = time.perf_counter()
            with mock.connect() as one:
                one.sendall(request)
                if not answer_of(one)[0].startswith(b"HTTP/1.1 200"):
                    raise SystemExit("another client was refused")
            took.append(time.perf_counter() - before)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def _told(took: list[float]) -> str:
    cuts = statistics.quantiles(took, n=100)
    return f"{1000 * cuts[49]:.1f} ms in the middle, {1000 * cuts[98]:.1f} ms for 99 of 100, {1000 * max(took):.0f} ms at most"


def slow() -> int:
    """Clients that send a byte a second, then clients that read nothing."""
    with served("--request-timeout", "20", "--send-timeout", "20", "--contract", "openai-images") as mock:
        asked = request_of(
            json.dumps({"model": "gpt-image-1", "prompt": "a fox", "size": "1536x1024", "n": 10}).encode()
        )
        plain = request_of(json.dumps({"model": "dall-e-2", "prompt": "a fox", "response_format": "url"}).encode())
        with mock.connect() as one:
            one.sendall(asked)
            size = len(answer_of(one)[0])
        before, descriptors = mock.memory_mb(), mock.descriptors()
        with _timed(mock, plain) as took:
            time.sleep(3)
        print(f"alone: {before:.1f} MB; another client waits {_told(took)}")
        senders = [mock.connect() for _ in range(_SENDERS)]
        for number, one in enumerate(senders):
            one.sendall(_BEGINNINGS[number % len(_BEGINNINGS)])
        began, ended, most = time.monotonic(), Counter[bytes](), 0.0
        with _timed(mock, plain) as took:
            left = list(senders)
            while left and time.monotonic() < began + 60:
                time.sleep(1)
                most = max(most, mock.memory_mb())
                for one in list(left):
                    with contextlib.suppress(ConnectionError):
                        one.send(b"0")
                    one.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        ended[one.recv(65536)[9:12]] += 1
                        left.remove(one)
        print(
            f"{_SENDERS} clients that send a byte a second: {most:.1f} MB at most; another client waits {_told(took)}; "
            f"after {time.monotonic() - began:.0f} s they had got {dict(ended)}, {len(left)} nothing"
        )
        failed = bool(left) or set(ended) != {b"408"}
        readers = [_deaf(mock) for _ in range(_READERS)]
        for number, one in enumerate(readers):
            time.sleep(0.02)
            one.sendall(
                b"GET /__admin/live HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n" if number % 10 == 0
                else asked * (20 if number % 2 else 1)
            )  # fmt: skip
        began, most = time.monotonic(), 0.0
        with _timed(mock, plain) as took:
            while time.monotonic() < began + 60:
                time.sleep(0.5)
                most = max(most, mock.memory_mb())
                if mock.descriptors() <= descriptors + 4:
                    break
        print(
            f"{_READERS} clients that ask for {size / 1e6:.1f} MB each, again and again, and read nothing: {most:.1f} MB at most; "
            f"another client waits {_told(took)}; gone after {time.monotonic() - began:.0f} s; "
            f"then {mock.memory_mb():.1f} MB, {mock.descriptors() - descriptors} descriptors left over"
        )
        return int(failed or mock.descriptors() > descriptors + 4)


def _deaf(mock: Served) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.connect(("127.0.0.1", mock.port))
    return one


def reload() -> int:
    """A contract that changes under load."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "contract"
        shutil.copytree(ROOT / "schemas" / "quickrouter", place)
        file = place / "openapi.json"
        text = file.read_text(encoding="utf-8")
        title = json.loads(text)["info"]["title"]
        with served("--contract", str(place), "--watch") as mock:
            over, statuses = threading.Event(), Counter[bytes]()
            threads = [threading.Thread(target=_ask, args=(mock, over, statuses)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(2)
            sizes, descriptors = [], mock.descriptors()
            seen = 0
            for number in range(200):
                broken = number % 10 == 9
                new = text.replace(
                    json.dumps(title, ensure_ascii=False), json.dumps(f"{title} {number}", ensure_ascii=False)
                )
                file.write_text(new[:-200] if broken else new, encoding="utf-8")
                until = time.monotonic() + 10
                while not broken and time.monotonic() < until:
                    with contextlib.suppress(OSError):
                        if f"{title} {number}" in _contract(mock):
                            seen += 1
                            break
                    time.sleep(0.02)
                time.sleep(0.5 if broken else 0)
                if number % 20 == 19:
                    sizes.append(mock.memory_mb())
                    print(
                        f"{number + 1:4} changes {sizes[-1]:8.1f} MB, {mock.descriptors() - descriptors:+} descriptors",
                        flush=True,
                    )
            over.set()
            for thread in threads:
                thread.join()
            _, _, said = mock.end()
        lines = Counter(line.split(":")[0] for line in said.splitlines())
        print(f"{seen} of 180 changes were served; answers {dict(statuses)}; said {dict(lines)}")
        return int(seen != 180 or set(statuses) != {b"200"} or max(sizes) > 1.1 * sizes[0])


def _contract(mock: Served) -> str:
    with mock.connect() as one:
        one.sendall(b"GET /__admin/contract HTTP/1.1\r\nHost: localhost\r\n\r\n")
        told = json.loads(answer_of(one)[0].partition(b"\r\n\r\n")[2])
        return str(told["info"]["title"])


def _ask(mock: Served, over: threading.Event, statuses: Counter[bytes]) -> None:
    """Ask again and again on one connection."""
    one, rest = mock.connect(), b""
    number = 0
    while not over.is_set():
        number += 1
        one.sendall(request_of(json.dumps({**_GOOD, "prompt": str(number)}).encode()))
        try:
            answer, rest = answer_of(one, rest)
            statuses[answer[9:12]] += 1
        except ConnectionError:
            statuses[b"broken"] += 1
            one = mock.connect()
    one.close()


def end() -> int:
    """Told to end, and killed, in the middle of the load."""
    rng, failures = random.Random(1), 0
    with tempfile.TemporaryDirectory() as folder:
        for by in (signal.SIGTERM, signal.SIGKILL):
            for workers in (1, 2):
                answered = lost = missing = 0
                longest = 0.0
                for turn in range(20):
                    state = str(Path(folder) / f"{by}-{workers}-{turn}")
                    names, broken, seconds, code = _until_ended(rng, by, workers, state)
                    longest = max(longest, seconds)
                    answered += len(names)
                    lost += broken if by == signal.SIGTERM else 0
                    missing += len(set(names[-900:]) - _kept(state))
                    failures += by == signal.SIGTERM and code != 0
                failures += lost + missing
                print(
                    f"{signal.Signals(by).name}, {workers} workers, 20 times: {answered} answers; {missing} of them not in the journal; "
                    f"{lost} requests lost that were sent before; at most {longest:.1f} s",
                    flush=True,
                )
    return int(failures > 0)


def _until_ended(rng: random.Random, by: int, workers: int, state: str) -> tuple[list[str], int, float, int]:
    names: list[str] = []
    lost: list[float] = []
    over = threading.Event()

    def ask(mock: Served) -> None:
        while not over.is_set():
            sent = time.monotonic()
            try:
                with mock.connect() as one:
                    for _ in range(rng.randrange(1, 50)):
                        sent = time.monotonic()
                        one.sendall(request_of(json.dumps(_GOOD).encode()))
                        head = answer_of(one)[0].partition(b"\r\n\r\n")[0]
                        names.append(head.partition(b"mock-exchange: ")[2].partition(b"\r\n")[0].decode())
                        if b"connection: close" in head:
                            break
            except ConnectionRefusedError:
                over.wait(0.01)
            except OSError:
                lost.append(sent)

    with served("--workers", str(workers), "--state", state) as mock:
        threads = [threading.Thread(target=ask, args=(mock,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3 + rng.random() / 2)
        told = time.monotonic()
        code, seconds, _ = mock.end(by)
        over.set()
        for thread in threads:
            thread.join()
    return names, sum(sent < told for sent in lost), seconds, code


def _kept(state: str) -> set[str]:
    """The ids in a journal, as the next mock finds it."""
    with served("--state", state) as mock, mock.connect() as one:
        one.sendall(b"GET /__admin/requests HTTP/1.1\r\nHost: localhost\r\n\r\n")
        told = json.loads(answer_of(one)[0].partition(b"\r\n\r\n")[2])
        return {entry["id"] for entry in told["requests"]}


SCENARIOS: dict[str, Callable[[], int]] = {"slow": slow, "reload": reload, "end": end}
