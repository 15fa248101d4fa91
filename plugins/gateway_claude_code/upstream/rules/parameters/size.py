"""Rules about sizes: of the request, and of the requested answer."""

from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.rule import Refusal, invalid

MOST_BYTES: Final = 32 * 1024 * 1024


def request_size(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A body has at most 32 MB."""
    if request.size > MOST_BYTES:
        return Refusal(
            status=413,
            error_type="request_too_large",
            message="Request exceeds the maximum size",
        )
    return None


def max_tokens(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """`max_tokens` is at most the model's limit."""
    tokens, most = request.body.get("max_tokens"), facts.max_output_tokens
    if isinstance(tokens, int) and tokens > most:
        return invalid(
            f"max_tokens: {tokens} > {most}, which is the maximum allowed number of output "
            f"tokens for {request.model}"
        )
    return None


def least_max_tokens(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """`max_tokens` is a whole number, and not 0 in a stream.

    Without a stream 0 fills the prompt cache and answers nothing.
    """
    tokens = request.body.get("max_tokens")
    if tokens is None:
        return None
    if isinstance(tokens, bool) or not isinstance(tokens, int):
        return invalid("max_tokens: Input should be a valid integer")
    if tokens < 0:
        return invalid("max_tokens: Input should be greater than or equal to 0")
    if tokens == 0 and request.streamed:
        return invalid("max_tokens: 0 is not allowed with stream: true")
    return None
