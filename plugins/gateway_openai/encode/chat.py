"""From the hub's answers to the wire's: the whole answer, and what streams share with it.

The shapes are those of `openai.types.chat.ChatCompletion` and `openai.types.CompletionUsage`
(openai-python 3.54).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from gateway import __version__
from gateway.types import ChatResponse, ResponseEnd, StopReason, Text, Thinking, ToolCall, Usage
from gateway_openai.encode.searches import search_fields

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
ThinkingField: TypeAlias = Literal["reasoning_content", "reasoning", "off"]

SYSTEM_FINGERPRINT: Final = f"fp_dragoman_{__version__}"

REFUSED: Final = "The model refused to answer this request."
"""For `refusal`, where the model's API gives no reason."""

_FINISH_REASONS: Final[Mapping[StopReason, FinishReason]] = {
    "end": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "refusal": "content_filter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFormat:
    """What all parts of one answer have in common. `created` is in seconds since the epoch.

    `model` is the name that was asked for, not the one that answers.
    """

    id: str
    created: int
    model: str
    thinking: ThinkingField = "reasoning_content"
    legacy_functions: bool = False
    include_usage: bool = False


def completion_id() -> str:
    """A new id for an answer."""
    return f"chatcmpl-{secrets.token_hex(16)}"


def encode_completion(responses: Sequence[ChatResponse], form: AnswerFormat) -> dict[str, Any]:
    """The whole answer: a choice for each response."""
    return {
        "id": form.id,
        "object": "chat.completion",
        "created": form.created,
        "model": form.model,
        "choices": [
            {
                "index": index,
                "message": _message(response, form),
                "logprobs": None,
                "finish_reason": finish_reason(
                    response.stop_reason, legacy_functions=form.legacy_functions
                ),
            }
            for index, response in enumerate(responses)
        ],
        "usage": encode_usage([response.usage for response in responses]),
        "system_fingerprint": SYSTEM_FINGERPRINT,
    }


def finish_reason(stop_reason: StopReason, *, legacy_functions: bool) -> FinishReason:
    """Why the answer ended, in OpenAI's words."""
    if legacy_functions and stop_reason == "tool_calls":
        return "function_call"
    return _FINISH_REASONS[stop_reason]


def refusal_text(end: ChatResponse | ResponseEnd) -> str | None:
    """What goes into `refusal`; the model's own words before it stay in `content`."""
    if end.stop_reason != "refusal":
        return None
    return end.refusal or REFUSED


def encode_usage(usages: Sequence[Usage], prompts: int = 1) -> dict[str, Any]:
    """The tokens of all choices: a prompt counts once for all choices that answer it.

    `prompts` is how many there are; each has the same number of choices, one after another.
    """
    size = len(usages) // prompts
    groups = [usages[start : start + size] for start in range(0, len(usages), size)]
    asked = [max(group, key=lambda usage: usage.prompt_tokens) for group in groups]
    prompt = sum(usage.prompt_tokens for usage in asked)
    completion = sum(usage.output_tokens for usage in usages)
    searches = sum(usage.searches for usage in usages)
    # an extension, by the API's own names
    searched = {"server_tool_use": {"web_search_requests": searches}} if searches else {}
    return {
        **searched,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": sum(usage.cache_read_tokens for usage in asked),
            "cache_write_tokens": sum(usage.cache_write_tokens for usage in asked),
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": sum(usage.reasoning_tokens for usage in usages),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _message(response: ChatResponse, form: AnswerFormat) -> dict[str, Any]:
    text = "".join(part.text for part in response.parts if isinstance(part, Text))
    thinking = "".join(part.text for part in response.parts if isinstance(part, Thinking))
    calls = [part for part in response.parts if isinstance(part, ToolCall)]
    refusal = refusal_text(response)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text if text or not (calls or refusal) else None,
        "refusal": refusal,
        "annotations": [],
        **search_fields(response.parts),
    }
    if thinking and form.thinking != "off":
        message[form.thinking] = thinking
    if calls and form.legacy_functions:
        # The older form has room for one call; the request asked for no more.
        message["function_call"] = _function(calls[0])
    elif calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": _function(call)} for call in calls
        ]
    return message


def _function(call: ToolCall) -> dict[str, str]:
    return {"name": call.name, "arguments": call.arguments}
