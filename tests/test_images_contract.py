"""The contract of OpenAI's own images API: what it refuses and how, its streams on the wire, its forms, its suite run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contract_tests.forms import BOUNDARY, written
from mockserver import library, openapi
from mockserver.accelerator import Accelerator
from mockserver.findings import Severity, Violation
from mockserver.messages import Exchange, Request, Response
from mockserver.server import Running, background
from mockserver.settings import Settings
from mockserver.validation import Judge
from tests.conftest import ask

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p0nqRQAAAABJRU5ErkJggg=="
STREAM = {"model": "gpt-image-1.5", "prompt": "a fox", "stream": True, "partial_images": 2}
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture(scope="module")
def images() -> Iterator[Running]:
    with background(Settings(contract="openai-images")) as running:
        yield running


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(openapi.load("openai-images"))


def refused(images: Running, body: dict[str, Any]) -> dict[str, Any]:
    answer = ask(images, value={"prompt": "a fox", **body})
    assert answer.status == 400, answer.body
    error: dict[str, Any] = answer.json()["error"]
    return error


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"model": "dall-e-3", "n": 2}, "n", "integer_above_max_value"),
        ({"model": "dall-e-2", "background": "opaque"}, "background", "unknown_parameter"),
        ({"model": "dall-e-2", "prompt": "a" * 1001}, "prompt", "string_above_max_length"),
        ({"model": "gpt-image-1.5", "quality": "xhigh"}, "quality", "invalid_value"),
        ({"model": "gpt-image-2", "size": "4096x1024"}, "size", "invalid_value"),
        ({"model": "gpt-image-2", "size": "1024x256"}, "size", "invalid_value"),
        ({"model": "gpt-image-1.5", "nonsense": 1}, "nonsense", "unknown_parameter"),
        ({"output_compression": 50}, "output_format", "missing_required_parameter"),
        ({"stream": "yes"}, "stream", "invalid_type"),
    ],
)
def test_conditions_of_the_models(images: Running, body: dict[str, Any], param: str, code: str) -> None:
    error = refused(images, body)
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


@pytest.mark.parametrize("size", ["1536x864", "3840x2160", "2160x3840", "768x256", "auto", None])
def test_sizes_that_newer_models_make(images: Running, size: str | None) -> None:
    answer = ask(images, value={"prompt": "a fox", "model": "gpt-image-2", "size": size})
    assert answer.status == 200, answer.body
    assert size in (None, "auto") or answer.json()["size"] == size


@pytest.mark.parametrize("model", ["gpt-image-2", "gpt-image-1.5", "dall-e-3", None])
def test_the_fast_validator_says_yes_to_just_what_the_judge_allows(judge: Judge, model: str | None) -> None:
    """x-dimensions is known to both."""
    operation, random = judge.contract.operation("createImage"), Random(2)
    accelerator = Accelerator(judge.contract.document.data)
    schema = operation.body[0].schema
    sizes = ["auto", "1x1", "16x16", "x", "1024x1024\n", "0016x16", "1024X1024", "3856x1280", "1536x1024", "١٦x١٦"]
    sizes += [f"{random.randrange(1, 260) * 16}x{random.randrange(1, 260) * 16}" for _ in range(60)]
    sizes += [f"{random.randrange(1, 4000)}x{random.randrange(1, 4000)}" for _ in range(30)]
    for size in sizes:
        body = {"prompt": "a fox", "size": size} | ({"model": model} if model else {})
        assert accelerator.accepts(schema, body) is (judge.body_violations(operation, body) == []), body


def test_the_families_are_known_models() -> None:
    lists = library.parse(library.bundled_root() / "openai-images/models/image-models.json")["$defs"]
    families = [name for name in lists if name not in ("known", "gpt-image")]
    named = [model for family in families for model in lists[family]["enum"]]
    assert sorted(named) == sorted(lists["known"]["enum"])


def test_a_model_of_ones_own_is_a_line_of_data(tmp_path: Path, start: Callable[..., Running], images: Running) -> None:
    assert refused(images, {"model": "my-model"})["code"] == "model_not_found"
    source = library.bundled_root() / "openai-images"
    for file in source.rglob("*.json"):
        text = file.read_text(encoding="utf-8")
        target = tmp_path / "mine" / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        known = file.name == "image-models.json"
        target.write_text(
            text.replace('"gpt-image-1.5",', '"gpt-image-1.5", "my-model",') if known else text, encoding="utf-8"
        )
    answer = ask(start(contract=str(tmp_path / "mine")), value={"prompt": "a fox", "model": "my-model"})
    assert answer.status == 200


def events(body: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Names and data of a stream whose transfer coding is undone."""
    found = []
    for block in body.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return whole


def test_a_stream_on_the_wire(images: Running) -> None:
    answer = ask(images, value={**STREAM, "n": 2, "size": "1536x1024"})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "content-length" not in answer.headers
    found = events(unchunked(answer.body))
    partial, completed = "image_generation.partial_image", "image_generation.completed"
    assert [name for name, _ in found] == [partial, partial, completed] * 2
    assert [data.get("partial_image_index") for _, data in found] == [0, 1, None] * 2
    assert {data["type"] == name and data["size"] == "1536x1024" for name, data in found} == {True}


def test_a_mock_with_a_delay_takes_its_time_for_every_event(start: Callable[..., Running]) -> None:
    slow = start(contract="openai-images", delay=0.2)
    begun = time.monotonic()
    assert ask(slow, value={"prompt": "a fox"}).status == 200
    plain = time.monotonic() - begun
    ask(slow, value=STREAM)
    assert 0.2 <= plain < 0.5
    assert 0.6 <= time.monotonic() - begun - plain < 1.1


def streamed(judge: Judge, body: bytes, asked: dict[str, Any] | None = None, **kinds: str) -> list[Violation]:
    """The violations of a recorded stream."""
    headers = (("Content-Type", "application/json"), ("Authorization", "Bearer k"))
    request = Request("POST", "/v1/images/generations", "", headers, json.dumps(asked or STREAM).encode())
    answer = Response(200, (("Content-Type", kinds.get("kind", "text/event-stream")),), body)
    return list(judge.exchange(Exchange("e1", request, answer, started=1.62e9, duration=1.0)))


def recording(judge: Judge) -> list[bytes]:
    """The three events of a right answer to STREAM."""
    operation = judge.contract.operation("createImage")
    partial, completed = operation.streams[0].events
    data = [
        {**partial.examples["documented"], "partial_image_index": 0},
        {**partial.examples["documented"], "partial_image_index": 1},
        completed.examples["documented"],
    ]
    return [f"event: {d['type']}\ndata: {json.dumps(d)}\n\n".encode() for d in data]


def test_a_right_stream_is_right(judge: Judge) -> None:
    one, two, end = recording(judge)
    assert streamed(judge, one + two + end) == []
    assert streamed(judge, one + end) == [], "fewer unfinished pictures are allowed"
    assert streamed(judge, (one + two + end).replace(b"\n", b"\r\n")) == []
    assert streamed(judge, b": hello\n\n" + one + two + end) == []


Change = Callable[[bytes, bytes, bytes], bytes]


@pytest.mark.parametrize(
    ("change", "rule", "pointer"),
    [
        (lambda one, two, end: one + two, "stream.count", "/body"),
        (lambda one, two, end: one + two + end + end, "stream.count", "/body"),
        (lambda one, two, end: one + one + two + end, "stream.count", "/body"),
        (lambda one, two, end: two + one + end, "meaning.positions", "/body/0/partial_image_index"),
        (lambda one, two, end: one + two + end[:-20], "stream.cut", "/body"),
        (lambda one, two, end: one + two + end.replace(b'"usage"', b'"used"'), "body.required", "/body/2/usage"),
        (lambda one, two, end: one + b"event: ping\ndata: {}\n\n" + two + end, "stream.event", "/body/1"),
        (lambda one, two, end: one.split(b"\n", 1)[1] + two + end, "stream.name", "/body/0"),
        (lambda one, two, end: one + b"event: x\ndata: {\n\n" + two + end, "stream.data", "/body/1"),
        (lambda one, two, end: one + two + end + b"data: [DONE]\n\n", "stream.trailer", "/body/3"),
        (lambda one, two, end: one + b'data: {"error": {"message": "no"}}\n\n', "error.in-success", "/body/1"),
        (lambda one, two, end: one + two + end.replace(b'"png"', b'"png\xff"'), "stream.malformed", "/body"),
    ],
)
def test_a_wrong_stream_is_judged_event_by_event(judge: Judge, change: Change, rule: str, pointer: str) -> None:
    found = {(violation.rule, violation.pointer) for violation in streamed(judge, change(*recording(judge)))}
    assert (rule, pointer) in found


def test_the_answer_has_the_form_that_was_asked_for(judge: Judge) -> None:
    whole = b"".join(recording(judge))
    quiet = {"model": "gpt-image-1.5", "prompt": "a fox"}
    assert [v.rule for v in streamed(judge, whole, quiet)] == ["media.undocumented"]
    assert [v.rule for v in streamed(judge, b"{}", kind="application/json")] == ["media.undocumented"]


def test_what_a_request_makes_true_of_its_answer(judge: Judge) -> None:
    body = json.dumps({"created": 1620000000, "data": [{"url": "https://images.example/1.png"}]}).encode()
    asked = {"model": "gpt-image-1.5", "prompt": "a fox"}
    found = streamed(judge, body, asked, kind="application/json")
    assert {(v.rule, v.pointer, v.severity) for v in found} == {
        ("body.required", "/body/usage", Severity.WARNING),
        ("body.required", "/body/data/0/b64_json", Severity.ERROR),
        ("body.not", "/body/data/0/url", Severity.ERROR),
    }
    assert streamed(judge, body, {**asked, "model": "dall-e-3"}, kind="application/json") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no form at all", "no multipart/form-data"),
        (b"", "no multipart/form-data"),
        (written({"prompt": "a", "image": PNG})[:-30], "no multipart/form-data"),
    ],
)
def test_a_broken_form_is_one_clear_refusal(images: Running, judge: Judge, body: bytes, words: str) -> None:
    headers = {**FORM, "Content-Length": str(len(body))}
    answer = ask(images, path="/v1/images/edits", body=body, headers=headers)
    assert answer.status == 400
    assert answer.json()["error"]["message"] == "We could not parse the form of your request."
    request = Request("POST", "/v1/images/edits", "", (*FORM.items(), ("Authorization", "Bearer k")), body)
    (violation,) = judge.request(request).violations
    assert (violation.rule, words in violation.message) == ("form.malformed", True)


@pytest.mark.parametrize("kind", ["multipart/form-data", 'multipart/form-data; boundary=""', "x" * 300])
def test_a_form_without_a_usable_boundary_is_refused(images: Running, kind: str) -> None:
    kind = kind if kind.startswith("multipart") else f"multipart/form-data; boundary={kind}"
    body = written({"prompt": "a", "image": PNG})
    headers = {"Content-Type": kind, "Content-Length": str(len(body))}
    assert ask(images, path="/v1/images/edits", body=body, headers=headers).status == 400


def test_no_mutilated_form_breaks_the_judge(judge: Judge) -> None:
    good, random = written({"image": [PNG, PNG], "prompt": "a", "svg": {"model": "m"}}), Random(1)
    odd = [good.replace(b"prompt", b"a" + b"[b]" * 1000), b"", good * 3]
    for _ in range(300):
        body = bytearray(good)
        for _ in range(random.randrange(1, 6)):
            at = random.randrange(len(body))
            body[at : at + random.choice((0, 1, 30))] = random.choice((b"", random.randbytes(9), good[at : at + 50]))
        odd.append(bytes(body))
    headers = (*FORM.items(), ("Authorization", "Bearer k"))
    found = {v.rule for b in odd for v in judge.request(Request("POST", "/v1/images/edits", "", headers, b)).violations}
    assert {"form.malformed", "body.required", "body.additionalProperties"} <= found or {"form.malformed"} < found


def test_parts_become_the_values_that_the_schema_speaks_of(judge: Judge) -> None:
    sent = {"image": [PNG, PNG], "prompt": "画 \r\n", "n": 2, "stream": True, "svg": {"model": "m"}, "size": None}
    request = Request("POST", "/v1/images/edits", "", (*FORM.items(), ("Authorization", "Bearer k")), written(sent))
    judged = judge.request(request)
    assert judged.violations == ()
    assert {**judged.body, "image": len(judged.body["image"])} == {**sent, "image": 2}
    assert [(part.kind, part.content[:4], part.filename) for part in judged.body["image"]] == [
        ("image/png", b"\x89PNG", "file.png")
    ] * 2


def test_the_suite_is_clean_on_the_mock_and_names_the_other_contract(tmp_path: Path, images: Running) -> None:
    def suite(*arguments: str) -> dict[str, Any]:
        report = tmp_path / "report.json"
        command = [sys.executable, "-m", "mockserver", "test", *arguments, "--report", f"json={report}"]
        subprocess.run(command, capture_output=True, check=False, timeout=120)
        read: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return read

    clean = suite("--contract", "openai-images", "--seed", "1", images.url)
    assert (clean["verdict"], clean["findings"]) == ("clean", [])
    assert clean["requests"] <= 60
    assert clean["images"] <= 30
    sent = [(entry.operation, dict(entry.headers)[b"content-type"][:9]) for entry in images.journal.entries()]
    assert {("createImageEdit", b"multipart"), ("createImageEdit", b"applicati")} <= set(sent)
    other = suite(images.url)
    assert [(f["rule"], "--contract openai-images" in f["message"]) for f in other["findings"]] == [
        ("contract.other", True)
    ]
    assert other["images"] <= 12, "what says nothing new is not bought"
