"""What is wrong with a body's bytes, case by case: the rule, and a sentence that names the place."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from mockserver import media
from mockserver.media import MISSING

DEEP = media.MAX_DEPTH


@pytest.mark.parametrize(
    ("body", "value", "problems"),
    [
        (b"", MISSING, ["json.empty: the body is empty; a JSON text is expected"]),
        (b" \r\n\t", MISSING, ["json.empty: the body holds only white space"]),
        (b' \r\n\t{"a": 1.5} \r\n\t', {"a": 1.5}, []),
        (b"\xef\xbb\xbf[1]", [1], ["json.bom: the body begins with a byte order mark, which JSON forbids (RFC 8259, 8.1)"]),
        (b'\xef\xbb\xbf"\xff"', "\ufffd", ["json.bom: ", "json.encoding: the body is not UTF-8: invalid start byte at byte 1"]),
        ("[1]".encode("utf-16"), [1], ["json.encoding: the body is not UTF-8: invalid start byte at byte 0 (it looks like utf-16)"]),
        (b'\xfe\xff\x00[\x00"\x00]', MISSING, ["json.encoding: the body is not UTF-8: invalid start byte at byte 0 (it looks like utf-16)"]),
        (b'{"a": "\xff"}', {"a": "\ufffd"}, ["json.encoding: the body is not UTF-8: invalid start byte at byte 7"]),
        (b"\xff{", MISSING, ["json.encoding: "]),
        (b'"\xff' + b"[" * 9, MISSING, ["json.encoding: "]),
        (b"[1, 2", MISSING, ["json.cut: the JSON text ends too early: Expecting ',' delimiter at line 1, column 6"]),
        (b'{"a": "b\nc"}', MISSING, ["json.malformed: the body is not JSON: Invalid control character at at line 1, column 9"]),
        (b'{"a": "b', MISSING, ["json.cut: the JSON text ends too early: Unterminated string starting at at line 1, column 7"]),
        (b"[1,\n x]", MISSING, ["json.malformed: the body is not JSON: Expecting value at line 2, column 2"]),
        (b"[1,\n", MISSING, ["json.cut: the JSON text ends too early: Expecting value at line 2, column 1"]),
        (b"[" * 100_000, MISSING, ["json.depth: the JSON text is nested too deeply to be read"]),
        (b"1" * 5000, MISSING, ["json.number: a number cannot be read: Exceeds the limit (4300 digits)"]),
        (b"[1e999]", MISSING, ["json.number: a number cannot be read: 1e999 is out of the range of a double"]),
        (b"1" * 400 + b".0", MISSING, ["json.number: a number cannot be read: " + "1" * 40 + " is out of the range"]),
        (b'{"a": 1, "b": {"a": 2}}', {"a": 1, "b": {"a": 2}}, []),
        (b'{"a": 1, "a": 2, "a": 3}', {"a": 3}, ["json.duplicate-key: the key 'a' stands more than once in one object"]),
        (b"[Infinity, -Infinity, Infinity]", [float("inf"), float("-inf"), float("inf")],
         ["json.constant: Infinity is not JSON (RFC 8259, 6)", "json.constant: -Infinity is not JSON (RFC 8259, 6)"]),
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}, ["json.duplicate-key: the key 'a' "]),
        (b"1\x0c", 1, ["json.trailing: 1 characters follow the JSON text: '\\x0c'"]),
        (b"[1] \n [2]", [1], ["json.trailing: 3 characters follow the JSON text: '[2]'"]),
        (b"1 " + b"x" * 50, 1, [f"json.trailing: 50 characters follow the JSON text: '{'x' * 40}'"]),
    ],
)  # fmt: skip
def test_reading(body: bytes, value: Any, problems: list[str]) -> None:
    reading = media.read_json(body)
    assert reading.value == value or reading.value is value
    found = [f"{problem.rule}: {problem.message}" for problem in reading.problems]
    assert len(found) == len(problems), found
    for told, wanted in zip(found, problems, strict=True):
        assert told.startswith(wanted), told


@pytest.mark.parametrize(("opened", "closed"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_deepest_body_that_is_read(opened: bytes, closed: bytes) -> None:
    assert media.read_json(opened * DEEP + (b"1" if closed == b"}" else b"") + closed * DEEP).problems == ()
    deeper = media.read_json(opened * (DEEP + 1) + (b"1" if closed == b"}" else b"") + closed * (DEEP + 1))
    assert deeper.value is MISSING
    assert [(problem.rule, problem.message) for problem in deeper.problems] == [
        ("json.depth", f"the JSON text is nested more than {DEEP} levels deep")
    ]


def test_as_many_values_as_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_VALUES", 2)
    assert media.read_json(b"[1, 2, 3]").value == [1, 2, 3]
    more = media.read_json(b"\xef\xbb\xbf[1, 2, 3, 4]")
    assert more.value is MISSING
    assert [problem.rule for problem in more.problems] == ["json.bom", "json.size"]
    assert more.problems[1].message == "the JSON text has more than 2 values, more than are read"


def test_a_value_that_is_not_a_number_is_kept_as_one() -> None:
    (value,) = media.read_json(b"[NaN]").value
    assert value != value


RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
BARE = RAW.compress(b"{}") + RAW.flush()
PACKED = gzip.compress(b"{}", mtime=0)
"""Without the time of day: parameters that differ from second to second break runs in several processes."""


@pytest.mark.parametrize(
    ("body", "coding", "decoded"),
    [
        (b"{}", None, b"{}"),
        (b"{}", " , ", b"{}"),
        (b"{}", "Identity", b"{}"),
        (PACKED, "identity", PACKED),
        (PACKED, "GZip", b"{}"),
        (PACKED, "x-gzip, identity", b"{}"),
        (gzip.compress(zlib.compress(b"{}"), mtime=0), "deflate, gzip", b"{}"),
        (gzip.compress(PACKED, mtime=0), "gzip, identity, gzip", b"{}"),
        (zlib.compress(b"{}"), "deflate", b"{}"),
        (BARE, "deflate", b"{}"),
        (b"\x1f\x8b but no gzip", None, b"\x1f\x8b but no gzip"),
    ],
)
def test_codings_are_undone(body: bytes, coding: str | None, decoded: bytes) -> None:
    assert media.decode(body, coding) == (decoded, None)


@pytest.mark.parametrize(
    ("body", "coding", "decoded", "told"),
    [
        (b"{}", "br", b"{}", "the content coding 'br' was not asked for and cannot be undone"),
        (b"{}", "gzip", b"{}", "the content coding gzip, which the header names, cannot be undone: Error -3"),
        (b"\xff\xff\xff", "deflate", b"\xff\xff\xff", "the content coding deflate, which the header names, cannot be undone: Error -3"),
        (PACKED[:-3], "gzip", None, "the content coding gzip, which the header names, cannot be undone: it ends before the"),
        (b"{}", "gzip, gzip, gzip, gzip", b"{}", "4 content codings on top of each other are not undone"),
        (PACKED, None, b"{}", "the body is gzip, and no Content-Encoding says so"),
    ],
)  # fmt: skip
def test_codings_that_lie(body: bytes, coding: str | None, decoded: bytes | None, told: str) -> None:
    result, problem = media.decode(body, coding)
    assert result == (body if decoded is None else decoded)
    assert problem is not None
    assert problem.rule == "wire.coding"
    assert problem.message.startswith(told), problem.message


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_DECODED", 1000)
    assert media.decode(gzip.compress(b"a" * 1000), "gzip") == (b"a" * 1000, None)
    body, problem = media.decode(bomb := gzip.compress(b"a" * 100_000), "gzip")
    assert body == bomb
    assert problem is not None
    assert problem.message.endswith("it decodes to more than 1000 bytes")


@pytest.mark.parametrize(
    ("header", "kind", "charset"),
    [
        (None, "", ""),
        (" Text/HTML ; Charset = \"UTF-8\" ", "text/html", "utf-8"),
        ("application/json;version=1;charset=latin1; charset=x", "application/json", "latin1"),
        ('application/json; charset="a=b"', "application/json", "a=b"),
        ("application/json; charset", "application/json", ""),
        ("charset=utf-8", "charset=utf-8", ""),
    ],
)  # fmt: skip
def test_content_types(header: str | None, kind: str, charset: str) -> None:
    assert (media.media_type(header), media.charset(header)) == (kind, charset)


def test_media_types_cover() -> None:
    assert media.is_json("application/json")
    assert media.is_json("application/problem+json")
    assert not media.is_json("application/jsonl")
    assert media.covers("Application/JSON; charset=utf-8", "application/json")
    assert media.covers("*/*", "image/png")
    assert media.covers("image/*", "image/png")
    assert not media.covers("image/*", "imagery/png")
    assert not media.covers("image/png", "image/pngx")
    assert not media.covers("application/json", "image/json")


def test_missing_is_nothing_and_says_so() -> None:
    assert not MISSING
    assert repr(MISSING) == "MISSING"
