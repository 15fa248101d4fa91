"""The parameters of a request as its model accepts them: decided once, before anything is sent. Pure.

A body has to be right in everything at once, as the order in which the API checks is not known. What
a model can't do is done as nearly as possible and reported: `ignored` and `adjusted` name the fields
as clients do. The facts are those of `facts.known`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Effort, Sampling, Thinking, ToolCall
from gateway_claude_code.facts.model_facts import EffortLevel, ModelFacts, ThinkingType, least
from gateway_claude_code.request.history import merged_turns
from gateway_claude_code.request.web_search import FIELD, search_tool

SchemaWay: TypeAlias = Literal["native", "tool"]

LEVELS: Final[Mapping[Effort, EffortLevel]] = {
    "none": "low",
    "minimal": "low",  # the API's lowest: platform.claude.com/docs/en/build-with-claude/effort
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}
BUDGETS: Final[Mapping[EffortLevel, int]] = {"low": 2_048, "medium": 8_192, "high": 16_384}
"""Tokens of thinking for models with a budget and no effort. Above: the CLI's own, which is the whole
output limit (seen with 2.1.330)."""

SMALLEST_BUDGET: Final = 1024
"""Tokens, and less than the output limit: platform.claude.com/docs/en/build-with-claude/extended-thinking."""
ROOM_FOR_THINKING: Final = 2 * SMALLEST_BUDGET

HIGHEST_TEMPERATURE: Final = 1.0
"""Of Anthropic's API (platform.claude.com/docs/en/api/messages); OpenAI's goes up to 2."""
SAMPLING_NAMES: Final = ("temperature", "top_p", "top_k")

EFFORT_FIELD: Final = "reasoning_effort"
TOKENS_FIELD: Final = "max_tokens"
CHOICE_FIELD: Final = "tool_choice"
THINKING_FIELD: Final = "thinking"
"""Signed thinking among the messages, which only some formats carry."""

# all four types: platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting, and for
# "between_tools" platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5
OFF: Final[Mapping[str, Any]] = {"type": "disabled"}
BETWEEN_TOOLS: Final[Mapping[str, Any]] = {"type": "between_tools"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The parameters that a request gets of its model.

    `thinking` goes into the body; None leaves it to the CLI, which then asks for thinking.
    `effort` None is the CLI's default. With `forced_choice` a required call is forced by the API;
    otherwise the model is told, and its answer is checked (`demanded_choice`). `schema_way` is the
    way to an answer by a schema. `search` is the tool of the API that searches the web. `ignored` and
    `adjusted` are for the client.
    """

    sampling: Sampling
    thinking: Mapping[str, Any] | None = None
    effort: EffortLevel | None = None
    forced_choice: bool = True
    schema_way: SchemaWay = "tool"
    search: Mapping[str, Any] | None = None
    ignored: tuple[str, ...] = ()
    adjusted: Mapping[str, object] = field(default_factory=dict)


def terms_for(
    request: ChatRequest,
    facts: ModelFacts,
    *,
    usual: ModelFacts | None = None,
    native_schema: bool = False,
    seeded: bool = False,
) -> Terms:
    """The terms of this request with a model of these facts.

    `usual` are the facts that the CLI follows by default, if they differ from `facts`.
    `native_schema`: the answer's schema fits the API's subset. `seeded`: the conversation is given
    to a new process, without its earlier thinking. Raises `InvalidRequest` for a search that is not
    to be had.
    """
    decision = _Decision(request, facts, usual or facts, native_schema=native_schema, seeded=seeded)
    return decision.terms()


class _Decision:
    def __init__(
        self,
        request: ChatRequest,
        facts: ModelFacts,
        usual: ModelFacts,
        *,
        native_schema: bool,
        seeded: bool,
    ) -> None:
        self._request = request
        self._facts = facts
        self._usual = usual
        self._native_schema = native_schema
        self._seeded = seeded
        self._lost_thinking = seeded and lost_thinking(request)
        self._ignored: list[str] = []
        self._adjusted: dict[str, object] = {}
        self._sampling = request.sampling

    def terms(self) -> Terms:
        forced = self._may_force()
        self._lower_tokens()
        self._choose_sampling()
        thinking, effort = self._thinking(self._must_not_think(forced=forced))
        if must_call(self._request) and not forced:
            self._adjusted[CHOICE_FIELD] = "asked_for"
        if self._seeded and has_signed_thinking(self._request):
            self._ignored.append(THINKING_FIELD)
        return Terms(
            sampling=self._sampling,
            thinking=thinking,
            effort=effort,
            forced_choice=forced,
            schema_way="native" if self._facts.output_format and self._native_schema else "tool",
            search=self._search(),
            ignored=tuple(self._ignored),
            adjusted=self._adjusted,
        )

    def _may_force(self) -> bool:
        # on 4.x a forced choice excludes thinking, so it has to be possible to turn thinking off
        # (platform.claude.com/docs/en/build-with-claude/thinking, "Thinking with tool use")
        facts = self._facts
        return facts.forced_tool_choice and (
            facts.forced_while_thinking or "disabled" in facts.thinking
        )

    # -- searching the web ------------------------------------------------------------------

    def _search(self) -> Mapping[str, Any] | None:
        """The tool, unless the request leaves no place for it. Raises `InvalidRequest`."""
        request, wanted = self._request, self._request.web_search
        if wanted is None:
            return None
        if reason := self._no_search():
            if wanted.place is not None:
                raise InvalidRequest(reason, param=wanted.place)
            self._ignored.append(FIELD)
            return None
        # a choice that demands a call of a tool, or forbids all calls, is also about this tool
        if must_call(request) or request.tool_choice.mode == "none":
            self._ignored.append(wanted.place or FIELD)
            return None
        if wanted.context_size == "high" and wanted.place is not None:
            self._adjusted[f"{wanted.place}.search_context_size"] = "medium"
        return search_tool(wanted, self._facts.web_search)

    def _no_search(self) -> str | None:
        if self._facts.web_search == "none":
            return f"The provider of the model {self._request.model!r} has no web search."
        if self._request.response_format.schema is not None:
            # platform.claude.com/docs/en/build-with-claude/structured-outputs, "Incompatible with"
            return "Web search can't be combined with a JSON schema: its answers have citations."
        return None

    # -- limits and sampling --------------------------------------------------------------

    def _lower_tokens(self) -> None:
        tokens, most = self._sampling.max_output_tokens, self._facts.max_output_tokens
        if tokens is not None and tokens > most:
            self._set_tokens(most)
        # the CLI asks for the documented limit by itself, above one that a refusal has taught
        elif tokens is None and most < self._usual.max_output_tokens:
            self._sampling = replace(self._sampling, max_output_tokens=most)

    def _set_tokens(self, tokens: int) -> None:
        self._adjusted[TOKENS_FIELD] = tokens
        self._sampling = replace(self._sampling, max_output_tokens=tokens)

    def _choose_sampling(self) -> None:
        """Drop defaults, lower values that are too high, leave out those that are refused."""
        sampling = self._sampling
        if sampling.temperature is not None and sampling.temperature > HIGHEST_TEMPERATURE:
            self._adjusted["temperature"] = HIGHEST_TEMPERATURE
        usual = {
            "temperature": sampling.temperature is None
            or sampling.temperature >= HIGHEST_TEMPERATURE,
            "top_p": sampling.top_p is None or sampling.top_p >= 1,
            "top_k": sampling.top_k is None,
        }
        self._leave_out(*(name for name, is_usual in usual.items() if is_usual))
        given = [name for name, is_usual in usual.items() if not is_usual]
        if not given:
            return
        request = self._request
        # while a model thinks, non-default sampling is refused, so one of the two has to go, says
        # platform.claude.com/docs/en/build-with-claude/thinking, "Sampling parameters"
        effort_wins = request.effort not in (None, "none") and request.thinking is not False
        if self._facts.sampling == "defaults" or effort_wins:
            refused = given
        elif self._facts.sampling == "one" and {"temperature", "top_p"} <= set(given):
            refused = ["top_p"]
        else:
            refused = []
        self._leave_out(*refused)
        self._ignored += refused
        if "temperature" in refused:
            self._adjusted.pop("temperature", None)

    def _leave_out(self, *names: str) -> None:
        values: dict[str, Any] = dict.fromkeys(names)
        self._sampling = replace(self._sampling, **values)

    def _can_stop_thinking(self) -> bool:
        return "disabled" in self._facts.thinking

    # -- thinking and effort --------------------------------------------------------------

    @property
    def _unwanted(self) -> bool:
        """Whether the client asks for no thinking."""
        return self._request.thinking is False or self._request.effort == "none"

    def _must_not_think(self, *, forced: bool) -> bool:
        """Whether the request excludes thinking, by the client's wish or by the API's rules."""
        facts, request = self._facts, self._request
        sampled = self._can_stop_thinking() and any(
            getattr(self._sampling, name) is not None for name in SAMPLING_NAMES
        )
        forcing = forced and must_call(request) and not facts.forced_while_thinking
        tokens = self._sampling.max_output_tokens
        # a budget of 1,024 tokens has to be less than `max_tokens`, says
        # platform.claude.com/docs/en/build-with-claude/extended-thinking
        no_room = facts.thinks_by_budget and tokens is not None and tokens <= SMALLEST_BUDGET
        # 4.5 models: the turn that called tools must begin with its signed thinking, which clients
        # lack (platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting)
        lost = facts.thinking_leads_tool_loop and self._lost_thinking
        return self._unwanted or sampled or forcing or no_room or lost

    def _thinking(
        self,
        must_not: bool,  # noqa: FBT001 - the subject of the method
    ) -> tuple[Mapping[str, Any] | None, EffortLevel | None]:
        if not must_not:
            return self._with_thinking()
        if self._can_stop_thinking():
            if not self._unwanted:
                self._adjusted[EFFORT_FIELD] = "none"
            # "disabled" goes with effort up to `high` on opus-5 and haiku-5-5, say
            # platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting and
            # platform.claude.com/docs/en/models/haiku-5-5/whats-new-haiku-5-5
            return OFF, self._effort(most=self._facts.effort_without_thinking)
        if self._unwanted and "between_tools" in self._facts.thinking:
            self._adjusted[EFFORT_FIELD] = "between_tools"
            # sonnet-5-5 takes it up to `high`, with no other field beside the type, says
            # platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5
            return BETWEEN_TOOLS, self._effort(most=self._facts.effort_without_thinking)
        if self._facts.thinks_by_budget:
            return self._least_budget(), None
        if self._request.effort not in (None, "none"):
            self._ignored.append("thinking")
            return None, self._effort()
        lowest = self._facts.level_at_most("low")
        self._adjusted[EFFORT_FIELD] = lowest or "low"
        return None, lowest

    def _least_budget(self) -> Mapping[str, Any]:
        """The least thinking of a model that can't turn it off; it needs room in the answer."""
        tokens = self._sampling.max_output_tokens
        if tokens is not None and tokens <= SMALLEST_BUDGET:
            self._set_tokens(ROOM_FOR_THINKING)
        self._adjusted[EFFORT_FIELD] = f"{SMALLEST_BUDGET}_tokens"
        return {"type": "enabled", "budget_tokens": SMALLEST_BUDGET}

    def _with_thinking(self) -> tuple[Mapping[str, Any] | None, EffortLevel | None]:
        facts, wanted = self._facts, self._request.effort
        # 2.1.330 would send "adaptive" by its own table, against a lesson or an entry of the YAML
        if facts.thinks_by_budget and not self._usual.thinks_by_budget:
            return self._budget(LEVELS[wanted or "medium"]), None
        if wanted is None or facts.efforts or not facts.thinks_by_budget:
            return None, self._effort()
        return self._budget(LEVELS[wanted]), None

    def _budget(self, level: EffortLevel) -> Mapping[str, Any] | None:
        """The budget for an effort; None for a level above the table."""
        if (budget := BUDGETS.get(level)) is None:
            return None
        tokens = self._sampling.max_output_tokens or self._facts.max_output_tokens
        budget = max(SMALLEST_BUDGET, min(budget, tokens // 2))
        self._adjusted[EFFORT_FIELD] = f"{budget}_tokens"
        return {"type": "enabled", "budget_tokens": budget}

    def _effort(self, most: EffortLevel | None = None) -> EffortLevel | None:
        """The level for the requested effort; `none` requests no level."""
        wanted = self._request.effort
        if wanted is None or wanted == "none":
            return self._usual_effort()
        level = self._facts.level_at_most(LEVELS[wanted])
        if most is not None and level is not None and level in _above(most):
            level = most
        if level is None and EFFORT_FIELD not in self._adjusted:
            self._ignored.append(EFFORT_FIELD)
        elif level is not None and level != wanted:
            self._adjusted.setdefault(EFFORT_FIELD, level)
        return level

    def _usual_effort(self) -> EffortLevel | None:
        """None is the CLI's own level: medium or high, by the model (seen with 2.1.330)."""
        if not self._facts.efforts or {"medium", "high"} <= set(self._facts.efforts):
            return None
        return self._facts.level_at_most("medium")


def _above(level: EffortLevel) -> tuple[EffortLevel, ...]:
    levels = tuple(dict.fromkeys(LEVELS.values()))
    return levels[levels.index(level) + 1 :]


def must_call(request: ChatRequest) -> bool:
    """Whether the answer has to be a call of a tool."""
    return bool(request.tools) and request.tool_choice.mode == "required"


def may_answer_by_schema(request: ChatRequest) -> bool:
    """Whether the answer may be of the schema: not while it has to be a call of a tool."""
    return request.response_format.schema is not None and not must_call(request)


def lost_thinking(request: ChatRequest) -> bool:
    """Whether the conversation is within a tool loop, whose thinking a new process does not get.

    That is the case while the assistant's last turn has calls, with the client's results or ours.
    """
    said = [parts for role, parts in merged_turns(request.messages) if role == "assistant"]
    return bool(said) and any(isinstance(part, ToolCall) for part in said[-1])


def has_signed_thinking(request: ChatRequest) -> bool:
    """Whether the client gives thinking back as it got it.

    A process that has it goes on with it. A new one gets none: the models that bind thinking to what
    precedes it would refuse it, as 2.1.330 puts its note on the surroundings at another place in a
    conversation that it is given (see `gateway_claude_code.upstream.rules.content.signatures`).
    """
    return any(
        isinstance(part, Thinking) and part.signature is not None
        for message in request.messages
        for part in message.parts
    )


def _plain_thinking(facts: ModelFacts) -> frozenset[ThinkingType]:
    return facts.thinking - {"disabled", "between_tools"} or facts.thinking


def careful(facts: ModelFacts) -> ModelFacts:
    """Facts that avoid everything that a model may refuse: for one more try.

    A model with a budget keeps "disabled": the thinking that a tool loop has lost can't be restored.
    """
    return replace(
        facts,
        thinking=facts.thinking if facts.thinks_by_budget else _plain_thinking(facts),
        efforts=(),
        sampling="defaults",
        forced_tool_choice=False,
        output_format=False,
        cache_marks=False,
        web_search=least(facts.web_search, "basic"),
    )
