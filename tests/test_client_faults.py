"""Faulty clients, one for each rule about requests: ``client`` finds every one, whatever the client made of the answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from test_cli import run

SENDER = """
import http.client, json, os, sys
from urllib.parse import urlsplit

address = urlsplit(os.environ["QUICKROUTER_BASE_URL"])
for fault in json.load(open(sys.argv[1])):
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    headers = {"Accept": "application/json", "Content-Type": "application/json",
               "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], **fault["headers"]}
    headers = {name: value for name, value in headers.items() if value is not None}
    body = fault["body"].encode(fault["encoding"])
    connection.request(fault["method"], address.path + fault["target"], body, headers)
    connection.getresponse().read()
    connection.close()
"""
GOOD = {"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "1024x1536"}


def fault(
    body: Any = GOOD,
    target: str = "/v1/images/generations",
    method: str = "POST",
    encoding: str = "utf-8",
    **headers: Any,
) -> dict[str, Any]:
    """What one faulty client sends; a header of None is left out, ``_`` in its name is a hyphen."""
    return {
        "body": body if isinstance(body, str) else json.dumps(body),
        "target": target,
        "method": method,
        "encoding": encoding,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
    }


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


PAGE = {
    "path.unknown /path": fault(target="/v1/images/generation"),
    "path.method /path": fault("", method="GET"),
    "security.missing /headers/Authorization": fault(Authorization=None),
    "security.malformed /headers/Authorization": fault(Authorization="Basic abc"),
    "media.unsupported /headers/Content-Type": fault(Content_Type="text/plain"),
    "header.required /headers/Accept": fault(Accept=None),
    "json.empty /body": fault(""),
    "json.malformed /body": fault("prompt=a"),
    "json.cut /body": fault(json.dumps(GOOD)[:-1]),
    "json.trailing /body": fault(json.dumps(GOOD) + ";"),
    "json.encoding /body": fault('{"prompt": "é", "n": 1, "size": "auto"}', encoding="latin-1"),
    "json.bom /body": fault("\ufeff" + json.dumps(GOOD)),
    "json.duplicate-key /body": fault('{"prompt": "a", "n": 1, "n": 2, "size": "auto"}'),
    "json.constant /body": fault('{"prompt": "a", "n": NaN, "size": "auto"}'),
    "json.number /body": fault('{"prompt": "a", "n": 1%s, "size": "auto"}' % ("0" * 5000)),
    "json.depth /body": fault("[" * 5000 + "]" * 5000),
    "body.type /body": fault([GOOD]),
    "body.required /body/prompt": fault(without("prompt")),
    "body.required /body/n": fault(without("n")),
    "body.required /body/size": fault(without("size")),
    "body.type /body/prompt": fault({**GOOD, "prompt": ["a man walks"]}),
    "body.type /body/n": fault({**GOOD, "n": "1"}),
    "body.type /body/model": fault({**GOOD, "model": 1.5}),
    "body.minimum /body/n": fault({**GOOD, "n": 0}),
    "body.maximum /body/n": fault({**GOOD, "n": 11}),
    "body.maxLength /body/prompt": fault({**GOOD, "prompt": "a" * 1001}),
    "body.enum /body/size": fault({**GOOD, "size": "999x999"}),
    "body.undocumented /body/quality": fault({**GOOD, "quality": "hd"}),
}
"""By what must be found: the rule and its place."""
INVENTED = {
    "path.pattern /path/plot": fault("", "/beds/%20", "GET", X_Gate_Pass="open"),
    "query.required /query/kind": fault("", "/beds", "GET", X_Gate_Pass="open", X_Gardener="Ada"),
    "query.enum /query/kind": fault("", "/beds?kind=oak", "GET", X_Gate_Pass="open", X_Gardener="Ada"),
    "query.maximum /query/limit": fault("", "/beds?kind=fern&limit=51", "GET", X_Gate_Pass="open", X_Gardener="Ada"),
    "header.minLength /headers/X-Gardener": fault("", "/beds?kind=fern", "GET", X_Gate_Pass="open", X_Gardener="A"),
}
SETS = {"quickrouter": PAGE, str(Path(__file__).parent / "invented"): INVENTED}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """For each contract, the first exchange of everything that was found, as ``client`` reports it."""
    told: dict[str, dict[str, str]] = {}
    for contract, faults in SETS.items():
        folder = tmp_path_factory.mktemp("faults")
        (folder / "faults.json").write_text(json.dumps(list(faults.values())))
        (folder / "sender.py").write_text(SENDER)
        report = folder / "report.json"
        command = (sys.executable, str(folder / "sender.py"), str(folder / "faults.json"))
        done = run("client", "--contract", contract, "--report", f"json={report}", "--", *command)
        assert done.returncode == 1, done.stderr
        whole = json.loads(report.read_text())
        assert whole["requests"] == len(faults)
        told[contract] = {f"{one['rule']} {one['pointer']}": one["first_exchange"] for one in whole["findings"]}
    return told


@pytest.mark.parametrize(
    ("contract", "place"), [(contract, place) for contract, faults in SETS.items() for place in faults]
)
def test_each_is_found_in_what_it_sent(found: dict[str, dict[str, str]], contract: str, place: str) -> None:
    assert place in found[contract], sorted(found[contract])
    sent = found[contract][place].rpartition("-")[2]
    assert sent.isdigit()
    assert int(sent) - 1 == list(SETS[contract]).index(place)


def test_nothing_else_is_found(found: dict[str, dict[str, str]]) -> None:
    assert {contract: set(places) for contract, places in found.items()} == {
        contract: set(faults) for contract, faults in SETS.items()
    }
