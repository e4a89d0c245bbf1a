"""How many answers with a 1024x1024 picture the mock gives, drawn for each request or drawn before.

The reference is a bare ASGI application on the same server that sends a fixed body of the same length: what it costs to move
the bytes at all.  All are processes of their own; rounds alternate.  "distinct" has another prompt in every request, so that
every picture is drawn; "repeated" asks for one of a few pictures again and again.

    python benchmarks/picture_answers.py [--rounds 7] [--requests 60] [--repeats 1500] [--connections 8] [--write]
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import page
from benchmarks.throughput import answer_of, cpu_s, request_of, sent

CONTRACT = "openai-images"
NAMES = {
    "bare": "bare ASGI application, as many bytes",
    "repeated": "the mock, pictures asked for before",
    "distinct": "the mock, every picture drawn",
    "plain": "the mock with `--image-style plain`, every picture drawn",
}


def main() -> int:
    """Measure and print; with ``--write`` also into docs/speed.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=60, help="of a round in which pictures are drawn")
    parser.add_argument("--repeats", type=int, default=1500, help="of a round in which none is")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve)
        return 0
    mocks = {style: _started(style) for style in ("scene", "plain")}
    ports = {style: _port(mock) for style, mock in mocks.items()}
    length = _length(ports["scene"])
    bare = _started(f"bare {length}")
    servers = {"bare": bare, "repeated": mocks["scene"], "distinct": mocks["scene"], "plain": mocks["plain"]}
    at = {"bare": _port(bare), "repeated": ports["scene"], "distinct": ports["scene"], "plain": ports["plain"]}
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
    try:
        for turn in range(-1, options.rounds):
            for name, server in servers.items():
                work = _work(name, options, turn)
                before = cpu_s(server.pid)
                took, bad = sent(at[name], work, options.connections)
                if bad:
                    raise SystemExit(f"{name}: {bad} of {len(work)} answers were not 200")
                if turn >= 0:  # the first round warms up
                    figures[name].append(((cpu_s(server.pid) - before) / len(work) * 1e6, len(work) / took))
    finally:
        for server in {*servers.values()}:
            server.terminate()
            server.wait(10)
    _report(figures, length, options)
    return 0


def _started(what: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, __file__, "--serve", what], stdout=subprocess.PIPE, text=True)


def _port(server: subprocess.Popen[str]) -> int:
    assert server.stdout
    return int(server.stdout.readline().rsplit(":", 1)[1])


def _serve(what: str) -> None:
    if what.startswith("bare"):
        from benchmarks import throughput

        throughput.ANSWER = b"x" * int(what.split()[1])
        throughput.serve_bare()
        return
    from mockserver.server import serve
    from mockserver.settings import Settings

    style: Any = what
    serve(Settings(port=0, contract=CONTRACT, image_style=style))


def _work(name: str, options: argparse.Namespace, turn: int) -> list[bytes]:
    drawn = name in ("distinct", "plain")
    count = options.requests if drawn else options.repeats
    return [_request(f"{turn} {number}" if drawn else f"one of a few {number % 4}") for number in range(count)]


def _request(text: str) -> bytes:
    body = {
        "model": "gpt-image-1.5",
        "prompt": f"a man walks his dog along the river, number {text}",
        "size": "1024x1024",
    }
    return request_of(json.dumps(body).encode())


def _length(port: int) -> int:
    """Bytes of the body of an answer."""
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.sendall(_request("one"))
        return len(answer_of(one)[0].partition(b"\r\n\r\n")[2])


def _report(figures: dict[str, list[tuple[float, float]]], length: int, options: argparse.Namespace) -> None:
    rows = ["| answers | requests/s | to the bare one | CPU per request |", "| --- | ---: | ---: | ---: |"]
    reference = [rate for _, rate in figures["bare"]]
    for name, measured in figures.items():
        cpu = statistics.median(row[0] for row in measured)
        rate = statistics.median(row[1] for row in measured)
        ratio = statistics.median(row[1] / plain for row, plain in zip(measured, reference, strict=True))
        rows.append(f"| {NAMES[name]} | {rate:,.0f} | {ratio:.3f} | {cpu:,.0f} us |")
    head = (
        f"{page.machine()}; {options.rounds} rounds over {options.connections} connections; a body has {length:,} bytes; "
        "several cores may draw."
    )
    text = "\n".join([head, "", *rows])
    print(text)
    if options.write:
        page.write("pictures", text)


if __name__ == "__main__":
    sys.exit(main())
