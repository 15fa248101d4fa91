"""A whole request: sampling, the form of the answer, and what the frontend keeps for itself."""

import pytest

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Client, Message, ResponseFormat, Sampling, Text
from gateway_openai.decode.chat import ChatCall, decode, parse
from tests.openai.openai_support import request_body


def call(**fields: object) -> ChatCall:
    return decode(parse(request_body(**fields)))


def test_a_minimal_request() -> None:
    message = Message(role="user", parts=(Text(text="Hi"),))
    assert call() == ChatCall(requests=(ChatRequest(model="test-model", messages=(message,)),))


def test_who_asks_is_passed_on() -> None:
    client = Client(user_agent="curl/8")
    assert decode(parse(request_body()), client).request.client == client


@pytest.mark.parametrize(
    ("fields", "sampling"),
    [
        ({}, Sampling()),
        ({"temperature": 0, "top_p": 0.5}, Sampling(temperature=0, top_p=0.5)),
        ({"max_tokens": 10}, Sampling(max_output_tokens=10)),
        ({"top_k": 5}, Sampling(top_k=5)),
        ({"top_k": 0}, Sampling()),
        ({"top_k": -1}, Sampling()),
        ({"max_completion_tokens": 20, "max_tokens": 10}, Sampling(max_output_tokens=20)),
        ({"max_completion_tokens": 0, "max_tokens": 10}, Sampling(max_output_tokens=10)),
        ({"max_completion_tokens": None, "max_tokens": 0}, Sampling()),
        ({"stop": "END"}, Sampling(stop=("END",))),
        ({"stop": ["a", "b"]}, Sampling(stop=("a", "b"))),
        ({"stop": None}, Sampling()),
        ({"stop": [""]}, Sampling()),
        ({"stop": "\n\n"}, Sampling()),
        ({"stop": ["\n", "END"]}, Sampling(stop=("END",))),
    ],
)
def test_sampling(fields: dict[str, object], sampling: Sampling) -> None:
    assert call(**fields).request.sampling == sampling


def test_stop_sequences_of_white_space_are_cut_at_here() -> None:
    assert call(stop=["\n\n", "END", " "]).stop == ("\n\n", " ")


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_every_effort_is_passed_on(effort: str) -> None:
    assert call(reasoning_effort=effort).request.effort == effort


@pytest.mark.parametrize(
    ("wire", "decoded"),
    [
        (None, ResponseFormat()),
        ({"type": "text"}, ResponseFormat()),
        ({"type": "json_object"}, ResponseFormat(kind="json_object")),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$schema": "s"}}},
            ResponseFormat(kind="json_schema", name="x", schema={"$schema": "s"}),
        ),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {}, "strict": True, "description": "d"},
            },
            ResponseFormat(kind="json_schema", name="x", schema={"description": "d"}, strict=True),
        ),
    ],
)
def test_response_format(wire: object, decoded: ResponseFormat) -> None:
    assert call(response_format=wire).request.response_format == decoded


def test_a_schema_with_an_infinite_number_is_refused() -> None:
    schema = {"name": "x", "schema": {"maximum": float("inf")}}
    with pytest.raises(InvalidRequest) as caught:
        call(response_format={"type": "json_schema", "json_schema": schema})
    assert caught.value.param == "response_format.json_schema.schema"


def test_the_number_of_choices() -> None:
    assert call(n=3).choices == 3


@pytest.mark.parametrize(
    ("fields", "stream", "include_usage"),
    [
        ({"stream": True}, True, False),
        ({"stream": False}, False, False),
        ({"stream": None}, False, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
        ({"stream": True, "stream_options": {}}, True, False),
    ],
)
def test_streaming(fields: dict[str, object], stream: bool, include_usage: bool) -> None:
    decoded = call(**fields)
    assert (decoded.stream, decoded.include_usage) == (stream, include_usage)


def test_fields_without_effect_are_named_wherever_they_stand() -> None:
    image = {"url": "https://x/a.png", "detail": "high"}
    content = [{"type": "image_url", "image_url": image}]
    decoded = call(
        messages=[{"role": "user", "name": "Ada", "content": content}],
        seed=1,
        min_p=0.1,
        stream_options={"include_obfuscation": True},
    )
    assert set(decoded.ignored) == {
        "seed",
        "min_p",
        "messages.content.image_url.detail",
        "messages.name",
        "stream_options.include_obfuscation",
    }


def test_turning_off_what_is_never_done_is_not_ignored() -> None:
    image = {"url": "https://x/a.png", "detail": "auto"}
    content = [{"type": "image_url", "image_url": image}]
    decoded = call(
        messages=[{"role": "user", "content": content}],
        stream_options={"include_obfuscation": False},
    )
    assert decoded.ignored == ()
