"""Forms case by case: which value they become, and what is said of those that are none."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver import forms, parts
from mockserver.media import MISSING
from mockserver.parts import Part
from tests.judge.prints import FORM, part

DOCUMENT: dict[str, Any] = {
    "components": {"whole": {"type": "integer"}, "many": {"type": "array", "items": {"$ref": "#/components/whole"}}},
    "form": {
        "$ref": "#/rows",
    },
    "rows": {
        "properties": {
            "n": {"$ref": "#/components/whole"},
            "many": {"$ref": "#/components/many"},
            "list": {"type": "array", "items": {"type": "number"}},
            "any": {"type": ["array", "string"], "items": {"type": "integer"}},
            "bare": {"type": "array"},
            "in": {"type": "object", "properties": {"n": {"type": "integer"}, "deep": {"$ref": "#/components/many"}}},
            "odd": {"type": "array", "items": {"properties": {"n": {"$ref": "#/components/whole"}}}},
            "deep": {"type": "array", "items": {"$ref": "#/components/many"}},
            "flag": {"type": "boolean"},
        }
    },
}


def read(*content: bytes, kind: str | None = FORM, end: bytes = b"--cut--\r\n", schema: str = "/form") -> Any:
    """The value of a form, or the sentence that says what is wrong."""
    body = b"".join(b"--cut\r\n" + one + b"\r\n" for one in content) + end
    reading = forms.read(DOCUMENT, body, kind, schema)
    if not reading.problems:
        return reading.value
    (problem,) = reading.problems
    assert reading.value is MISSING
    assert problem.rule == "form.malformed"
    return problem.message


@pytest.mark.parametrize(
    ("names", "value"),
    [
        ("", {}),
        ("a", {"a": "0"}),
        ("a b", {"a": "0", "b": "1"}),
        ("a a a", {"a": ["0", "1", "2"]}),
        ("a[]", {"a": ["0"]}),
        ("a[] a[]", {"a": ["0", "1"]}),
        ("a[7] a[3]", {"a": ["0", "1"]}),
        ("a a[]", {"a": ["0", "1"]}),
        ("a[b]", {"a": {"b": "0"}}),
        ("a[b] a[c] a[b]", {"a": {"b": ["0", "2"], "c": "1"}}),
        ("a[b][c] a[b][d]", {"a": {"b": {"c": "0", "d": "1"}}}),
        ("a[b][] a[b][]", {"a": {"b": ["0", "1"]}}),
        ("a[0][b]", {"a": {"0": {"b": "0"}}}),
        ("a[][b]", {"a": {"": {"b": "0"}}}),
        ("a a[b][c]", {"a": ["0", "1"]}),
        ("a[b] a[b][c][d]", {"a": {"b": ["0", "1"]}}),
        ("a[b] a[]", {"a": [{"b": "0"}, "1"]}),
        ("a[b] a", {"a": [{"b": "0"}, "1"]}),
        ("a[b a]b [b] a[b]c", {"a[b": "0", "a]b": "1", "[b]": "2", "a[b]c": "3"}),
        ("a" + "[b]" * 8, {"a": {"b": {"b": {"b": {"b": {"b": {"b": {"b": {"b": "0"}}}}}}}}}),
        ("a" + "[b]" * 9, {"a" + "[b]" * 9: "0"}),
        ("n", {"n": 0}),
        ("n n", {"n": ["0", "1"]}),
        ("many", {"many": [0]}),
        ("many many", {"many": [0, 1]}),
        ("list[]", {"list": [0.0]}),
        ("any", {"any": "0"}),
        ("any[] any[]", {"any": [0, 1]}),
        ("bare", {"bare": ["0"]}),
        ("in[n] in[deep]", {"in": {"n": 0, "deep": [1]}}),
        ("in[other] other[n]", {"in": {"other": "0"}, "other": {"n": "1"}}),
        ("odd[n] odd", {"odd": [{"n": 0}, "1"]}),
        ("deep", {"deep": [[0]]}),
        ("flag", {"flag": "0"}),
    ],
)
def test_names_make_lists_and_objects_and_schemas_make_types(names: str, value: Any) -> None:
    found = read(*(part(name, str(number)) for number, name in enumerate(names.split())))
    assert repr(found) == repr(value)


def test_without_a_schema_everything_is_text() -> None:
    assert read(part("n", "1"), part("many", "1"), schema="") == {"n": "1", "many": "1"}


NAMED = b'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    ("head", "content", "shown"),
    [
        (b"CONTENT-DISPOSITION: Form-Data; Name=a", b"x", "'x'"),
        (NAMED + b"\r\nContent-Type: Text/Plain; charset=utf-8", b"x", "'x'"),
        (NAMED, "\u00e4\r\n--cu\r\n\r\n--c".encode(), "'\u00e4\\r\\n--cu\\r\\n\\r\\n--c'"),
        (NAMED, b"\xff", "'\ufffd'"),
        (NAMED, b"", "''"),
        (NAMED + b'; filename="\xff.txt"', b"\xff\r\n--", "file '\ufffd.txt' (no media type, 5 bytes)"),
        (NAMED + b"\r\nContent-Type: Image/PNG; a=b", b"x", "file '' (image/png, 1 bytes)"),
        (NAMED + b'; filename=""\r\nContent-Type: text/plain', b"x", "file '' (text/plain, 1 bytes)"),
        (NAMED + b"\r\nContent-Type: image/\xe9", b"x", "file '' (image/\u00e9, 1 bytes)"),
    ],
)
def test_what_a_part_says_of_itself(head: bytes, content: bytes, shown: str) -> None:
    assert repr(read(head + b"\r\n\r\n" + content)["a"]) == shown


def test_a_file_is_no_number() -> None:
    assert repr(read(part("n", "5", filename="five"))["n"]) == "file 'five' (no media type, 1 bytes)"


def test_a_name_in_another_coding() -> None:
    assert read(NAMED.replace(b'"a"', b'"\xff"') + b"\r\nX-A: \xe9\r\n\r\n1", end=b"--cut--") == {"\ufffd": "1"}


def test_the_headers_of_a_part_are_its_own() -> None:
    picture = part("a", "x", "image/png", "a.png")
    assert repr(read(picture, part("b", "y"))["b"]) == "'y'"
    assert read(picture, b"A: b\r\n\r\n1") == NAMELESS


NAMELESS = "the body is no multipart/form-data: a part has no Content-Disposition: form-data with a name"


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ((part("a", "1"),), {"kind": None}, "the Content-Type names no boundary"),
        ((part("a", "1"),), {"kind": "multipart/form-data; boundary="}, "the Content-Type names no boundary"),
        ((part("a", "1"),), {"end": b""}, "it ends before its closing boundary"),
        ((), {"end": b""}, "it ends before its closing boundary"),
        ((), {"end": b"{}"}, "Expected boundary character 45, got 123 at index 2"),
        ((b"A: b\r\n\r\n1",), {}, "a part has no Content-Disposition: form-data with a name"),
        ((NAMED.replace(b"a\"", b"\"") + b"\r\n\r\n1",), {}, "a part has no Content-Disposition: form-data with a name"),
        ((NAMED.replace(b"form-", b"") + b"\r\n\r\n1",), {}, "a part has no Content-Disposition: form-data with a name"),
        ((b"Content-Disposition: form-data\r\n\r\n1",), {}, "a part has no Content-Disposition: form-data with a name"),
        (tuple(part("a", "") for _ in range(1001)), {}, "it has more than 1000 parts"),
    ],
)  # fmt: skip
def test_what_is_no_form(content: tuple[bytes, ...], options: dict[str, Any], told: str) -> None:
    assert read(*content, **options).startswith(f"the body is no multipart/form-data: {told}")


def test_as_many_parts_as_are_read() -> None:
    assert len(read(*(part("a", "") for _ in range(1000)))["a"]) == 1000


@pytest.mark.parametrize(
    ("content", "seems"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF\x00\x01\x02\x03WEBP", "image/webp"),
        (b"RIFF\x00\x01\x02\x03WAVE", ""),
        (b"RIFX\x00\x01\x02\x03WEBP", ""),
        (b" GIF8", ""),
        (b"", ""),
    ],
)
def test_files_are_known_by_their_first_bytes(content: bytes, seems: str) -> None:
    one = Part.of(content, "f", "k/k")
    assert (one.seems, one.content, one.filename, one.kind) == (seems, content, "f", "k/k")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("data:image/png;base64,eA==", "file 'file.png' (image/png, 1 bytes)"),
        ("data:;base64,eHk=", "file 'file.' (no media type, 2 bytes)"),
        ("data:image/png;base64,", "file 'file.png' (image/png, 0 bytes)"),
        ("data:image/png,eA==", "'data:image/png,eA=='"),
        ("data:image/png;base64", "'data:image/png;base64'"),
        ("date:image/png;base64,eA==", "'date:image/png;base64,eA=='"),
        ("data:image/png;base64,e", "'data:image/png;base64,e'"),
        ("data:image/png;base64,e\nA==", "'data:image/png;base64,e\\nA=='"),
        ("data:a/b/c;base64,eA==,", "'data:a/b/c;base64,eA==,'"),
        ("data:a,b;base64,eA==", "'data:a,b;base64,eA=='"),
        ("data:a/b/c;base64,eA==", "file 'file.c' (a/b/c, 1 bytes)"),
    ],
)
def test_files_in_examples(text: str, shown: str) -> None:
    assert repr(parts.with_files({"a": [text, 1]})) == f"{{'a': [{shown}, 1]}}"


def test_a_file_stays_the_file_that_it_is() -> None:
    one = Part.of(b"data:image/png;base64,eA==", "f", "text/plain")
    assert parts.with_files([one])[0] is one
