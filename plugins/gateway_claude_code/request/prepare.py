"""From a request to the CLI's terms: all that is decided before a process is touched."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from gateway.errors import ModelNotFound
from gateway.types import ChatRequest, Message, Target, Tool, ToolCall, ToolChoice
from gateway_claude_code.agent import Agent, agent_for
from gateway_claude_code.facts.documented import asked_by_cli, documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.answer_schemas.made_once import made_of
from gateway_claude_code.request.canonical import Digest, Digests, Transcript, digest_of
from gateway_claude_code.request.media_limits import within_limits
from gateway_claude_code.request.settings import flag_settings
from gateway_claude_code.request.terms import Terms, may_answer_by_schema, must_call, terms_for
from gateway_claude_code.request.tool_schemas.exact_text import body_with_exact_tools
from gateway_claude_code.request.tool_schemas.offered import offered
from gateway_claude_code.request.tools.demanded_choice import with_demand
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.request.web_search import policy_for, with_kind, with_policy
from gateway_claude_code.search_policy import SearchSwitch

JSON_ONLY: Final = (
    "Answer with one JSON object and nothing else: no prose before or after it, no code fence."
)

FEW_TOKENS: Final = 256
"""An output limit that an answer is likely to be cut at: see `Prepared.one_request`."""


class WentOut:
    """The part of a request that was really sent, to be judged by what comes of it.

    `terms` None: nothing was sent yet. `mark` is the mark for the prompt cache, if there was one.
    """

    def __init__(self) -> None:
        self.terms: Terms | None = None
        self.mark: Mapping[str, Any] | None = None

    def note(self, terms: Terms, mark: Mapping[str, Any] | None) -> None:
        """The request goes out, perhaps once more."""
        self.terms, self.mark = terms, mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request, ready to be put to the CLI.

    `terms` are those for a process that has the conversation already; one that is given it anew
    gets `seeded_terms`. With `demanded` the request has a sentence that demands a call, and the
    answer is to be held to it.

    Without `cached` nothing is marked for the prompt cache, by the CLI neither.

    `tools` are those of the request with schemas that the API takes, and `names` is what they and
    their arguments are called towards the model.

    `body` goes over everything else in the upstream request's body, where the CLI would change it.
    It has no tools where the CLI adds some of its own, as their list would not be whole.
    """

    request: ChatRequest
    model: str
    facts: ModelFacts
    terms: Terms
    seeded_terms: Terms
    demanded: bool
    names: ToolNames
    tools: tuple[Tool, ...]
    schema: AnswerSchema | None
    digests: Digests
    agent: Agent | None = None
    cached: bool = True
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the model can do nothing but write text."""
        return not self.request.tools and self.json_schema is None and self.agent is None

    @property
    def one_request(self) -> bool:
        """Whether the process should be one that asks its upstream once and no more.

        After an answer that was cut at its limit the CLI asks for the rest by itself.
        """
        tokens = self.request.sampling.max_output_tokens
        return self.plain and tokens is not None and tokens <= FEW_TOKENS

    @property
    def json_schema(self) -> Mapping[str, Any] | None:
        """The schema for the CLI's own tool; None where the API takes it natively."""
        if self.schema is None or self.terms.schema_way == "native":
            return None
        return self.schema.for_cli

    @property
    def may_exchange_tools(self) -> bool:
        """Whether tools can be exchanged in its process: the body's list has to be whole."""
        return self.agent is None and self.json_schema is None

    def settings(
        self, *, seeded: bool, switch: bool = False, exchanged: bool = False
    ) -> dict[str, Any]:
        """The CLI's settings for this request; see `settings.flag_settings`.

        `exchanged`: the tools of its process were others before.
        """
        body = self.body
        if exchanged and not body:
            body = body_with_exact_tools(self.tools, self.names, exchanged=True)
        return flag_settings(
            self.request,
            self.names,
            self.seeded_terms if seeded else self.terms,
            native_schema=self.schema.native if self.schema is not None else None,
            switch_to=self.model if switch else None,
            over=body,
            cached=self.cached,
        )

    def key(self, messages: Sequence[Message], *, parked: bool) -> Digest:
        """The key of a process that has answered these messages, the last one its answer.

        One that waits for the results of calls takes other parameters for what follows, but for
        the output limit.
        """
        transcript = Transcript(messages).digest()
        # the CLI reads the output limit once for a whole turn (seen with 2.1.330)
        free = (
            digest_of(self.request.sampling.max_output_tokens)
            if parked
            else self.digests.parameters
        )
        return digest_of([part.hex() for part in (self.digests.setting, free, transcript)])


def prepare(
    request: ChatRequest,
    target: Target,
    facts: ModelFacts | None = None,
    full_name: str | None = None,
    schema: AnswerSchema | None = None,
    *,
    cached: bool = True,
    searches: SearchSwitch | None = None,
) -> Prepared:
    """The request for a model of these facts, by default the documented ones.

    `full_name` is the model's, where the target has a short one; `schema` is that of the answer,
    where it was made before; `searches` is about models whose entry does not say whether they may
    search the web. Raises `InvalidRequest` and `ModelNotFound`.
    """
    policy = policy_for(target, searches)
    request = with_policy(request, target, policy)
    model, agent = model_name(target), agent_for(request, target)
    usual = documented(full_name or asked_by_cli(model)).facts
    facts = with_kind(usual if facts is None else facts, policy)
    request = with_system(within_limits(with_offered_tools(request), facts))
    schema = answer_schema(request, schema)
    return _prepared(request, model, schema, agent=agent, facts=facts, usual=usual, cached=cached)


def _prepared(
    request: ChatRequest,
    model: str,
    schema: AnswerSchema | None,
    *,
    agent: Agent | None,
    facts: ModelFacts,
    usual: ModelFacts,
    cached: bool,
) -> Prepared:
    is_native = schema is not None and schema.native is not None
    terms_of = partial(terms_for, request, facts, usual=usual, native_schema=is_native)
    terms = terms_of()
    demanded = must_call(request) and not terms.forced_choice
    for_cli = schema.for_cli if schema is not None and terms.schema_way == "tool" else None
    tools, names = offered_tools(request)
    return Prepared(
        request=with_demand(request, names) if demanded else request,
        model=model,
        facts=facts,
        terms=terms,
        seeded_terms=terms_of(seeded=True),
        demanded=demanded,
        names=names,
        tools=tools,
        schema=schema,
        digests=Digests.of(
            request, model, agent=agent, offered=tools, schema=for_cli, search=terms.search
        ),
        agent=agent,
        cached=cached,
        body={} if for_cli or agent else body_with_exact_tools(tools, names, search=terms.search),
    )


def with_system(request: ChatRequest) -> ChatRequest:
    """The request with the system prompt that the model gets."""
    system = request.system if request.system.strip() else ""  # the API refuses a text of blanks
    if request.response_format.kind == "json_object":
        system = f"{system}\n\n{JSON_ONLY}".strip()
    return request if system == request.system else replace(request, system=system)


def offered_tools(request: ChatRequest) -> tuple[tuple[Tool, ...], ToolNames]:
    """The request's tools with schemas that the API takes, and all names towards the model."""
    offers = [offered(tool) for tool in request.tools]
    names = ToolNames(
        (tool.name for tool in request.tools),
        {offer.tool.name: offer.names for offer in offers if offer.names},
    )
    return tuple(offer.tool for offer in offers), names


def model_name(target: Target) -> str:
    """The model's name, if it can be one on a command line. Raises `ModelNotFound`."""
    if not re.fullmatch(r"[\w.:/@\[\]-]{1,256}", target.name, re.ASCII) or target.name[0] == "-":
        raise ModelNotFound("The model does not exist: no model has this name.", param="model")
    return target.name


def answer_schema(request: ChatRequest, made: AnswerSchema | None) -> AnswerSchema | None:
    """The schema of the answer, if it may have to be of one. Raises `InvalidRequest`."""
    schema = request.response_format.schema
    if schema is None or not may_answer_by_schema(request):
        return None
    return made or made_of(schema)


def with_offered_tools(request: ChatRequest) -> ChatRequest:
    """The request with just the tools that the model is to see.

    A choice of several names leaves only those. A history with calls of tools that are no longer
    offered keeps their names known to the API, but lets the model call none of them.
    """
    choice = request.tool_choice
    if request.tools and choice.names and (choice.mode == "auto" or len(choice.names) > 1):
        names = frozenset(choice.names)
        kept = tuple(tool for tool in request.tools if tool.name in names)
        return replace(request, tools=kept)
    if not request.tools and (called := _called_names(request)):
        return replace(
            request,
            tools=tuple(Tool(name=name, description="(no longer offered)") for name in called),
            tool_choice=ToolChoice(mode="none"),
        )
    return request


def _called_names(request: ChatRequest) -> Sequence[str]:
    return sorted(
        {
            part.name
            for message in request.messages
            for part in message.parts
            if isinstance(part, ToolCall)
        }
    )
