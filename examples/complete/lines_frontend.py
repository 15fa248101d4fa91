"""A complete frontend: a small format of its own, whose streams are lines of JSON.

    curl -N localhost:8000/lines -H 'content-type: application/json' \
        -d '{"model": "claude-sonnet-4", "turns": ["Hello", "Hi!", "How are you?"], "stream": true}'

`turns` are said in turn by the user and the assistant. A whole answer is `{"text", "reason",
"tokens"}`; a stream has a line `{"text"}` for each piece and ends with `{"reason", "tokens"}`. An
error is `{"error": {"message", "place"}}`, also as the last line of a stream. `GET /lines/models`
lists the models.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import hookimpl
from gateway.errors import BackendFailed, GatewayError
from gateway.frontend import (
    Call,
    Frontend,
    Incoming,
    NDJSONEncoder,
    WireModel,
    answer,
    checked,
    json_line,
    listed_models,
)
from gateway.interface import Gateway
from gateway.types import (
    ChatRequest,
    ChatResponse,
    Message,
    PartDelta,
    PartStart,
    ResponseEnd,
    StreamEvent,
    Text,
    Usage,
    UsageUpdate,
)

SECTION = "lines_frontend"
ERROR_SCHEMA = {"type": "object", "required": ["error"]}


class LinesConfig(BaseModel):
    """`plugins: {lines_frontend: {keepalive_seconds: 5}}`: silence that a stream bridges."""

    keepalive_seconds: float = Field(default=15, gt=0)


# -- decoding -----------------------------------------------------------------------------


class LinesRequest(WireModel):
    """The body of `POST /lines`."""

    model: str
    turns: Annotated[list[str], Field(min_length=1)]
    system: str = ""
    stream: bool = False


def decode(incoming: Incoming) -> tuple[Call, "LinesEncoding"]:
    """Translate a request. Raises `InvalidRequest`, which names the place."""
    wire = checked(LinesRequest, incoming.body)
    request = ChatRequest(
        model=wire.model,
        system=wire.system,
        messages=tuple(
            Message(role="assistant" if number % 2 else "user", parts=(Text(text=text),))
            for number, text in enumerate(wire.turns)
        ),
        client=incoming.client,
    )
    ignored = tuple(wire.__pydantic_extra__ or ())
    return Call(requests=(request,), stream=wire.stream, ignored=ignored), LinesEncoding()


# -- encoding -----------------------------------------------------------------------------


class LinesEncoding:
    """How the answer to one request is written."""

    def whole(self, responses: Sequence[ChatResponse]) -> dict[str, object]:
        """The answer, whole."""
        [response] = responses
        text = "".join(part.text for part in response.parts if isinstance(part, Text))
        tokens = response.usage.total_tokens
        return {"text": text, "reason": response.stop_reason, "tokens": tokens}

    def stream(self, choices: int) -> "LineEncoder":
        """The answer, line by line."""
        return LineEncoder()


class LineEncoder(NDJSONEncoder):
    """Encodes the events of one answer."""

    def __init__(self) -> None:
        self._is_text: dict[int, bool] = {}
        self._usage = Usage()

    def encode(self, choice: int, event: StreamEvent) -> bytes:
        """A line for each piece of text, and one for the end."""
        match event:
            case PartStart():
                self._is_text[event.index] = isinstance(event.part, Text)
            case PartDelta():
                if (is_text := self._is_text.get(event.index)) is None:
                    raise BackendFailed(f"part {event.index} of the answer never began")
                return json_line({"text": event.text}) if is_text else b""
            case UsageUpdate():
                self._usage = event.usage
            case ResponseEnd():
                tokens = self._usage.total_tokens
                return json_line({"reason": event.stop_reason, "tokens": tokens})
        return b""

    def finish(self) -> bytes:
        """Nothing: the end of the answer has said it."""
        return b""

    def fail(self, error: GatewayError) -> bytes:
        """The last line."""
        return json_line(error_body(error))


def error_body(error: GatewayError) -> dict[str, object]:
    """An error in this format."""
    return {"error": {"message": error.message, "place": error.param}}


# -- the plugin ---------------------------------------------------------------------------


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    register(SECTION, LinesConfig)


@hookimpl
def gateway_register_frontends(register: Callable[[Frontend], None]) -> None:
    register(
        Frontend(
            name="lines",
            matches=lambda request: f"{request.url.path}/".startswith("/lines/"),
            render_error=lambda error, _: JSONResponse(error_body(error), error.status),
            error_schema=ERROR_SCHEMA,
        )
    )


@hookimpl
def gateway_register_routes(router: APIRouter, gateway: Gateway) -> None:
    @router.post("/lines", include_in_schema=False)
    async def lines(request: Request) -> Response:
        config = gateway.config.section(SECTION, LinesConfig)
        return await answer(gateway, request, decode, keepalive_seconds=config.keepalive_seconds)

    @router.get("/lines/models", include_in_schema=False)
    async def models(request: Request) -> list[str]:
        return [model.name for model in listed_models(gateway, request)]
