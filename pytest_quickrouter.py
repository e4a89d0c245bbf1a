"""The pytest plugin: mocks on free ports, and tests that fail when the code under test breaks the contract.

A top-level module that imports nothing of the toolkit, because pytest loads it in every project in which the toolkit is
installed, also in one that has a folder of its own called ``mockserver`` or ``contract_tests``.  For the same reason the
mocks are a process of their own (``mockserver.fixtures``) that looks neither into the current folder nor into PYTHONPATH;
the plugin talks to their administration.  Judging requests is left to that process.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

import pytest

ON_VIOLATION: Final = ("enforce", "report", "ignore")
MARK: Final = (
    'mock_api(scenario=NAME, contract=NAME_OR_PATH, seed=N, on_violation="enforce"|"report"|"ignore"): '
    "which mock the fixture mock_api is, and whether a request that breaks the contract fails the test"
)
_SETTINGS: Final = ("scenario", "contract", "seed", "on_violation")
_PROPERTY: Final = "mock_api_violations"
_START_S, _ANSWER_S = 60.0, 30.0
_SUMMARY: Final = ("id", "method", "path", "status", "scenario", "started")
_RULE: Final = ("rule", "severity", "pointer", "message", "documented", "observed", "source")
_SHOWN: Final = 10  # requests in one failure
_COMMANDED: Final = re.compile(r"^( *)(::|##\[)", re.MULTILINE)
_API: Final = pytest.StashKey["MockApi"]()


@dataclass(frozen=True)
class MockServer:
    """A mock that answers: ``url`` is its base URL, base path included, without a slash at its end; ``variables`` are those
    with which programs find it, address and key."""

    url: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def ask(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        """Status and JSON value of the administration's answer; ``path`` is below ``/__admin``."""
        address = urlsplit(self.url)
        body = None if value is None else json.dumps(value).encode()
        with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=_ANSWER_S)) as connection:
            connection.request(method, f"/__admin{path}", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


@dataclass(frozen=True)
class Violation:
    """A request breaks a documented rule: ``documented`` is the statement, ``source`` says where it stands."""

    rule: str
    severity: str
    pointer: str
    message: str
    documented: str
    observed: str
    source: Mapping[str, str]

    def __str__(self) -> str:
        told = self.source
        where = ", ".join(told[part] for part in ("page", "at") if told.get(part)) or told.get("place", "the contract")
        said = f' says "{told["quote"]}"' if told.get("quote") else ""
        usual = f"\n    a convention: {told['convention']}" if told.get("convention") else ""
        return f"{self.message} ({self.rule})\n    documented: {self.documented}\n    source: {where}{said}{usual}"


@dataclass(frozen=True)
class JudgedExchange:
    """One request as it came, the status it got, and what it breaks.  Keys are masked.

    ``json`` is the body's value, None where it is none; ``started`` is Unix time in seconds.
    """

    id: str
    method: str
    path: str
    headers: Sequence[Sequence[str]]
    text: str
    json: Any
    status: int
    scenario: str
    started: float
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        scenario = f" (scenario {self.scenario})" if self.scenario else ""
        body = f"  {self.text[:200]}{'...' if len(self.text) > 200 else ''}" if self.text else ""
        return f"{self.method} {self.path} -> {self.status}{scenario}{body}"


class MockApi:
    """One test's view of a mock: what the test's code sent, and what it is to be answered; ``url`` is its base URL."""

    def __init__(self, server: MockServer, on_violation: str, scenario: str | None) -> None:
        self.server, self.url, self.on_violation = server, server.url, on_violation
        self._earlier: list[JudgedExchange] = []
        self._told: set[str] = set()
        self.server.ask("POST", "/reset?session=*")
        if scenario:
            self.arm(scenario)

    @property
    def requests(self) -> list[JudgedExchange]:
        """What came since the test began or was :meth:`reset`, oldest first, at most the newest thousand."""
        return self._found({})

    @property
    def violations(self) -> list[Violation]:
        """What these requests break, whatever its severity."""
        return [violation for exchange in self.requests for violation in exchange.violations]

    def arm(self, scenario: str | Mapping[str, Any] | None) -> None:
        """Answer by a scenario: a name, or data as in ``schemas/README.md``; None for normal answers.  Raises ValueError."""
        __tracebackhide__ = True
        asked = {"name": scenario} if isinstance(scenario, str) else {"name": "own", **(scenario or {})}
        status, said = self.server.ask("PUT" if scenario else "DELETE", "/scenarios", asked)
        if status != 200:
            raise ValueError(said["detail"])

    def reset(self) -> None:
        """Forget the requests and the scenario; what the forgotten requests broke still fails the test."""
        self._earlier += self._found({"violated": True})
        self.server.ask("POST", "/reset?session=*")

    def assert_called(self, *, body: Mapping[str, Any] | None = None, **conditions: Any) -> list[JudgedExchange]:
        """The requests that meet all conditions; AssertionError unless there are ``times`` of them (else at least one).

        Conditions are those of ``/__admin/verify``: ``method``, ``path`` (``*`` stands for anything), ``times``,
        ``at_least``, ``at_most``, ``status``, ``operation``, ``violated``, and ``body``: members, or JSON Pointers, and the
        values that they must have.  ValueError for others.
        """
        __tracebackhide__ = True
        asked = {**conditions, **({} if body is None else {"body": _pointers(body)})}
        status, said = self.server.ask("POST", "/verify?session=*", asked)
        if status == 400:
            raise ValueError(said["detail"])
        counts = ("times", "at_least", "at_most")
        criteria = {name: value for name, value in asked.items() if name not in counts}
        if status != 200:
            raise AssertionError(_printable(self._missed(criteria, said)))
        return self._found(criteria)

    def _missed(self, criteria: Mapping[str, Any], said: Mapping[str, Any]) -> str:
        came = self.requests
        wanted = ", ".join(f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in criteria.items())
        lines = [f"asked for: {said['expected']} with {wanted or 'any content'}", f"came: {said['count']}"]
        met = {one["id"] for one in said["requests"][-_SHOWN:]}
        lines += [f"  {exchange}" for exchange in came if exchange.id in met]
        missed = {one["request"]["id"]: ", ".join(one["missed"]) for one in said["nearest"]}
        lines += [f"nearest, but for {missed[one.id]}:\n  {one}" for one in came if one.id in missed]
        return "\n".join(lines if came else [*lines, "no request came at all"])

    def _found(self, criteria: Mapping[str, Any]) -> list[JudgedExchange]:
        return [_exchange(one) for one in self.server.ask("POST", "/requests/find?session=*", criteria)[1]["requests"]]

    def _untold(self) -> str:
        """What breaks the contract and was not told before, in words; "" for nothing.  Mere information breaks nothing."""
        if self.on_violation == "ignore":
            return ""
        broken = []
        for exchange in [*self._earlier, *self._found({"violated": True})]:
            found = [str(violation) for violation in exchange.violations if violation.severity != "info"]
            if found and exchange.id not in self._told:
                self._told.add(exchange.id)
                broken.append("\n  ".join([str(exchange), *found]))
        head = f"{len(broken)} request{'s break' if len(broken) > 1 else ' breaks'} the contract"
        more = [f"... and {len(broken) - _SHOWN} more"] if len(broken) > _SHOWN else []
        return _printable("\n".join([head, *broken[:_SHOWN], *more])) if broken else ""


class _Mocks:
    """The process with the mocks of this pytest process (of this worker, under xdist), started with the first of them."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._started: dict[tuple[str, ...], MockServer] = {}

    def get(self, options: Sequence[str]) -> MockServer:
        """The mock with these options; equal options give the same mock.  Fails with the mock's own words."""
        key = tuple(options)
        if key not in self._started:
            said = self._say(list(options))
            if "url" not in said:
                pytest.fail(f"the mock did not start: error: {said.get('error')}", pytrace=False)
            self._started[key] = MockServer(said["url"], said["variables"])
        return self._started[key]

    def _say(self, options: list[str]) -> dict[str, Any]:
        process = self._process = self._process or self._start()
        impatient = threading.Timer(_START_S, process.kill)
        impatient.start()
        with suppress(OSError):  # it may have ended; then there is no line either
            print(json.dumps(options), file=process.stdin, flush=True)
        line = process.stdout.readline() if process.stdout else ""
        impatient.cancel()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._process, reason = None, process.communicate()[1].strip()
        return {"error": reason[-2000:] or f"its process ended with {process.returncode}"}

    def _start(self) -> subprocess.Popen[str]:
        command, pipe = [sys.executable, "-E", "-P", "-m", "mockserver.fixtures"], subprocess.PIPE
        return subprocess.Popen(command, cwd=self._folder, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8")

    def close(self) -> None:
        """Stop all mocks."""
        if self._process is not None:
            try:
                self._process.communicate(timeout=_ANSWER_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()


class _Fixtures:
    """Fixtures and hooks; a plugin of its own, so that a project can do without it (``quickrouter_fixtures = false``)."""

    @pytest.fixture(scope="session")
    @staticmethod
    def _quickrouter_mocks(pytestconfig: pytest.Config) -> Iterator[_Mocks]:
        mocks = _Mocks(str(pytestconfig.rootpath))
        yield mocks
        mocks.close()

    @pytest.fixture(scope="session")
    @staticmethod
    def mock_server(pytestconfig: pytest.Config, _quickrouter_mocks: _Mocks) -> MockServer:
        """A running mock on a free port, one for the session (for each worker of xdist); it judges and fails no test."""
        return _quickrouter_mocks.get(_options(pytestconfig, _wanted(pytestconfig)))

    @pytest.fixture
    @staticmethod
    def mock_api(request: pytest.FixtureRequest, _quickrouter_mocks: _Mocks) -> Iterator[MockApi]:
        """The mock, emptied for this test, which fails if its code breaks the contract; see the marker mock_api."""
        wanted = _wanted(request.config, request.node)
        server = _quickrouter_mocks.get(_options(request.config, wanted))
        request.node.stash[_API] = api = MockApi(server, wanted["on_violation"], wanted.get("scenario"))
        yield api
        del request.node.stash[_API]
        _settle(request.node, api)  # what came after the test function, from fixtures that tidy up

    @pytest.fixture
    @staticmethod
    def mock_api_env(mock_api: MockApi, monkeypatch: pytest.MonkeyPatch) -> MockApi:
        """The same, with the environment variables set by which programs find the mock's address and a key."""
        for name, value in mock_api.server.variables.items():
            monkeypatch.setenv(name, value, prepend="," if name.lower() == "no_proxy" else None)
        return mock_api

    @staticmethod
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that passed although its code broke the contract; tell a failed one what came."""
        api = item.stash.get(_API, None)
        try:
            result = yield
        except BaseException:
            if api and (told := api._untold()):
                item.add_report_section("call", "mock_api", told)
            raise
        if api:
            _settle(item, api)
        return result

    @staticmethod
    def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
        """Name the violations that failed no test, because a marker or the ini file wants them reported only."""
        reports = [report for found in terminalreporter.stats.values() for report in found]
        pairs = [(report.nodeid, *pair) for report in reports for pair in getattr(report, "user_properties", ())]
        told = dict.fromkeys(f"{test}: {value}" for test, name, value in pairs if name == _PROPERTY)
        if told:
            terminalreporter.section("violations of the contract, reported only")
        for text in told:
            terminalreporter.line(text)


def _settle(item: pytest.Item, api: MockApi) -> None:
    told = api._untold()
    if told and api.on_violation == "report":
        item.user_properties.append((_PROPERTY, told))
    elif told:
        pytest.fail(told, pytrace=False)


def _wanted(config: pytest.Config, item: pytest.Item | None = None) -> dict[str, Any]:
    """What the ini file says, and the markers of a test and of what it stands in; the nearest one decides."""
    wanted = {name: config.getini(f"quickrouter_{name}") for name in ("contract", "on_violation")}
    for mark in reversed(list(item.iter_markers("mock_api")) if item else []):
        unknown = [name for name in mark.kwargs if name not in _SETTINGS]
        if mark.args or unknown:
            what = f"no {', '.join(unknown)}" if unknown else "names for all its arguments"
            pytest.fail(f"the marker mock_api has {what}: {MARK}", pytrace=False)
        wanted |= mark.kwargs
    if wanted["on_violation"] not in ON_VIOLATION:
        pytest.fail(f"on_violation is one of {', '.join(ON_VIOLATION)}; got {wanted['on_violation']!r}", pytrace=False)
    return wanted


def _options(config: pytest.Config, wanted: Mapping[str, Any]) -> list[str]:
    """Options of the command ``mock``: those of the ini file first, since the last one counts."""
    options = [str(option) for option in config.getini("mock_server_args")]
    options += ["--contract", str(wanted["contract"])] if wanted["contract"] else []
    return [*options, "--seed", str(wanted["seed"])] if wanted.get("seed") is not None else options


def _exchange(data: Mapping[str, Any]) -> JudgedExchange:
    body = data["request"]["body"]
    return JudgedExchange(
        **{name: data[name] for name in _SUMMARY},
        headers=data["request"]["headers"],
        text=body.get("text", ""),
        json=body.get("json"),
        violations=tuple(Violation(**{name: one[name] for name in _RULE}) for one in data["violations"]),
    )


def _pointers(body: Mapping[str, Any]) -> dict[str, Any]:
    """Names of members as JSON Pointers; what is one already stays."""
    return {n if n.startswith("/") else "/" + n.replace("~", "~0").replace("/", "~1"): v for n, v in body.items()}


def _printable(text: str) -> str:
    """A text that does nothing to a terminal, nor to a CI runner, which obeys lines that begin in a certain way."""
    shown = "".join(char if char.isprintable() or char == "\n" else quote(char) for char in text)
    return _COMMANDED.sub(r"\1\\\2", shown)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("quickrouter_fixtures", "false: no fixture and no marker of this plugin", type="bool", default=True)
    parser.addini("quickrouter_contract", "contract of the fixtures: a shipped name, or a path below the rootdir")
    what = "what a request that breaks the contract does to a test with mock_api: enforce (fails it), report, ignore"
    parser.addini("quickrouter_on_violation", what, default="enforce")
    parser.addini("mock_server_args", "what to start mocks with, such as --seed 1", type="args")


def pytest_configure(config: pytest.Config) -> None:
    if config.getini("quickrouter_fixtures"):
        config.addinivalue_line("markers", MARK)
        config.pluginmanager.register(_Fixtures(), "quickrouter-fixtures")
