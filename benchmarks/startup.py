"""How long the mock takes from the start of its process to its first answer.

    python benchmarks/startup.py [--rounds 7] [--ceiling 0.4]

Prints median and best; the exit code is 1 when the best is over the ceiling (seconds).
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVE = "from mockserver.server import serve; from mockserver.settings import Settings; serve(Settings(port=0))"
BODY = b'{"size": "1024x1536", "prompt": "a man walks", "model": "gpt-image-1.5", "n": 1}'
HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "Authorization": "Bearer sk-benchmark"}


def once() -> float:
    """Seconds from starting a process to having read its first answer."""
    began = time.perf_counter()
    server = subprocess.Popen([sys.executable, "-c", SERVE], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/v1/images/generations", BODY, HEADERS)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        return time.perf_counter() - began
    finally:
        server.terminate()
        server.wait(10)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--ceiling", type=float, default=0.4)
    options = parser.parse_args()
    once()  # fills the caches of the file system
    took = [once() for _ in range(options.rounds)]
    print(f"start to first answer: median {statistics.median(took):.3f} s, best {min(took):.3f} s")
    return 0 if min(took) <= options.ceiling else 1


if __name__ == "__main__":
    sys.exit(main())
