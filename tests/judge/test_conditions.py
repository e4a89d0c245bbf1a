"""When something happens, case by case: which fact or pair of facts, or which place in the row of requests, is named."""

from __future__ import annotations

import pytest

from contract_tests.conditions import ALWAYS, Condition, Facts, explain
from contract_tests.features import Feature

NAMES = {
    "a": Feature(1, "n is 3", "/n"),
    "A": Feature(3, "n is above 2", "/n"),
    "B": Feature(3, "n is above 10", "/n"),
    "r": Feature(2, "n has digits", "/n"),
    "t": Feature(2, "n is above 2", "/n"),
    "b": Feature(2, "text has blanks", "/text", "a b"),
    "c": Feature(2, "text has dots", "/text", "."),
    "l": Feature(2, "text is longer than 100 characters", "/text", "x" * 101),
    "L": Feature(2, "text is longer than 99 characters", "/text", "x" * 100),
    "m": Feature(2, "mode is fast", "/mode"),
    "o": Feature(2, "mode is of one word", "/mode"),
    "h": Feature(3, "there is no header A"),
    "k": Feature(4, "header names are in lower case"),
    "f": Feature(6, "the JSON body is written without blanks between its tokens"),
    "z": Feature(1, "text is \"x\"", "/text"),
}  # fmt: skip


def facts(letters: str) -> list[Facts]:
    """Sets of facts from words of letters; a lone dash has none."""
    return [frozenset(NAMES[letter] for letter in word if letter != "-") for word in letters.split()]


@pytest.mark.parametrize(
    ("with_it", "without", "text", "named", "rivals"),
    [
        ("", "a", "", "", ""),
        ("a", "", "", "", ""),
        ("a", "-", "only when n is 3", "a", ""),
        ("am", "m", "only when n is 3", "a", ""),
        ("am a", "m", "only when n is 3", "a", ""),
        ("am", "-", "only with one of these, not told apart: n is 3; mode is fast", "a", "m"),
        ("aA", "-", "only when n is 3", "a", ""),
        ("AB", "-", "only when n is above 2", "A", ""),
        ("t", "-", "only when n is above 2", "t", ""),
        ("rt", "-", "only when n is above 2", "t", ""),
        ("aAB", "-", "only when n is above 2", "A", ""),
        ("mA", "-", "only with one of these, not told apart: mode is fast; n is above 2", "m", "A"),
        ("mo", "-", "only when mode is fast", "m", ""),
        ("lL", "-", "only when text is longer than 99 characters", "L", ""),
        ("lLz", "-", 'only when text is "x"', "z", ""),
        ("lLb", "-", "only with one of these, not told apart: text has blanks; text is longer than 100 characters; "
         "text is longer than 99 characters", "b", "lL"),
        ("bc", "-", "only with one of these, not told apart: text has blanks; text has dots", "b", "c"),
        ("zb", "-", 'only when text is "x"', "z", ""),
        ("hk", "-", "only with one of these, not told apart: there is no header A; header names are in lower case", "h", "k"),
        ("hf", "-", "only when there is no header A", "h", ""),
        ("f", "-", "only when the JSON body is written without blanks between its tokens", "f", ""),
        ("ahkm", "-", "only with one of these, not told apart: n is 3; mode is fast; there is no header A; "
         "header names are in lower case", "a", "mhk"),
        ("ahkmb", "-", "only with one of these, not told apart: n is 3; mode is fast; text has blanks; "
         "there is no header A, or one of 1 more", "a", "mbhk"),
        ("am", "a m", "now and then, whatever the request", "", ""),
        ("am", "a m -", "only when n is 3 and mode is fast", "am", ""),
        ("ambo", "am ab ao mb mo", "only when mode is of one word and text has blanks", "ob", ""),
        ("ambo amb", "a m b o", "only when n is 3 and mode is fast", "am", ""),
        ("a", "a", "now and then, whatever the request", "", ""),
        ("a m", "- -", "now and then, whatever the request", "", ""),
    ],
)  # fmt: skip
def test_which_fact_explains(with_it: str, without: str, text: str, named: str, rivals: str) -> None:
    condition = explain(facts(with_it), facts(without))
    assert condition.text == text
    assert condition.facts == tuple(NAMES[letter] for letter in named)
    assert condition.rivals == tuple(sorted(NAMES[letter] for letter in rivals))
    assert condition.constant is ("now and then" not in text)
    assert condition.certain is not bool(rivals)


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ("", "now and then, whatever the request"),
        ("----", "now and then, whatever the request"),
        ("x---", "only for the first accepted request"),
        ("-xxx", "from accepted request number 2 on"),
        ("---x", "now and then, whatever the request"),
        ("--xx", "from accepted request number 3 on"),
        ("xxx", "from accepted request number 1 on"),
        ("-x-x-", "for every 2nd accepted request"),
        ("-x-x-x", "for every 2nd accepted request"),
        ("--x--x--x", "for every 3rd accepted request"),
        ("---x---x", "for every 4th accepted request"),
        ("-x-x---", "now and then, whatever the request"),
        ("x-x-", "now and then, whatever the request"),
        ("x-x-x-", "for every 2nd accepted request"),
        ("--x-x-x", "for every 2nd accepted request"),
        ("-xxx-", "now and then, whatever the request"),
        ("x--x-x", "now and then, whatever the request"),
        (("-" * 10 + "x") * 3, "for every 11th accepted request"),
        (("-" * 11 + "x") * 3, "for every 12th accepted request"),
        (("-" * 12 + "x") * 3, "for every 13th accepted request"),
        (("-" * 20 + "x") * 3, "for every 21st accepted request"),
        (("-" * 21 + "x") * 3, "for every 22nd accepted request"),
        (("-" * 110 + "x") * 3, "for every 111th accepted request"),
        (("-" * 19 + "x") * 3, "for every 20th accepted request"),
    ],
)
def test_which_number_explains(order: str, text: str) -> None:
    condition = explain(facts("a"), facts("a"), [hit == "x" for hit in order])
    assert condition == Condition(text, constant=False)


def test_always_says_nothing() -> None:
    assert Condition("", (), (), constant=True) == ALWAYS
    assert ALWAYS.certain
