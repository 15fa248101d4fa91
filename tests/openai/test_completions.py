"""Text completions: decoding, encoding, and the route."""

import json
from typing import Any

import anyio
import httpx
import openai
import openai.types
import pytest

from gateway.errors import BackendFailed, InvalidRequest, Overloaded
from gateway.testing import ScriptedBackend, answer, part, text_answer
from gateway.types import (
    ChatRequest,
    Message,
    ResponseStart,
    Sampling,
    StreamEvent,
    Text,
    Thinking,
    Usage,
)
from gateway_openai.decode.completions import INSTRUCTION, CompletionCall, decode_completion
from gateway_openai.encode.completions import CompletionEncoding
from tests.openai.openai_support import BuildApp, Connection, http_client, sdk, sse_data


def call(prompt: object = "Once upon", **fields: object) -> CompletionCall:
    return decode_completion({"model": "test-model", "prompt": prompt, **fields})


# -- decoding -----------------------------------------------------------------------------


def test_the_prompt_is_the_one_message_and_the_system_text_says_what_to_do() -> None:
    message = Message(role="user", parts=(Text(text="Once upon"),))
    assert call().requests == (
        ChatRequest(model="test-model", system=INSTRUCTION, messages=(message,)),
    )


@pytest.mark.parametrize(
    ("prompt", "n", "texts"),
    [
        ("a", None, ["a"]),
        ("a", 2, ["a", "a"]),
        (["a"], 1, ["a"]),
        (["a", "b"], None, ["a", "b"]),
        (["a", "b"], 2, ["a", "a", "b", "b"]),
    ],
)
def test_each_prompt_gets_n_choices_in_order(prompt: object, n: object, texts: list[str]) -> None:
    asked = [request.messages[0].parts for request in call(prompt, n=n).requests]
    assert asked == [(Text(text=text),) for text in texts]


def test_parameters_are_as_in_chat() -> None:
    decoded = call(max_tokens=5, temperature=0.5, top_p=0.9, stop=["END", "\n"])
    assert decoded.requests[0].sampling == Sampling(
        max_output_tokens=5, temperature=0.5, top_p=0.9, stop=("END",)
    )
    assert decoded.stop == ("\n",)


@pytest.mark.parametrize("max_tokens", [None, 0])
def test_without_a_limit_there_is_none(max_tokens: object) -> None:
    assert call(max_tokens=max_tokens).requests[0].sampling.max_output_tokens is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", ""]}, "prompt[1]"),
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": [[1, 2], [3]]}, "prompt"),
        ({"prompt": ["a", 5]}, "prompt"),
        ({"prompt": ["a", None]}, "prompt[1]"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": {"text": "a"}}, "prompt"),
        ({"model": 5}, "model"),
        ({"n": 0}, "n"),
        ({"best_of": 0}, "best_of"),
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"logprobs": 6}, "logprobs"),
        ({"logprobs": -1}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"echo": "yes"}, "echo"),
        ({"suffix": 5}, "suffix"),
        ({"suffix": "The end."}, "suffix"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"temperature": 3}, "temperature"),
    ],
)
def test_what_is_refused(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode_completion({"model": "test-model", "prompt": "Once upon", **fields})
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize("missing", ["model", "prompt"])
def test_a_missing_field_is_named(missing: str) -> None:
    body = {"model": "test-model", "prompt": "Once upon"}
    del body[missing]
    with pytest.raises(InvalidRequest, match=missing) as caught:
        decode_completion(body)
    assert caught.value.param == missing


def test_tokens_are_spoken_of() -> None:
    with pytest.raises(InvalidRequest, match="not of tokens"):
        call([464, 3290])


# -- over HTTP ----------------------------------------------------------------------------


async def ask(build_app: BuildApp, *plugins: object, **fields: Any) -> httpx.Response:
    section = fields.pop("section", {})
    body = {"model": "test-model", "prompt": "Once upon", **fields}
    async with http_client(build_app(*plugins, plugins={"openai": section})) as client:
        return await client.post("/v1/completions", json=body)


def joined(chunks: list[Any]) -> dict[int, tuple[str, str]]:
    """For each choice its text and its finish reason, as a client puts them together."""
    found: dict[int, tuple[str, str]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            text, _ = found.get(choice["index"], ("", ""))
            found[choice["index"]] = (text + choice["text"], choice["finish_reason"])
    return found


async def test_a_whole_answer(build_app: BuildApp) -> None:
    response = await ask(build_app, ScriptedBackend(text_answer(" a", " time")))
    body = response.json()
    assert openai.types.Completion.model_validate(body, strict=True)
    assert body["id"].startswith("cmpl-")
    assert body["object"] == "text_completion"
    assert body["model"] == "test-model"
    assert body["system_fingerprint"].startswith("fp_")
    assert body["choices"] == [
        {"index": 0, "text": " a time", "logprobs": None, "finish_reason": "stop"}
    ]
    assert body["usage"]["total_tokens"] == 5
    assert response.headers["x-dragoman-model"] == "scripted-1"


async def test_a_streamed_answer(build_app: BuildApp) -> None:
    response = await ask(build_app, ScriptedBackend(text_answer(" a", " time")), stream=True)
    *chunks, done = sse_data(response.text)
    assert done == "[DONE]"
    assert [chunk["choices"][0]["text"] for chunk in chunks] == [" a", " time", ""]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]
    assert len({(chunk["id"], chunk["created"]) for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    assert not any("usage" in chunk for chunk in chunks)


def by_prompt(request: ChatRequest) -> list[StreamEvent]:
    (first,) = request.messages[0].parts
    assert isinstance(first, Text)
    usage = Usage(input_tokens=len(first.text), cache_read_tokens=1, output_tokens=2)
    return answer(part(0, Text(text=""), first.text.upper()), usage=usage)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("echo", [False, True])
async def test_several_prompts_with_several_choices(
    build_app: BuildApp, stream: bool, echo: bool
) -> None:
    fields: dict[str, object] = {"prompt": ["one", "three"], "n": 2, "echo": echo}
    if stream:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    response = await ask(build_app, ScriptedBackend(reply=by_prompt), **fields)
    if stream:
        *chunks, last, _ = sse_data(response.text)
        assert {chunk["usage"] for chunk in chunks} == {None}
        assert last["choices"] == []
    else:
        chunks, last = [response.json()], response.json()
    one, three = ("oneONE", "threeTHREE") if echo else ("ONE", "THREE")
    assert joined(chunks) == {
        0: (one, "stop"),
        1: (one, "stop"),
        2: (three, "stop"),
        3: (three, "stop"),
    }
    # Each prompt counts once: 3 and 5 characters, and a cached token for both.
    assert last["usage"]["prompt_tokens"] == 10
    assert last["usage"]["prompt_tokens_details"]["cached_tokens"] == 2
    assert last["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize("stream", [False, True])
async def test_reasoning_is_left_out(build_app: BuildApp, stream: bool) -> None:
    events = answer(part(0, Thinking(text=""), "hm"), part(1, Text(text=""), " a", " time"))
    response = await ask(build_app, ScriptedBackend(events), stream=stream)
    chunks = sse_data(response.text)[:-1] if stream else [response.json()]
    assert joined(chunks) == {0: (" a time", "stop")}


@pytest.mark.parametrize("stream", [False, True])
async def test_the_echo_is_there_without_any_text(build_app: BuildApp, stream: bool) -> None:
    backend = ScriptedBackend(answer(stop_reason="max_tokens"))
    response = await ask(build_app, backend, echo=True, stream=stream)
    chunks = sse_data(response.text)[:-1] if stream else [response.json()]
    assert joined(chunks) == {0: ("Once upon", "length")}


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("refusal", "content_filter"),
    ],
)
async def test_finish_reasons(build_app: BuildApp, stop_reason: Any, finish: str) -> None:
    response = await ask(build_app, ScriptedBackend(answer(stop_reason=stop_reason)))
    assert response.json()["choices"][0]["finish_reason"] == finish


async def test_the_text_is_cut_at_a_stop_sequence_of_white_space(build_app: BuildApp) -> None:
    response = await ask(build_app, ScriptedBackend(text_answer("one\n", "\ntwo")), stop="\n\n")
    assert response.json()["choices"][0]["text"] == "one"


async def test_ignored_fields_are_said(build_app: BuildApp) -> None:
    response = await ask(build_app, ScriptedBackend(), logprobs=1, best_of=2)
    assert set(response.headers["x-dragoman-ignored"].split(",")) == {"logprobs", "best_of"}
    assert response.json()["choices"][0]["logprobs"] is None


async def test_ignored_fields_can_be_refused(build_app: BuildApp) -> None:
    backend = ScriptedBackend()
    response = await ask(build_app, backend, section={"unsupported": "reject"}, seed=1)
    assert response.json()["error"]["param"] == "seed"
    assert backend.requests == []


@pytest.mark.parametrize("stream", [False, True])
async def test_an_early_failure_is_an_http_error(build_app: BuildApp, stream: bool) -> None:
    response = await ask(build_app, ScriptedBackend([Overloaded("no room")]), stream=stream)
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "overloaded"


async def test_a_late_failure_ends_the_stream_with_the_error(build_app: BuildApp) -> None:
    script = [ResponseStart(model="m"), Overloaded("no room")]
    response = await ask(build_app, ScriptedBackend(script), stream=True)
    assert sse_data(response.text)[-1]["error"]["code"] == "overloaded"
    assert "[DONE]" not in response.text


def test_more_of_a_part_that_never_began_makes_no_sense() -> None:
    start, _, delta, *_ = text_answer("Hi")
    encoder = CompletionEncoding(id="cmpl-1", created=1, model="m", prompts=("a",)).stream(1)
    encoder.encode(0, start)
    with pytest.raises(BackendFailed, match="never began"):
        encoder.encode(0, delta)


async def test_when_the_client_goes_the_answers_are_closed(build_app: BuildApp) -> None:
    connection = Connection()
    connection._body = json.dumps({"model": "test-model", "prompt": ["a", "b"]}).encode()
    connection.scope["path"] = "/v1/completions"
    backend = ScriptedBackend([anyio.Event()])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(build_app(backend), connection.scope, connection.receive, connection.send)
        while len(backend.requests) < 2:
            await anyio.lowlevel.checkpoint()
        connection.gone.set()
    assert backend.closed == 2
    assert connection.sent[0]["status"] == 499


async def test_the_request_is_documented(build_app: BuildApp) -> None:
    async with http_client(build_app()) as client:
        document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/completions"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert {"model", "prompt", "best_of", "temperature"} <= set(schema["properties"])
    assert "$ref" not in str(schema)


# -- the SDK ------------------------------------------------------------------------------


async def test_the_sdk_gets_a_whole_completion(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend(reply=by_prompt)) as client:
        completion = await client.completions.create(
            model="test-model", prompt=["one", "two"], n=2, echo=True, max_tokens=7
        )
    assert [choice.text for choice in completion.choices] == ["oneONE"] * 2 + ["twoTWO"] * 2
    assert [choice.index for choice in completion.choices] == [0, 1, 2, 3]
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 8


async def test_the_sdk_gets_a_stream(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend(text_answer(" a", " time"))) as client:
        stream = await client.completions.create(
            model="test-model",
            prompt="Once upon",
            stream=True,
            stream_options={"include_usage": True},
        )
        *chunks, last = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks) == " a time"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last.usage is not None
    assert last.usage.total_tokens == 5


async def test_the_sdk_raises_on_tokens(build_app: BuildApp) -> None:
    async with sdk(build_app, ScriptedBackend()) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.completions.create(model="test-model", prompt=[1, 2, 3])
    assert caught.value.param == "prompt"
