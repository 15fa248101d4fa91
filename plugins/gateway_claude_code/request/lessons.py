"""The lesson of an API refusal about a model: one mechanism for all facts. Pure.

Texts of the live API, as quoted in public issues: "tool_choice: type \"tool\" and \"any\" are not
supported for this model." (can1357/oh-my-pi#12939); "Thinking may not be enabled when tool_choice
forces tool use." (can1357/oh-my-pi#341); "\"thinking.type.enabled\" is not supported for this model.
…" (basiliskLLM#1185); "`temperature` is deprecated for this model." (lingua#335). A refusal is
recognised by the field that it names, and by whether that field was sent: the wording changes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gateway.types import ChatRequest
from gateway_claude_code.facts.model_facts import EFFORT_LEVELS, ModelFacts
from gateway_claude_code.request.answer_schemas.output_format import is_format_refusal
from gateway_claude_code.request.terms import Terms, must_call
from gateway_claude_code.request.web_search import TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A fact of the model, by its name in `ModelFacts`, with its value from now on."""

    fact: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The refused request, its terms, and the facts at that time."""

    request: ChatRequest
    terms: Terms
    facts: ModelFacts


def lesson_of(message: str, sent: Sent) -> Lesson | None:
    """The lesson of a refusal's words; None if they are about something else.

    A refusal of a place within a tool or a message is about that place, whatever words it quotes.
    """
    if (lesson := _web_search(sent, message)) is not None:
        return lesson
    if _WITHIN.match(message) and "cache_control" not in message:
        return None
    found = (lesson(sent, message) for pattern, lesson in _LESSONS if pattern.search(message))
    return next((lesson for lesson in found if lesson is not None), None)


def _web_search(sent: Sent, message: str) -> Lesson | None:
    """A model or a cloud that lacks this kind of search, or every kind."""
    search = sent.terms.search
    if search is None:
        return None
    was_filtered = search["type"] == TYPES["filtered"]
    if was_filtered and "allowed_callers" in message:
        return Lesson(fact="web_search", value="basic")
    about_a_field = f"{search['type']}." in message  # "tools.0.web_search_20250305.max_uses: …"
    if search["type"] not in message or about_a_field or not _NO_SEARCH.search(message):
        return None
    return Lesson(fact="web_search", value="basic" if was_filtered else "none")


def _tool_choice(sent: Sent, message: str) -> Lesson | None:
    if not (must_call(sent.request) and sent.terms.forced_choice):
        return None
    # two reasons, two remedies: the model takes no forced choice at all (can1357/oh-my-pi#12939),
    # or none while it thinks (can1357/oh-my-pi#341)
    about_thinking = "thinking" in message.lower()
    if about_thinking and sent.terms.thinking is None and "disabled" in sent.facts.thinking:
        return Lesson(fact="forced_while_thinking", value=False)
    return Lesson(fact="forced_tool_choice", value=False)


def _output_limit(sent: Sent, message: str) -> Lesson | None:
    # the words "max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens"
    # are in anthropics/claude-code#24451
    found = re.search(r"max_tokens: \d+ > (\d+)", message)
    return Lesson(fact="max_output_tokens", value=int(found[1])) if found else None


def refuses_schema(message: str, sent: Sent) -> bool:
    """Whether this schema is refused, for example as too complex, which says nothing of others."""
    return _sent_natively(sent) and is_format_refusal(message) and not _BY_MODEL.search(message)


def _output_format(sent: Sent, message: str) -> Lesson | None:
    if not _sent_natively(sent) or not _BY_MODEL.search(message):
        return None
    return Lesson(fact="output_format", value=False)


def _sent_natively(sent: Sent) -> bool:
    return sent.request.response_format.schema is not None and sent.terms.schema_way == "native"


def _effort(sent: Sent, message: str) -> Lesson | None:
    facts = sent.facts
    if not facts.efforts:
        return None
    # "This model does not support the effort parameter." is about all levels
    # (platform.claude.com/docs/en/build-with-claude/effort)
    if "effort parameter" in message:
        return Lesson(fact="efforts", value=())
    level = sent.terms.effort or _named_level(message)
    if level is None:
        return None
    # opus-5 takes "disabled" up to `high` only (anthropics/claude-code#81084), says
    # platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting
    if _THINKING_OFF.search(message) and facts.effort_without_thinking != "high":
        return Lesson(fact="effort_without_thinking", value="high")
    if (named := re.search(r"Supported levels: ([\w, ]+)", message)) is not None:
        listed = re.findall(r"\w+", named[1])
        return Lesson(fact="efforts", value=tuple(one for one in EFFORT_LEVELS if one in listed))
    return Lesson(fact="efforts", value=tuple(one for one in facts.efforts if one != level))


def _named_level(message: str) -> str | None:
    found = re.search(rf"'({'|'.join(EFFORT_LEVELS)})'", message)
    return found[1] if found else None


def _thinking(sent: Sent, message: str) -> Lesson | None:
    facts = sent.facts
    if sent.terms.thinking is not None:
        kind = sent.terms.thinking["type"]
    elif "adaptive" in message and "not supported" in message and "thinking.type" not in message:
        kind = "adaptive"  # 2.1.330 sends it by itself
    else:
        return None
    if kind == "enabled":
        # models that refuse a budget think adaptively: basiliskLLM#1185, and
        # platform.claude.com/docs/en/build-with-claude/extended-thinking
        return Lesson(fact="thinking", value=(facts.thinking - {kind}) | {"adaptive"})
    return Lesson(fact="thinking", value=facts.thinking - {kind})


def _sampling(sent: Sent, message: str) -> Lesson | None:
    sampling = sent.terms.sampling
    given = [
        name
        for name in ("temperature", "top_p", "top_k")
        if getattr(sampling, name) is not None and name in message
    ]
    if not given:
        return None
    # models up to 4.6 refuse two at once (chatboxai/chatbox#2670), later ones each value but the
    # default (platform.claude.com/docs/en/build-with-claude/thinking, "Sampling parameters")
    return Lesson(fact="sampling", value="one" if len(given) > 1 else "defaults")


def _cache_marks(sent: Sent, _: str) -> Lesson | None:
    return Lesson(fact="cache_marks", value=False) if sent.facts.cache_marks else None


_NO_SEARCH: Final = re.compile(
    r"does not match any of the expected tags|not (?:supported|available|permitted)|unsupported",
    re.IGNORECASE,
)
"""Of the type of the tool. Where an organisation has turned web search off, the API says that it "is not
enabled" (agents-and-tools/tool-use/web-search-tool): that says nothing of the model.

That a model has to be told `allowed_callers: ["direct"]` is on the same page."""

# the API puts a place in front: "tools.0.custom.name: …", "messages.2.content.0: …"
_WITHIN: Final = re.compile(r"(?:tools|messages)\.\d")
_THINKING_OFF: Final = re.compile("thinking (?:is )?(?:disabled|turned off)")
"""The API's words, and those that CLI 2.1.330 substitutes for them."""

# an API or cloud without structured outputs calls the field unknown: "Extra inputs are not
# permitted" (code.claude.com/docs/en/errors)
_BY_MODEL: Final = re.compile(
    r"structured outputs?.* not (?:supported|available)|does not support structured outputs?"
    r"|output_(?:config\.)?format: (?:Extra inputs|not supported)",
    re.IGNORECASE,
)

_LESSONS: Final[tuple[tuple[re.Pattern[str], Callable[[Sent, str], Lesson | None]], ...]] = (
    (re.compile(r"tool_choice.*(?:not supported|forces tool use)|forces tool use"), _tool_choice),
    (re.compile(r"max_tokens"), _output_limit),
    (_BY_MODEL, _output_format),
    (re.compile(r"thinking\.type|[Aa]daptive thinking is not|[Tt]hinking cannot be"), _thinking),
    (re.compile(r"output_config\.effort|effort (?:parameter|level)|[Ee]ffort '"), _effort),
    (re.compile(r"temperature|top_p|top_k"), _sampling),
    (re.compile(r"^thinking: |does not support thinking"), _thinking),
    (re.compile(r"cache_control(?!.*ttl)"), _cache_marks),
)
"""The order matters: a text about a choice may also name thinking, one about an effort too; and a text
about a type of thinking recommends an effort."""
