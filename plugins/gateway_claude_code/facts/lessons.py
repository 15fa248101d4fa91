"""What a refusal of the API teaches about a model: one mechanism for all facts. Pure.

Texts of the live API, as quoted in public issues: "tool_choice: type \"tool\" and \"any\" are not
supported for this model." (can1357/oh-my-pi#12939); "Thinking may not be enabled when tool_choice
forces tool use." (can1357/oh-my-pi#341); "\"thinking.type.enabled\" is not supported for this model.
…" (basiliskLLM#1185); "`temperature` is deprecated for this model." (lingua#335). A refusal is told
by the field that it names, and by whether that field was sent: the wording changes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gateway.types import ChatRequest
from gateway_claude_code.facts.model_facts import EFFORT_LEVELS, ModelFacts
from gateway_claude_code.terms import Terms, must_call


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A fact of the model, by its name in `ModelFacts`, with its value from now on."""

    fact: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent to the model that refused: the request, its terms, and the facts then."""

    request: ChatRequest
    terms: Terms
    facts: ModelFacts


def lesson_of(message: str, sent: Sent) -> Lesson | None:
    """What the words of a refusal teach; None if they are about something else."""
    found = (lesson(sent, message) for pattern, lesson in _LESSONS if pattern.search(message))
    return next((lesson for lesson in found if lesson is not None), None)


def _tool_choice(sent: Sent, message: str) -> Lesson | None:
    if not (must_call(sent.request) and sent.terms.forced_choice):
        return None
    about_thinking = "thinking" in message.lower()
    if about_thinking and sent.terms.thinking is None and "disabled" in sent.facts.thinking:
        return Lesson(fact="forced_while_thinking", value=False)
    return Lesson(fact="forced_tool_choice", value=False)


def _output_limit(sent: Sent, message: str) -> Lesson | None:
    found = re.search(r"max_tokens: \d+ > (\d+)", message)
    return Lesson(fact="max_output_tokens", value=int(found[1])) if found else None


def _output_format(sent: Sent, _: str) -> Lesson | None:
    native = sent.request.response_format.schema is not None and sent.terms.schema_way == "native"
    return Lesson(fact="output_format", value=False) if native else None


def _effort(sent: Sent, message: str) -> Lesson | None:
    level = sent.terms.effort
    if level is None:
        return None
    if sent.terms.thinking is not None and level in ("xhigh", "max"):
        return Lesson(fact="effort_without_thinking", value="high")
    if (named := re.search(r"Supported levels: ([\w, ]+)", message)) is not None:
        listed = re.findall(r"\w+", named[1])
        return Lesson(fact="efforts", value=tuple(one for one in EFFORT_LEVELS if one in listed))
    others = tuple(one for one in sent.facts.efforts if one != level)
    lower = tuple(one for one in others if EFFORT_LEVELS.index(one) < EFFORT_LEVELS.index(level))
    # where the least level is refused, the parameter is
    return Lesson(fact="efforts", value=others if lower else ())


def _thinking(sent: Sent, _: str) -> Lesson | None:
    if sent.terms.thinking is None:
        return None
    kind = sent.terms.thinking["type"]
    if kind == "enabled":
        return Lesson(fact="thinking", value=(sent.facts.thinking - {kind}) | {"adaptive"})
    return Lesson(fact="thinking", value=sent.facts.thinking - {kind})


def _sampling(sent: Sent, message: str) -> Lesson | None:
    sampling = sent.terms.sampling
    given = [
        name
        for name in ("temperature", "top_p", "top_k")
        if getattr(sampling, name) is not None and name in message
    ]
    if not given:
        return None
    return Lesson(fact="sampling", value="one" if len(given) > 1 else "defaults")


def _cache_marks(sent: Sent, _: str) -> Lesson | None:
    return Lesson(fact="cache_marks", value=False) if sent.facts.cache_marks else None


_LESSONS: Final[tuple[tuple[re.Pattern[str], Callable[[Sent, str], Lesson | None]], ...]] = (
    (re.compile(r"tool_choice"), _tool_choice),
    (re.compile(r"max_tokens"), _output_limit),
    (
        re.compile(r"output_config\.format|output_format|json_schema|structured output", re.I),
        _output_format,
    ),
    (re.compile(r"thinking\.type\.\w+\W+is not supported"), _thinking),
    (re.compile(r"effort", re.I), _effort),
    (re.compile(r"temperature|top_p|top_k"), _sampling),
    (re.compile(r"thinking", re.I), _thinking),
    (re.compile(r"cache_control"), _cache_marks),
)
"""In this order: a text about a choice may name thinking too, one about an effort as well; and one
about a type of thinking advises to use an effort."""
