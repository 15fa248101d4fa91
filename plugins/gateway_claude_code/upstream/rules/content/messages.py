"""Rules about messages: roles, their order, and texts."""

from collections.abc import Iterator
from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.blocks import all_blocks, content_blocks, text_of
from gateway_claude_code.upstream.rules.rule import Refusal, invalid

ROLES: Final = ("user", "assistant", "system")


def not_empty(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """At least one message is required."""
    if request.body.get("messages") == []:
        return invalid("messages: at least one message is required")
    return None


def roles(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A role is one of three."""
    for number, message in enumerate(request.messages):
        if message.get("role") not in ROLES:
            return invalid(f"messages.{number}.role: Input should be 'user' or 'assistant'")
    return None


def first_role(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The first message is the user's."""
    match request.messages[0].get("role") if request.messages else None:
        case "assistant":
            return invalid('messages: first message must use the "user" role')
        case "system":
            return invalid(
                "messages.0: use the top-level 'system' parameter for the initial system prompt"
            )
    return None


def system_role(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """`role: system` inside the conversation is only for models that support it."""
    inside = any(message.get("role") == "system" for message in request.messages[1:])
    if inside and not facts.system_messages:
        return invalid("role 'system' is not supported on this model")
    return None


def content_not_empty(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A message has content; a `role: system` one may only set the effort."""
    for number, message in enumerate(request.messages):
        final = number == len(request.messages) - 1 and message.get("role") == "assistant"
        if message.get("content") or final or "output_config" in message:
            continue
        return invalid(
            f"messages.{number}: all messages must have non-empty content except for the "
            "optional final assistant message"
        )
    return None


def texts_not_empty(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A text block has text."""
    for where, text in _texts(request):
        if not text:
            return invalid(f"{where}: text content blocks must be non-empty")
    return None


def texts_not_blank(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A text block has more than blanks."""
    for where, text in _texts(request):
        if text and not text.strip():
            return invalid(f"{where}: text content blocks must contain non-whitespace text")
    return None


def _texts(request: MessagesRequest) -> Iterator[tuple[str, str]]:
    system = request.body.get("system")
    if isinstance(system, list):  # an empty string counts as missing
        yield from (("system", text_of(block)) for block in content_blocks(system))
    for placed in all_blocks(request):
        if placed.kind == "text":
            yield "messages", text_of(placed.block)


def prefill(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """The last message may be the assistant's only for models that accept a prefill."""
    if request.turns and request.turns[-1].get("role") == "assistant" and not facts.prefill:
        return invalid(
            "This model does not support assistant message prefill. The conversation must end "
            "with a user message."
        )
    return None


def trailing_blank(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A final assistant text ends without a blank."""
    if not request.turns or request.turns[-1].get("role") != "assistant":
        return None
    blocks = content_blocks(request.turns[-1].get("content"))
    text = text_of(blocks[-1]) if blocks else ""
    if text != text.rstrip():
        return invalid("messages: final assistant content cannot end with trailing whitespace")
    return None
