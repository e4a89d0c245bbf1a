"""How fast the mock answers beside other mock servers and a bare ASGI application, in one run whose rounds alternate.

    tox -e peers                                             installs them and runs:
    python benchmarks/peers.py FOLDER [--rounds 20] [--requests 1000] [--connections 32] [--write]

FOLDER holds the ``node_modules`` with Prism, WireMock and aimock; ``java`` and ``node`` come from the PATH.  Every body is
different.  CPU time is that of the server's process and its children; shown is the middle of all rounds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import page, throughput  # noqa: E402

PATH = "/v1/images/generations"
JOURNAL = 1000
"""Exchanges that every server with a journal keeps, as ours does."""


@dataclass(frozen=True)
class Peer:
    """One server: what it does for a request, how it is started on a port, and how many requests warm it up.

    One that ``validates`` must refuse eleven images before it is measured.
    """

    name: str
    validates: bool
    does: str
    command: tuple[str, ...]
    warm: int
    port: int


def peers(modules: Path, folder: Path) -> list[Peer]:
    """The servers, the reference first; their configuration is written into the folder."""
    document = folder / "openapi.json"
    export = (sys.executable, "-m", "mockserver", "export", "openapi", "-o", str(document))
    subprocess.run(export, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    contract = json.loads(document.read_text(encoding="utf-8"))
    (folder / "mappings").mkdir()
    (folder / "mappings" / "stub.json").write_text(json.dumps(_stub(contract)), encoding="utf-8")
    match = {"endpoint": "image", "userMessage": "a man walks"}
    fixture = {"match": match, "response": {"image": {"url": "https://files.example.com/one.png"}}}
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "image.json").write_text(json.dumps({"fixtures": [fixture]}), encoding="utf-8")

    def package(name: str) -> Path:
        return modules / "node_modules" / name

    def release(name: str) -> str:
        return str(json.loads((package(name) / "package.json").read_text(encoding="utf-8"))["version"])

    node, bare, ours, prism, wiremock, aimock = _tool("node"), *(_free() for _ in range(5))
    serve = (sys.executable, str(ROOT / "benchmarks" / "throughput.py"), "--serve")
    jar = next(package("wiremock").rglob("wiremock-standalone-*.jar"))
    java = (
        *(_tool("java"), "-XX:-UseDynamicNumberOfCompilerThreads", "-jar", str(jar), "--root-dir", str(folder)),
        *("--port", str(wiremock), "--disable-banner", "--disable-gzip"),
        *("--max-request-journal-entries", str(JOURNAL)),
    )
    prism_command = (
        *(node, str(package("@stoplight/prism-cli") / "dist" / "index.js"), "mock", "-v", "error"),
        *("-p", str(prism), str(document)),
    )
    aimock_command = (
        *(node, str(package("@copilotkit/aimock") / "dist" / "cli.js"), "-f", str(folder / "fixtures")),
        *("-p", str(aimock), "--log-level", "silent", "--journal-max", str(JOURNAL)),
    )
    command = (sys.executable, "-m", "mockserver", "mock", "--port", str(ours))
    return [
        Peer("bare ASGI application", False, "reads the body, sends a fixed one", (*serve, "bare"), 2000, bare),
        Peer("quickrouter-contract", True, "validates, computes the answer, records it redacted", command, 2000, ours),
        Peer(f"WireMock {release('wiremock')}", True, "validates with a JSON Schema, fixed answer, records", java, 40_000, wiremock),
        Peer(f"aimock {release('@copilotkit/aimock')}", False, "fixed answer, records", aimock_command, 5000, aimock),
        Peer(f"Prism {release('@stoplight/prism-cli')}", True, "validates, fixed answer", prism_command, 5000, prism),
    ]  # fmt: skip


def _stub(contract: Any) -> Any:
    """WireMock's stub for the operation: a request whose body keeps the schema gets the documented example."""
    operation = contract["paths"][PATH]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    bundled = json.dumps(_plain({**schema, "components": {"schemas": contract["components"]["schemas"]}}))
    examples = operation["responses"]["200"]["content"]["application/json"]["examples"]
    value = next(iter(examples.values()))["value"]
    request = {
        "method": "POST",
        "urlPath": PATH,
        "headers": {"Authorization": {"matches": "Bearer .+"}},
        "bodyPatterns": [{"matchesJsonSchema": bundled, "schemaVersion": "V202012"}],
    }
    return {"request": request, "response": {"status": 200, "jsonBody": value, "headers": {"Content-Type": "application/json"}}}  # fmt: skip


def _plain(node: Any) -> Any:
    """The schema without our own keywords, about which its validator would complain."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if not key.startswith("x-")}
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not on the PATH")
    return found


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def serving(peer: Peer) -> Iterator[tuple[int, int]]:
    """Process id and port of a running server."""
    process = subprocess.Popen(peer.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    port = peer.port
    try:
        if "--serve" in peer.command:
            port = int(process.stdout.readline().rsplit(":", 1)[1])
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{peer.name} did not start: {' '.join(peer.command)}") from None
                time.sleep(0.2)
        yield process.pid, port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    text = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in text.splitlines()]
    found = [root]
    for parent in found:
        found += [pid for pid, its_parent in pairs if its_parent == parent]
    return found


def refuses(port: int) -> bool:
    """Whether it refuses a request that breaks the contract."""
    body = json.dumps({"size": "1024x1536", "prompt": "a man walks", "model": "gpt-image-1.5", "n": 11}).encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(throughput.request_of(body))
        return not throughput.answer_of(connection)[0].startswith(b"HTTP/1.1 200")


def measure(chosen: list[Peer], options: argparse.Namespace) -> dict[str, list[tuple[float, float]]]:
    """Per server and round: CPU time per request in microseconds, and requests per second."""
    figures: dict[str, list[tuple[float, float]]] = {peer.name: [] for peer in chosen}
    with ExitStack() as stack, multiprocessing.get_context("spawn").Pool(1) as generator:
        running = {peer: stack.enter_context(serving(peer)) for peer in chosen}
        for peer, (_, port) in running.items():
            if refuses(port) is not peer.validates:
                raise SystemExit(
                    f"{peer.name}: it {'takes' if peer.validates else 'refuses'} a request for eleven images"
                )
            generator.apply(_load, (peer.name, port, peer.warm, options.connections, -1))
        trees = {peer: tree(pid) for peer, (pid, _) in running.items()}
        for turn in range(options.rounds):
            for peer, (_, port) in running.items():
                before = sum(map(throughput.cpu_s, trees[peer]))
                took = generator.apply(_load, (peer.name, port, options.requests, options.connections, turn))
                spent = sum(map(throughput.cpu_s, trees[peer])) - before
                figures[peer.name].append((spent / options.requests * 1e6, options.requests / took))
    return figures


def _load(name: str, port: int, count: int, connections: int, seed: int) -> float:
    took, bad = throughput.load(port, count, connections, seed)
    if bad:
        raise SystemExit(f"{name}: {bad} of {count} answers were not 200")
    return took


def table(chosen: list[Peer], figures: dict[str, list[tuple[float, float]]]) -> str:
    """The figures, with ratios to the first server taken round by round."""
    rows = [
        "| server | what it does for a request | requests/s | to the bare one | CPU per request | to the bare one |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    reference = figures[chosen[0].name]
    for peer in chosen:
        cpu, rate = (statistics.median(column) for column in zip(*figures[peer.name], strict=True))
        pairs = list(zip(figures[peer.name], reference, strict=True))
        by_rate = statistics.median(one[1] / bare[1] for one, bare in pairs)
        by_cpu = statistics.median(one[0] / bare[0] for one, bare in pairs)
        rows.append(f"| {peer.name} | {peer.does} | {rate:,.0f} | {by_rate:.2f} | {cpu:.0f} us | {by_cpu:.1f} |")
    return "\n".join(rows)


def main() -> int:
    """Measure, print the table, and write it into the documentation if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where node_modules is")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--write", action="store_true", help="put the table into docs/speed.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chosen = peers(options.folder, Path(folder))
        figures = measure(chosen, options)
    versions = [
        f"Node {subprocess.run([_tool('node'), '-v'], capture_output=True, text=True, check=True).stdout.strip()[1:]}",
        subprocess.run([_tool("java"), "-version"], capture_output=True, text=True, check=True).stderr.splitlines()[0],
    ]
    busy = f"{options.rounds} rounds of {options.requests} requests over {options.connections} connections"
    text = f"{page.machine()}, {', '.join(versions)}; {busy}; load at the end {os.getloadavg()[0]:.1f}.\n\n"
    text += table(chosen, figures)
    print(text)
    if options.write:
        page.write("peers", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
