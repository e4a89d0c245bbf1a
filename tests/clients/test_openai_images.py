"""openai-python against the contract of OpenAI's own images API: pictures, edits, streams and typed errors, on a real port."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from mockserver.server import Running, background
from mockserver.settings import Settings

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p0nqRQAAAABJRU5ErkJggg=="
)
PICTURE = ("otter.png", PNG, "image/png")
FOX: dict[str, Any] = {"model": "gpt-image-1.5", "prompt": "a fox", "size": "1024x1024"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with background(Settings(contract="openai-images")) as made:
        yield made


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    """A client on an empty journal."""
    running.journal.clear()
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key="any") as made:
        yield made


def recorded(running: Running) -> list[tuple[str, int, int]]:
    """Operation, status and number of violations of every request."""
    return [(entry.operation, entry.status, len(entry.violations)) for entry in running.journal.entries()]


def test_pictures_with_usage(client: openai.OpenAI, running: Running) -> None:
    answer = client.images.generate(**FOX, n=3, quality="low", output_format="webp")
    assert answer.data is not None
    assert [bool(image.b64_json) and image.url is None for image in answer.data] == [True] * 3
    assert (answer.size, answer.quality, answer.output_format) == ("1024x1024", "low", "webp")
    assert answer.usage is not None
    details = answer.usage.input_tokens_details
    assert answer.usage.input_tokens == details.text_tokens + details.image_tokens
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert recorded(running) == [("createImage", 200, 0)]


def test_strict_mode_takes_the_answer(running: Running) -> None:
    strict = openai.OpenAI(base_url=f"{running.url}/v1", api_key="any", _strict_response_validation=True)
    with strict:
        assert strict.images.generate(**FOX).created


def test_dall_e_answers_with_addresses_unless_asked_for_base64(client: openai.OpenAI) -> None:
    first = client.images.generate(model="dall-e-3", prompt="a fox")
    second = client.images.generate(model="dall-e-3", prompt="a fox", response_format="b64_json")
    assert first.data and first.data[0].url and not first.data[0].b64_json  # noqa: PT018
    assert second.data and second.data[0].b64_json and not second.data[0].url  # noqa: PT018
    assert first.usage is None


@pytest.mark.parametrize("wanted", [0, 1, 3])
def test_a_stream(client: openai.OpenAI, running: Running, wanted: int) -> None:
    events = list(client.images.generate(**FOX, stream=True, partial_images=wanted))
    assert [event.type for event in events] == [
        *["image_generation.partial_image"] * wanted,
        "image_generation.completed",
    ]
    assert [e.partial_image_index for e in events if e.type == "image_generation.partial_image"] == [*range(wanted)]
    last = events[-1]
    assert last.type == "image_generation.completed"
    assert last.usage.total_tokens == last.usage.input_tokens + last.usage.output_tokens
    assert recorded(running) == [("createImage", 200, 0)]


def test_a_stream_arrives_event_by_event(client: openai.OpenAI) -> None:
    begun = time.monotonic()
    stream = client.images.generate(**FOX, stream=True, partial_images=2, extra_headers={"Prefer": "delay=0.3"})
    times = [time.monotonic() - begun for _ in stream]
    assert [round(at / 0.3) for at in times] == [1, 2, 3]


def test_a_cut_stream_raises(client: openai.OpenAI, running: Running) -> None:
    list(client.images.generate(**FOX, stream=True, partial_images=2, extra_headers={"Prefer": "seed=1"}))
    first = running.journal.entries()[0].answer_body.index(b"\n\n")
    wish = {"Prefer": f"seed=1, cut={first + 20}"}
    stream = client.images.generate(**FOX, stream=True, partial_images=2, extra_headers=wish)
    seen = []
    with pytest.raises(openai.APIConnectionError):
        seen.extend(event.type for event in stream)
    assert seen == ["image_generation.partial_image"]


def test_an_error_in_a_stream_is_an_error(client: openai.OpenAI) -> None:
    headers = {"Prefer": "scenario=stream-error"}
    with pytest.raises(openai.APIError, match="safety system"):
        list(client.images.generate(**FOX, stream=True, extra_headers=headers))


@pytest.mark.parametrize("images", [PICTURE, [PICTURE], [PICTURE] * 3])
def test_an_edit(client: openai.OpenAI, running: Running, images: Any) -> None:
    answer = client.images.edit(model="gpt-image-1.5", image=images, mask=PICTURE, prompt="with a beret", n=2)
    assert answer.data
    assert len(answer.data) == 2
    assert recorded(running) == [("createImageEdit", 200, 0)]


def test_an_edit_in_events(client: openai.OpenAI, running: Running) -> None:
    stream = client.images.edit(model="gpt-image-1.5", image=PICTURE, prompt="a beret", stream=True, partial_images=1)
    assert [event.type for event in stream] == ["image_edit.partial_image", "image_edit.completed"]
    assert recorded(running) == [("createImageEdit", 200, 0)]


def test_without_waiting(running: Running) -> None:
    async def both() -> tuple[Any, list[str]]:
        async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key="any") as client:
            picture, stream = await asyncio.gather(
                client.images.generate(**FOX),
                client.images.generate(**FOX, stream=True, partial_images=1),
            )
            return picture, [event.type async for event in stream]

    picture, kinds = asyncio.run(both())
    assert picture.data[0].b64_json
    assert kinds == ["image_generation.partial_image", "image_generation.completed"]


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"response_format": "b64_json"}, "response_format", "unknown_parameter"),
        ({"style": "vivid"}, "style", "unknown_parameter"),
        ({"size": "1x1"}, "size", "invalid_value"),
        ({"model": "gpt-image-2", "size": "1000x1000"}, "size", "invalid_value"),
        ({"n": 11}, "n", "integer_above_max_value"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": "two"}, "n", "invalid_type"),
        ({"prompt": "a" * 32001}, "prompt", "string_above_max_length"),
        ({"model": "gpt-image-0"}, "model", "model_not_found"),
        ({"quality": "hd"}, "quality", "invalid_value"),
        ({"background": "transparent", "output_format": "jpeg"}, "output_format", "invalid_value"),
    ],
)
def test_refusals_are_typed(client: openai.OpenAI, change: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(**{**FOX, **change})
    assert (caught.value.param, caught.value.code, caught.value.type) == (param, code, "invalid_request_error")


def test_words_of_a_refusal_are_those_of_the_api(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="dall-e-2", prompt="a fox", size="1536x1024")
    assert caught.value.body == {
        "message": "Invalid value: '1536x1024'. Supported values are: '256x256', '512x512', and '1024x1024'.",
        "type": "invalid_request_error",
        "param": "size",
        "code": "invalid_value",
    }


@pytest.mark.parametrize(
    ("picture", "param", "words"),
    [
        (("a.png", PNG, "application/octet-stream"), "image", "unsupported mimetype ('application/octet-stream')"),
        ([PICTURE, ("a.gif", b"GIF89a", "image/gif")], "image[1]", "unsupported mimetype ('image/gif')"),
        (("a.jpg", PNG, "image/jpeg"), "image", "unsupported mimetype ('image/png')"),
        ([PICTURE] * 17, "image", "array too long"),
    ],
)
def test_files_are_looked_at(client: openai.OpenAI, picture: Any, param: str, words: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model="gpt-image-1.5", image=picture, prompt="a beret")
    assert caught.value.param == param
    assert words in caught.value.message


def test_a_limit_is_waited_for(client: openai.OpenAI, running: Running) -> None:
    headers = {"Prefer": "scenario=rate-limited"}
    begun = time.monotonic()
    with pytest.raises(openai.RateLimitError) as caught:
        client.with_options(max_retries=1).images.generate(**FOX, extra_headers=headers)
    assert time.monotonic() - begun >= 1
    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.code == "rate_limit_exceeded"
    assert [status for _, status, _ in recorded(running)] == [429, 429]


def test_a_large_file_is_taken_and_a_too_large_one_named(client: openai.OpenAI) -> None:
    large = ("large.png", PNG + bytes(3_000_000), "image/png")
    assert client.images.edit(model="gpt-image-1.5", image=large, mask=PICTURE, prompt="a beret").created
    huge = ("huge.png", PNG + bytes(4_000_000), "image/png")
    with pytest.raises(openai.BadRequestError, match="smaller than 4MB") as caught:
        client.images.edit(model="gpt-image-1.5", image=large, mask=huge, prompt="a beret")
    assert caught.value.param == "mask"
