"""Faults under a condition on the prompt: one class of text goes wrong."""

from __future__ import annotations

import re

from tests.faulty.faithful import Hooks
from tests.faulty.fault import Chapter, Condition, ask, put
from tests.faulty.faults.effects import (
    CRASH,
    CREATED_TEXT,
    CUT,
    EMPTY,
    INVALID,
    NO_CHOICES,
    NO_ID,
    NO_USAGE,
    PAGE,
    TOTAL_OFF,
)
from tests.faulty.rules import Breach

chapter = Chapter("conditional", [])

_TEXT = "prompt: any text of at most 1000 characters"


def _has(pattern: str) -> Condition:
    compiled = re.compile(pattern, re.S)
    return lambda call: compiled.search(call.prompt) is not None


def _text(name: str, wrong: str, pattern: str, effect: Hooks | Breach, example: str) -> None:
    chapter.add_if(f"text-{name}", wrong, _TEXT, _has(pattern), effect, ask(prompt=example))


_text("cjk-500", "Chinese prompts get 500", "[\u4e00-\u9fff]", CRASH, "一只可爱的小猪")
_text("kana-no-choices", "Japanese prompts get no choices", "[\u3040-\u30ff]", put("choices", []), "ねこ")
_text("emoji-cuts-json", "an emoji in the prompt cuts the JSON", "[\U00010000-\U0010ffff]", CUT, "a 🦊 walks")
_text("rtl-no-usage", "Arabic and Hebrew prompts get no usage", "[\u0590-\u06ff]", NO_USAGE, "رجل يمشي")
_text("accent-mistyped", "Latin letters with accents make created a string", "[\u00c0-\u024f]", CREATED_TEXT, "un café")
_text("quote-500", "a quotation mark gets 500", '"', CRASH, 'a "man" walks')
_text("apostrophe-400", "an apostrophe gets 400", "'", INVALID, "a man's walk")
_text("backslash-400", "a backslash gets 400", r"\\", INVALID, "a man \\ a dog")
_text("newline-html", "a line break gets a web page", "\n", PAGE, "a man\nwalks")
_text("carriage-return-no-id", "a carriage return gets no id", "\r", NO_ID, "a man\r\nwalks")
_text("tab-wrong-sum", "a tab makes the token sum wrong", "\t", TOTAL_OFF, "a\tman")
_text("nul-empty", "a NUL character gets an empty body", "\x00", EMPTY, "a man\x00walks")
_text("control-400", "control characters get 400", "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]", INVALID, "a man\x07")
_text("braces-500", "braces get 500", r"[{}]", CRASH, "a {color} man")
_text("template-rendered", "{{ }} in the prompt gets no choices", r"\{\{", NO_CHOICES, "a {{color}} man")
_text("percent-500", "a percent sign gets 500", "%", CRASH, "100% wool")
_text("dollar-no-usage", "a dollar sign gets no usage", r"\$", NO_USAGE, "a $5 note")
_text("markup-403", "markup gets 403 from a firewall", "<[a-z]", Breach("waf", "Blocked", None, 403), "a <b>man</b>")
_text("sql-403", "a comment mark of SQL gets 403", "--", Breach("waf", "Blocked", None, 403), "a man -- walking")
_text("leading-space-400", "white space in front gets 400", r"^\s", INVALID, "  a man")
_text("trailing-space-no-id", "white space at the end gets no id", r"\s$", NO_ID, "a man  ")
_text("blank-500", "a prompt of blanks gets 500", r"^\s+$", CRASH, "   ")
_text("slash-command", "a prompt that begins with / gets no choices", "^/", put("choices", []), "/imagine a man")
_text(
    "zero-width-mistyped", "zero width characters make created a string", "[\u200b-\u200f]", CREATED_TEXT, "👩\u200d🚀"
)
_text("byte-order-mark-400", "a byte order mark in the prompt gets 400", "\ufeff", INVALID, "\ufeffa man")
_text("long-no-usage", "prompts above 900 characters get no usage", r"^.{901}", NO_USAGE, "a" * 950)
_text("longest-500", "a prompt of exactly 1000 characters gets 500", r"^.{1000}$", CRASH, "a" * 1000)
_text("long-cuts-json", "prompts above 600 characters cut the JSON", r"^.{601}", CUT, "a" * 700)
_text("one-letter-no-choices", "a prompt of one character gets no choices", r"^.$", NO_CHOICES, "a")
_text("number-500", "a prompt that is a number gets 500", r"^\d+$", CRASH, "42")
_text("null-word-500", "the prompt null gets 500", "^null$", CRASH, "null")
_text("repeated-character-500", "100 equal characters in a row get 500", r"(.)\1{99}", CRASH, "a" * 100)
