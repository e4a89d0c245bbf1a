"""Every way to write a key in a body is found, and the body around it stays as it is."""

from __future__ import annotations

import json
from urllib.parse import quote, unquote

from hypothesis import given
from hypothesis import strategies as st

from mockserver.redaction import REDACTED, text

SHOWN = REDACTED.decode()
KEYS = st.text(st.sampled_from('ab/"X-+=%雨'), min_size=4)
AROUND = st.text(st.sampled_from("xyz \n\t雨"))


def coded(character: str, way: int) -> str:
    """One character of a JSON string: plainly where that is allowed, with its own escape, as a number."""
    if way == 2:
        return f"\\u{ord(character):04x}"
    return "\\/" if character == "/" and way else json.dumps(character, ensure_ascii=False)[1:-1]


@given(KEYS, st.lists(st.integers(0, 2), min_size=1), AROUND, AROUND)
def test_json_s_escapes(key: str, ways: list[int], before: str, after: str) -> None:
    spelt = "".join(coded(character, ways[index % len(ways)]) for index, character in enumerate(key))
    body = f'{{"a": "{json.dumps(before)[1:-1]}{spelt}{json.dumps(after)[1:-1]}"}}'
    assert json.loads(text(body.encode(), (key.encode(),))) == {"a": f"{before}{SHOWN}{after}"}


@given(KEYS, AROUND)
def test_json_in_json(key: str, around: str) -> None:
    inner = json.dumps({"b": f"{around}{key}{around}"})
    found = json.loads(text(json.dumps({"a": inner}).encode(), (key.encode(),)))
    assert json.loads(found["a"]) == {"b": f"{around}{SHOWN}{around}"}


@given(KEYS, AROUND, st.booleans())
def test_percent_encoding(key: str, around: str, lower: bool) -> None:
    coded_key = quote(key, safe="")
    coded_key = coded_key.replace("%2F", "%2f").replace("%E9%9B%A8", "%e9%9b%a8") if lower else coded_key
    found = text(f"{quote(around)}{coded_key}{quote(around)}".encode(), (key.encode(),))
    assert unquote(found.decode()) == f"{around}{SHOWN}{around}"


def test_what_seems_to_be_a_code_with_the_key_s_beginning() -> None:
    assert text(b"100 %c/d+e", (b"c/d+e",)) == b"100 %" + REDACTED
    assert text(b"100 %c" + b"c%2Fd%2Be", (b"c/d+e",)) == b"100 %c" + REDACTED


def test_what_is_no_key_stays() -> None:
    body = b'{"a": "C:\\\\temp\\n%41 \\u96e8 \\/ 100 %"}'
    for key in (b"sk-abcd", b'sk-"bcd', b"sk/abcd"):
        assert text(body, (key,)) == body
