"""What the API seems to promise, written as a changed copy of the contract for somebody to review and accept or not.

Nothing here is a verdict: the documentation stays the measure of the report.  The evidence comes from
:mod:`contract_tests.evidence`, the changes from :mod:`contract_tests.revision` and :mod:`contract_tests.relaxation`.
"""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_tests.diagnosis import Diagnosis
from contract_tests.draft import Draft, below
from contract_tests.evidence import Observation, answers, exchanges, kinds_of_answers, named
from contract_tests.examination import Examination
from contract_tests.inference import infer
from contract_tests.relaxation import relax, tighten
from contract_tests.revision import Revision
from mockserver import diff, lint, openapi
from mockserver.contract import Contract, Operation
from mockserver.diff.writing import markdown
from mockserver.errors import RecordError, UsageError
from mockserver.explanation import Explainer
from mockserver.findings import Severity
from mockserver.lint import examples
from mockserver.media import MISSING, is_json, media_type
from mockserver.pointers import dereference, find
from mockserver.reports.clean import one_line
from mockserver.reports.masks import masked

_SHORT = 120
"""Characters of a text that an example keeps."""
_FEW_ITEMS = 3


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was written: the folder ("" for nothing), one line for the user, and what lint says against it."""

    folder: str
    summary: str
    problems: tuple[str, ...] = ()


def check_folder(path: str) -> None:
    """Raises UsageError unless the folder can be written: it must not exist, or be empty."""
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--propose {path}: a folder that does not exist or is empty is needed")


def propose(examination: Examination, diagnosis: Diagnosis, path: str) -> Proposal:
    """Write the proposal of a run into a folder; nothing is written when nothing differs. Raises RecordError."""
    contract = examination.judge.contract
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    target = _without_key(examination.target.base_url, examination.target.key)
    draft = Draft(contract.document, f"run of {day}", target, day)
    for operation in contract.operations:
        _statuses(examination, operation, draft)
        _media(examination, operation, draft)
    _answers(examination, contract, draft)
    relax(examination, contract, draft)
    tighten(examination, diagnosis, contract, draft)
    if draft.empty:
        return Proposal("", "nothing to propose: nothing was seen that a contract could say otherwise")
    for operation in contract.operations:
        _usage(examination, operation, draft)
    check_folder(path)
    folder = Path(path)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".proposal-") as workshop:
            made = Path(workshop) / folder.name
            made.mkdir()
            draft.write(made)
            _show_observed(examination, draft, made)
            problems = tuple(str(problem) for problem in lint.check(str(made)).problems)
            (made / "CHANGES.md").write_text(_changes(contract, made, draft, problems), encoding="utf-8")
            if folder.exists():
                folder.rmdir()
            shutil.move(made, folder)
    except OSError as error:
        raise RecordError(f"{path}: the proposal cannot be written: {error.strerror or error}") from None
    return Proposal(path, f"proposal in {path}: read CHANGES.md, then accept what you believe", problems)


# ------------------------------------------------------------------------------------------------- answers


def _answers(examination: Examination, contract: Contract, draft: Draft) -> None:
    """Revise the schemas of successes, with the evidence of all operations that share one."""
    seen: dict[str, tuple[list[Observation], Operation]] = {}
    broken: set[str] = set()
    for trial in examination.accepted:
        for violation in trial.violations:
            shape = violation.rule.split(".", 1)[0] in ("body", "meaning")
            if violation.side == "response" and shape and violation.severity is not Severity.INFO:
                broken.add(violation.place)
    for operation in contract.operations:
        for response in operation.responses:
            if not response.status.startswith("2"):
                continue
            schema = next((m.schema for m in response.content if is_json(media_type(m.type)) and m.schema), "")
            statuses = {t.exchange.response.status for t in examination.accepted if t.exchange.response}
            found = [
                one for status in sorted(statuses) if operation.response_for(status) is response
                for one in answers(examination, operation, status)
            ]  # fmt: skip
            accepted = {trial.exchange.id for trial in examination.accepted}
            kept = [_blotted(one, examination.target.key) for one in found if one.exchange in accepted]
            if schema and kept:
                known = seen.setdefault(_settled(contract, schema), ([], operation))
                known[0].extend(kept)
    if not broken:
        return
    revision = Revision(examination.judge, draft, frozenset(broken))
    for pointer, (observations, operation) in seen.items():
        revision.revise(pointer, observations, operation.units)


def _settled(contract: Contract, pointer: str) -> str:
    return dereference(contract.document.data, pointer)[0].removeprefix("#")


def _statuses(examination: Examination, operation: Operation, draft: Draft) -> None:
    """Document statuses that came and are not documented; redirects are no answers."""
    found: dict[int, list[str]] = {}
    for trial in examination.trials:
        response = trial.exchange.response
        own = trial.probe.recipe.operation.id == operation.id
        if response and own and any(v.rule == "status.undocumented" for v in trial.violations):
            found.setdefault(response.status, []).append(trial.exchange.id)
    for status, ids in found.items():
        values = [_blotted(one, examination.target.key) for one in answers(examination, operation, status)]
        kinds = [kind for kind in kinds_of_answers(examination, operation, status) if kind]
        entry: dict[str, Any] = {"description": f"Observed, not documented: status {status}."}
        if kinds:
            schema = draft.sourced(infer(values), named(ids)) if values else {}
            entry["content"] = {k: {"schema": schema} if is_json(k) and schema else {} for k in kinds}
        at = below(operation.pointer, "responses", status)
        draft.put(at, {**entry, **draft.observed(named(ids))})


def _media(examination: Examination, operation: Operation, draft: Draft) -> None:
    """Document media types that came and are not documented."""
    for response in operation.responses:
        trials = [
            trial for trial in examination.trials
            if trial.probe.recipe.operation.id == operation.id and trial.exchange.response
            and operation.response_for(trial.exchange.response.status) is response
        ]  # fmt: skip
        against = [t for t in trials if any(v.rule == "media.undocumented" for v in t.violations)]
        kinds: dict[str, list[str]] = {}
        for trial in against:
            got = trial.exchange.response.header("content-type") if trial.exchange.response else None
            if media_type(got):
                kinds.setdefault(media_type(got), []).append(trial.exchange.id)
        json_like = next((m for m in response.content if is_json(media_type(m.type))), None)
        for kind, ids in kinds.items():
            home = below(response.pointer, "content")
            same = draft.node(below(home, json_like.type)) if json_like and is_json(kind) else {}
            draft.put(below(home, kind), same if isinstance(same, Mapping) else {})
            documented = ", ".join(media.type for media in response.content)
            draft.note(response.pointer, named(ids), f"media type {documented}; observed {kind}")
            if len(against) == len(trials) and json_like and is_json(kind):
                draft.put(below(home, json_like.type), {})


def _usage(examination: Examination, operation: Operation, draft: Draft) -> None:
    """Take prices of usage back where no answer states that usage: they would point at nothing."""
    if operation.usage_prices is None:
        return
    accepted = {t.exchange.response.status for t in examination.accepted if t.exchange.response}
    seen = [one.value for status in accepted for one in answers(examination, operation, status)]
    counted = {pointer for row in operation.usage_prices.get("rows", ()) for pointer in row.get("usd", {})}
    if seen and any(all(find(value, pointer) is None for value in seen) for pointer in counted):
        draft.put(below(operation.pointer, "x-usage-prices"), MISSING)
        draft.notes.append("the prices of usage are gone: answers do not state what they are for")


# ------------------------------------------------------------------------------------------------- examples


def _show_observed(examination: Examination, draft: Draft, folder: Path) -> None:
    """Replace the examples that no longer fit: by an observed value, shortened, or by nothing."""
    contract = openapi.load(str(folder))
    explainer = Explainer(contract)
    fresh = Draft(contract.document, draft.run, draft.target, draft.day)
    for example in examples.of(contract):
        if not example.schema or explainer.validator(example.schema).is_valid(example.value):
            continue
        fits = explainer.validator(example.schema)
        found = next((one for one in _shown(examination, example) if fits.is_valid(one.value)), None)
        holder = example.pointer.rpartition("/")[0]
        if found is None:
            fresh.put(holder if example.pointer.endswith("/value") else example.pointer, MISSING)
            continue
        fresh.put(example.pointer, found.value)
        if example.pointer.endswith("/value"):
            fresh.put(below(holder, "summary"), "Observed, long texts shortened")
            for name, value in fresh.observed(exchanges([found])).items():
                fresh.put(below(holder, name), value)
    if not fresh.empty:
        fresh.write(folder)


def _shown(examination: Examination, example: examples.Example) -> Iterator[Observation]:
    for trial in examination.accepted:
        if trial.probe.recipe.operation.id != example.operation.id:
            continue
        request = _blotted(Observation(trial.probe.recipe.body, None, trial.exchange.id), examination.target.key)
        status = trial.exchange.response.status if trial.exchange.response else 0
        if example.side == "request":
            yield _shortened(request)
            continue
        for one in answers(examination, example.operation, status):
            if one.exchange == trial.exchange.id:
                yield _shortened(_blotted(one, examination.target.key))


def _shortened(one: Observation) -> Observation:
    def short(value: Any) -> Any:
        if isinstance(value, str):
            return value if len(value) <= _SHORT else value[:_SHORT]
        if isinstance(value, list):
            return [short(item) for item in value[:_FEW_ITEMS]]
        return {name: short(item) for name, item in value.items()} if isinstance(value, dict) else value

    return Observation(short(one.value), one.request, one.exchange)


def _blotted(one: Observation, key: str) -> Observation:
    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return _without_key(value, key)
        if isinstance(value, list):
            return [clean(item) for item in value]
        return {_without_key(n, key): clean(v) for n, v in value.items()} if isinstance(value, dict) else value

    return Observation(clean(one.value), one.request, one.exchange)


def _without_key(text: str, key: str) -> str:
    sound = text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair cannot be written to a file
    return masked(sound.replace(key, "[key]"), (key,)) if len(key) >= 4 else sound


# -------------------------------------------------------------------------------------------------- for review


def _changes(contract: Contract, folder: Path, draft: Draft, problems: tuple[str, ...]) -> str:
    """CHANGES.md: how to read it, what differs, what was seen and is in no schema."""
    found = diff.between(contract, openapi.load(str(folder)), (contract.name, folder.name))
    text = markdown(found, f"Proposed changes to {contract.name}")
    head, _, rest = text.partition("\n\n")
    lines = [
        head,
        "",
        f"From a run of {draft.day} against {one_line(draft.target)}. This is what was observed, not what is promised:",
        "low confidence, each changed statement with the exchanges that show it (x-source) and with what was documented",
        "(x-contradiction). Take over what you believe; `breaking` below is meant for clients that keep the documented",
        "contract.",
        "",
        rest.rstrip(),
    ]
    for title, entries in (("Seen, and in no schema", draft.notes), ("Not sound yet", problems)):
        if entries:
            lines += ["", f"## {title}", "", *(f"- {one_line(entry)}" for entry in entries)]
    return "\n".join(lines) + "\n"
