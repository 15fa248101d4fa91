"""The requests that show whether the facts about one model are right. Pure.

A probe is a tiny request with facts that make the backend really send everything on trial. A refusal
costs nothing, so most probes test refused parameters; all accepted ones go into one request. There
are at most `MOST_PER_MODEL` for each model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.types import (
    ChatRequest,
    Effort,
    Message,
    ResponseFormat,
    Sampling,
    Target,
    Text,
    Tool,
    ToolChoice,
)
from gateway_claude_code.facts.model_facts import (
    EffortLevel,
    ModelFacts,
    SamplingRule,
    ThinkingType,
)
from gateway_claude_code.request.lessons import Sent
from gateway_claude_code.request.prepare import Prepared, prepare
from gateway_claude_code.request.terms import ROOM_FOR_THINKING

MODELS: Final = ("opus", "sonnet", "haiku")
MOST_PER_MODEL: Final = 5
MOST_REQUESTS: Final = len(MODELS) * MOST_PER_MODEL

FEW_TOKENS: Final = 64
TEMPERATURE: Final = 0.5
TOP_P: Final = 0.5

_FORM: Final = ResponseFormat(
    kind="json_schema",
    name="word",
    schema={
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
        "additionalProperties": False,
    },
)
_ANSWERS_BY_FORM: Final = {
    "output_config": {"format": {"type": "json_schema", "schema": _FORM.schema}}
}
_TOOL: Final = Tool(name="ping", description="Answers with pong.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fact on trial. `accepted` is its value if the API accepts the request.

    `tried` names the parameter that was sent for it, in the API's words. `also` are further facts
    that an accepted request shows.
    """

    fact: str
    tried: str
    accepted: Any
    also: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One request. `facts` are the ones it is prepared with; `body` is `Prepared.body`."""

    name: str
    trials: tuple[Trial, ...]
    request: ChatRequest
    facts: ModelFacts
    body: Mapping[str, Any] = field(default_factory=dict)

    def prepared(self, target: Target) -> Prepared:
        """The probe in the backend's form."""
        return replace(prepare(self.request, target, self.facts), body=self.body)

    def sent(self, target: Target) -> Sent:
        """The sent request, to interpret a refusal."""
        prepared = self.prepared(target)
        request, terms = prepared.request, prepared.seeded_terms
        if self.body == _ANSWERS_BY_FORM:
            request = replace(request, response_format=_FORM)
            terms = replace(terms, schema_way="native")
        return Sent(request=request, terms=terms, facts=self.facts)


def plan(facts: ModelFacts, *, system_note: bool) -> tuple[Probe, ...]:
    """The probes for a model of these facts.

    `system_note`: the CLI itself sends a `role: system` message (2.1.330 does).
    """
    return (
        everything(facts, system_note=system_note),
        _forced_choice(facts),
        _sampling(facts),
        _without_thinking(facts),
        _output_limit(facts),
    )


def everything(facts: ModelFacts, *, system_note: bool) -> Probe:
    """All accepted parameters that can be combined, in one request."""
    kind = _least_thinking(facts)
    effort = _highest_effort(facts, kind)
    sent = facts if kind == "disabled" else replace(facts, thinking=facts.thinking - {"disabled"})
    return Probe(
        name="everything accepted",
        trials=(*_accepted(facts, kind, effort, system_note=system_note),),
        request=_request(facts, thinking=None if kind in _THINKING else False, effort=effort),
        facts=sent,
        body=_ANSWERS_BY_FORM if facts.output_format else {},
    )


_THINKING: Final = ("adaptive", "enabled")
"""The values of `thinking.type` that the CLI itself sends (2.1.330)."""


def _accepted(
    facts: ModelFacts, kind: ThinkingType, effort: EffortLevel | None, *, system_note: bool
) -> Iterator[Trial]:
    yield _thinking_trial(facts, kind)
    if effort is not None:
        yield Trial(fact="efforts", tried=f'effort "{effort}"', accepted=facts.efforts)
    if facts.output_format:
        yield Trial(fact="output_format", tried="output_config.format", accepted=True)
    if facts.cache_marks:
        yield Trial(fact="cache_marks", tried="cache_control", accepted=True)
    if facts.system_messages and system_note:
        note = 'a message of the role "system", which the CLI sends'
        yield Trial(fact="system_messages", tried=note, accepted=True)


def _thinking_trial(facts: ModelFacts, kind: ThinkingType) -> Trial:
    accepted = facts.thinking | {kind}
    return Trial(fact="thinking", tried=f'thinking.type "{kind}"', accepted=accepted)


def _least_thinking(facts: ModelFacts) -> ThinkingType:
    """The type that asks for the least thinking, which a model may lack."""
    kinds: tuple[ThinkingType, ...] = ("between_tools", "disabled")
    return next((kind for kind in kinds if kind in facts.thinking), _usual_thinking(facts))


def _usual_thinking(facts: ModelFacts) -> ThinkingType:
    return "enabled" if facts.thinks_by_budget else "adaptive"


def _highest_effort(facts: ModelFacts, kind: ThinkingType) -> EffortLevel | None:
    most: EffortLevel = "max"
    if kind not in _THINKING and facts.effort_without_thinking is not None:
        most = facts.effort_without_thinking
    return facts.level_at_most(most)


def _forced_choice(facts: ModelFacts) -> Probe:
    """A call of a tool is forced while the model thinks as the CLI asks."""
    tried = 'tool_choice "any" while thinking'
    if facts.forced_tool_choice and not facts.forced_while_thinking:
        trials = [Trial(fact="forced_while_thinking", tried=tried, accepted=True)]
    else:
        also = {"forced_while_thinking": True}
        trials = [Trial(fact="forced_tool_choice", tried=tried, accepted=True, also=also)]
    if facts.forced_tool_choice and facts.forced_while_thinking:
        trials.append(_thinking_trial(facts, _usual_thinking(facts)))
    return Probe(
        name="forced tool choice",
        trials=(*trials,),
        request=_request(facts, tools=(_TOOL,), tool_choice=ToolChoice(mode="required")),
        facts=replace(facts, forced_tool_choice=True, forced_while_thinking=True),
    )


def _sampling(facts: ModelFacts) -> Probe:
    """A temperature, and with it top_p if one of them is known to be accepted."""
    one = facts.sampling == "defaults"
    accepted: SamplingRule = "one" if one else "both"
    tried = f"temperature {TEMPERATURE}" if one else f"temperature {TEMPERATURE}, top_p {TOP_P}"
    return Probe(
        name="sampling",
        trials=(Trial(fact="sampling", tried=tried, accepted=accepted),),
        request=_request(facts, temperature=TEMPERATURE, top_p=None if one else TOP_P),
        facts=replace(facts, sampling=accepted),
    )


def _without_thinking(facts: ModelFacts) -> Probe:
    """No thinking at all; if that is accepted, with more effort than is accepted with it."""
    if "disabled" not in facts.thinking:
        trial, effort = _thinking_trial(facts, "disabled"), None
        sent = replace(facts, thinking=facts.thinking | {"disabled"})
    else:
        effort = _effort_beyond(facts)
        tried = f'effort "{effort}" with thinking.type "disabled"'
        trial = Trial(fact="effort_without_thinking", tried=tried, accepted=None)
        if effort is None:
            trial = _thinking_trial(facts, "disabled")
        sent = replace(facts, effort_without_thinking=None)
    return Probe(
        name="without thinking",
        trials=(trial,),
        request=_request(facts, thinking=False, effort=effort),
        facts=sent,
    )


def _effort_beyond(facts: ModelFacts) -> EffortLevel | None:
    """The level after the highest accepted one without thinking; without a limit, the highest."""
    most = facts.effort_without_thinking
    if most not in facts.efforts:
        return facts.efforts[-1] if facts.efforts and most is None else None
    beyond = facts.efforts[facts.efforts.index(most) + 1 :]
    return next(iter(beyond), None)


def _output_limit(facts: ModelFacts) -> Probe:
    """One token more than the limit. The CLI keeps to its own limit, except in `body` (2.1.330)."""
    tokens = facts.max_output_tokens + 1
    trial = Trial(fact="max_output_tokens", tried=f"max_tokens {tokens}", accepted=tokens)
    return Probe(
        name="output limit",
        trials=(trial,),
        request=_request(facts),
        facts=facts,
        body={"max_tokens": tokens},
    )


def _request(
    facts: ModelFacts,
    *,
    thinking: bool | None = None,
    effort: Effort | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    tools: tuple[Tool, ...] = (),
    tool_choice: ToolChoice | None = None,
) -> ChatRequest:
    tokens = ROOM_FOR_THINKING if facts.thinks_by_budget else FEW_TOKENS
    return ChatRequest(
        model="",
        system="Be brief.",
        messages=(Message(role="user", parts=(Text(text="Say the word ok."),)),),
        tools=tools,
        tool_choice=tool_choice or ToolChoice(),
        sampling=Sampling(max_output_tokens=tokens, temperature=temperature, top_p=top_p),
        thinking=thinking,
        effort=effort,
    )
