"""Rules about `thinking`."""

from collections.abc import Mapping
from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.blocks import content_blocks, field_of, thinking_type
from gateway_claude_code.upstream.rules.rule import Refusal, extra_input, invalid

LEAST_BUDGET: Final = 1024
FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "adaptive": frozenset({"type", "display", "block_binding"}),
    "enabled": frozenset({"type", "budget_tokens", "display", "block_binding"}),
    "disabled": frozenset({"type"}),
    "between_tools": frozenset({"type"}),
}
USE_ADAPTIVE: Final = (
    'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
)


def type_accepted(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Each model accepts some of the four types."""
    kind = thinking_type(request)
    if kind is None or kind in facts.thinking:
        return None
    if kind not in FIELDS:
        return invalid(
            f"thinking.type: Input tag '{kind}' found using 'type' does not match any of the "
            "expected tags"
        )
    if kind == "adaptive":
        return invalid("adaptive thinking is not supported on this model")
    refused = f'"thinking.type.{kind}" is not supported for this model.'
    if kind == "between_tools":
        return invalid(refused)
    if kind == "disabled" and "between_tools" in facts.thinking:
        return invalid(
            f'{refused} Use "thinking.type.between_tools" for the lowest thinking setting, or '
            '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
        )
    return invalid(f"{refused} {USE_ADAPTIVE}")


def fields(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Each type has fields of its own; "between_tools" and "disabled" have none."""
    kind = thinking_type(request)
    given = request.body.get("thinking")
    if kind is None or kind not in FIELDS or not isinstance(given, Mapping):
        return None
    unknown = sorted(given.keys() - FIELDS[kind])
    return extra_input(f"thinking.{kind}.{unknown[0]}") if unknown else None


def budget(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A budget has at least 1,024 tokens, and is below `max_tokens`."""
    if thinking_type(request) != "enabled":
        return None
    tokens = field_of(request.body.get("thinking"), "budget_tokens")
    if tokens is None:
        return invalid("thinking.enabled.budget_tokens: Field required")
    if tokens < LEAST_BUDGET:
        return invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to "
            f"{LEAST_BUDGET}"
        )
    if tokens >= (request.body.get("max_tokens") or 0):
        return invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
    return None


def leads_tool_loop(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """In a tool loop with a budget, the last assistant turn begins with its thinking."""
    thinking = thinking_type(request) == "enabled"
    if not (facts.thinking_leads_tool_loop and thinking and request.last_tool_results):
        return None
    turns = enumerate(request.messages)
    last = [number for number, turn in turns if turn.get("role") == "assistant"]
    if not last:
        return None
    blocks = content_blocks(request.messages[last[-1]].get("content"))
    kind = blocks[0].get("type") if blocks else None
    if kind in ("thinking", "redacted_thinking"):
        return None
    return invalid(
        f"messages.{last[-1]}.content.0.type: Expected `thinking` or `redacted_thinking`, but "
        f"found `{kind}`. When `thinking` is enabled, a final `assistant` message must start "
        "with a thinking block (preceding the lastmost set of `tool_use` and `tool_result` "
        "blocks). To avoid this requirement, disable `thinking`."
    )


def clearing(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Thinking can only be cleared from the context where there is some."""
    edits = field_of(request.body.get("context_management"), "edits") or ()
    clears = any(str(field_of(edit, "type")).startswith("clear_thinking") for edit in edits)
    if clears and thinking_type(request) == "disabled":
        return invalid(
            "`clear_thinking_20251015` strategy requires `thinking` to be enabled or adaptive"
        )
    return None
