"""The keywords about pictures, files, sizes and choices of a request, and clocks that stand still: each alone, in its words."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from mockserver import openapi
from mockserver.meaning import CURRENT, PICTURES_AT_MOST, STANDING_ANSWERS, Context, MeaningValidator, Session
from mockserver.parts import Part
from mockserver.validation import Judge
from tests.judge.test_meaning import NOW, POSITIONS, SUM, TIME, told

IMAGE = {"x-image": {"as": "base64", "size": {"request": "/size"}, "prompt": {"request": "/prompt"}}}
PAIR = {"properties": {"a": IMAGE, "b": IMAGE}}


def png(colour: int, size: tuple[int, int] = (3, 2)) -> str:
    """Base64 of a small picture, a new text each time."""
    stream = io.BytesIO()
    Image.new("L", size, colour).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def errors(schema: Any, value: Any, request: Any = None) -> list[Any]:
    token = CURRENT.set(Context("x1", request, "d", NOW, NOW + 1, Session()))
    try:
        return list(MeaningValidator(schema).iter_errors(value))
    finally:
        CURRENT.reset(token)


# ------------------------------------------------------------------------------------------------- pictures


def test_a_picture_is_held_against_its_request() -> None:
    assert errors(IMAGE, png(1), {"size": "3x2"}) == []
    (found,) = errors(IMAGE, png(1), {"size": "4x4"})
    assert (found.validator, found.message) == ("x-image-size", "4x4 was asked for, a picture of 3x2 pixels came")
    assert errors(IMAGE, 5, {"size": "4x4"}) == []
    assert list(MeaningValidator(IMAGE).iter_errors("no picture")) == [], "without an exchange"


def test_two_pictures_of_one_answer_differ() -> None:
    assert errors(PAIR, {"a": png(1), "b": png(2)}) == []
    (found,) = errors(PAIR, {"a": png(1), "b": png(1)})
    assert (found.validator, list(found.absolute_path)) == ("x-image-same", ["b"])
    assert found.message == "another picture of this answer is the same, pixel by pixel"
    same = png(1)
    assert errors({"allOf": [{"properties": {"a": IMAGE}}, PAIR]}, {"a": same}) == [], "one place, asked about twice"


def test_drafts_are_not_compared() -> None:
    draft = {"x-image": {**IMAGE["x-image"], "draft": True}}
    assert errors({"properties": {"a": draft, "b": IMAGE}}, {"a": png(1), "b": png(1)}) == []


def test_a_picture_that_came_for_another_text() -> None:
    session, validator = Session(), MeaningValidator(IMAGE)
    assert told(validator, png(1), {"prompt": "a"}, session=session) == []
    assert told(validator, png(1), {"prompt": "a"}, exchange="x2", session=session) == []
    assert told(validator, png(2), {"prompt": "b"}, exchange="x2", session=session) == []
    assert told(validator, png(1), {"prompt": "b"}, exchange="x3", session=session) == [
        "the same picture, pixel by pixel, came in exchange x1 for another text: \"'a'\""
    ]


def test_so_many_pictures_are_looked_at() -> None:
    schema = {"items": IMAGE}
    answer = [png(number) for number in range(PICTURES_AT_MOST)]
    assert errors(schema, answer) == []
    assert [list(error.absolute_path) for error in errors(schema, ["-", *answer[1:], "?"])] == [[0]]
    assert len(errors(schema, [*answer[1:], "?"])) == 1


# ------------------------------------------------------------------------------- files, sizes, choices, numbers


def part(content: bytes, kind: str) -> Part:
    return Part.of(content, "f", kind)


PNG = base64.b64decode(png(1))


@pytest.mark.parametrize(
    ("value", "message", "instance"),
    [
        (part(PNG, "image/png"), None, None),
        (part(b"?", "image/png"), None, None),
        (part(PNG, "image/webp"), "its media type is image/webp", "image/webp"),
        (part(PNG, ""), "its media type is not said", ""),
        (part(PNG, "image/jpeg"), "its media type is image/jpeg, its bytes are image/png", "image/png"),
    ],
)
def test_files(value: Part, message: str | None, instance: str | None) -> None:
    found = errors({"x-file": ["image/png", "image/jpeg"]}, value)
    assert [(error.message, error.instance) for error in found] == ([(message, instance)] if message else [])


def test_a_text_is_no_file() -> None:
    (found,) = errors({"x-file": ["image/png"]}, "text")
    assert (found.message, found.validator, found.validator_value) == ("a text, no file", "type", "file")
    assert errors({"x-file": ["image/png"]}, 5) == []


def test_dimensions() -> None:
    schema = {"x-dimensions": {"multipleOf": 16}}
    assert told(schema, "1024x1040") == told(schema, 5) == []
    assert len(told(schema, "1024x1000")) == 1
    assert len(list(MeaningValidator(schema).iter_errors("1024x1000"))) == 1, "also outside an exchange"


GIVEN = {
    "x-given": [
        {"request": {"required": ["never"]}, "then": {"const": 0}},
        {"request": {"properties": {"n": {"const": 1}}}, "then": {"const": 1}},
    ]
}


def test_what_holds_for_some_requests() -> None:
    assert errors(GIVEN, 1, {"n": 1}) == errors(GIVEN, 5, {"n": 2}) == []
    (found,) = errors(GIVEN, 5, {"n": 1})
    assert (found.message, list(found.absolute_schema_path)) == ("1 was expected", ["x-given", 1, "then", "const"])
    assert list(MeaningValidator(GIVEN).iter_errors(5)) == [], "without an exchange"


def test_numbers_without_bounds() -> None:
    huge = 10**400
    (found,) = told(SUM, {"t": 1, "a": huge, "b": 0.5})
    assert found.endswith("= more than can be told")
    (found,) = told(TIME, huge)
    assert found.startswith("1000")
    assert found.endswith("... is no time at all")


def test_words_are_quoted_as_they_are() -> None:
    assert told(POSITIONS, [{"at": 0}, {"at": "é"}, {"at": 1}]) == [
        'the positions run [0, "é", 1] where [0, 1, 2] is expected'
    ]


# --------------------------------------------------------------------------------------------- clocks that stand


def standing(count: int, session: Session, validator: Any, value: float = NOW) -> list[str]:
    """What is told of the last of so many answers with one time, each begun two seconds after the first ended."""
    found: list[str] = []
    for number in range(1, count + 1):
        at = NOW if number == 1 else NOW + 3
        found = told(validator, value, exchange=f"x{number}", session=session, at=at)
    return found


def test_a_time_that_stands_is_told_after_some_answers() -> None:
    validator = MeaningValidator(TIME)
    assert standing(STANDING_ANSWERS, Session(), validator) == []
    (found,) = standing(STANDING_ANSWERS + 1, Session(), validator)
    assert found.endswith("stood in exchange x1 already, 2.0 s before this one began")


def test_a_time_that_moved_once_does_not_stand() -> None:
    session, validator = Session(), MeaningValidator(TIME)
    standing(STANDING_ANSWERS, session, validator)
    assert told(validator, NOW + 1, exchange="y1", session=session, at=NOW + 4) == []
    for number in range(2, 12):
        assert told(validator, NOW + 1, exchange=f"y{number}", session=session, at=NOW + 7) == []
    assert session.until_still(NOW + 4) == 0.0


def test_how_long_to_wait_for_a_clock() -> None:
    session, validator = Session(), MeaningValidator(TIME)
    assert session.until_still(NOW) == 0.0
    standing(STANDING_ANSWERS - 1, session, validator)
    assert session.until_still(NOW + 1.5) == 0.0
    session = Session()
    standing(STANDING_ANSWERS, session, validator)
    assert session.until_still(NOW + 1.5) == pytest.approx(0.65)


def test_each_place_has_a_clock_of_its_own() -> None:
    schema = {"properties": {"a": dict(TIME), "b": dict(TIME)}}
    session, validator = Session(), MeaningValidator(schema)
    assert told(validator, {"a": NOW + 50, "b": NOW}, session=session) == []
    assert told(validator, {"a": NOW + 60, "b": NOW + 9}, exchange="x2", session=session, at=NOW + 10) == []


DEEP = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/a": {
            "post": {
                "operationId": "op",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}},
                "responses": {"200": {"description": "ok"}},
            }
        }
    },
    "components": {
        "schemas": {
            "Tree": {
                "properties": {
                    "a": {"$ref": "#/components/schemas/Tree"},
                    "n": {"multipleOf": 0.5},
                    "t": {"x-file": ["a/b"]},
                    "l": {"x-length": {"request": "/n"}},
                }
            }
        }
    },
}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    file = tmp_path_factory.mktemp("deep") / "openapi.json"
    file.write_text(json.dumps(DEEP))
    return Judge(openapi.load(str(file)))


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "rule", "message"),
    [
        (nested(5000), "json.depth", "the value is nested too deeply to be held against its schema"),
        ({"l": [1]}, "json.number", "a number is too large to be held against its schema"),
    ],
)
def test_what_no_schema_can_be_asked_about(judge: Judge, value: Any, rule: str, message: str) -> None:
    operation = judge.contract.operation("op")
    assert operation
    token = CURRENT.set(Context("x1", {"n": 10**400}, "d", NOW, NOW + 1, Session()))
    try:
        (found,) = judge.body_violations(operation, value)
    finally:
        CURRENT.reset(token)
    assert (found.rule, found.message, found.side, found.operation) == (rule, message, "request", "op")
    assert found.place.endswith("/requestBody/content/application~1json/schema")


@pytest.mark.parametrize(
    ("value", "fits"), [({"n": 1.5}, True), ({"n": 1.2}, False), ({"t": "text"}, False), (5, True)]
)
def test_what_fits(judge: Judge, value: Any, fits: bool) -> None:
    assert judge.explainer.fits("/components/schemas/Tree", value) is fits
