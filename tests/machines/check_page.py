"""What docs/share.md deploys in Kubernetes is what Kubernetes takes."""

from __future__ import annotations

import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "share.md"
FOUND = [
    one
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    for one in yaml.safe_load_all(block)
    if "kind" in one
]


def test_there_is_something_to_look_at() -> None:
    assert [one["kind"] for one in FOUND] == ["Deployment", "Service"]


@pytest.mark.parametrize("manifest", FOUND, ids=lambda one: str(one["kind"]))
def test_a_manifest_has_the_members_that_its_kind_has(manifest: dict[str, object]) -> None:
    kubernetes_validate.validate(manifest, "1.37", strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**manifest, "spec": {"invented": 1}}, "1.37", strict=True)
