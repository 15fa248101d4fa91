"""The routes, over HTTP, with a scripted backend behind them."""

import logging
from collections.abc import Iterable

import httpx
import pytest
from fastapi import FastAPI

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.errors import (
    BackendFailed,
    ContextTooLong,
    GatewayError,
    NotAuthenticated,
    Overloaded,
    QuotaExhausted,
)
from gateway.testing import ScriptedBackend, answer, part, text_answer
from gateway.types import ChatRequest, PartStart, ResponseStart, Text, Usage, UsageUpdate
from gateway_openai.config import OpenAIConfig
from gateway_openai.http.not_served import NOT_SERVED
from tests.openai.openai_support import Ask, BuildApp, http_client, sse_data


class Ignoring:
    """A plugin that does not honour these fields, and sets a header."""

    def __init__(self, fields: Iterable[str], **headers: str) -> None:
        self._fields = list(fields)
        self._headers = headers

    @hookimpl
    def gateway_transform_request(self, request: ChatRequest, ctx: RequestContext) -> None:
        ctx.ignore(self._fields)
        ctx.headers.update(self._headers)


# -- answers ------------------------------------------------------------------------------


async def test_a_whole_answer(ask: Ask) -> None:
    response = await ask(ScriptedBackend())
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json()["choices"][0]["message"]["content"] == "Hello there"
    assert response.json()["model"] == "test-model"


async def test_a_streamed_answer(ask: Ask) -> None:
    response = await ask(ScriptedBackend(), stream=True)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    *chunks, done = sse_data(response.text)
    assert done == "[DONE]"
    text = [chunk["choices"][0]["delta"].get("content") for chunk in chunks]
    assert text == ["", "Hello", " there", None]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_stream_of_the_backend_is_closed(ask: Ask, stream: bool) -> None:
    backend = ScriptedBackend()
    await ask(backend, stream=stream, n=3)
    assert backend.closed == 3


async def test_several_answers(ask: Ask) -> None:
    backend = ScriptedBackend(text_answer("one"), text_answer("two"), text_answer("three"))
    response = (await ask(backend, n=3)).json()
    assert [choice["index"] for choice in response["choices"]] == [0, 1, 2]
    texts = {choice["message"]["content"] for choice in response["choices"]}
    assert texts == {"one", "two", "three"}
    assert response["usage"]["prompt_tokens"] == 3
    assert response["usage"]["completion_tokens"] == 6


async def test_several_streamed_answers(ask: Ask) -> None:
    backend = ScriptedBackend(text_answer("one", "two"), text_answer("three"))
    response = await ask(backend, n=2, stream=True, stream_options={"include_usage": True})
    *chunks, usage, done = sse_data(response.text)
    assert done == "[DONE]"
    assert usage["usage"]["completion_tokens"] == 4
    texts = ["", ""]
    for chunk in chunks:
        (choice,) = chunk["choices"]
        texts[choice["index"]] += choice["delta"].get("content", "")
    assert sorted(texts) == ["onetwo", "three"]


@pytest.mark.parametrize("stream", [False, True])
async def test_the_text_is_cut_at_a_stop_sequence_of_white_space(ask: Ask, stream: bool) -> None:
    backend = ScriptedBackend(text_answer("one\n", "\ntwo", "three"))
    response = await ask(backend, stop="\n\n", stream=stream)
    if stream:
        chunks = [chunk["choices"][0] for chunk in sse_data(response.text)[:-1]]
        text = "".join(choice["delta"].get("content", "") for choice in chunks)
        finish = chunks[-1]["finish_reason"]
    else:
        (choice,) = response.json()["choices"]
        text, finish = choice["message"]["content"], choice["finish_reason"]
    assert (text, finish) == ("one", "stop")
    assert backend.closed == 1
    assert backend.requests[0].sampling.stop == ()


async def test_without_a_stop_sequence_in_it_the_text_is_whole(ask: Ask) -> None:
    response = await ask(ScriptedBackend(text_answer("one\n", "two")), stop="\n\n")
    assert response.json()["choices"][0]["message"]["content"] == "one\ntwo"


async def test_who_asks_reaches_the_hub(ask: Ask) -> None:
    backend = ScriptedBackend()
    await ask(backend)
    assert backend.requests[0].client.user_agent == f"python-httpx/{httpx.__version__}"
    assert backend.requests[0].client.address == "127.0.0.1"


# -- headers ------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_headers(ask: Ask, stream: bool) -> None:
    plugin = Ignoring(["temperature"], **{"x-ratelimit-remaining-requests": "9\n"})
    response = await ask(ScriptedBackend(), plugin, seed=1, temperature=0, stream=stream)
    assert response.headers["x-dragoman-model"] == "scripted-1"
    assert response.headers["x-dragoman-ignored"] == "seed,temperature"
    assert response.headers["x-ratelimit-remaining-requests"] == "9?"
    assert response.headers["x-request-id"].startswith("req_")


async def test_what_is_ignored_is_logged_without_content(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gateway.frontend"):
        response = await ask(ScriptedBackend(), seed=424242, user="Ada")
    (message,) = caplog.messages
    assert message == f"{response.headers['x-request-id']}: ignored seed,user"


async def test_nothing_ignored_is_nothing_said(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gateway.frontend"):
        response = await ask(ScriptedBackend(answer(model="")), n=1, logprobs=False, seed=None)
    assert "x-dragoman-ignored" not in response.headers
    assert "x-dragoman-model" not in response.headers
    assert caplog.messages == []


# -- configuration ------------------------------------------------------------------------


async def test_fields_without_effect_can_be_refused(ask: Ask) -> None:
    backend = ScriptedBackend()
    response = await ask(backend, section={"unsupported": "reject"}, seed=1)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", "seed")
    assert backend.requests == []


async def test_refusing_leaves_other_requests_alone(ask: Ask) -> None:
    response = await ask(
        ScriptedBackend(), section={"unsupported": "reject"}, seed=None, temperature=0
    )
    assert response.status_code == 200


async def test_thinking_that_a_client_sends_back_is_never_refused(ask: Ask) -> None:
    said = {"role": "assistant", "content": "x", "reasoning_content": "hm"}
    messages = [said, {"role": "user", "content": "Go on."}]
    response = await ask(ScriptedBackend(), section={"unsupported": "reject"}, messages=messages)
    assert response.status_code == 200
    assert response.headers["x-dragoman-ignored"] == "messages.reasoning_content"


# -- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields", [{"stream": stream, "n": n} for stream in (False, True) for n in (1, 3)]
)
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BackendFailed("it died"), 502, "backend_error"),
        (ContextTooLong("too long"), 400, "context_length_exceeded"),
        (NotAuthenticated("log in"), 401, "authentication_error"),
        (RuntimeError("a bug"), 500, "internal_error"),
    ],
)
async def test_an_early_failure_is_an_http_error(
    ask: Ask, fields: dict[str, object], error: Exception, status: int, code: str
) -> None:
    backend = ScriptedBackend([error])
    response = await ask(backend, **fields)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.json()["error"]["code"] == code
    assert "a bug" not in response.text


@pytest.mark.parametrize(
    "script",
    [
        [ResponseStart(model="m"), Overloaded("no room")],
        [ResponseStart(model="m"), PartStart(index=0, part=Text(text="")), Overloaded("no room")],
    ],
)
async def test_a_late_failure_ends_the_stream_with_the_error(
    ask: Ask, script: list[object]
) -> None:
    backend = ScriptedBackend(script)  # type: ignore[arg-type]
    response = await ask(backend, stream=True)
    assert response.status_code == 200
    assert sse_data(response.text)[-1] == {
        "error": {
            "message": "no room",
            "type": "server_error",
            "param": None,
            "code": "overloaded",
        }
    }
    assert "[DONE]" not in response.text
    assert backend.closed == 1


async def test_a_stream_that_breaks_off_is_an_error(ask: Ask) -> None:
    response = await ask(ScriptedBackend(text_answer("Hel")[:-1]), stream=True)
    assert sse_data(response.text)[-1]["error"]["code"] == "backend_error"


@pytest.mark.parametrize("n", [1, 2])
async def test_a_late_failure_of_a_whole_answer_is_an_http_error(ask: Ask, n: int) -> None:
    backend = ScriptedBackend([*text_answer("Hel")[:-1], Overloaded("no room")])
    response = await ask(backend, n=n)
    assert response.status_code == 503
    assert backend.closed == n


@pytest.mark.parametrize("n", [1, 2])
async def test_events_that_make_no_sense_end_the_stream_with_an_error(ask: Ask, n: int) -> None:
    nonsense = [event for event in text_answer("Hi") if not isinstance(event, PartStart)]
    response = await ask(ScriptedBackend(nonsense), stream=True, n=n)
    assert sse_data(response.text)[-1]["error"]["code"] == "backend_error"


async def test_when_one_of_several_fails_all_do(ask: Ask) -> None:
    def reply(_: ChatRequest) -> list[object]:
        return text_answer("fine") if len(backend.requests) > 1 else [Overloaded("no room")]

    backend = ScriptedBackend(reply=reply)  # type: ignore[arg-type]
    assert (await ask(backend, n=2)).status_code == 503


async def test_an_unknown_model_is_404(ask: Ask) -> None:
    response = await ask(ScriptedBackend(), model="test-modle")
    assert response.status_code == 404
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "test-model" in error["message"]


async def test_the_quota_tells_clients_when_to_come_back(ask: Ask) -> None:
    error = QuotaExhausted("used up", retry_after=3600, should_retry=False)
    response = await ask(ScriptedBackend([error]))
    assert response.status_code == 429
    assert response.json()["error"]["type"] == "insufficient_quota"
    assert response.headers["retry-after"] == "3600"
    assert response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "unknown_url"),
        ("POST", "/", 405, "method_not_allowed"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/models/nothing", 404, "model_not_found"),
        ("GET", "/v1/models/", 404, "model_not_found"),
        ("POST", "/v1/chat/completions/", 404, "unknown_url"),
        ("POST", "/v1/completions/", 404, "unknown_url"),
    ],
)
async def test_errors_of_paths_have_the_envelope_too(
    build_app: BuildApp, method: str, path: str, status: int, code: str
) -> None:
    async with http_client(build_app(ScriptedBackend())) as client:
        response = await client.request(method, path)
    assert response.status_code == status
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.json()["error"]["code"] == code


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", NOT_SERVED)
async def test_an_endpoint_that_is_not_served_says_what_to_do(
    app: FastAPI, method: str, path: str
) -> None:
    async with http_client(app) as client:
        response = await client.request(method, path)
        described = (await client.get("/openapi.json")).json()["paths"]
    assert response.status_code == 404
    error = response.json()["error"]
    assert error["code"] == "unknown_url"
    assert NOT_SERVED[path] in error["message"]
    assert path not in described


@pytest.mark.parametrize("path", ["/", "/v1"])
async def test_the_address_itself_says_where_to_go_on(app: FastAPI, path: str) -> None:
    async with http_client(app) as client:
        response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert "/v1/models" in response.text


async def test_a_wrong_base_url_is_named(app: FastAPI) -> None:
    async with http_client(app) as client:
        response = await client.post("/v1/v1/chat/completions", json={})
    assert "Did you mean /v1/chat/completions?" in response.json()["error"]["message"]


async def test_another_frontend_renders_its_own_errors(build_app: BuildApp) -> None:
    class Other:
        @hookimpl
        def gateway_render_error(self, error: GatewayError) -> httpx.Response | None:
            rendered.append(error)
            return None

    rendered: list[GatewayError] = []
    async with http_client(build_app(Other())) as client:
        await client.get("/nothing")
    assert len(rendered) == 1


# -- documentation ------------------------------------------------------------------------


async def test_the_request_is_documented(build_app: BuildApp) -> None:
    async with http_client(build_app()) as client:
        document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/chat/completions"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert {"model", "messages", "temperature"} <= set(schema["properties"])
    assert "$ref" not in str(schema)


async def test_usage_is_the_last_that_was_reported(ask: Ask) -> None:
    events = text_answer("Hi")
    events[1:1] = [UsageUpdate(usage=Usage(input_tokens=99))]
    response = await ask(ScriptedBackend(events))
    assert response.json()["usage"]["prompt_tokens"] == 3


async def test_parts_of_every_kind_stream_in_order(ask: Ask) -> None:
    events = answer(part(0, Text(text=""), "a"), part(1, Text(text=""), "b"))
    response = await ask(ScriptedBackend(events))
    assert response.json()["choices"][0]["message"]["content"] == "ab"


def test_a_bare_off_in_yaml_is_off() -> None:
    assert OpenAIConfig.model_validate({"thinking": False}).thinking == "off"
