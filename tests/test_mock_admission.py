"""The quick yes and the judge agree, and so do the two JSON readers."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver import media, openapi
from mockserver.media import MISSING
from mockserver.messages import Request
from mockserver.plain import read_plain
from mockserver.validation import Judge
from tests.test_mock_refusals import BODIES, SERVED

JUDGE = Judge(openapi.load())
GARDEN = Judge(openapi.load(str(Path(__file__).parent / "invented")))

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text()
    | st.sampled_from([":", "\\u003a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
TEXTS = st.one_of(
    VALUES.map(json.dumps),
    VALUES.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1)),
    st.lists(st.tuples(st.sampled_from(["a", "b", "\\u0061", ":"]), VALUES.map(json.dumps)), max_size=4).map(
        lambda pairs: "{" + ",".join(f'"{key}": {value}' for key, value in pairs) + "}"
    ),
    st.text(alphabet='{}[]":,\\u0a1.-eE ntf', max_size=25),
)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_the_quick_reader_reads_only_what_the_strict_one_reads_alike(text: str) -> None:
    body = text.encode("utf-8", "surrogatepass")
    quick, strict = read_plain(body), media.read_json(body)
    if quick is not MISSING:
        assert strict.problems == ()
        assert repr(quick) == repr(strict.value)


def test_the_quick_reader_reads_ordinary_requests() -> None:
    for text in ('{"a": "b: c", "n": 1}', '{"a": {"b": [1, null, true, {"c": ":"}]}}', '{"a": "\\u4e00"}', "[]", '"x"'):
        assert read_plain(text.encode()) == json.loads(text)
    for body in BODIES.values():
        reading = media.read_json(body)
        assert read_plain(body) is MISSING or not reading.problems


def test_keywords_that_hold_for_any_value_are_left_to_the_judge(tmp_path: Path) -> None:
    schemas = {
        "Sum": {"x-sum": {"total": "/all", "of": ["/one", "/two"]}},
        "Places": {"x-positions": {"member": "/at"}},
        "File": {"x-file": ["image/png"]},
    }
    values = {"Sum": {"all": 5, "one": 1, "two": 1}, "Places": [{"at": 1}], "File": "a text"}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    explainer = Judge(openapi.load(str(path))).explainer
    for name, value in values.items():
        place = f"/components/schemas/{name}"
        assert not explainer.validator(place).is_valid(value)
        assert not explainer.fits(place, value)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Accept", "Content-Type", "content-type", "Authorization", "AUTHORIZATION", "X-Gate-Pass", "Ünicode"]),
        st.sampled_from([
            *("application/json", "Application/JSON; charset=utf-8", "text/plain", "*/*", "", " ", "\xa0"),
            *("Bearer x", "bearer  y", "Bearer", "Bearer \u4e2d", "Bearer a b", "Basic YTpi", " Bearer z ", "Bearer \xe9"),
        ]),
    ),
    max_size=5,
)  # fmt: skip
GOOD = [("Accept", "*/*"), ("Content-Type", "application/json"), ("Authorization", "Bearer x")]
SOME = [b'{"prompt": "a", "n": 1, "size": "auto"}', b'{"prompt": "a", "n": 1}', b"", *SERVED.values(), *BODIES.values()]


@given(HEADERS | st.just(GOOD), st.sampled_from([body for body in SOME if len(body) < 10_000]))
@settings(max_examples=400, deadline=None)
def test_the_quick_yes_is_the_judge_s_yes(headers: list[tuple[str, str]], body: bytes) -> None:
    for judge, path in ((JUDGE, "/v1/images/generations"), (GARDEN, "/beds")):
        request = Request("POST", path, "", tuple(headers), body)
        quick, strict = judge.request(request), judge.strictly(request)
        assert repr(quick.body) == repr(strict.body)
        assert (quick.match, quick.violations) == (strict.match, strict.violations)


def test_the_quick_yes_is_given() -> None:
    operation = JUDGE.contract.operations[0]
    admit = JUDGE.admission(operation)
    assert admit is not None
    names, values = tuple(name.lower().encode() for name, _ in GOOD), tuple(value.encode() for _, value in GOOD)
    assert admit(names, values, b'{"prompt": "a: b", "n": 1, "size": "auto"}') == {
        "prompt": "a: b",
        "n": 1,
        "size": "auto",
    }
    assert repr(admit(names, values, b'{"prompt": "a", "n": 0, "size": "auto"}')) == "UNDECIDED"
