"""What a refusal teaches, in the API's own words."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.types import (
    ChatRequest,
    Effort,
    Message,
    ResponseFormat,
    Sampling,
    Text,
    Tool,
    ToolChoice,
    WebSearchOptions,
)
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.request.lessons import Lesson, Sent, lesson_of, refuses_schema
from gateway_claude_code.request.terms import careful, terms_for

OLDER, HAIKU, SONNET, BUDGET = (
    "claude-opus-4-6",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-sonnet-4-5",
)
MESSAGES = (Message(role="user", parts=(Text(text="Hi"),)),)
REQUIRED: dict[str, Any] = {
    "tools": (Tool(name="look"),),
    "tool_choice": ToolChoice(mode="required"),
}
BY_SCHEMA: dict[str, Any] = {"response_format": ResponseFormat(kind="json_schema", schema={})}
SEARCH: dict[str, Any] = {"web_search": WebSearchOptions()}
NEWER, OLDEST = "web_search_20260209", "web_search_20250305"
WARM = {"sampling": Sampling(temperature=0.5)}

NO_FORCE = 'tool_choice: type "tool" and "any" are not supported for this model.'
NOT_WHILE_THINKING = "Thinking may not be enabled when tool_choice forces tool use."


def sent(model: str, **fields: Any) -> Sent:
    return sent_with(documented(model).facts, **fields)


def sent_with(facts: ModelFacts, **fields: Any) -> Sent:
    request = ChatRequest(model="m", messages=MESSAGES, **fields)
    terms = terms_for(request, facts, native_schema=bool(fields.get("response_format")))
    return Sent(request=request, terms=terms, facts=facts)


def effort(level: Effort) -> dict[str, Any]:
    return {"effort": level}


@pytest.mark.parametrize(
    ("said", "what", "lesson"),
    [
        (NO_FORCE, sent(HAIKU, **REQUIRED), Lesson(fact="forced_tool_choice", value=False)),
        (
            f"tools.0: Input tag {NEWER!r} found using 'type' does not match any of the expected tags",
            sent(HAIKU, **SEARCH),
            Lesson(fact="web_search", value="basic"),
        ),
        (
            "tools.0.web_search: this model requires `allowed_callers` to be ['direct']",
            sent(HAIKU, **SEARCH),
            Lesson(fact="web_search", value="basic"),
        ),
        (
            f"tools.1: Input tag {OLDEST!r} found using 'type' does not match any of the expected tags",
            sent(BUDGET, **SEARCH),
            Lesson(fact="web_search", value="none"),
        ),
        ("Web search is not enabled for this organization.", sent(HAIKU, **SEARCH), None),
        (
            f"tools.0.{NEWER}.user_location.country: unsupported country code 'XX'",
            sent(HAIKU, **SEARCH),
            None,
        ),
        (f"tools.0: Input tag {NEWER!r} does not match", sent(HAIKU, **REQUIRED), None),
        (
            NOT_WHILE_THINKING,
            sent(HAIKU, **REQUIRED),
            Lesson(fact="forced_while_thinking", value=False),
        ),
        (
            "`temperature` is deprecated for this model.",
            sent(OLDER, **WARM),
            Lesson(fact="sampling", value="defaults"),
        ),
        (
            "`temperature` and `top_p` cannot both be specified for this model.",
            sent_with(
                replace(documented(OLDER).facts, sampling="both"),
                sampling=Sampling(temperature=0.1, top_p=0.2),
            ),
            Lesson(fact="sampling", value="one"),
        ),
        (
            '"thinking.type.disabled" is not supported for this model.',
            sent(HAIKU, **effort("none")),
            Lesson(fact="thinking", value=frozenset({"adaptive"})),
        ),
        (
            "thinking: Input tag 'between_tools' found using 'type' does not match",
            sent(SONNET, **effort("none")),
            Lesson(fact="thinking", value=frozenset({"adaptive"})),
        ),
        (
            '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" '
            'and "output_config.effort" to control thinking behavior.',
            sent(BUDGET, **effort("low")),
            Lesson(fact="thinking", value=frozenset({"adaptive", "disabled"})),
        ),
        (
            '"thinking.type.disabled" is not supported for this model. Use '
            '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
            sent(HAIKU, effort="high", thinking=False),
            Lesson(fact="thinking", value=frozenset({"adaptive"})),
        ),
        (
            "This model does not support effort level 'max'. Supported levels: high, low, medium.",
            sent(HAIKU, **effort("max")),
            Lesson(fact="efforts", value=("low", "medium", "high")),
        ),
        (
            "This model does not support effort level 'max'.",
            sent(OLDER, **effort("max")),
            Lesson(fact="efforts", value=("low", "medium", "high")),
        ),
        (
            "This model does not support the effort parameter.",
            sent(OLDER, **effort("low")),
            Lesson(fact="efforts", value=()),
        ),
        (
            "output_config.effort 'max' is not supported when thinking is disabled on this model.",
            sent(OLDER, effort="max", thinking=False),
            Lesson(fact="effort_without_thinking", value="high"),
        ),
        (
            "output_config.format: structured outputs are not supported for this model.",
            sent(HAIKU, **BY_SCHEMA),
            Lesson(fact="output_format", value=False),
        ),
        (
            "max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens",
            sent(HAIKU, sampling=Sampling(max_output_tokens=128_000)),
            Lesson(fact="max_output_tokens", value=64_000),
        ),
        (
            "messages.0.content.0.cache_control: Extra inputs are not permitted",
            sent(HAIKU),
            Lesson(fact="cache_marks", value=False),
        ),
    ],
)
def test_a_refusal_teaches_one_fact(said: str, what: Sent, lesson: Lesson | None) -> None:
    assert lesson_of(said, what) == lesson


@pytest.mark.parametrize(
    "said",
    [
        "Tool 'mcp__t__find' not found in provided tools",
        "tool_choice may only be specified while providing tools",
        "tools.0.custom.name: 'estimate_effort' is a duplicate",
        "messages.1.content.0: Invalid `signature` in `thinking` block.",
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
        "cache_control.ttl: a ttl='1h' block must not come after a ttl='5m' block",
    ],
)
def test_what_is_about_the_request_teaches_nothing_of_the_model(said: str) -> None:
    fields: dict[str, Any] = {**REQUIRED, "effort": "high"}
    for model in (HAIKU, OLDER, BUDGET):
        assert lesson_of(said, sent(model, **fields)) is None


@pytest.mark.parametrize(
    "said",
    [
        "output_config.format.schema: For 'array' type, property 'maxItems' is not supported",
        "Schema is too complex for compilation",
        "The compiled grammar is too large, which would cause performance issues.",
    ],
)
def test_a_refused_schema_says_nothing_of_the_model(said: str) -> None:
    assert refuses_schema(said, sent(HAIKU, **BY_SCHEMA))
    assert not refuses_schema(said, sent(HAIKU))
    assert lesson_of(said, sent(HAIKU, **BY_SCHEMA)) is None


@pytest.mark.parametrize(
    "said",
    [
        "messages: at least one message is required",
        "prompt is too long: 210000 tokens > 200000 maximum",
        NO_FORCE,
        "`temperature` is deprecated for this model.",
        '"thinking.type.disabled" is not supported for this model.',
        "output_config.format: no",
    ],
)
def test_what_was_not_sent_teaches_nothing(said: str) -> None:
    assert lesson_of(said, sent(HAIKU)) is None


def test_a_careful_request_has_nothing_left_to_learn_of() -> None:
    request = ChatRequest(model="m", messages=MESSAGES, **REQUIRED, **WARM)
    facts = careful(documented(HAIKU).facts)
    tried = Sent(request=request, terms=terms_for(request, facts), facts=facts)
    for said in (NO_FORCE, NOT_WHILE_THINKING, "temperature", "cache_control", "effort"):
        assert lesson_of(said, tried) is None
