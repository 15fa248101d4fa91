"""The parameters that a model accepts, as one value. Pure.

These are the differences between the models of Anthropic's API; each can be documented
(`documented`), given by the CLI (`asked`), learnt from a refusal (`learnt`) or set in the YAML.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

ThinkingType: TypeAlias = Literal["adaptive", "enabled", "disabled", "between_tools"]
"""`thinking.type` of a request. "enabled" is thinking with a budget of tokens."""
EffortLevel: TypeAlias = Literal["low", "medium", "high", "xhigh", "max"]
SamplingRule: TypeAlias = Literal["defaults", "one", "both"]

SearchKind: TypeAlias = Literal["none", "basic", "filtered"]
"""The model's own web search: `web_search_20250305`, or `web_search_20260209`, whose results the
model filters by code before it reads them."""

EFFORT_LEVELS: Final[tuple[EffortLevel, ...]] = ("low", "medium", "high", "xhigh", "max")
"""From the lowest to the highest."""


SEARCH_KINDS: Final[tuple[SearchKind, ...]] = ("none", "basic", "filtered")


def least(one: SearchKind, other: SearchKind) -> SearchKind:
    """The kind of search that both have."""
    return min(one, other, key=SEARCH_KINDS.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The facts about one model.

    `thinking` has the accepted `thinking.type`s, `efforts` the accepted effort levels from the
    lowest to the highest, and `effort_without_thinking` the highest level beside "disabled" or
    "between_tools"; None means no limit. `sampling` says which of temperature and top_p are accepted:
    only their `defaults`, `one` of the two, or `both`.

    `forced_tool_choice` is whether the model may be made to call a tool, and
    `forced_while_thinking` whether it may think beforehand. `prefill` accepts a conversation
    that ends with the assistant, `system_messages` a `role: system` message inside of one.
    `bound_thinking` is whether thinking blocks are valid only after the same conversation as before,
    `thinking_leads_tool_loop` whether, with thinking on, the last assistant turn before tool
    results has to begin with a thinking block. `output_format` is native structured output,
    `cache_marks` accepts `cache_control`. `web_search` is the newest kind of search that the API has
    for the model.

    `max_output_tokens` and `context_window` count tokens.
    """

    thinking: frozenset[ThinkingType]
    efforts: tuple[EffortLevel, ...]
    effort_without_thinking: EffortLevel | None
    sampling: SamplingRule
    forced_tool_choice: bool
    forced_while_thinking: bool
    prefill: bool
    system_messages: bool
    bound_thinking: bool
    thinking_leads_tool_loop: bool
    output_format: bool
    cache_marks: bool
    web_search: SearchKind
    max_output_tokens: int
    context_window: int

    @property
    def thinks_by_budget(self) -> bool:
        """Whether thinking is only available with a budget of tokens."""
        return "enabled" in self.thinking and "adaptive" not in self.thinking

    def level_at_most(self, wanted: EffortLevel) -> EffortLevel | None:
        """The highest accepted level up to `wanted`, else the lowest of all; None without levels."""
        rank = EFFORT_LEVELS.index
        fitting = [level for level in self.efforts if rank(level) <= rank(wanted)]
        return fitting[-1] if fitting else next(iter(self.efforts), None)
