"""Errors by their bodies: a refusal under a success status, and an error beside a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver import media
from mockserver.contract import Contract, Operation
from mockserver.explanation import Explainer
from mockserver.findings import Severity
from mockserver.messages import Response
from mockserver.pointers import dereference, find


class Refusals:
    """Tells the errors of one contract from its results."""

    def __init__(self, contract: Contract, explainer: Explainer) -> None:
        self._document, self._explainer = contract.document.data, explainer

    def beside(self, schema: str, value: Any) -> bool:
        """Whether a success carries an error that the schema knows nothing of; an empty one says that there was none."""
        if not isinstance(value, Mapping) or not value.get("error"):
            return False
        return not _speaks_of(self._document, find(self._document, schema), "error")

    def in_answer(self, operation: Operation, answer: Response) -> bool:
        """Whether the body of an answer is an error, whatever its status."""
        body, _ = media.decode(answer.body, answer.header("content-encoding"))
        return self.is_one(operation, media.read_json(body).value)

    def is_one(self, operation: Operation, value: Any) -> bool:
        """Whether a success answer is an error: it fits the schema of a documented refusal, or carries a lone error."""
        if not isinstance(value, Mapping):
            return False
        for status in (400, 500):
            spec = operation.response_for(status)
            for option in spec.content if spec and not spec.covers(200) else ():
                found = self._explainer.schema(value, option.schema, operation, "response", "body", "/body")
                if option.schema and all(violation.severity is Severity.INFO for violation in found):
                    return True
        return len(value) <= 3 and bool(value.get("error") or value.get("errors"))


def _speaks_of(document: Mapping[str, Any], node: Any, member: str) -> bool:
    """Whether a schema, or whatever applies at the same place, has a row for a member; no contract runs in a circle there."""
    if not isinstance(node, Mapping):
        return False
    if member in node.get("properties", {}):
        return True
    inner = [branch for keyword in ("allOf", "anyOf", "oneOf") for branch in node.get(keyword, ())]
    inner += [node.get("if"), node.get("then"), node.get("else")]
    if isinstance(node.get("$ref"), str):
        inner.append(dereference(document, node["$ref"])[1])
    return any(_speaks_of(document, branch, member) for branch in inner)
