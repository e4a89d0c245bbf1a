"""What is released works on its own: the archives hold what they must, and the wheel runs where no checkout is near."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(command: list[str | Path], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The outcome of a command in an environment that says nothing about this checkout or this run of pytest."""
    hidden = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "QUICKROUTER", "COLUMNS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**environment, "NO_COLOR": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it: what leaves the sdist out is missed in the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    built = run([sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", folder, ROOT], cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def in_wheel(archives: tuple[Path, Path]) -> set[str]:
    """The paths inside the wheel."""
    with zipfile.ZipFile(archives[1]) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def binaries(archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new virtual environment that holds the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    site = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], cwd=folder).stdout.strip()
    here = run([sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], cwd=folder)
    # with a plain path file the packages of this environment are seen, its own path files (an editable install) are not
    Path(site, "dependencies.pth").write_text(here.stdout, encoding="utf-8")
    installed = run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--force-reinstall", archives[1]],
        cwd=folder,
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    return scripts


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """A folder with nothing in it, also afterwards: commands leave nothing behind that nobody asked for."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def test_wheel_holds_packages_contracts_and_types(in_wheel: set[str]) -> None:
    shipped = {
        f"mockserver/_schemas/{path.relative_to(ROOT / 'schemas')}" for path in (ROOT / "schemas").rglob("*.json")
    }
    assert shipped
    assert shipped <= in_wheel
    suite = {f"contract_tests/{name}" for name in ("__init__.py", "conftest.py", "pytest.ini", "test_refusals.py")}
    assert suite <= in_wheel
    page = {f"mockserver/inspector/page/{path.name}" for path in (ROOT / "mockserver/inspector/page").iterdir()}
    assert "mockserver/inspector/page/index.html" in page
    assert page <= in_wheel
    assert {"mockserver/py.typed", "mockserver/_schemas/default", "pytest_quickrouter.py"} <= in_wheel


def test_wheel_puts_nothing_else_beside_other_peoples_packages(in_wheel: set[str]) -> None:
    top = {name.partition("/")[0] for name in in_wheel}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "mockserver",
        "contract_tests",
        "pytest_quickrouter.py",
    }
    assert not [name for name in in_wheel if "__pycache__" in name]


def test_licence_is_in_both_archives(archives: tuple[Path, Path], in_wheel: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in in_wheel)
    with tarfile.open(archives[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "pyproject.toml",
        "schemas/default",
        "tests/test_release.py",
    } <= names


def test_the_wheel_is_reproducible(archives: tuple[Path, Path], tmp_path: Path) -> None:
    again = run(
        [sys.executable, "-P", "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, ROOT], cwd=tmp_path
    )
    assert again.returncode == 0, again.stdout + again.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == archives[1].name
    assert wheel.read_bytes() == archives[1].read_bytes(), "from the checkout as from the sdist, at another time"


def test_every_action_of_a_workflow_is_pinned_to_a_commit() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    used = re.findall(r"uses: *(\S+)", "\n".join(texts))
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name)] == []


def test_lock_names_every_declared_package_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [item for group in project["dependency-groups"].values() for item in group if isinstance(item, str)]
    declared = {re.split(r"[<>=;\[ ]", item)[0].lower() for item in [*project["project"]["dependencies"], *groups]}
    lines = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    locked = re.findall(r"^([a-z0-9._-]+)==[^\n]*\\\n +--hash=sha256:[0-9a-f]{64}", lines, re.MULTILINE)
    assert declared <= set(locked)
    assert len(locked) == len(re.findall(r"^[a-z]", lines, re.MULTILINE)), "every package has a hash"


def test_installed_wheel_is_what_runs(binaries: Path, empty: Path) -> None:
    shown = run([binaries / "python", "-c", "import mockserver; print(mockserver.__file__)"], cwd=empty)
    assert Path(shown.stdout.strip()).is_relative_to(binaries.parent)


def test_installed_wheel_tests_its_own_mock(binaries: Path, empty: Path) -> None:
    done = run([binaries / "quickrouter-contract", "test"], cwd=empty)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "clean" in done.stdout.splitlines()[-1]


def test_installed_wheel_proves_its_contract(binaries: Path, empty: Path) -> None:
    done = run([binaries / "quickrouter-contract", "lint"], cwd=empty)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sound" in done.stdout.splitlines()[-1]


PROJECT_TEST = """
import json, urllib.request
import mockserver, contract_tests

def test_own_folders_are_still_the_projects():
    assert mockserver.OWNER == contract_tests.OWNER == "the project"

def test_the_mock_answers(mock_server):
    body = {"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "1024x1536"}
    request = urllib.request.Request(
        mock_server.url + "/v1/images/generations",
        data=json.dumps(body).encode(),
        headers={"Authorization": "Bearer any", "Content-Type": "application/json", "Accept": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["object"] == "chat.completion"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that owns folders with the names of our packages."""
    for name in ("mockserver", "contract_tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('OWNER = "the project"\n', encoding="utf-8")
    (tmp_path / "test_project.py").write_text(PROJECT_TEST, encoding="utf-8")
    return tmp_path


def test_plugin_serves_a_project_that_owns_folders_with_our_names(binaries: Path, project: Path) -> None:
    done = run([binaries / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_plugin_imports_nothing_of_ours_when_pytest_starts(binaries: Path, tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n\ndef test_it():\n    assert 'pytest_quickrouter' in sys.modules\n"
        "    assert not {'mockserver', 'contract_tests'} & set(sys.modules)\n",
        encoding="utf-8",
    )
    done = run([binaries / "python", "-m", "pytest", "-q"], cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_plugin_says_why_the_mock_did_not_start(binaries: Path, project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\nmock_server_args = --contract missing\n", encoding="utf-8")
    done = run([binaries / "python", "-m", "pytest", "-q"], cwd=project)
    assert done.returncode == 1
    assert "the mock did not start: error: " in done.stdout
    assert "missing" in done.stdout
