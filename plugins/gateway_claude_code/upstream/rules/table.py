"""The one table of the Messages API's rules.

The order in which the API checks is not known; here the first rule that a request breaks counts.
Texts were read, and quoted from the live API, in October and November 2026.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.content import (
    media,
    messages,
    searches,
    signatures,
    thinking,
    tool_use,
)
from gateway_claude_code.upstream.rules.parameters import (
    body,
    cache_control,
    effort,
    output_format,
    sampling,
    size,
    tools,
    web_search,
)
from gateway_claude_code.upstream.rules.rule import Check, Confidence, Refusal, Rule

ERRORS: Final = "api/errors"
MESSAGES: Final = "api/messages"
CACHING: Final = "build-with-claude/prompt-caching"
EFFORT: Final = "build-with-claude/effort"
EFFORT_PER_MESSAGE: Final = "build-with-claude/effort-per-message"
PDF: Final = "build-with-claude/pdf-support"
PREFIX_CHECKS: Final = "build-with-claude/preserved-thinking/prefix-checks"
STRUCTURED: Final = "build-with-claude/structured-outputs"
SYSTEM_MESSAGES: Final = "build-with-claude/mid-conversation-system-messages"
THINKING: Final = "build-with-claude/thinking"
TROUBLES: Final = "build-with-claude/thinking-troubleshooting"
TOOL_CALLS: Final = "agents-and-tools/tool-use/handle-tool-calls"
TOOLS: Final = "agents-and-tools/tool-use/define-tools"
VISION: Final = "build-with-claude/vision"
TOOL_REFERENCE: Final = "agents-and-tools/tool-use/tool-reference"
SERVER_TOOLS: Final = "agents-and-tools/tool-use/server-tools"
WEB_SEARCH: Final = "agents-and-tools/tool-use/web-search-tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that a request breaks, and the refusal."""

    rule: Rule
    refusal: Refusal


def _rule(name: str, check: Check, source: str, confidence: Confidence = "high") -> Rule:
    return Rule(name=name, source=source, confidence=confidence, check=check)


RULES: Final[tuple[Rule, ...]] = (
    _rule("size.request", size.request_size, ERRORS),
    _rule("body.required", body.required_fields, MESSAGES),
    _rule("body.known_fields", body.known_fields, MESSAGES),
    _rule("body.beta_fields", body.beta_fields, "api/beta-headers"),
    _rule("body.user_id", body.user_id, MESSAGES, "medium"),
    _rule("body.stop_sequences", body.stop_sequences, MESSAGES),
    _rule("size.least_max_tokens", size.least_max_tokens, CACHING, "medium"),
    _rule("size.max_tokens", size.max_tokens, "anthropics/claude-code#24451"),
    _rule("messages.not_empty", messages.not_empty, MESSAGES),
    _rule("messages.roles", messages.roles, MESSAGES),
    _rule("messages.first_role", messages.first_role, MESSAGES),
    _rule("messages.system_role", messages.system_role, SYSTEM_MESSAGES, "medium"),
    _rule("messages.content", messages.content_not_empty, MESSAGES),
    _rule("messages.text_empty", messages.texts_not_empty, MESSAGES),
    _rule("messages.text_blank", messages.texts_not_blank, MESSAGES),
    _rule("messages.prefill", messages.prefill, ERRORS),
    _rule("messages.trailing_blank", messages.trailing_blank, MESSAGES),
    _rule("tool_use.ids", tool_use.ids, TOOL_CALLS),
    _rule("tool_use.unique_ids", tool_use.unique_ids, TOOL_CALLS),
    _rule("tool_use.input", tool_use.input_is_object, TOOL_CALLS),
    _rule("tool_use.no_orphans", tool_use.no_orphans, TOOL_CALLS),
    _rule("tool_use.one_result_each", tool_use.one_result_each, TOOL_CALLS),
    _rule("tool_use.answered", tool_use.answered, TOOL_CALLS),
    _rule("tool_use.errors_are_text", tool_use.errors_are_text, TOOL_CALLS, "medium"),
    _rule("tool_use.tools_defined", tool_use.tools_defined, TOOL_CALLS, "medium"),
    _rule("tools.names", tools.names, "anthropics/claude-code#96152"),
    _rule("tools.unique_names", tools.unique_names, TOOLS),
    _rule("tools.schema_object", tools.schema_is_object, TOOLS),
    _rule("tools.schema_valid", tools.schema_is_valid, TOOLS),
    _rule("tools.references", tools.references_lead, "microsoft/vscode#286415, cline/cline#8433"),
    _rule("tools.no_composition", tools.no_composition, TOOLS),
    _rule("tools.property_names", tools.property_names, TOOLS),
    _rule("tools.types", web_search.known_type, TOOL_REFERENCE),
    _rule("web_search.by_code", web_search.by_code, WEB_SEARCH, "medium"),
    _rule("web_search.fields", web_search.fields, WEB_SEARCH, "medium"),
    _rule("web_search.max_uses", web_search.max_uses, WEB_SEARCH, "medium"),
    _rule("web_search.domains", web_search.domains, WEB_SEARCH, "medium"),
    _rule("web_search.location", web_search.user_location, WEB_SEARCH, "medium"),
    _rule("searches.calls", searches.calls, MESSAGES, "medium"),
    _rule("searches.has_call", searches.has_call, SERVER_TOOLS, "medium"),
    _rule("searches.has_result", searches.has_result, SERVER_TOOLS),
    _rule("searches.pages", searches.pages, WEB_SEARCH, "medium"),
    _rule("searches.citations", searches.citations, WEB_SEARCH, "medium"),
    _rule("tool_choice.needs_tools", tools.choice_needs_tools, TOOLS),
    _rule("tool_choice.exists", tools.choice_exists, TOOLS),
    _rule("tool_choice.forced", tools.forced_choice, "can1357/oh-my-pi#12939"),
    _rule("tool_choice.while_thinking", tools.forced_while_thinking, "can1357/oh-my-pi#341"),
    _rule("sampling.ranges", sampling.ranges, MESSAGES),
    _rule("sampling.defaults", sampling.defaults_only, "ltmoerdani/opencode-copilot-chat#20"),
    _rule("sampling.one", sampling.one_of_two, "chatboxai/chatbox#2670"),
    _rule("sampling.thinking", sampling.while_thinking, THINKING),
    _rule("thinking.type", thinking.type_accepted, TROUBLES),
    _rule("thinking.fields", thinking.fields, THINKING),
    _rule("thinking.budget", thinking.budget, "build-with-claude/extended-thinking"),
    _rule("thinking.leads_tool_loop", thinking.leads_tool_loop, TROUBLES),
    _rule("thinking.clearing", thinking.clearing, "build-with-claude/context-editing", "medium"),
    _rule("thinking.unmodified", signatures.unmodified, TROUBLES),
    _rule("thinking.bound", signatures.bound, PREFIX_CHECKS),
    _rule("effort.accepted", effort.accepted, EFFORT),
    _rule("effort.without_thinking", effort.without_thinking, "anthropics/claude-code#81084"),
    _rule("effort.differs", effort.differs, EFFORT_PER_MESSAGE, "medium"),
    _rule("output_format.fields", output_format.config_fields, STRUCTURED),
    _rule("output_format.supported", output_format.supported, STRUCTURED, "medium"),
    _rule("output_format.type", output_format.format_type, STRUCTURED),
    _rule("output_format.schema", output_format.schema_subset, STRUCTURED),
    _rule("output_format.strict_tools", output_format.strict_tools, STRUCTURED, "medium"),
    _rule("output_format.citations", output_format.without_citations, STRUCTURED, "medium"),
    _rule("cache_control.supported", cache_control.supported, CACHING, "medium"),
    _rule("cache_control.count", cache_control.at_most_four, CACHING),
    _rule("cache_control.values", cache_control.values, CACHING),
    _rule("cache_control.content", cache_control.on_content, CACHING),
    _rule("cache_control.order", cache_control.longer_first, CACHING),
    _rule("media.picture_type", media.picture_type, VISION),
    _rule("media.picture_size", media.picture_size, VISION),
    _rule("media.picture_bytes", media.picture_bytes, VISION),
    _rule("media.picture_pixels", media.picture_pixels, VISION),
    _rule("media.picture_count", media.picture_count, VISION),
    _rule("media.urls", media.urls, VISION, "medium"),
    _rule("media.pdf", media.pdf, PDF),
    _rule("media.titles", media.titles, PDF),
)


def first_broken(
    request: MessagesRequest, facts: ModelFacts, rules: Iterable[Rule] = RULES
) -> Broken | None:
    """The first of the rules that the request breaks."""
    for rule in rules:
        if (refusal := rule.check(request, facts)) is not None:
            return Broken(rule=rule, refusal=refusal)
    return None
