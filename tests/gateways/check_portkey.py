"""Portkey's gateway in front of the mock: what it changes in the contract is what the documentation says it changes.

It is told by two headers where to forward to; the suite sends them because a copy of the contract demands them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from mockserver.library import bundled_root
from tests.gateways.gateway import UPSTREAM_KEY, examine, free_port, home, installed, keeps, mock, running


def told(folder: Path, upstream: str) -> Path:
    """A copy of the contract whose requests carry the gateway's headers."""
    made = folder / "told"
    shutil.copytree(bundled_root() / "quickrouter", made)
    entry = made / "openapi.json"
    data: dict[str, Any] = json.loads(entry.read_text(encoding="utf-8"))
    for path in data["paths"].values():
        for name, value in (("x-portkey-provider", "openai"), ("x-portkey-custom-host", f"{upstream}/v1")):
            header = {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "example": value}
            path["post"]["parameters"].append({**header, "x-convention": "Tells the gateway where to forward to."})
    entry.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return made


def test_portkey(tmp_path: Path) -> None:
    with home() as where, mock(where, tmp_path) as upstream:
        port = free_port()
        script = installed() / "portkey" / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
        command = ["node", str(script), "--headless", f"--port={port}"]
        with running(where, command, port, tmp_path / "portkey.log"):
            contract = str(told(tmp_path, upstream))
            result = examine(where, f"http://127.0.0.1:{port}", tmp_path, UPSTREAM_KEY, "--contract", contract)
    print(where.words)
    print(result.text)
    keeps(result, "Portkey", UPSTREAM_KEY)
