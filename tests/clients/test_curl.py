"""The page's own curl command, with nothing changed but the address."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from pytest_quickrouter import MockServer

COMMAND = Path(__file__).parents[2] / "schemas/quickrouter/examples/createImage/curl.sh"
ADDRESS = "https://api.quickrouter.ai"


def test_the_commands_of_the_page_get_the_documented_answer(mock_server: MockServer, tmp_path: Path) -> None:
    text = COMMAND.read_text(encoding="utf-8")
    assert text.count(ADDRESS) == 1
    script = tmp_path / "curl.sh"
    script.write_text(text.replace(ADDRESS, mock_server.url), encoding="utf-8")
    done = subprocess.run(["sh", script], capture_output=True, text=True, encoding="utf-8", timeout=30, check=True)
    answer = json.loads(done.stdout)
    assert answer["object"] == "chat.completion"
    assert len(answer["choices"]) == 1
    assert answer["usage"]["total_tokens"] == sum(
        answer["usage"][part] for part in ("prompt_tokens", "completion_tokens")
    )
