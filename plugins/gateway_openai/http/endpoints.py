"""The two endpoints that generate: how each decodes its requests and encodes its answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import UnsupportedParameter
from gateway.frontend import Call, Encoding, Incoming
from gateway.types import ChatResponse
from gateway_openai.config import OpenAIConfig
from gateway_openai.decode.chat import decode, parse
from gateway_openai.decode.completions import decode_completion
from gateway_openai.encode.chat import AnswerFormat, completion_id, encode_completion
from gateway_openai.encode.chat_chunks import ChunkEncoder
from gateway_openai.encode.completions import CompletionEncoding, text_completion_id
from gateway_openai.fields.rows import CHAT
from gateway_openai.http.sizes import check_sizes


@dataclass(frozen=True, slots=True)
class ChatEncoding:
    """Answers as chat completions."""

    form: AnswerFormat

    def whole(self, responses: Sequence[ChatResponse]) -> dict[str, Any]:
        """`openai.types.chat.ChatCompletion`."""
        return encode_completion(responses, self.form)

    def stream(self, choices: int) -> ChunkEncoder:
        """For `openai.types.chat.ChatCompletionChunk`."""
        return ChunkEncoder(self.form, choices)


def chat_completions(config: OpenAIConfig, incoming: Incoming) -> tuple[Call, Encoding]:
    """`POST /v1/chat/completions`. Raises `InvalidRequest`."""
    check_sizes(incoming.body, incoming.limits)
    call = decode(parse(incoming.body), incoming.client)
    _reject_ignored(call, config)
    form = AnswerFormat(
        id=completion_id(),
        created=int(time.time()),
        model=call.request.model,
        thinking=config.thinking if call.shows_reasoning else "off",
        legacy_functions=call.legacy_functions,
        include_usage=call.include_usage,
    )
    return call, ChatEncoding(form)


def text_completions(config: OpenAIConfig, incoming: Incoming) -> tuple[Call, Encoding]:
    """`POST /v1/completions`. Raises `InvalidRequest`."""
    check_sizes(incoming.body, incoming.limits)
    call = decode_completion(incoming.body, incoming.client)
    _reject_ignored(call, config)
    encoding = CompletionEncoding(
        id=text_completion_id(),
        created=int(time.time()),
        model=call.requests[0].model,
        prompts=call.prompts,
        echo=call.echo,
        include_usage=call.include_usage,
    )
    return call, encoding


def _reject_ignored(call: Call, config: OpenAIConfig) -> None:
    refusable = CHAT.refusable(call.ignored)
    if config.unsupported == "reject" and refusable:
        raise UnsupportedParameter(
            f"{refusable[0]!r} is not supported, and the gateway rejects unsupported fields "
            "(plugins.openai.unsupported).",
            param=refusable[0],
        )
