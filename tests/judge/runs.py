"""Runs of the suite against servers that are functions, and what each report says: condition, cause and verdict of every finding.

The requests stand here and do not come from the plan, so that a new plan changes none of the reports.  ``python -m
tests.judge.runs`` writes what the suite says today into ``runs.json``; whoever changes it looks at the difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from contract_tests.budget import Budget
from contract_tests.deviations import VARIATION
from contract_tests.diagnosis import Diagnosis
from contract_tests.examination import Examination
from contract_tests.plan import Plan
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe
from contract_tests.target import Target
from contract_tests.verdict import findings, report
from mockserver import openapi
from mockserver.errors import Inconclusive
from mockserver.findings import Severity
from mockserver.messages import Exchange, Request, Response
from mockserver.validation import Judge

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "runs.json"

Answer = tuple[int, Any] | None
Server = Callable[[Any, int], Answer]
"""Body and number of a request to status and body of the answer; bytes are sent as they are, None is no answer."""


class Scripted(Target):
    """A target that is a function, and needs no client."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__("http://127.0.0.1:9", judge().contract, key)
        self._server, self._asked = server, 0

    def __post_init__(self) -> None:
        """Making an HTTP client takes longer than a whole run."""

    def next_id(self) -> str:
        """The number of the request."""
        return f"x{self._asked:04d}"

    def send(self, request: Request) -> Exchange:
        """One request."""
        self._asked += 1
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        answer = self._server(body, self._asked)
        response = None
        if answer is not None:
            self.answered = True
            text = answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode()
            response = Response(answer[0], (("Content-Type", "application/json"),), text)
        return Exchange(self.next_id(), request, response, None if response else "it broke", 1.8e9, 0.123456)


@cache
def judge() -> Judge:
    """The judge of the contract beside this file."""
    return Judge(openapi.load(str(HERE / "run.json")))


# ------------------------------------------------------------------------------------------------------- requests

PLAIN = Recipe(judge().contract.operations[0], {"text": "a box"})
LONG = "a box of wood " * 20
TRICKY = 'say "hi" \u4f60\u597d \U0001f600'


def valid(name: str, expect: Any = "accepted", basis: Recipe = PLAIN, rank: int = 1, **members: Any) -> Probe:
    """A request that has these members beside the plain ones, or instead of them; None takes one away."""
    body = {key: value for key, value in {**basis.body, **members}.items() if value is not None}
    verb = {"accepted": "accepts", "open": "handles"}[expect]
    return Probe(f"{verb} {name}", basis.with_body(body), expect, (name, f"{name} again"), rank)


def refused(name: str, **members: Any) -> Probe:
    """A request that breaks a rule."""
    recipe = PLAIN.with_body({**PLAIN.body, **members})
    breaks = judge().body_violations(recipe.operation, recipe.body)[0]
    return Probe(f"refuses {name}", recipe, "refused", (name,), 1, breaks)


REFUSED = (
    refused("no boxes", n=0), refused("too many boxes", n=11), refused("a number for a text", text=5),
    refused("an unknown mode", mode="x"), refused("a text for a lid", lid="x"),
)  # fmt: skip
VALID = (
    valid("a box"),
    valid("three boxes", n=3),
    valid("five boxes", n=5, lid=True),
    valid("all at once", n=2, text=TRICKY, mode="slow", lid=False),
    valid("a long text", text=LONG, mode="fast"),
    valid("a box again"),
)
OPEN = (valid("an empty text", "open", text=""), valid("an odd member", "open", odd=1))
SORTED = replace(VALID[0], name="accepts a sorted body", recipe=replace(PLAIN, layout="sorted", chunked=True))

# -------------------------------------------------------------------------------------------------------- servers


def boxes(body: Any, **more: Any) -> Answer:
    """The right answer to a valid request."""
    return 200, {"id": "b", "used": 1, "boxes": [{"w": 1, "h": 1, "d": 1, **more}] * body.get("n", 1)}


NO: Answer = (400, {"reason": "no"})


def right(body: Any, _: int) -> Answer:
    """A server that keeps the contract."""
    return NO if judge().body_violations(PLAIN.operation, body) else boxes(body)


def unless(wrong: Callable[[Any], bool], answer: Any) -> Server:
    """A server that gives another answer to some valid requests; ``answer`` may be made of the body."""

    def server(body: Any, number: int) -> Answer:
        if right(body, number) == NO or not wrong(body):
            return right(body, number)
        made: Answer = answer(body) if callable(answer) else answer
        return made

    return server


def numbered(wrong: Callable[[int], bool], answer: Answer) -> Server:
    """A server that gives another answer to some requests by their number."""
    return lambda body, number: answer if wrong(number) else right(body, number)


def taking(taken: Callable[[Any], bool]) -> Server:
    """A server that takes some requests that it has to refuse."""
    return lambda body, number: boxes({}) if taken(body) else right(body, number)


def saying(told: Callable[[Any], Any]) -> Server:
    """A server that refuses in other words."""
    return lambda body, number: answer if (answer := right(body, number)) != NO else told(body)


def wrong_id(body: Any) -> Answer:
    return 200, {"id": 5, "boxes": [{"w": 1, "h": 1, "d": 1}] * body.get("n", 1)}


def short(body: Any) -> Answer:
    return 200, {"id": "b", "boxes": [{"w": 1, "h": 1, "d": 1}] * (body.get("n", 1) - 1)}


def lidded(body: Any) -> Answer:
    return boxes(body, lid="on")


def bare(body: Any) -> Answer:
    return 200, {"id": "b", "boxes": [{"width": 1, "height": "x"}] * body.get("n", 1)}


Case = tuple[Server, tuple[Probe, ...], dict[str, Any]]
ALL = (*REFUSED, *VALID, *OPEN)
TOLD = (
    "number",
    "exchange",
    "name",
    "expected",
    "outcome",
    "status",
    "duration_s",
    "images",
    "usd",
    "cleared",
    "clears",
)
LITTLE = {"max_requests": len(ALL)}

CASES: dict[str, Case] = {
    "right": (right, ALL, {}),
    "right, without room": (right, ALL, {"max_requests": 9}),
    "right, without money": (right, ALL, {"max_units": 4}),
    "right, without room for what is valid": (right, ALL, {"max_requests": 5}),
    "right, only refusals": (right, REFUSED, {}),
    "right, on the way": (right, ALL, {"stopped": "interrupted"}),
    "a shape of its own": (unless(lambda b: True, bare), ALL, {}),
    "a shape of its own for many": (unless(lambda b: b.get("n", 1) > 1, bare), ALL, {}),
    "a wrong id": (unless(lambda b: True, wrong_id), ALL, {}),
    "a wrong id for some": (unless(lambda b: "mode" in b, wrong_id), ALL, {}),
    "a wrong id for fast": (unless(lambda b: b.get("mode") == "fast", wrong_id), ALL, {}),
    "too few when many": (unless(lambda b: b.get("n", 1) > 3, short), ALL, {}),
    "too few when more than one": (unless(lambda b: b.get("n", 1) > 1, short), ALL, {}),
    "too few for a lid": (unless(lambda b: "lid" in b, short), ALL, {}),
    "too few for a lid, little room": (unless(lambda b: "lid" in b, short), ALL, LITTLE),
    "information": (unless(lambda b: "lid" in b, lidded), ALL, {}),
    "information counts": (unless(lambda b: "lid" in b, lidded), ALL, {"fail_on": Severity.INFO}),
    "refuses many": (unless(lambda b: b.get("n", 1) > 2, NO), ALL, {}),
    "refuses three": (unless(lambda b: b.get("n") == 3, NO), ALL, {}),
    "refuses slow": (unless(lambda b: b.get("mode") == "slow", NO), ALL, {}),
    "refuses slow, money for one more": (unless(lambda b: b.get("mode") == "slow", NO), ALL, {"max_units": 15}),
    "refuses slow, money for none": (unless(lambda b: b.get("mode") == "slow", NO), ALL, {"max_units": 14}),
    "refuses fast": (unless(lambda b: b.get("mode") == "fast", NO), ALL, {}),
    "refuses what is not ASCII": (unless(lambda b: not b["text"].isascii(), NO), ALL, {}),
    "refuses smileys": (unless(lambda b: "\U0001f600" in b["text"], (422, {"reason": "no"})), ALL, {}),
    "refuses long texts": (unless(lambda b: len(b["text"]) > 255, NO), ALL, {}),
    "refuses a lid with boxes": (unless(lambda b: "lid" in b and b.get("n", 1) > 1, NO), ALL, {}),
    "refuses a lid and long texts": (unless(lambda b: "lid" in b or len(b["text"]) > 99, NO), ALL, {}),
    "refuses all": (lambda b, _: NO, ALL, {}),
    "refuses all for the key": (lambda b, _: (401, {"reason": "no"}), ALL, {}),
    "fails always": (lambda b, _: (500, {"reason": "no"}), ALL, {}),
    "fails for slow": (unless(lambda b: b.get("mode") == "slow", (500, b"oops")), ALL, {}),
    "breaks for slow": (unless(lambda b: b.get("mode") == "slow", None), ALL, {}),
    "never answers": (lambda b, _: None, ALL, {}),
    "fails for what is open": (unless(lambda b: "odd" in b or not b["text"], (503, b"")), ALL, {}),
    "fails once": (numbered(lambda n: n == 7, (500, {"reason": "no"})), ALL, {}),
    "refuses once": (numbered(lambda n: n == 7, NO), ALL, {}),
    "wrong once": (numbered(lambda n: n == 7, (200, {"id": 5, "boxes": [{}] * 3})), ALL, {}),
    "wrong twice": (numbered(lambda n: n in (7, 9), (200, {"id": 5, "boxes": [{}] * 3})), ALL, {}),
    "the first is wrong": (numbered(lambda n: n == 6, (200, {"id": 5, "boxes": []})), ALL, {}),
    "wrong from the fourth on": (
        lambda b, n: wrong_id(b) if n > 8 and right(b, n) != NO else right(b, n), ALL, {},
    ),
    "takes anything": (taking(lambda b: True), ALL, {}),
    "takes no boxes": (taking(lambda b: b.get("n") == 0), ALL, {}),
    "takes any few": (
        taking(lambda b: b.get("n", 1) in (0, -1, -5)),
        (*ALL, refused("fewer than none", n=-1), refused("far fewer", n=-5)),
        {},
    ),
    "takes too many and too few": (taking(lambda b: b.get("n") in (0, 11)), ALL, {}),
    "refuses without a reason": (saying(lambda b: (400, {})), ALL, {}),
    "refuses one without a reason": (saying(lambda b: (400, {}) if b.get("n") == 0 else NO), ALL, {}),
    "refuses two without a reason": (saying(lambda b: (400, {}) if "n" in b else NO), ALL, {}),
    "refuses most without a reason": (saying(lambda b: NO if "lid" in b else (400, {})), ALL, {}),
    "refuses most without a reason, by status": (saying(lambda b: NO if "lid" in b else (422, {})), ALL, {}),
    "refuses most without a reason, by two": (
        saying(lambda b: NO if "lid" in b else (422 if "n" in b else 404, {})), ALL, {},
    ),
    "refuses three without a reason": (saying(lambda b: NO if "lid" in b or "mode" in b else (400, {})), ALL, {}),
    "refuses three without a reason, by status": (
        saying(lambda b: NO if "lid" in b or "mode" in b else (422, {})), ALL, {},
    ),
    "takes one, refuses the others without a reason": (
        saying(lambda b: boxes({}) if b.get("n") == 0 else (400, {})), ALL, {},
    ),
    "fails instead of refusing": (saying(lambda b: (500, {"reason": "no"})), ALL, {}),
    "leaks its key": (lambda b, n: (400, {"reason": "sk-of-the-run"}) if right(b, n) == NO else boxes(b), ALL, {}),
    "refuses a sorted body in chunks": (numbered(lambda n: n in (14, 15), NO), (*ALL, SORTED), {}),
    "wrong once, for four": (
        numbered(lambda n: n == 2, (200, {"id": 5, "boxes": []})), (VALID[0], valid("four boxes", n=4), VALID[5]), {},
    ),
    "assumes a mode": (
        unless(lambda b: b.get("mode") == "fast", NO),
        (*VALID[:3], replace(VALID[4], assumes=("/mode",)), replace(VALID[3], assumes=("/mode",))),
        {},
    ),
    "assumes a mode, and nothing else": (
        unless(lambda b: b.get("mode") == "fast", NO),
        (*VALID[:3], replace(valid("fast", mode="fast"), assumes=("/mode",))),
        {},
    ),
    "refuses now and then": (numbered(lambda n: n in (11, 12), NO), ALL, {}),
    "refuses slow without a reason": (unless(lambda b: b.get("mode") == "slow", (400, {})), ALL, {}),
    "fails for slow, and refuses without a reason": (
        lambda b, n: (400, {}) if right(b, n) == NO else (500, b"") if b.get("mode") == "slow" else boxes(b), ALL, {},
    ),
    "wrong once, and short for fast": (
        lambda b, n: wrong_id(b) if n == 7 else short(b) if b.get("mode") == "fast" else right(b, n), ALL, {},
    ),
    "too few when many, among others": (
        unless(lambda b: b.get("n", 1) > 3, short),
        (VALID[0], valid("much", n=5, lid=True, text=LONG, mode="fast"), VALID[5]),
        {},
    ),
    "open halves that both fail": (
        unless(lambda b: "odd" in b or not b["text"], (500, b"")),
        (*VALID[:2], replace(valid("both", "open", text="", odd=1), halves=OPEN)),
        {},
    ),
    "open halves": (
        unless(lambda b: "odd" in b, (500, b"")),
        (*VALID[:2], replace(valid("both", "open", text="", odd=1), halves=OPEN)),
        {},
    ),
}  # fmt: skip


def told(case: str) -> dict[str, Any]:
    """The report of a case: what it found and what was sent for it."""
    server, probes, options = CASES[case]
    room = {name: options[name] for name in ("max_requests", "max_units") if name in options}
    examination = Examination(judge(), Scripted(server, "sk-of-the-run"), Budget(**{"max_requests": 60, **room}))
    examination.plain = VALID[0]
    diagnosis = Diagnosis(examination, {PLAIN.basis: PLAIN})
    late = tuple(replace(probe, rank=rank) for probe, rank in zip(OPEN, (VARIATION - 1, VARIATION), strict=True))
    plan = Plan((), probes, (), (*REFUSED[:1], *late), {PLAIN.basis: PLAIN})
    stopped = ""
    try:
        for probe in probes[: 3 if "stopped" in options else None]:
            examination.send(probe)
        diagnosis.take_apart()
    except Inconclusive as error:
        stopped = str(error)
    found = findings(examination, diagnosis, plan, "BOX_KEY")
    whole = report(
        examination, found, plan, fail_on=options.get("fail_on", Severity.ERROR), seed=5, duration_s=1.5,
        stopped=stopped or options.get("stopped", ""),
    ).as_dict()  # fmt: skip
    return plainly(whole, all_rows=case.startswith("right"))


def plainly(whole: dict[str, Any], all_rows: bool) -> dict[str, Any]:
    """A report without what is empty or the same in all of them; of the requests those that went otherwise or were added."""
    for name in ("version", "command", "contract", "target", "seed", "duration_s", "contract_file", "usage"):
        if not all_rows:
            del whole[name]
    for finding in whole["findings"]:
        for name in ("fingerprint", "first_exchange", "last_exchange", "operation", "accepted"):
            del finding[name]
        if not finding["rule"].startswith("stricter."):
            del finding["source"]
    whole["findings"] = [{k: v for k, v in finding.items() if v or v is None} for finding in whole["findings"]]
    suspicions = whole.pop("suspicions")
    whole["cleared"] = suspicions["cleared"]
    groups = whole.pop("cleared_groups")
    if all_rows:
        whole["cleared_groups"] = groups
    whole["open"] = [
        f"{one['name']}: {one['reason']} ({one['requests']}, {one['images']})" for one in suspicions["open"]
    ]
    rows = [row for row in whole["trials"] if all_rows or row["outcome"] != row["expected"] or not row["clears"]]
    whole["trials"] = [" ".join(str(row[name]) for name in TOLD) for row in rows]
    kept = {name: value for name, value in whole.items() if value or name in ("accepted", "findings")}
    return json.loads(json.dumps(kept, ensure_ascii=False).replace(f"{HERE}/", ""))  # type: ignore[no-any-return]


if __name__ == "__main__":
    today = {case: told(case) for case in CASES}
    GOLDEN.write_text(json.dumps(today, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
