"""pytest's side of the suite: options, one item per probe, order, report and exit code.

``quickrouter-contract test`` runs this folder; ``pytest contract_tests --base-url URL`` gives the same findings.
"""

from __future__ import annotations

import os
import sys
import traceback
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from contract_tests.plan import table
from contract_tests.run import DEFAULT_KEY_VARIABLE, IN_CLEAR, Options, Run, prepare, write_proposal
from contract_tests.storage import private_folder
from mockserver import reports
from mockserver.errors import ContractToolError, Inconclusive, UsageError
from mockserver.findings import Report, Severity, at_least
from mockserver.reports.clean import disarmed, one_line, plain
from mockserver.reports.masks import masked

# Hypothesis keeps files of its own even where it keeps no examples: never in the folder somebody works in.
if "HYPOTHESIS_STORAGE_DIRECTORY" not in os.environ:
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = private_folder("quickrouter-contract-hypothesis")

RUN = pytest.StashKey[Run]()
FAILED = pytest.StashKey[ContractToolError]()
_ORDER = (
    "test_refusals",
    "test_acceptance",
    "test_diagnosis",
    "test_breadth",
    "test_conditions",
    "test_leftover",
    "test_search",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "contract suite")
    group.addoption("--base-url", help="base URL of the API under test")
    group.addoption("--contract", help="shipped contract, folder or OpenAPI file")
    group.addoption("--max-requests", type=int, help="requests at most")
    group.addoption("--max-images", type=int, help="images at most, counted before sending")
    group.addoption("--budget", help="money at most, such as 0.50usd")
    group.addoption("--dry-run", action="store_true", help="print the priced plan and send nothing")
    group.addoption("--seed", type=int, help="makes the run repeatable")
    group.addoption("--baseline", help="file of accepted findings")
    group.addoption("--update-baseline", action="store_true", help="accept what is found")
    group.addoption("--propose", metavar="DIR", help="write what the API seems to promise as a changed contract")
    group.addoption("--record", metavar="PATH", help="write every exchange to a cassette and go on from it")
    group.addoption("--replay", metavar="PATH", help="judge a cassette again; nothing is sent")
    group.addoption("--fail-on", choices=[s.value for s in Severity], default="error", help="severity that fails")
    group.addoption("--report", action="append", default=[], metavar="FORMAT=PATH", help="write a report")
    group.addoption("--rate-limit", help="requests at most per time, such as 5/s or 20/m")
    group.addoption("--request-timeout", type=float, default=300.0, help="seconds for one request")
    group.addoption("--api-key-env", default=DEFAULT_KEY_VARIABLE, help="environment variable with the key")


def _options(config: pytest.Config) -> Options:
    base_url = config.getoption("--base-url")
    if not base_url and not config.getoption("--replay"):
        raise UsageError("--base-url URL is needed: the address of the API under test")
    return Options(
        base_url=base_url or "http://127.0.0.1",
        contract=config.getoption("--contract"),
        max_requests=config.getoption("--max-requests"),
        max_images=config.getoption("--max-images"),
        budget_usd=_money(config.getoption("--budget")),
        dry_run=config.getoption("--dry-run"),
        seed=config.getoption("--seed"),
        fail_on=Severity(config.getoption("--fail-on")),
        interval_s=_interval(config.getoption("--rate-limit")),
        timeout_s=_seconds(config.getoption("--request-timeout")),
        key_variable=config.getoption("--api-key-env"),
        baseline=config.getoption("--baseline"),
        update_baseline=config.getoption("--update-baseline"),
        propose=config.getoption("--propose"),
        record=config.getoption("--record"),
        replay=config.getoption("--replay"),
        reports=tuple(_report(text) for text in config.getoption("--report")),
    )


def _seconds(value: float) -> float:
    if not 0 < value < 1e7:
        raise UsageError(f"--request-timeout {value:g}: a number of seconds above 0 is needed")
    return value


def _money(text: str | None) -> Decimal | None:
    if text is None:
        return None
    digits = text.strip().lower().removesuffix("usd").removeprefix("$").strip()
    try:
        value = Decimal(digits)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise UsageError(f"--budget {text}: an amount such as 0.50usd is needed")
    return value


def _interval(text: str | None) -> float:
    if text is None:
        return 0.0
    count, _, unit = text.partition("/")
    seconds = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}.get(unit.strip())
    try:
        number = float(count)
    except ValueError:
        number = 0.0
    if seconds is None or not 0 < number < 1e6:
        raise UsageError(f"--rate-limit {text}: a rate such as 5/s or 20/m is needed")
    return seconds / number


def _report(text: str) -> tuple[str, str]:
    kind, separator, path = text.partition("=")
    if not separator or not path:
        raise UsageError(f"--report {text}: FORMAT=PATH is needed, such as json=report.json")
    reports.check_writable(kind, path)
    return kind, path


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("help", False) or config.getoption("version", False):
        return
    try:
        config.stash[RUN] = prepare(_options(config))
    except ContractToolError as error:
        config.stash[FAILED] = error


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """End before anything is collected when the options or the contract cannot be used."""
    error = session.config.stash.get(FAILED, None)
    if error is not None:
        _complain(session.config, str(error))
        pytest.exit(one_line(str(error)), returncode=error.exit_code)


def _complain(config: pytest.Config, error: str) -> None:
    """Say what went wrong on one line of its own; what an API sent is in such sentences at times, and it knows the key."""
    key = os.environ.get(config.getoption("--api-key-env"), "")
    sys.stderr.write(f"error: {one_line(masked(error, (key,)))}\n")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run = metafunc.config.stash[RUN]
    plan = run.plan
    groups = {"refusal": plan.refusals, "valid": plan.valid, "breadth": plan.breadth, "left_out": plan.left_out}
    for name, probes in groups.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, probes, ids=[_ascii(probe.id) for probe in probes])


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        module = item.nodeid.split("::")[0].rsplit("/", 1)[-1].removesuffix(".py")
        return _ORDER.index(module) if module in _ORDER else len(_ORDER)

    items.sort(key=place)


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    run = session.config.stash[RUN]
    if IN_CLEAR in run.examination.notes:
        sys.stderr.write(f"warning: {IN_CLEAR}\n")
    if run.options.dry_run or run.priced_only:
        print(table(run.plan, run.examination.budget))
        if run.priced_only and not run.options.dry_run:
            sys.stderr.write(f"error: {run.priced_only}\n")
        return True
    return None


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Run:
    """The run that all items share."""
    return request.config.stash[RUN]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """An end without a verdict ends the session, without a traceback."""
    try:
        return (yield)
    except Inconclusive as error:
        pyfuncitem.config.stash[RUN].stopped = str(error)
        pyfuncitem.session.shouldstop = str(error)
        pytest.skip(str(error))
    except ContractToolError as error:
        _complain(pyfuncitem.config, str(error))
        pytest.exit(one_line(str(error)), returncode=error.exit_code)
    except Exception as error:  # a defect of the suite itself must never pass for a clean run
        pyfuncitem.config.stash[RUN].broken = error
        pyfuncitem.session.shouldstop = "the suite itself failed"
        raise


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    run = session.config.stash.get(RUN, None)
    if run is None:
        return
    if run.options.dry_run or run.priced_only:
        session.exitstatus = 0 if run.options.dry_run else 2
        return
    if exitstatus == pytest.ExitCode.INTERRUPTED and not run.stopped:
        run.stopped = "interrupted"
    run.examination.target.close()
    if run.examination.recording is not None:
        run.examination.recording.close()
    try:
        report = run.report()
    except ContractToolError as error:
        _complain(session.config, str(error))
        session.exitstatus = error.exit_code
        return
    written = _publish(session.config, run, report)
    if run.broken is not None:
        _complain(session.config, f"the suite itself failed: {type(run.broken).__name__}: {run.broken}")
        if os.environ.get("QUICKROUTER_CONTRACT_DEBUG"):
            sys.stderr.write(masked("".join(traceback.format_exception(run.broken)), (run.examination.target.key,)))
        session.exitstatus = 2
        return
    session.exitstatus = _exit_code(run, report, exitstatus) if written else 2


def _publish(config: pytest.Config, run: Run, report: Report) -> bool:
    """The report for people on stdout, or on stderr where another one goes to stdout; then the files; whether all were written."""
    written = True
    secrets = (run.examination.target.key,)
    exchanges = [trial.exchange for trial in run.examination.trials]
    sys.stderr.flush()
    taken = any(path == "-" for _, path in run.options.reports)
    if taken:
        sys.stderr.write(reports.text("terminal", report, secrets))
    else:
        reports.write("terminal", "-", report, secrets)
    if all(kind != "github" for kind, _ in run.options.reports):
        try:
            reports.annotate(report, sys.stderr if taken else sys.stdout, secrets)
        except ContractToolError as error:
            _complain(config, str(error))
    for kind, path in run.options.reports:
        try:
            reports.write(kind, path, report, secrets, exchanges)
        except ContractToolError as error:
            written = False
            _complain(config, str(error))
    try:
        told = write_proposal(run, report)
    except ContractToolError as error:
        told = ""
        _complain(config, str(error))
    if told:
        sys.stderr.write("".join(f"{disarmed(plain(line))}\n" for line in told.splitlines()))
    return written


def _exit_code(run: Run, report: Report, exitstatus: int) -> int:
    if run.stopped == "interrupted":
        return 130
    if at_least(report.findings, run.options.fail_on):
        return 1
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return 2
    return 3 if report.verdict == "inconclusive" else 0
