"""The table of request fields against the installed SDK, the wire models and its own rules."""

import pytest
from openai.types.chat import completion_create_params

from gateway.errors import UnsupportedParameter
from gateway_openai.fields import BY_NAME, FIELDS, ignored_fields, markdown_table
from gateway_openai.wire import ChatCompletionRequest


def sdk_fields() -> set[str]:
    return {
        *completion_create_params.CompletionCreateParamsNonStreaming.__annotations__,
        *completion_create_params.CompletionCreateParamsStreaming.__annotations__,
    }


def test_every_field_of_the_sdk_is_in_the_table() -> None:
    assert sdk_fields() - set(BY_NAME) == set()


def test_every_top_level_field_of_the_table_is_in_the_sdk() -> None:
    assert {name for name in BY_NAME if "." not in name} - sdk_fields() == set()


def test_no_field_is_twice_in_the_table() -> None:
    assert len(BY_NAME) == len(FIELDS)


def test_every_declared_field_is_in_the_table() -> None:
    assert set(ChatCompletionRequest.model_fields) - set(BY_NAME) == set()


def test_every_field_with_an_effect_is_declared() -> None:
    with_effect = {field.name for field in FIELDS if field.behaviour != "ignored"}
    assert with_effect - set(ChatCompletionRequest.model_fields) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 7),
        ("logit_bias", {"50256": -100}),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("verbosity", "low"),
        ("prediction", {"type": "content", "content": "x"}),
        ("user", "someone"),
        ("metadata", {"a": "b"}),
        ("store", True),
        ("service_tier", "flex"),
        ("prompt_cache_key", "k"),
        ("nobody_knows_this", 0),
    ],
)
def test_a_field_without_effect_is_reported(name: str, value: object) -> None:
    assert ignored_fields({name: value}) == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", None),
        ("n", 1),
        ("logprobs", False),
        ("frequency_penalty", 0),
        ("presence_penalty", 0.0),
        ("store", False),
        ("verbosity", "medium"),
        ("service_tier", "auto"),
        ("metadata", {}),
        ("logit_bias", {}),
        ("nobody_knows_this", None),
        ("modalities", ["text"]),
        ("temperature", 0),
    ],
)
def test_a_field_that_asks_for_nothing_or_is_honoured_is_not_reported(
    name: str, value: object
) -> None:
    assert ignored_fields({name: value}) == ()


def test_audio_output_is_refused() -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        ignored_fields({"modalities": ["text", "audio"]})
    assert caught.value.param == "modalities"


def test_the_markdown_table_has_a_row_for_every_field() -> None:
    lines = markdown_table().splitlines()
    assert lines[0] == "| field | behaviour | how |"
    assert len(lines) == len(FIELDS) + 3
    assert "| `seed` | ignored | answers can't be repeated |" in lines
