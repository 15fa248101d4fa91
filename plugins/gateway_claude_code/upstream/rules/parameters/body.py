"""Rules about the fields of the body."""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.blocks import all_blocks, betas, field_of
from gateway_claude_code.upstream.rules.rule import Refusal, extra_input, invalid

FIELDS: Final = frozenset(
    {
        "cache_control",
        "container",
        "inference_geo",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
"""Fields without a beta header: platform.claude.com/docs/en/api/messages."""

BETA_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "context_management": ("context-management-",),
    "diagnostics": ("cache-diagnosis-",),
    "fallbacks": ("server-side-fallback-",),
    "mcp_servers": ("mcp-client-",),
    "output_format": ("structured-outputs-",),
    "speed": ("fast-mode-",),
    "messages.output_config": ("per-turn-control-", "mid-conversation-output-config-"),
    "thinking.block_binding": ("thinking-binding-controls-",),
    "thinking.display": ("thinking-display-updates-",),
}
"""Fields that need one of these betas; `thinking.display` only for the value "updates"."""

MESSAGE_FIELDS: Final = frozenset({"role", "content", "output_config"})

BLOCK_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"type", "text", "cache_control", "citations"}),
    "image": frozenset({"type", "source", "cache_control"}),
    "document": frozenset({"type", "source", "title", "context", "citations", "cache_control"}),
    "thinking": frozenset({"type", "thinking", "signature"}),
    "redacted_thinking": frozenset({"type", "data"}),
    "tool_use": frozenset({"type", "id", "name", "input", "cache_control", "caller"}),
    "server_tool_use": frozenset({"type", "id", "name", "input", "cache_control", "caller"}),
    "web_search_tool_result": frozenset(
        {"type", "tool_use_id", "content", "cache_control", "caller"}
    ),
    "tool_result": frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}),
}
"""The fields of each type of block; of other types nothing is checked."""

LONGEST_USER_ID: Final = 256


def required_fields(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """`model`, `max_tokens` and `messages` are required."""
    for name in ("model", "max_tokens", "messages"):
        if request.body.get(name) is None:
            return invalid(f"{name}: Field required")
    return None


def known_fields(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Unknown fields are refused, at the top, in messages and in blocks."""
    return next((extra_input(path) for path in _unknown_fields(request)), None)


def _unknown_fields(request: MessagesRequest) -> Iterator[str]:
    for name in request.body:
        if name not in FIELDS and name not in BETA_FIELDS:
            yield name
    for number, message in enumerate(request.messages):
        for name in message.keys() - MESSAGE_FIELDS:
            yield f"messages.{number}.{name}"
    for placed in all_blocks(request):
        known = BLOCK_FIELDS.get(placed.kind)
        # a mark on a thinking block has a rule of its own
        for name in placed.block.keys() - (known or placed.block.keys()) - {"cache_control"}:
            yield f"{placed.path}.{placed.kind}.{name}"


def beta_fields(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A field of a beta needs its header."""
    sent = betas(request)
    for path, field in _beta_fields_of(request):
        if not any(beta.startswith(BETA_FIELDS[field]) for beta in sent):
            return extra_input(path)
    return None


def _beta_fields_of(request: MessagesRequest) -> Iterator[tuple[str, str]]:
    """The paths of beta fields in the body, with their names in `BETA_FIELDS`."""
    yield from ((name, name) for name in request.body if name in BETA_FIELDS)
    for number, message in enumerate(request.messages):
        if "output_config" in message:
            yield f"messages.{number}.output_config", "messages.output_config"
    thinking = request.body.get("thinking")
    if field_of(thinking, "block_binding") is not None:
        yield f"thinking.{field_of(thinking, 'type')}.block_binding", "thinking.block_binding"
    if field_of(thinking, "display") == "updates":
        yield f"thinking.{field_of(thinking, 'type')}.display", "thinking.display"


def user_id(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """`metadata.user_id` has at most 256 characters."""
    value = field_of(request.body.get("metadata"), "user_id")
    if isinstance(value, str) and len(value) > LONGEST_USER_ID:
        return invalid(f"metadata.user_id: String should have at most {LONGEST_USER_ID} characters")
    return None


def stop_sequences(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Each stop sequence has a character that is not a blank."""
    for number, sequence in enumerate(request.body.get("stop_sequences") or ()):
        if not str(sequence).strip():
            return invalid(
                f"stop_sequences.{number}: each stop sequence must contain non-whitespace"
            )
    return None
