"""The description of a model for users and clients, as its backend gives it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.types.request import Effort

Parameter: TypeAlias = Literal[
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "tools",
    "tool_choice",
    "web_search",
    "response_format",
    "effort",
]
InputKind: TypeAlias = Literal["text", "image", "document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFact:
    """One fact about a model, for people.

    `origin` is the kind of source in a word, `source` the page or the text, and `date` the day
    (ISO 8601) of the observation, if it was observed.
    """

    name: str
    value: str
    origin: str
    source: str = ""
    date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """A backend's description of a model; None means unknown.

    `resolved` is the full name of the model that answers. `context_length` and
    `max_output_tokens` count tokens. `parameters` are those of a request that have an effect,
    `efforts` the levels that differ for this model, in ascending order, and `thinking` tells
    whether it thinks before it answers.
    """

    resolved: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None
    parameters: tuple[Parameter, ...] | None = None
    efforts: tuple[Effort, ...] | None = None
    thinking: Literal["never", "optional", "always"] | None = None
    inputs: tuple[InputKind, ...] | None = None  # the kinds of parts that the model accepts
    facts: tuple[ModelFact, ...] = ()  # the sources of the above
