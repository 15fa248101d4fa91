"""What `GET /v1/models` says of a model: in the fields that clients of other servers read."""

from typing import Any

import pytest

from gateway import hookimpl
from gateway.types import ModelDescription, Target
from gateway_openai.fields.rows import CHAT
from gateway_openai.http.model_fields import (
    FIELDS,
    NO_FIELD,
    SCHEMA,
    Architecture,
    ModelObject,
    Reasoning,
    TopProvider,
    described,
    supported,
)
from tests.openai.openai_support import BuildApp, http_client

BIG = ModelDescription(
    resolved="big-1-20260101",
    context_length=1_000_000,
    max_output_tokens=128_000,
    parameters=("max_output_tokens", "stop", "tools", "tool_choice", "response_format", "effort"),
    efforts=("low", "high", "max"),
    thinking="always",
    inputs=("text", "image", "document"),
)
SMALL = ModelDescription(
    resolved="small-1",
    context_length=200_000,
    max_output_tokens=64_000,
    parameters=("max_output_tokens", "temperature", "stop", "tools"),
    efforts=("low", "high"),
    thinking="optional",
    inputs=("text", "image"),
)
KNOWN = {"big": BIG, "small": SMALL}
MODELS = {
    "models": {
        "big": {"backend": "b"},
        "small": {"backend": "b"},
        "short": {"backend": "b", "target": "big", "limits": {"max_output_tokens": 900}},
        "roomy": {"backend": "b", "target": "big", "limits": {"max_output_tokens": 900_000}},
        "mild": {"backend": "b", "target": "big", "limits": {"effort": "high"}},
        "quiet": {"backend": "b", "target": "small", "thinking": "off"},
        "other": {"backend": "b"},
        "mixed": {"split": {"big": 1, "short": 1, "small": 8}},
        "unsure": {"split": {"big": 1, "other": 1}},
        "b-*": {"backend": "b", "target": "small"},
    },
    "aliases": {"best": "big"},
}


class Describing:
    """A backend that knows of two models."""

    @hookimpl
    def gateway_describe_model(self, target: Target) -> ModelDescription | None:
        return KNOWN.get(target.name)


async def listed(build_app: BuildApp) -> dict[str, Any]:
    async with http_client(build_app(Describing(), **MODELS)) as client:
        data = (await client.get("/v1/models")).json()["data"]
    return {model["id"]: model for model in data}


async def test_what_is_known_of_a_model_is_listed(build_app: BuildApp) -> None:
    assert (await listed(build_app))["big"] == {
        "id": "big",
        "object": "model",
        "created": 1735689600,
        "owned_by": "b",
        "root": "big-1-20260101",
        "context_length": 1_000_000,
        "max_model_len": 1_000_000,
        "max_input_tokens": 1_000_000,
        "max_output_tokens": 128_000,
        "top_provider": {
            "context_length": 1_000_000,
            "max_completion_tokens": 128_000,
            "is_moderated": False,
        },
        "supported_parameters": [
            "max_tokens",
            "max_completion_tokens",
            "stop",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "response_format",
            "structured_outputs",
            *[name for name in ("reasoning_effort", "reasoning") if name in CHAT.by_name],
        ],
        "architecture": {
            "modality": "text+image+file->text",
            "input_modalities": ["text", "image", "file"],
            "output_modalities": ["text"],
        },
        "reasoning": {"mandatory": True, "supported_efforts": ["max", "high", "low"]},
    }


async def test_what_is_unknown_is_left_out(build_app: BuildApp) -> None:
    models = await listed(build_app)
    assert set(models["other"]) == set(models["unsure"]) == {"id", "object", "created", "owned_by"}


@pytest.mark.parametrize(
    ("model", "tokens"), [("short", 900), ("roomy", 128_000), ("mixed", 900), ("best", 128_000)]
)
async def test_the_longest_answer_is_within_the_entry_s_limit(
    model: str, tokens: int, build_app: BuildApp
) -> None:
    entry = (await listed(build_app))[model]
    assert entry["max_output_tokens"] == tokens
    assert entry["top_provider"]["max_completion_tokens"] == tokens


async def test_a_split_lists_what_holds_for_each_of_its_models(build_app: BuildApp) -> None:
    mixed = (await listed(build_app))["mixed"]
    assert "root" not in mixed
    assert mixed["context_length"] == 200_000
    assert mixed["architecture"]["input_modalities"] == ["text", "image"]
    assert mixed["supported_parameters"] == [
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "tools",
    ]
    assert mixed["reasoning"] == {"mandatory": False, "supported_efforts": ["high", "low"]}


async def test_efforts_and_thinking_are_within_the_entry_s_limits(build_app: BuildApp) -> None:
    models = await listed(build_app)
    assert models["mild"]["reasoning"]["supported_efforts"] == ["high", "low"]
    assert "reasoning" not in models["quiet"]


@pytest.mark.parametrize(("name", "root"), [("best", "big-1-20260101"), ("b-9", "small-1")])
async def test_one_model_says_the_same_as_the_list(
    name: str, root: str, build_app: BuildApp
) -> None:
    async with http_client(build_app(Describing(), **MODELS)) as client:
        model = (await client.get(f"/v1/models/{name}")).json()
    assert (model["id"], model["root"]) == (name, root)


async def test_a_description_that_is_none_is_the_plugin_s_fault(build_app: BuildApp) -> None:
    class Wrong:
        @hookimpl
        def gateway_describe_model(self) -> dict[str, int]:
            return {"context_length": 1}

    async with http_client(build_app(Wrong(), **MODELS)) as client:
        response = await client.get("/v1/models/big")
    assert response.status_code == 500
    assert "gateway_describe_model" in response.json()["error"]["message"]


def test_nothing_is_listed_that_has_no_effect_in_a_request() -> None:
    for name in supported(tuple(FIELDS)):
        assert name in NO_FIELD or CHAT.by_name[name].behaviour in {"honoured", "emulated"}


def test_a_description_without_anything_has_no_fields() -> None:
    assert described(ModelDescription()) == {}
    assert described(None) == {}


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (ModelObject, SCHEMA),
        (Architecture, SCHEMA["properties"]["architecture"]),
        (TopProvider, SCHEMA["properties"]["top_provider"]),
        (Reasoning, SCHEMA["properties"]["reasoning"]),
    ],
)
def test_the_document_has_the_same_fields(kind: Any, schema: dict[str, Any]) -> None:
    assert set(schema["properties"]) == set(kind.__annotations__)


# -- over HTTP ----------------------------------------------------------------------------

NAMED = {
    "models": {
        "org/model-1": {"backend": "scripted"},
        "claude-*": {"backend": "other"},
    },
    "aliases": {"best": "org/model-1", "x-*": "claude-*"},
}


async def test_models_are_listed_with_exact_aliases_and_without_patterns(
    build_app: BuildApp,
) -> None:
    async with http_client(build_app(**NAMED)) as client:
        listed = (await client.get("/v1/models")).json()
    assert listed["object"] == "list"
    assert [(model["id"], model["owned_by"]) for model in listed["data"]][:2] == [
        ("org/model-1", "scripted"),
        ("best", "scripted"),
    ]
    assert {model["object"] for model in listed["data"]} == {"model"}
    assert not any("*" in model["id"] for model in listed["data"])


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("org/model-1", "scripted"),
        ("best", "scripted"),
        ("claude-9", "other"),
        ("x-claude", "other"),
    ],
)
async def test_a_model_is_found_under_the_name_that_was_asked_for(
    build_app: BuildApp, name: str, backend: str
) -> None:
    async with http_client(build_app(**NAMED)) as client:
        model = (await client.get(f"/v1/models/{name}")).json()
    assert (model["id"], model["owned_by"]) == (name, backend)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/best"])
async def test_the_models_can_be_asked_for_by_head(build_app: BuildApp, path: str) -> None:
    async with http_client(build_app(**NAMED)) as client:
        response = await client.head(path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/json"
