"""The section `openai` of `plugins:` in the YAML."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway.yaml_file.trust import vetted

SECTION = "openai"


@vetted
class OpenAIConfig(BaseModel):
    """How the frontend behaves where clients differ.

    `thinking`: the field that the model's reasoning goes into, or `off` to leave it out.
    `unsupported`: whether a request with fields that would be ignored is answered or refused.
    `keepalive_seconds`: the silence in a stream after which a comment line is sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    thinking: Annotated[
        Literal["reasoning_content", "reasoning", "off"],
        BeforeValidator(lambda value: "off" if value is False else value),  # as YAML reads `off`
    ] = "reasoning_content"
    unsupported: Literal["ignore", "reject"] = "ignore"
    keepalive_seconds: float = Field(default=15, gt=0)
