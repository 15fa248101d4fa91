"""The facts about each model in Anthropic's public documentation, with the page of each.

Pages are those of platform.claude.com/docs/en, read in October and November 2026. Texts of the
live API as quoted in public issues: can1357/oh-my-pi#12939, vercel/ai#21364,
BerriAI/litellm#42717.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from gateway_claude_code.facts.model_facts import EFFORT_LEVELS, ModelFacts

OVERVIEW: Final = "models/overview"
CONTEXT: Final = "build-with-claude/context-windows"
THINKING: Final = "build-with-claude/thinking"
THINKING_TYPES: Final = "build-with-claude/thinking-troubleshooting"
SYSTEM: Final = "build-with-claude/mid-conversation-system-messages"
EFFORT: Final = "build-with-claude/effort"
ERRORS: Final = "api/errors"
STRUCTURED: Final = "build-with-claude/structured-outputs"
CACHING: Final = "build-with-claude/prompt-caching"
SEARCH: Final = "agents-and-tools/tool-use/web-search-tool"

PAGES: Final[Mapping[str, str]] = {
    "thinking": THINKING_TYPES,
    "efforts": EFFORT,
    "effort_without_thinking": EFFORT,
    "sampling": ERRORS,
    "forced_tool_choice": ERRORS,
    "forced_while_thinking": THINKING,
    "prefill": ERRORS,
    "system_messages": SYSTEM,
    "bound_thinking": THINKING_TYPES,
    "thinking_leads_tool_loop": THINKING,
    "output_format": STRUCTURED,
    "cache_marks": CACHING,
    "web_search": SEARCH,
    "max_output_tokens": OVERVIEW,
    "context_window": CONTEXT,
}
"""The page of each fact; see `WHATS_NEW` for models with a page of their own."""


WHATS_NEW: Final = frozenset(
    {
        "thinking",
        "effort_without_thinking",
        "forced_tool_choice",
        "forced_while_thinking",
        "bound_thinking",
    }
)
"""The facts on the newest models' own pages; their limits are on the shared pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedModel:
    """One row: the model's name without its date, its facts, and the page about its changes."""

    name: str
    facts: ModelFacts
    page: str | None = None

    def source(self, fact: str) -> str:
        """The documentation's page of this fact."""
        return self.page if self.page and fact in WHATS_NEW else PAGES[fact]


_NEWEST: Final = ModelFacts(
    thinking=frozenset({"adaptive"}),
    efforts=EFFORT_LEVELS,
    effort_without_thinking="high",
    sampling="defaults",
    forced_tool_choice=False,
    forced_while_thinking=False,
    prefill=False,
    system_messages=True,
    bound_thinking=True,
    thinking_leads_tool_loop=False,
    output_format=True,
    cache_marks=True,
    web_search="filtered",  # "… available with Claude 4.6 and later models", as of August 2026
    max_output_tokens=128_000,
    context_window=1_000_000,
)
_FIFTH: Final = replace(
    _NEWEST,
    thinking=frozenset({"adaptive", "disabled"}),
    forced_tool_choice=True,
    forced_while_thinking=True,
    bound_thinking=False,
)
# Adaptive thinking beside a forced choice on 4.x is refused according to the pages, and was accepted
# according to llm-exe/llm-exe#721: without thinking the request is right either way.
_OPUS_4_8: Final = replace(_FIFTH, effort_without_thinking=None, forced_while_thinking=False)
_OPUS_4_7: Final = replace(_OPUS_4_8, system_messages=False)
_FOUR_SIX: Final = replace(
    _OPUS_4_7,
    thinking=frozenset({"adaptive", "enabled", "disabled"}),
    efforts=("low", "medium", "high", "max"),
    sampling="one",
)
_FOUR_FIVE: Final = replace(
    _FOUR_SIX,
    thinking=frozenset({"enabled", "disabled"}),
    efforts=(),
    prefill=True,
    thinking_leads_tool_loop=True,
    web_search="basic",
    max_output_tokens=64_000,
    context_window=200_000,
)

MODELS: Final[tuple[DocumentedModel, ...]] = (
    DocumentedModel(
        name="claude-opus-5-5", facts=_NEWEST, page="models/opus-5-5/whats-new-opus-5-5"
    ),
    DocumentedModel(
        name="claude-sonnet-5-5",
        facts=replace(_NEWEST, thinking=frozenset({"adaptive", "between_tools"})),
        page="models/sonnet-5-5/whats-new-sonnet-5-5",
    ),
    DocumentedModel(
        name="claude-haiku-5-5",
        facts=replace(_FIFTH, bound_thinking=True),
        page="models/haiku-5-5/whats-new-haiku-5-5",
    ),
    DocumentedModel(
        name="claude-fable-5-2", facts=_NEWEST, page="models/fable-5-2/whats-new-fable-5-2"
    ),
    DocumentedModel(
        name="claude-fable-5-1", facts=_NEWEST, page="models/fable-5-1/whats-new-fable-5-1"
    ),
    DocumentedModel(
        name="claude-fable-5",
        facts=replace(_FIFTH, thinking=frozenset({"adaptive"})),
    ),
    DocumentedModel(name="claude-opus-5", facts=_FIFTH),
    DocumentedModel(
        name="claude-sonnet-5",
        facts=replace(_FIFTH, effort_without_thinking=None, system_messages=False),
    ),
    DocumentedModel(name="claude-opus-4-8", facts=_OPUS_4_8),
    DocumentedModel(name="claude-opus-4-7", facts=_OPUS_4_7),
    DocumentedModel(name="claude-opus-4-6", facts=_FOUR_SIX),
    DocumentedModel(name="claude-sonnet-4-6", facts=_FOUR_SIX),
    DocumentedModel(
        name="claude-opus-4-5", facts=replace(_FOUR_FIVE, efforts=("low", "medium", "high"))
    ),
    DocumentedModel(name="claude-sonnet-4-5", facts=_FOUR_FIVE),
    DocumentedModel(name="claude-haiku-4-5", facts=_FOUR_FIVE),
    DocumentedModel(
        name="claude-opus-4-1",
        facts=replace(_FOUR_FIVE, output_format=False, max_output_tokens=32_000),
    ),
)

FAMILIES: Final[Mapping[str, str]] = {
    "opus": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
    "fable": "claude-fable-5-2",
}
"""The CLI's short names and their models (`list_models` of CLI 2.1.330)."""

_REMAPPED: Final = re.compile(r"claude-opus-4(-1)?(-\d{8})?")
"""Names that the CLI maps to the newest Opus, with Anthropic's own API (seen with 2.1.330;
`CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP` on code.claude.com/docs/en/env-vars)."""

UNKNOWN: Final = DocumentedModel(name="", facts=_NEWEST)
"""An unknown model gets the rules of the newest family."""

FACT_NAMES: Final = tuple(field.name for field in fields(ModelFacts))


def documented(model: str) -> DocumentedModel:
    """The row for a model by any name: short, dated, a cloud's, or with the suffix `[1m]`.

    `UNKNOWN` for an unknown model.
    """
    plain = full_name(model)
    rows = (row for row in MODELS if re.search(rf"{row.name}(?!-?\d(?!\d{{5}}))", plain))
    return max(rows, key=lambda row: len(row.name), default=UNKNOWN)


def full_name(model: str) -> str:
    """A model's name without a context suffix, and a short name in full."""
    plain = model.partition("[")[0]
    return FAMILIES.get(plain, plain)


def asked_by_cli(model: str) -> str:
    """The full name of the model that the CLI requests for this name."""
    plain = full_name(model)
    return FAMILIES["opus"] if _REMAPPED.fullmatch(plain) else plain


def undated(model: str) -> str:
    """A full name without its date: the API's answers have one, clients' requests do not."""
    return re.sub(r"[-@]\d{8}$", "", model)
