"""A complete backend: asks another server that speaks OpenAI's chat completions. Needs httpx.

    models:
      local: {backend: remote, target: qwen3}
    plugins:
      remote_backend: {url: "http://localhost:11434/v1", key_variable: LOCAL_KEY}

It translates texts: requests with tools, pictures or a format are rejected. `key_variable` names the
environment variable that holds the server's key, so that the key is not in the YAML.
"""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Annotated, Any

import httpx
from pydantic import BaseModel

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.errors import (
    BackendFailed,
    BackendUnavailable,
    GatewayError,
    InvalidRequest,
    ModelNotFound,
    NotAuthenticated,
    UnsupportedParameter,
    UpstreamRateLimited,
)
from gateway.interface import NeedsTrust
from gateway.streams import EventSource
from gateway.types import (
    ChatRequest,
    Message,
    ModelDescription,
    Parameter,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StopReason,
    StreamEvent,
    Target,
    Text,
    Usage,
    UsageUpdate,
)

BACKEND = "remote"
SECTION = "remote_backend"
STOP_REASONS: dict[str, StopReason] = {"length": "max_tokens", "content_filter": "refusal"}


class RemoteConfig(BaseModel):
    """Where the server is. Both keys send requests elsewhere, so an untrusted file can't set them."""

    url: Annotated[str, NeedsTrust("sends requests to another server")] = (
        "http://localhost:11434/v1"
    )
    key_variable: Annotated[str | None, NeedsTrust("sends a secret to another server")] = None


# -- the request --------------------------------------------------------------------------


def encode(request: ChatRequest, target: Target) -> dict[str, Any]:
    """The body for the server. Raises `UnsupportedParameter`."""
    if request.tools:
        raise UnsupportedParameter("This model can't call tools.", param="tools")
    if request.response_format.kind != "text":
        raise UnsupportedParameter("This model answers in text only.", param="response_format")
    system = [{"role": "system", "content": request.system}] if request.system else []
    sampling = request.sampling
    optional = {
        "max_tokens": sampling.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stop": list(sampling.stop) or None,
    }
    return {
        "model": target.name,
        "messages": [*system, *map(encode_message, request.messages)],
        "stream": True,
        "stream_options": {"include_usage": True},
        **{name: value for name, value in optional.items() if value is not None},
    }


def encode_message(message: Message) -> dict[str, str]:
    """One message. Raises `UnsupportedParameter` for anything but text."""
    texts = [part.text for part in message.parts if isinstance(part, Text)]
    if len(texts) < len(message.parts):
        raise UnsupportedParameter("This model takes nothing but text.", param="messages")
    return {"role": message.role, "content": "\n".join(texts)}


# -- the answer ---------------------------------------------------------------------------


async def ask(
    body: dict[str, Any], config: RemoteConfig, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncGenerator[StreamEvent]:
    """The events of the answer. Nothing happens before the first is asked for."""
    key = os.environ.get(config.key_variable, "") if config.key_variable else ""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    # The gateway has its own limits of time: `idle_seconds` and `request_seconds`.
    client = httpx.AsyncClient(transport=transport, headers=headers, timeout=None)  # noqa: S113
    try:
        async with (
            client,
            client.stream("POST", f"{config.url}/chat/completions", json=body) as response,
        ):
            if response.is_error:
                await response.aread()
                raise as_gateway_error(response)
            async with (
                aclosing(lines(response)) as read,
                aclosing(chunks(read)) as parsed,
                aclosing(events(parsed)) as found,
            ):
                async for event in found:
                    yield event
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise BackendUnavailable(f"The server at {config.url} does not answer: {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BackendFailed(f"The server sent a chunk that can't be read: {error!r}") from error


async def lines(response: httpx.Response) -> AsyncGenerator[bytes]:
    """The lines of a body. httpx's own also end at characters that JSON may have in a text."""
    rest = b""
    async for piece in response.aiter_bytes():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
    yield rest


async def chunks(found: AsyncIterator[bytes]) -> AsyncGenerator[dict[str, Any]]:
    """The data of each server-sent event. Raises `BackendFailed` for an error among them."""
    async for line in found:
        data = line.removeprefix(b"data:").strip()
        if line.startswith(b"data:") and data != b"[DONE]":
            chunk: dict[str, Any] = json.loads(data)
            if "error" in chunk:
                raise BackendFailed(f"The server's answer was interrupted: {chunk['error']}")
            yield chunk


async def events(found: AsyncIterator[dict[str, Any]]) -> AsyncGenerator[StreamEvent]:
    """The events for the chunks of one answer. Without a finish reason there is no end."""
    reason, usage, started = None, Usage(), False
    async for chunk in found:
        if not started:
            started = True
            yield ResponseStart(model=chunk.get("model"))
            yield PartStart(index=0, part=Text(text=""))
        for text, finish in pieces(chunk):
            reason = finish or reason
            if text:
                yield PartDelta(index=0, text=text)
        if told := chunk.get("usage"):
            usage = Usage(
                input_tokens=told["prompt_tokens"], output_tokens=told["completion_tokens"]
            )
    if reason is not None:
        yield PartEnd(index=0)
        yield UsageUpdate(usage=usage)
        yield ResponseEnd(stop_reason=STOP_REASONS.get(reason, "end"))


def pieces(chunk: dict[str, Any]) -> Iterator[tuple[str | None, str | None]]:
    """The text and the finish reason of each choice."""
    for choice in chunk.get("choices", ()):
        yield choice["delta"].get("content"), choice.get("finish_reason")


def as_gateway_error(response: httpx.Response) -> GatewayError:
    """The client's error for a response with an error status."""
    said = f"The server answered {response.status_code}: {response.text[:500]}"
    match response.status_code:
        case 401 | 403:
            return NotAuthenticated(said)
        case 404:
            return ModelNotFound(said)
        case 429:
            seconds = response.headers.get("retry-after", "")
            retry_after = int(seconds) if seconds.isdecimal() else None
            return UpstreamRateLimited(said, retry_after=retry_after)
    return InvalidRequest(said) if response.is_client_error else BackendFailed(said)


# -- the plugin ---------------------------------------------------------------------------


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    register(SECTION, RemoteConfig)


@hookimpl
def gateway_open_stream(
    request: ChatRequest, target: Target, ctx: RequestContext
) -> EventSource | None:
    if target.backend != BACKEND:
        return None
    if request.sampling.top_k is not None:
        ctx.ignore(["top_k"])
    config = ctx.gateway.config.section(SECTION, RemoteConfig)
    return ask(encode(request, target), config)


@hookimpl
def gateway_describe_model(target: Target) -> ModelDescription | None:
    if target.backend != BACKEND:
        return None
    parameters: tuple[Parameter, ...] = ("max_output_tokens", "temperature", "top_p", "stop")
    return ModelDescription(parameters=parameters, inputs=("text",))
