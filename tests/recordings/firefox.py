"""Records one visit of the page of stand.py with Firefox's own network monitor: python firefox.py URL FILE.

Firefox is driven by its Marionette protocol, which needs no further tool; the archive is what "Save All As HAR" writes.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PORT = 2828
TOOLS = """
const { require } = ChromeUtils.importESModule("resource://devtools/shared/loader/Loader.sys.mjs");
const { gDevTools } = require("devtools/client/framework/devtools");
const tab = gBrowser.selectedTab;
"""
OPEN = TOOLS + "await gDevTools.showToolboxForTab(tab, { toolId: 'netmonitor' });"
EXPORT = TOOLS + "return JSON.stringify({ log: await gDevTools.getToolboxForTab(tab).getHARFromNetMonitor() });"


def main(url: str, file: str) -> None:
    """Start Firefox, open its network monitor, visit, and write the archive."""
    with tempfile.TemporaryDirectory() as profile:
        command = ["firefox", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
        browser = subprocess.Popen([*command, "--profile", profile, "about:blank"])
        try:
            with _connected() as connection:
                stream = connection.makefile("rb")
                _received(stream)
                _ask(connection, stream, "WebDriver:NewSession", {"acceptInsecureCerts": True})
                _in(connection, stream, "chrome", OPEN)
                _ask(connection, stream, "Marionette:SetContext", {"value": "content"})
                _ask(connection, stream, "WebDriver:Navigate", {"url": url})
                print(_in(connection, stream, "content", "return await window.all();"))
                time.sleep(2)
                Path(file).write_text(_in(connection, stream, "chrome", EXPORT), encoding="utf-8")
        finally:
            browser.terminate()
            browser.wait(20)


def _connected() -> socket.socket:
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", PORT), 60)
        except ConnectionRefusedError:
            time.sleep(0.2)
    raise SystemExit("Firefox did not start")


def _received(stream: Any) -> Any:
    length = b""
    while (byte := stream.read(1)) != b":":
        length += byte
    return json.loads(stream.read(int(length)))


def _ask(connection: socket.socket, stream: Any, name: str, parameters: dict[str, Any]) -> Any:
    text = json.dumps([0, 1, name, parameters]).encode()
    connection.sendall(b"%d:%b" % (len(text), text))
    _, _, error, value = _received(stream)
    if error:
        raise SystemExit(f"{name}: {error}")
    return value


def _in(connection: socket.socket, stream: Any, context: str, script: str) -> Any:
    _ask(connection, stream, "Marionette:SetContext", {"value": context})
    script = f"return (async () => {{ {script} }})();"
    return _ask(connection, stream, "WebDriver:ExecuteScript", {"script": script, "args": [], "sandbox": None})["value"]


main(*sys.argv[1:])
