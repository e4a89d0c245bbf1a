"""Takes ``docs/inspector.png``: the inspector with a request opened that breaks the contract.

    python -m tests.browser.picture

Needs what the tox environment ``browser`` needs, and a font that has Chinese characters.
"""

from __future__ import annotations

import base64
import tempfile
import time
from pathlib import Path

import httpx

from mockserver.server import background
from mockserver.settings import Settings
from tests.browser.chromium import chromium

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "inspector.png"
WIDTH, HEIGHT = 1280, 800
GOOD = {"model": "gpt-image-1.5", "prompt": "a fox in the snow", "n": 1, "size": "1024x1536"}
SENT: tuple[tuple[dict[str, object], dict[str, str]], ...] = (
    (GOOD, {}),
    ({**GOOD, "prompt": "一只狐狸"}, {}),
    (GOOD, {"Prefer": "scenario=rate-limited"}),
    (GOOD, {"Mock-Session": "checkout"}),
    ({**GOOD, "size": "4096x4096"}, {"Mock-Session": "checkout"}),
    ({"model": "gpt-image-1.5", "prompt": "a fox in the snow", "n": 12}, {}),
    (GOOD, {}),
)


def main() -> None:
    """Write the picture."""
    with background(Settings()) as mock, tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as driver:
        names = []
        for body, more in SENT:
            headers = {"Authorization": "Bearer any", "Accept": "application/json", **more}
            answer = httpx.post(f"{mock.url}/v1/images/generations", json=body, headers=headers)
            names.append(answer.headers["mock-exchange"])
            time.sleep(0.4)
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get(f"http://127.0.0.1:{mock.port}/__admin/#{names[5]}")
        time.sleep(1.5)
        place = "document.querySelector('.body').scrollIntoView({block: 'end'}); document.activeElement.blur()"
        driver.execute_script(place)  # type: ignore[no-untyped-call]
        # another port than the usual one would only raise questions
        script = "document.querySelector('#base code').textContent = 'http://127.0.0.1:4010'"
        driver.execute_script(script)  # type: ignore[no-untyped-call]
        time.sleep(0.3)
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        PICTURE.write_bytes(base64.b64decode(shot))


if __name__ == "__main__":
    main()
