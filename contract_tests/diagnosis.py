"""From trials to findings: what belongs together, and under which condition it happens.

A surprise is taken apart one change at a time from the plain request, as far as the budget allows; what earlier trials
already exonerate is not bought again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from contract_tests.checks import Outcome
from contract_tests.conditions import ALWAYS, Condition, explain
from contract_tests.examination import Examination, Trial
from contract_tests.features import Change, Feature, absent, changes, features, samples, without
from contract_tests.likeness import likeness
from contract_tests.places import places
from contract_tests.probes import Probe
from contract_tests.recipes import Recipe, body_violations, build
from mockserver.findings import Severity, Source
from mockserver.pointers import find

_STEPS = 8
"""Requests at most that are spent on taking one surprise apart."""

_CHEAP = 2
"""Units up to which an explanation is tried directly."""

Shows = Callable[[Trial], bool]


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for which valid requests fail: the trials, the plainest first, and the statement that is broken."""

    trials: tuple[Trial, ...]
    condition: Condition
    pointer: str
    source: Source
    place: str


class Diagnosis:
    """Takes the surprises of an examination apart and says what they have in common."""

    def __init__(self, examination: Examination, bases: dict[str, Recipe]) -> None:
        self._run, self._bases = examination, bases

    def facts(self, trial: Trial) -> frozenset[Feature]:
        """What is said about a trial's request."""
        recipe = trial.probe.recipe
        return features(recipe) | absent(recipe, self._bases[recipe.basis])

    # --------------------------------------------------------------------------------- taking apart

    def take_apart(self) -> None:
        """Spend what the budget allows on finding the conditions of what was seen so far."""
        if likeness(self._run) is not None:
            return  # one cause explains it all
        for trial in list(self._refused_although_valid()):
            self._isolate(trial, lambda other: other.outcome is not Outcome.ACCEPTED)
        for fingerprint in self._conditional():
            shows = _showing(fingerprint)
            with_it = [trial for trial in self._run.accepted if shows(trial)]
            if len(with_it) == 1 and not self._again(with_it[0], shows):
                continue
            self._isolate(with_it[0], shows)

    def _refused_although_valid(self) -> list[Trial]:
        return [
            trial
            for trial in self._run.trials
            if trial.probe.expect == "accepted"
            and trial.outcome in (Outcome.REFUSED, Outcome.FAILED, Outcome.SILENT, Outcome.ODD)
            and not any(violation.rule.startswith("unstable.") for violation in trial.violations)
        ]

    def _conditional(self) -> list[str]:
        """Fingerprints that some accepted requests show and others do not."""
        accepted = [trial for trial in self._run.accepted if trial.probe.expect != "refused"]
        found = Counter(
            violation.fingerprint for trial in accepted for violation in self._run.worst(trial, Severity.WARNING)
        )
        return [fingerprint for fingerprint, count in found.items() if count < len(accepted)]

    def _again(self, trial: Trial, shows: Shows) -> bool:
        """Whether a surprise that was seen once comes again with the same request; true when that is not affordable."""
        probe = replace(trial.probe, name=f"again: {trial.probe.name}", clears=(), repeats=trial.probe.id)
        bought = next((t for t in self._run.trials if t.probe.id == probe.id), None)
        if bought is not None:  # for another surprise of the same request
            return shows(bought)
        if probe.units > 3 or not self._run.budget.affords(probe.recipe):
            return True
        again = self._run.send(probe)
        return again is None or shows(again)

    def _isolate(self, trial: Trial, shows: Shows) -> None:
        """Try the changes of a trial one at a time until one explanation is left, then the facts of that change."""
        base = self._bases[trial.probe.recipe.basis]
        waiting = sorted(changes(trial.probe.recipe, base), key=lambda change: change.make(base).units)
        tried: set[str] = set()
        for _ in range(_STEPS):
            condition = self._explained(trial, shows)
            if condition.certain or condition is ALWAYS:
                self._counter(trial, shows, condition, base)
                return
            suspects = (*condition.facts, *condition.rivals)
            places = {fact.pointer for fact in suspects}
            open_changes = [change for change in waiting if change.pointer in places]
            if len(places) > 1 or not any(fact.sample for fact in suspects):
                options = open_changes
            else:
                options = samples(suspects)
            change = next((option for option in options if option.text not in tried), None)
            if change is None:
                return
            tried.add(change.text)
            result = self._try(change, base)
            if result is not None and shows(result):
                trial = result  # it shows the same with less
                waiting = [other for other in waiting if other.pointer == change.pointer]

    def _counter(self, trial: Trial, shows: Shows, condition: Condition, base: Recipe) -> None:
        """Put an explanation that is only left over to the test: alone where that is cheap, else everything but it."""
        made = changes(trial.probe.recipe, base)
        if len(condition.facts) != 1 or len(made) < 2:
            return
        fact = condition.facts[0]
        alone = [t for t in self._run.trials if shows(t) and fact in self.facts(t)]
        if any(len(changes(t.probe.recipe, base)) == 1 for t in alone):
            return
        rest = without(trial.probe.recipe, base, fact.pointer)
        own = next((change for change in made if change.pointer == fact.pointer), None)
        single = next(iter(samples([fact])), own)
        if single is not None and single.make(base).units <= _CHEAP:
            self._try(single, base)
        elif fact.pointer and rest.units < trial.probe.recipe.units:
            self._try(Change(f"all but {fact.pointer.lstrip('/')}", "", lambda _: rest), base)

    def _try(self, change: Change, base: Recipe) -> Trial | None:
        recipe = change.make(base)
        if body_violations(self._run.judge, recipe):
            return None
        known = (trial for trial in reversed(self._run.trials) if trial.probe.recipe == recipe)
        request = build(recipe, self._run.target.key)  # 1 and 1.0 are equal, and written otherwise
        if bought := next((trial for trial in known if trial.exchange.request == request), None):
            return bought
        probe = Probe(f"accepts {change.text} alone", recipe, "accepted", (), 99)
        return self._run.send(probe, confirm=False) if self._run.budget.affords(recipe, reserve_units=1) else None

    # ------------------------------------------------------------------------------------ explaining

    def _explained(self, trial: Trial, shows: Shows) -> Condition:
        """The condition of one trial's surprise, by everything known."""
        valid = [t for t in self._run.trials if t.probe.expect == "accepted"]
        without = [self.facts(t) for t in valid if t.outcome is Outcome.ACCEPTED and not shows(t)]
        return self._measured(explain([self.facts(trial)], without), shows)

    def condition(self, fingerprint: str) -> Condition:
        """The condition of a finding among accepted requests."""
        shows = _showing(fingerprint)
        accepted = [trial for trial in self._run.accepted if trial.probe.expect != "refused"]
        with_it = [trial for trial in accepted if shows(trial)]
        without = [trial for trial in accepted if not shows(trial)]
        if not with_it or not without:
            return ALWAYS
        order = [shows(trial) for trial in accepted]
        whole = explain([self.facts(t) for t in with_it], [self.facts(t) for t in without], order)
        if whole.facts or len(with_it) == 1:
            return self._measured(whole, shows)
        causes = {self._explained(trial, shows) for trial in with_it}
        if all(cause.facts for cause in causes) and len(causes) <= 3:
            texts = sorted(cause.text.removeprefix("only ") for cause in causes)
            return Condition("only " + ", or ".join(texts), tuple(f for c in causes for f in c.facts))
        return whole

    def _measured(self, condition: Condition, shows: Shows) -> Condition:
        """A threshold with the values between which it lies, so that nothing is claimed of what was not tried."""
        if len(condition.facts) != 1 or not condition.certain or " is above " not in condition.text:
            return condition
        pointer = condition.facts[0].pointer
        values = [
            (find(t.probe.recipe.body, pointer), shows(t)) for t in self._run.trials if t.probe.expect == "accepted"
        ]
        fine = [value for value, shown in values if not shown and isinstance(value, int)]
        bad = [value for value, shown in values if shown and isinstance(value, int)]
        if not fine or not bad or max(fine) >= min(bad):
            return condition
        between = " and nothing between was tried" if min(bad) - max(fine) > 1 else ""
        return replace(condition, text=f"{condition.text} ({max(fine)} is fine, {min(bad)} is not{between})")

    def refusals(self) -> list[Cause]:
        """The causes for which valid requests were refused or failed."""
        refused = self._refused_although_valid()
        accepted = any(t.outcome is Outcome.ACCEPTED and t.probe.expect == "accepted" for t in self._run.trials)
        if not refused or self._run.key_refused:
            return []
        if not accepted:
            pointer = refused[0].probe.recipe.operation.pointer
            contract = self._run.judge.contract
            source, place = contract.source(pointer), contract.document.place(pointer)
            return [Cause(tuple(refused), ALWAYS, "/body", source, place)]
        causes: list[Cause] = []
        for trial in sorted(refused, key=self._width):
            condition = self._explained(trial, lambda other: other.outcome is not Outcome.ACCEPTED)
            facts = self.facts(trial)
            known = next((c for c in causes if c.condition == condition or facts & set(c.condition.facts)), None)
            if known is not None:
                causes[causes.index(known)] = replace(known, trials=(*known.trials, trial))
                continue
            pointer = condition.facts[0].pointer if condition.facts else ""
            source, place = self._statement(trial, pointer)
            same = [cause for cause in causes if self._covers(condition, cause)]
            trials = (*(t for cause in same for t in cause.trials), trial)
            causes = [cause for cause in causes if cause not in same]
            causes.append(Cause(trials, condition, f"/body{pointer}", source, place))
        return causes

    def _covers(self, condition: Condition, cause: Cause) -> bool:
        """Whether a condition explains another cause as well: what is above 2 may have been put down to being 3 before."""
        facts = set(condition.facts) if condition.certain else set()
        return bool(facts) and all(facts <= self.facts(trial) for trial in cause.trials)

    def _width(self, trial: Trial) -> tuple[int, int]:
        """How much a trial carries: the fewer changes and facts, the more it tells."""
        return len(changes(trial.probe.recipe, self._base(trial))), len(self.facts(trial))

    def _base(self, trial: Trial) -> Recipe:
        return self._bases[trial.probe.recipe.basis]

    def _statement(self, trial: Trial, pointer: str) -> tuple[Source, str]:
        """The source and place of the statement about a place in the body."""
        operation = trial.probe.recipe.operation
        contract = self._run.judge.contract
        media = trial.probe.recipe.media
        if media and media.schema and pointer:
            body = trial.probe.recipe.body
            for place in places(contract.document.data, media.schema, body):
                if place.pointer != pointer:
                    continue
                sourced = [node for node in place.nodes if isinstance(node.get("x-source"), dict)]
                telling = [node for node in sourced if find(body, pointer) in node.get("enum", ())]
                for node in [*telling, *sourced][:1]:
                    convention = str(node.get("x-convention") or "")
                    made = contract.source_from(node["x-source"], convention, media.schema)
                    return made, f"{operation.id}{pointer}"
        return contract.source(operation.pointer), f"{operation.id}{pointer}"


def _showing(fingerprint: str) -> Shows:
    return lambda trial: any(violation.fingerprint == fingerprint for violation in trial.violations)
