"""What schemas cannot say, as JSON Schema keywords: an answer's relation to its request, to time and to earlier answers.

Each keyword is one small function in the style of ``jsonschema``: it yields errors, so that place, severity and source
are found the same way as for any other keyword.  ``schemas/contract.schema.json`` documents them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from mockserver import viewing
from mockserver.dialect import Dialect
from mockserver.dimensions import wrong
from mockserver.media import MISSING
from mockserver.messages import Exchange
from mockserver.parts import Part
from mockserver.pictures import prompt_of
from mockserver.pointers import find

CLOCK_TOLERANCE_S = 900.0
"""Seconds by which a server's clock may differ from ours before a time counts as wrong."""

CLOCK_JITTER_S = 2.0
"""Seconds by which a later answer's time may lie before an earlier one's: several servers, rounded seconds."""
CLOCK_STILL_S = 5.0
"""Seconds between two answers after which the same time in both is no rounding any more."""

STANDING_S = 1.1
"""The same when every one of several answers has that time: whole seconds have passed by then on any single clock."""

STANDING_ANSWERS = 5
"""Answers that are several."""


@dataclass(slots=True)
class Clock:
    """What the times of a session's answers told: the highest, the exchange that had it first and when that had ended.

    ``answers`` counts those that all had the same time; 0 once they had not.
    """

    exchange: str
    value: float
    finished: float
    answers: int = 1


PICTURES_AT_MOST = 64
"""Pictures of one answer that are looked at: decoding one may take half a second, and an answer has room for thousands."""

Viewed = tuple[viewing.Seen | None, tuple[viewing.Fault, ...]]


@dataclass(slots=True)
class Session:
    """What earlier answers of one session had: values that must be fresh, and values that equal requests must share.

    ``follow`` brings the file at an address; None where addresses are not followed.
    """

    unique: dict[tuple[int, str], str] = field(default_factory=dict)
    stable: dict[tuple[int, str], tuple[str, Any]] = field(default_factory=dict)
    clocks: dict[int, Clock] = field(default_factory=dict)
    pictures: dict[str, tuple[str, str]] = field(default_factory=dict)
    follow: viewing.Follow | None = None

    def until_still(self, moment: float) -> float:
        """Seconds to wait so that the next answer tells a time that stands still; 0.0 where nothing looks like one."""
        suspects = [clock for clock in self.clocks.values() if clock.answers >= STANDING_ANSWERS]
        return max((STANDING_S + 0.05 - (moment - clock.finished) for clock in suspects), default=0.0)


@dataclass(frozen=True, slots=True)
class Context:
    """The exchange whose answer is being judged: its id, the request's body, its digest, and when it ran (Unix s).

    ``viewed`` are the pictures of the answer in their order, by the identities of string and schema: decoding is dear, and
    several branches of a schema may ask about the same string.
    """

    exchange: str
    request: Any
    digest: str
    started: float
    finished: float
    session: Session
    viewed: dict[tuple[int, int], Viewed] = field(default_factory=dict)


CURRENT: ContextVar[Context | None] = ContextVar("exchange under judgement", default=None)


def digest_of(method: str, target: str, body: bytes) -> str:
    """A short name for a request that is the same for equal requests."""
    return hashlib.sha256(f"{method} {target}\0".encode() + body).hexdigest()[:16]


@contextmanager
def judging(exchange: Exchange, request_body: Any, session: Session) -> Iterator[None]:
    """Within it the keywords refer to this exchange; a body that could not be read (MISSING) counts as null."""
    request = exchange.request
    digest = digest_of(request.method, request.target, request.body)
    finished = exchange.started + exchange.duration
    body = None if request_body is MISSING else request_body
    token = CURRENT.set(Context(exchange.id, body, digest, exchange.started, finished, session))
    try:
        yield
    finally:
        CURRENT.reset(token)


Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


def _length(_: Any, rule: Mapping[str, Any], instance: Any, __: Any) -> Iterator[ValidationError]:
    context = CURRENT.get()
    if context is None or not isinstance(instance, list):
        return
    asked = find(context.request, rule["request"])
    wanted = rule.get("default") if asked is None else asked
    if isinstance(wanted, int | float) and not isinstance(wanted, bool) and len(instance) != wanted:
        yield ValidationError(f"{rule['request'].lstrip('/')} asked for {wanted:g}, the list has {len(instance)}")


def _positions(_: Any, rule: Mapping[str, Any], instance: Any, __: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, list):
        return
    found = [find(item, rule["member"]) for item in instance]
    expected = list(range(len(found)))
    present = [(place, value) for place, value in zip(expected, found, strict=True) if _is_number(value)]
    if any(place != value for place, value in present):
        yield ValidationError(f"the positions run {_short(found)} where {_short(expected)} is expected")


def _sum(_: Any, rule: Mapping[str, Any], instance: Any, __: Any) -> Iterator[ValidationError]:
    total = find(instance, rule["total"])
    parts = [find(instance, pointer) for pointer in rule["of"]]
    if not (_is_number(total) and all(map(_is_number, parts))):
        return
    try:
        added = sum(parts)
        adds_up, told = total == added, str(added)
    except (OverflowError, ValueError):  # JSON's numbers have no bounds, Python's fractions and texts of numbers have
        adds_up, told = False, "more than can be told"
    if not adds_up:
        terms = " + ".join(_short(part) for part in parts)
        yield ValidationError(f"the total is {_short(total)}, its parts are {terms} = {told}")


def _equals(_: Any, rule: Mapping[str, Any], instance: Any, __: Any) -> Iterator[ValidationError]:
    context = CURRENT.get()
    if context is None:
        return
    wanted = find(context.request, rule["request"])
    if wanted is not None and wanted not in rule.get("unless", ()) and wanted != instance:
        yield ValidationError(f"the request says {wanted!r}, the answer {instance!r}")


def _time(_: Any, unit: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    context = CURRENT.get()
    if context is None or not _is_number(instance) or not context.started:
        return
    try:
        float(instance)
    except OverflowError:  # JSON's numbers have no bounds
        yield ValidationError(f"{_short(instance)} is no time at all")
        return
    early, late = context.started - CLOCK_TOLERANCE_S, context.finished + CLOCK_TOLERANCE_S
    if early <= instance <= late:
        yield from _in_order(context, id(schema), instance)
        return
    if early <= instance / 1000 <= late:
        yield ValidationError(f"{instance} is a time in milliseconds; {unit} are expected")
    elif early <= instance / 1e6 <= late:
        yield ValidationError(f"{instance} is a time in microseconds; {unit} are expected")
    else:
        off = instance - context.finished
        side = "in the future" if off > 0 else "in the past"
        yield ValidationError(f"{instance} is {_span(abs(off))} {side}; the time of the answer is expected")


def _in_order(context: Context, rule: int, instance: float) -> Iterator[ValidationError]:
    """A plausible time must also not run backwards, nor stand still while ours went on."""
    clock = context.session.clocks.setdefault(rule, Clock(context.exchange, instance, context.finished))
    if clock.exchange == context.exchange:
        return
    clock.answers = clock.answers + 1 if clock.answers and instance == clock.value else 0
    gone = context.started - clock.finished
    if gone >= 0 and instance < clock.value - CLOCK_JITTER_S:
        yield ValidationError(f"{instance} is earlier than {clock.value:g} in the earlier exchange {clock.exchange}")
    elif instance == clock.value and gone > (STANDING_S if clock.answers > STANDING_ANSWERS else CLOCK_STILL_S):
        told = f"{instance} stood in exchange {clock.exchange} already"
        yield ValidationError(f"{told}, {gone:.1f} s before this one began")
    if instance > clock.value:
        clock.exchange, clock.value, clock.finished = context.exchange, instance, context.finished


def _unique(_: Any, scope: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    context = CURRENT.get()
    if context is None or isinstance(instance, dict | list) or instance in (None, ""):
        return
    first = context.session.unique.setdefault((id(schema), repr(instance)), context.exchange)
    if first != context.exchange:
        yield ValidationError(f"{_short(instance)} was already the value in exchange {first} of this {scope}")


def _stable(_: Any, wanted: bool, instance: Any, schema: Any) -> Iterator[ValidationError]:
    context = CURRENT.get()
    if context is None or not wanted:
        return
    first, value = context.session.stable.setdefault((id(schema), context.digest), (context.exchange, instance))
    if first != context.exchange and value != instance:
        yield ValidationError(f"{_short(instance)} here, {_short(value)} for the same request in exchange {first}")


def _given(validator: Any, rules: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    context = CURRENT.get()
    for index, rule in enumerate(rules if context is not None else ()):
        if context and validator.evolve(schema=rule["request"]).is_valid(context.request):
            for error in validator.descend(instance, rule["then"], schema_path="then"):
                error.schema_path.appendleft(index)
                yield error


def _dimensions(_: Any, rule: Mapping[str, Any], instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and (what := wrong(rule, instance)):
        yield ValidationError(what)


def _file(_: Any, kinds: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, Part):
        if isinstance(instance, str):  # nothing but a form has files, and there a text is another type of value
            yield ValidationError("a text, no file", validator="type", validator_value="file")
        return
    if instance.kind not in kinds:
        yield ValidationError(f"its media type is {instance.kind or 'not said'}", instance=instance.kind)
    elif instance.seems and instance.seems != instance.kind:
        what = f"its media type is {instance.kind}, its bytes are {instance.seems}"
        yield ValidationError(what, instance=instance.seems)


def _image(_: Any, rule: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[ValidationError]:
    context = CURRENT.get()
    if context is None or not isinstance(instance, str):
        return
    place = (id(instance), id(schema))
    if place not in context.viewed:
        if len(context.viewed) >= PICTURES_AT_MOST:
            return
        shown, faults = viewing.faults(rule, context.request, instance, context.session.follow)
        # a draft may well be what the finished picture is, and is not compared
        context.viewed[place] = (None if rule.get("draft") else shown, faults)
    shown, faults = context.viewed[place]
    for fault in faults:
        yield ValidationError(fault.message, validator=f"x-{fault.rule}")
    if shown is None or not shown.digest:
        return
    others = [name for name, (other, _) in context.viewed.items() if other and other.digest == shown.digest]
    if others[0][0] != place[0]:
        yield ValidationError("another picture of this answer is the same, pixel by pixel", validator="x-image-same")
    prompt = repr(prompt_of(rule, context.request))
    first, shows = context.session.pictures.setdefault(shown.digest, (context.exchange, prompt))
    if shows != prompt:
        what = f"the same picture, pixel by pixel, came in exchange {first} for another text: {_short(shows)}"
        yield ValidationError(what, validator="x-image-repeated")


KEYWORDS: dict[str, Keyword] = {
    "x-length": _length,
    "x-positions": _positions,
    "x-sum": _sum,
    "x-equals": _equals,
    "x-time": _time,
    "x-unique": _unique,
    "x-stable": _stable,
    "x-dimensions": _dimensions,
    "x-file": _file,
}
"""Keyword -> function; what each says is documented in ``schemas/contract.schema.json``."""

_extend: Any = extend
MeaningValidator: Any = _extend(Dialect, {**KEYWORDS, "x-given": _given, "x-image": _image})
"""The dialect plus our keywords; they are silent where :data:`CURRENT` holds no exchange."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _span(seconds: float) -> str:
    for size, unit in ((365 * 86400, "years"), (86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
