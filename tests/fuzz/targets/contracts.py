"""The text of a contract, JSON or YAML: it is read, proved and served, or refused in words."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mockserver import lint
from mockserver.app import Mock
from mockserver.errors import ContractError
from mockserver.pipeline import Later
from mockserver.settings import Settings

FOLDER = Path(tempfile.mkdtemp(prefix="fuzzed-contract-"))
(FOLDER / "part.json").write_text('{"type": "object", "properties": {"a": {"type": "integer"}}}', encoding="utf-8")
HEADERS = [(b"content-type", b"application/json"), (b"authorization", b"Bearer x"), (b"accept", b"*/*")]
BODY = b'{"a": [1], "name": "x"}'


def check(data: bytes) -> None:
    """The first byte tells YAML (``y``) from JSON."""
    file = FOLDER / ("fuzzed.yaml" if data[:1] == b"y" else "fuzzed.json")
    file.write_bytes(data[1:])
    served(file)


def served(file: Path) -> None:
    """Lint, prove, load, and ask each operation once."""
    try:
        lint.check(str(file))
        lint.prove(str(file))
        mock = Mock(Settings(contract=str(file), journal_entries=5))
    except ContractError:
        return
    pipeline = mock.pipeline
    for operation in mock.contract.operations[:4]:
        path = f"{mock.base_path}{operation.path}".encode("utf-8", "replace")
        outcome = pipeline.answer(operation.method, path, b"a=1", HEADERS, dict(HEADERS), BODY, 0.0)
        if isinstance(outcome, Later):
            outcome = outcome.tell(outcome.make())
        assert 100 <= outcome[0] <= 999
