"""Makes recordings small: one entry on a line, without stacks of scripts and certificates.  python trim.py FILE..."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path


def trimmed(text: str) -> str:
    """The archive, smaller."""
    log = json.loads(text)["log"]
    entries = log.pop("entries")
    for entry in entries:
        entry.pop("_initiator", None)
        entry.pop("_securityDetails", None)
    head = json.dumps({"log": log}, ensure_ascii=False).removesuffix("}}")
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    return f'{head}, "entries": [\n{lines}\n]}}}}\n'


for file in map(Path, sys.argv[1:]):
    if file.suffix == ".har":
        file.write_text(trimmed(file.read_text(encoding="utf-8")), encoding="utf-8")
        continue
    with zipfile.ZipFile(file) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, trimmed(content.decode()) if name.endswith(".har") else content)
