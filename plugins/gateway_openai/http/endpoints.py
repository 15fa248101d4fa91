"""The two endpoints that generate: how each decodes its requests and encodes its answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from gateway.types import ChatResponse, Client, StreamEvent
from gateway_openai.config import OpenAIConfig
from gateway_openai.decode.call import Call
from gateway_openai.decode.chat import decode, parse
from gateway_openai.decode.completions import decode_completion
from gateway_openai.encode.chat import AnswerFormat, completion_id, encode_completion
from gateway_openai.encode.chat_chunks import ChunkEncoder
from gateway_openai.encode.completions import CompletionEncoding, text_completion_id


class Chunks(Protocol):
    """Encodes the events of all choices of one streamed answer."""

    def encode(self, choice: int, event: StreamEvent) -> bytes:
        """The chunks for one event of one choice; often one, sometimes none.

        Raises `BackendFailed` for more of a part that never began.
        """

    def finish(self) -> bytes:
        """What comes after the last choice's end."""


class Encoding(Protocol):
    """How the answers to one call are written."""

    def whole(self, responses: Sequence[ChatResponse]) -> dict[str, Any]:
        """The whole answer: a choice for each response."""

    def chunks(self, choices: int) -> Chunks:
        """An encoder for a streamed answer with so many choices."""


@dataclass(frozen=True, slots=True)
class ChatEncoding:
    """Answers as chat completions."""

    form: AnswerFormat

    def whole(self, responses: Sequence[ChatResponse]) -> dict[str, Any]:
        """`openai.types.chat.ChatCompletion`."""
        return encode_completion(responses, self.form)

    def chunks(self, choices: int) -> Chunks:
        """For `openai.types.chat.ChatCompletionChunk`."""
        return ChunkEncoder(self.form, choices)


Endpoint: TypeAlias = Callable[[Mapping[str, object], Client, OpenAIConfig], tuple[Call, Encoding]]
"""Decodes a body. Raises `InvalidRequest`."""


def chat_completions(
    body: Mapping[str, object], client: Client, config: OpenAIConfig
) -> tuple[Call, Encoding]:
    """`POST /v1/chat/completions`."""
    call = decode(parse(body), client)
    form = AnswerFormat(
        id=completion_id(),
        created=int(time.time()),
        model=call.request.model,
        thinking=config.thinking if call.shows_reasoning else "off",
        legacy_functions=call.legacy_functions,
        include_usage=call.include_usage,
    )
    return call, ChatEncoding(form)


def text_completions(
    body: Mapping[str, object], client: Client, _: OpenAIConfig
) -> tuple[Call, Encoding]:
    """`POST /v1/completions`."""
    call = decode_completion(body, client)
    encoding = CompletionEncoding(
        id=text_completion_id(),
        created=int(time.time()),
        model=call.requests[0].model,
        prompts=call.prompts,
        echo=call.echo,
        include_usage=call.include_usage,
    )
    return call, encoding
