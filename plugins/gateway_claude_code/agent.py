"""A model entry as an agent: the CLI's own tools, in a folder, for those who want that.

`models: {my-agent: {backend: claude-code, target: …, options: {agent: {directory: …}}}}`. It is
said in the YAML alone; no request can ask for it, or for anything more of it.
"""

import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Target
from gateway.yaml_file.wording import one_line
from gateway_claude_code.facts.fact_values import FactValues
from gateway_claude_code.search_policy import SearchPolicy, SearchSwitch

Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]

Activity = Annotated[
    Literal["off", "thinking"],
    # YAML reads a bare `off` as false
    BeforeValidator(lambda value: "off" if value is False else value),
]

SHOWN: Final = 200
"""Characters of a call's input that the client is shown."""


class Agent(BaseModel):
    """The things that the CLI may do by itself.

    `tools` are those of its own that the model sees; they run in `directory`. What they may do
    there is the CLI's to decide: by `permission_mode`, and by the rules in `allow`, written as
    for its `--allowedTools`. What would need a question is denied. `activity: thinking` tells the
    client of each call, as reasoning. An answer takes at most `max_messages` of the model's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: Path
    tools: tuple[Word, ...] = ("Read", "Grep", "Glob")
    permission_mode: (
        Literal["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan"] | None
    ) = None
    allow: tuple[str, ...] = ()
    activity: Activity = "thinking"
    max_messages: int = Field(default=100, ge=1)

    @field_validator("directory")
    @classmethod
    def _there(cls, path: Path) -> Path:
        path = path.expanduser()
        if not path.is_absolute() or not path.is_dir():
            raise ValueError("must be the absolute path of an existing folder")
        return path

    @field_validator("tools")
    @classmethod
    def _some(cls, tools: tuple[str, ...]) -> tuple[str, ...]:
        if not tools:
            raise ValueError("must name at least one tool")
        return tools

    @field_validator("allow")
    @classmethod
    def _rules(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        if any(not rule or rule.startswith("-") for rule in rules):
            raise ValueError(
                "must be rules in the form of --allowedTools, such as 'Bash(git log:*)'"
            )
        return rules


class ModelOptions(BaseModel):
    """`options` of a model entry with this backend."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent: Agent | None = None
    facts: FactValues = FactValues()
    web_search: SearchSwitch | None = None

    @model_validator(mode="after")
    def _agents_do_not_search(self) -> "ModelOptions":
        if self.agent is not None and isinstance(self.web_search, SearchPolicy):
            raise ValueError(
                "takes agent or web_search, not both: an agent has the CLI's own tools"
            )
        return self


_NO_OPTIONS: Final = ModelOptions()


def agent_of(target: Target) -> Agent | None:
    """The agent that a model is, if it is one."""
    return options_of(target).agent


def options_of(target: Target) -> ModelOptions:
    """The options of a model's entry. Raises `InvalidRequest` for invalid ones."""
    if not target.options:
        return _NO_OPTIONS
    try:
        return ModelOptions.model_validate(dict(target.options))
    except ValidationError as error:
        raise InvalidRequest(
            f"The model's configuration is no longer valid: {one_line(error.errors()[0]['msg'])}.",
            param="model",
        ) from None


def agent_for(request: ChatRequest, target: Target) -> Agent | None:
    """The agent that is to answer. Raises `InvalidRequest` for a request that no agent can."""
    agent = agent_of(target)
    if agent is not None and request.response_format.schema is not None:
        raise InvalidRequest(
            f"The model {request.model!r} is an agent, which does not support JSON schemas; use "
            "another model.",
            param="response_format",
        )
    return agent


def shown(name: str, arguments: str) -> str:
    """A call in a line."""
    try:
        text = json.dumps(json.loads(arguments or "{}"), ensure_ascii=False)
    except ValueError:
        text = arguments
    text = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return f"{name} {text}\n"
