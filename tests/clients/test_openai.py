"""openai-python: what its users see when they call this API, pinned because the documentation tells them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from pytest_quickrouter import MockServer

IMAGE: dict[str, Any] = {"model": "gpt-image-1.5", "prompt": "a man walks", "n": 1, "size": "1024x1536"}


@pytest.fixture
def client(mock_server: MockServer, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    """A client with a journal of its own on the mock, and its own number of retries."""
    session = {"Mock-Session": request.node.name}
    with openai.OpenAI(base_url=f"{mock_server.url}/v1", api_key="any", default_headers=session) as made:
        yield made


def journal(mock_server: MockServer, client: openai.OpenAI) -> list[dict[str, Any]]:
    """What the mock recorded of a client's requests."""
    session = {"Mock-Session": str(client.default_headers["Mock-Session"])}
    found = httpx.post(f"{mock_server.url}/__admin/requests/find", json={}, headers=session).json()
    records: list[dict[str, Any]] = found["requests"]
    return records


def test_the_documented_answer_has_no_images_for_it(client: openai.OpenAI, mock_server: MockServer) -> None:
    """The page documents a chat.completion; openai-python does not check, and leaves ``data`` empty."""
    answer = client.images.generate(**IMAGE)
    assert isinstance(answer.created, int)
    assert answer.data is None
    recorded = journal(mock_server, client)
    assert [record["violations"] for record in recorded] == [[]]


def test_strict_mode_says_so(mock_server: MockServer) -> None:
    strict = openai.OpenAI(base_url=f"{mock_server.url}/v1", api_key="any", _strict_response_validation=True)
    with strict, pytest.raises(openai.APIResponseValidationError):
        strict.images.generate(**IMAGE)


def test_a_refused_field_is_a_bad_request(client: openai.OpenAI, mock_server: MockServer) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(**{**IMAGE, "n": 11})
    assert caught.value.param == "n"
    assert caught.value.type == "invalid_request_error"
    assert "at most 10" in caught.value.message
    assert len(journal(mock_server, client)) == 1, "a client's mistake is not sent again"


def test_a_field_left_out_is_a_bad_request(client: openai.OpenAI) -> None:
    """n and size are optional for openai-python and required by the page."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="gpt-image-1.5", prompt="a man walks")
    assert caught.value.param in {"n", "size"}


@pytest.mark.parametrize(
    ("scenario", "raised", "requests"),
    [
        ("invalid-token", openai.AuthenticationError, 1),
        ("insufficient-quota", openai.PermissionDeniedError, 1),
        ("moderation-blocked", openai.BadRequestError, 1),
        ("model-not-found", openai.InternalServerError, 3),
        ("rate-limited", openai.RateLimitError, 3),
        ("rate-limited-bare", openai.RateLimitError, 3),
        ("html-502", openai.InternalServerError, 3),
        ("reset", openai.APIConnectionError, 3),
    ],
)
def test_scenarios_are_the_clients_own_errors(
    client: openai.OpenAI, mock_server: MockServer, scenario: str, raised: type[Exception], requests: int
) -> None:
    with pytest.raises(raised):
        client.images.generate(**IMAGE, extra_headers={"Prefer": f"scenario={scenario}"})
    assert len(journal(mock_server, client)) == requests


def test_retries_wait_as_long_as_the_answer_says(client: openai.OpenAI, mock_server: MockServer) -> None:
    begun = time.monotonic()
    answer = client.images.generate(**IMAGE, extra_headers={"Prefer": "scenario=rate-limited-twice"})
    assert answer.created
    recorded = journal(mock_server, client)
    assert [record["status"] for record in recorded] == [429, 429, 200]
    assert time.monotonic() - begun >= 2, "Retry-After: 1, twice"


def test_other_credentials_than_a_bearer_token_are_an_authentication_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client.images.generate(**IMAGE, extra_headers={"Authorization": "Basic YW55OmFueQ=="})
    assert caught.value.code == "invalid_api_key"
