"""From the ways in which clients ask for reasoning to the hub's effort and thinking. Pure.

OpenAI has `reasoning_effort`. OpenRouter and the clients made for it send `reasoning` with
`effort`, `max_tokens`, `enabled` and `exclude` (openrouter.ai/docs, "Reasoning Tokens"); LiteLLM
and Anthropic's own OpenAI-compatible endpoint take `thinking` with `type` and `budget_tokens`
(docs.litellm.ai, "Reasoning content").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.types import Effort
from gateway_openai.wire.chat import ChatCompletionRequest

_BUDGETS: Final[tuple[tuple[int, Effort], ...]] = ((4_096, "low"), (12_288, "medium"))
"""Tokens up to which a budget is this effort."""
_LARGEST: Final[Effort] = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """What is asked for: `thinking` None leaves it to the model.

    `shown` False leaves the reasoning out of the answer. `adjusted` has the fields that are met
    by something else, with that.
    """

    effort: Effort | None = None
    thinking: bool | None = None
    shown: bool = True
    adjusted: Mapping[str, object] = field(default_factory=dict)


def decode_reasoning(wire: ChatCompletionRequest) -> Reasoning:
    """An explicit effort goes before a budget, and `reasoning_effort` before all others."""
    own, other = wire.reasoning, wire.thinking
    effort = wire.reasoning_effort or (own.effort if own is not None else None)
    thinking = _thinking(wire)
    adjusted: dict[str, object] = {}
    if effort is None and thinking is not False:
        budgets = {
            "reasoning.max_tokens": own.max_tokens if own is not None else None,
            "thinking.budget_tokens": other.budget_tokens if other is not None else None,
        }
        for name, budget in budgets.items():
            if budget is not None and effort is None:
                effort = adjusted[name] = _effort_of(budget)
    return Reasoning(
        effort=effort,
        thinking=thinking if thinking is False or effort in (None, "none") else None,
        shown=own is None or not own.exclude,
        adjusted=adjusted,
    )


def _thinking(wire: ChatCompletionRequest) -> bool | None:
    if wire.thinking is not None and wire.thinking.type is not None:
        return wire.thinking.type != "disabled"
    return wire.reasoning.enabled if wire.reasoning is not None else None


def _effort_of(budget: int) -> Effort:
    return next((effort for most, effort in _BUDGETS if budget <= most), _LARGEST)
