"""Lets atheris look for more than the corpus has: ``python -m tests.fuzz [--seconds 120] [--keep FOLDER] [TARGET...]``.

Each target runs in a process of its own, one after the other, ``--seconds`` each.  What it finds is written to ``--keep`` as a
file that can be added to the corpus; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGETS = sorted(file.stem for file in (HERE / "targets").glob("*.py") if file.stem != "__init__")
MEGABYTES = 2048
SLOWEST_S = 20


def main() -> int:
    """Run the targets that are named, all unless any is."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=120)
    options.add_argument("--keep", type=Path, default=None)
    options.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    asked = options.parse_args()
    unknown = set(asked.targets) - set(TARGETS)
    if unknown:
        options.error(f"there is no target {', '.join(sorted(unknown))}; there is {', '.join(TARGETS)}")
    kept = asked.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    failed = [name for name in asked.targets or TARGETS if not _ran(name, asked.seconds, kept)]
    print(f"{'found something: ' + ', '.join(failed) if failed else 'nothing found'}; files are in {kept}")
    return 1 if failed else 0


def _ran(name: str, seconds: int, kept: Path) -> bool:
    """Whether a target found nothing; its new inputs are kept beside what it found."""
    fresh = kept / f"{name}-inputs"
    fresh.mkdir(parents=True, exist_ok=True)
    arguments = [
        f"-max_total_time={seconds}", f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MEGABYTES}", "-max_len=4096", "-print_final_stats=1",
        f"-artifact_prefix={kept}/{name}-", str(fresh), str(HERE / "corpus" / name),
    ]  # fmt: skip
    print(f"== {name}", flush=True)
    return subprocess.run([sys.executable, "-m", "tests.fuzz.guided", name, *arguments], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
