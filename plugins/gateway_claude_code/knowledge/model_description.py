"""The description of a model for users and clients: its facts as the hub's `ModelDescription`."""

from collections.abc import Mapping
from typing import Final, Literal

from gateway.errors import BackendUnavailable
from gateway.types import InputKind, ModelDescription, ModelFact, Parameter, Target
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.facts.documented import FACT_NAMES
from gateway_claude_code.facts.fact_values import to_json
from gateway_claude_code.facts.known import KnownModels, Origin
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.knowledge.remembered_models import known_to_user
from gateway_claude_code.process import command
from gateway_claude_code.process.launch import program_at
from gateway_claude_code.request.web_search import policy_for
from gateway_claude_code.search_policy import SearchSwitch

PAGES: Final = "platform.claude.com/docs/en/"
"""The place of the pages of documented facts."""

INPUTS: Final[tuple[InputKind, ...]] = ("text", "image", "document")
"""All models of the table take these (about-claude/models/overview, build-with-claude/pdf-support)."""


def describe(
    known: KnownModels, target: Target, searches: SearchSwitch | None = None
) -> ModelDescription:
    """The facts about the model that `target` leads to. Pure.

    `searches` is whether models may search the web whose entry does not say so.
    """
    model = known.about(target)
    facts = model.facts
    return ModelDescription(
        resolved=model.name,
        context_length=facts.context_window,
        max_output_tokens=facts.max_output_tokens,
        parameters=_parameters(facts, target, searches),
        efforts=facts.efforts,
        thinking=_thinking(facts),
        inputs=INPUTS,
        facts=tuple(_row(fact, getattr(facts, fact), model.origins[fact]) for fact in FACT_NAMES),
    )


def known_from_outside(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> KnownModels:
    """The facts that are known when nothing is served: nobody is asked."""
    try:
        program = program_at(command.find_cli(config, environ))
    except BackendUnavailable:
        program = None
    return known_to_user({**environ, **config.environment}, program)


def _parameters(
    facts: ModelFacts, target: Target, searches: SearchSwitch | None
) -> tuple[Parameter, ...]:
    """Those with an effect. What the model lacks and the gateway makes up for is one of them."""
    found: list[Parameter] = ["max_output_tokens"]
    if facts.sampling != "defaults":
        found += ["temperature", "top_p", "top_k"]
    found += ["stop", "tools", "tool_choice"]
    if "agent" not in target.options:  # see `agent.agent_for`
        if facts.web_search != "none" and policy_for(target, searches) is not None:
            found.append("web_search")
        found.append("response_format")
    if facts.efforts:
        found.append("effort")
    return tuple(found)


def _thinking(facts: ModelFacts) -> Literal["never", "optional", "always"]:
    """Between tools is not before the answer, so a model that takes that can be without."""
    if not facts.thinking - {"disabled"}:
        return "never"
    return "optional" if facts.thinking & {"disabled", "between_tools"} else "always"


def _row(fact: str, value: object, origin: Origin) -> ModelFact:
    page = origin.kind in {"documented", "assumed"}
    return ModelFact(
        name=fact,
        value=_text(value),
        origin=origin.kind,
        source=f"{PAGES if page else ''}{origin.source}",
        date=origin.date,
    )


def _text(value: object) -> str:
    plain = to_json(value)
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    if isinstance(plain, list):
        return ", ".join(str(each) for each in plain) or "none"
    return "no limit" if plain is None else str(plain)
