"""A contract that changes while requests come: each is answered by the old or the new one, and nothing of the old one stays."""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mockserver.pipeline import Pipeline
from mockserver.server import Running
from mockserver.watch import watching
from tests.conftest import ask
from tests.load import Load
from tests.test_connections import request_of
from tests.test_mock_server import eventually

ROOT = Path(__file__).resolve().parent.parent


def pipelines() -> int:
    gc.collect()
    return sum(isinstance(one, Pipeline) for one in gc.get_objects())


def test_no_request_fails_while_a_contract_changes(
    start: Callable[..., Running], good: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "changing"
    shutil.copytree(ROOT / "schemas" / "quickrouter", folder)
    file = folder / "openapi.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    mock = start(contract=str(folder))
    said: list[str] = []
    with watching(mock.mock, said.append):
        time.sleep(0.5)  # the watcher begins
        before = pipelines()
        load = Load(mock.port, request_of(good), kept=2, fresh=1)
        for number in range(3):
            title = f"number {number}"
            document["info"]["title"] = title
            file.write_text(json.dumps(document), encoding="utf-8")
            eventually(lambda t=title: ask(mock, "GET", "/__admin/contract").json()["info"]["title"] == t)  # type: ignore[misc]
            file.write_text(json.dumps(document)[:-9], encoding="utf-8")
            eventually(lambda n=number: len([one for one in said if "the old one stays in use" in one]) == n + 1)  # type: ignore[misc]
        load.end()
    assert len(load.answered) > 20
    assert (load.lost, load.refused) == ([], 0)  # and none was anything but a 200
    assert pipelines() <= before
