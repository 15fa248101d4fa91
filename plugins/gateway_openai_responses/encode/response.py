"""The object `response`: the fields that all its states share, and the states.

Its shape is that of `openai.types.responses.Response` (openai-python 3.54).
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from gateway.types import ChatResponse, ResponseEnd, StopReason, Usage
from gateway_openai_responses.tool_kinds import Offer

Status: TypeAlias = Literal["in_progress", "completed", "incomplete", "failed"]

REFUSED: Final = "The model refused to answer this request."
"""For a refusal, where the model's API gives no reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseForm:
    """What all parts of one response have in common. `created_at` is in seconds since the epoch.

    `echoed` are the fields of the request that are returned. `offers` are the tools by the hub's
    names. `summary` and `encrypted` are whether items of reasoning have these, and `sources` whether
    those of searches have.
    """

    id: str
    created_at: int
    echoed: Mapping[str, Any]
    offers: Mapping[str, Offer] = field(default_factory=dict)
    summary: bool = False
    encrypted: bool = False
    sources: bool = False

    def item_id(self, prefix: str, index: int) -> str:
        """The id of the item at this place in `output`; ids of no two items are alike."""
        return f"{prefix}_{self.id.removeprefix('resp_')}{index:04x}"

    def offer(self, name: str) -> Offer:
        """The tool that a call is of; one that the client did not offer is a function."""
        return self.offers.get(name) or Offer("function", name)

    def head(self) -> dict[str, Any]:
        """The fields that never change."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "background": False,
            **self.echoed,
        }


def response_id() -> str:
    """A new id for a response: it can't be guessed."""
    return f"resp_{secrets.token_hex(24)}"


def state(
    status: Status,
    output: Sequence[Mapping[str, Any]] = (),
    usage: Usage | None = None,
    *,
    incomplete: str | None = None,
    error: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The fields that change. `incomplete` is the reason of that status."""
    return {
        "status": status,
        "completed_at": int(time.time()) if status == "completed" else None,
        "error": error,
        "incomplete_details": {"reason": incomplete} if incomplete is not None else None,
        "output": list(output),
        "usage": encode_usage(usage) if usage is not None else None,
    }


def final_state(
    reason: StopReason, output: Sequence[Mapping[str, Any]], usage: Usage
) -> dict[str, Any]:
    """The state of a response that came to its end."""
    if reason == "max_tokens":
        return state("incomplete", output, usage, incomplete="max_output_tokens")
    return state("completed", output, usage)


def refusal_text(end: ChatResponse | ResponseEnd) -> str | None:
    """The text of a refusal, if the answer ended with one."""
    if end.stop_reason != "refusal":
        return None
    return end.refusal or REFUSED


def encode_usage(usage: Usage) -> dict[str, Any]:
    """`openai.types.responses.ResponseUsage`."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
