"""What the request bodies of both endpoints have in common on the wire.

Unions are told apart by functions whose tags stand in `<…>`: pydantic puts tags into the
location of an error, and there they must be recognised and left out.
"""

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

T = TypeVar("T")

Items: TypeAlias = Annotated[list[T], Field(fail_fast=True)]
"""A list that is wrong at its first wrong item: only that one is reported, and there may be many."""


class WireModel(BaseModel):
    """Strict: a string is never taken for a number, nor a boolean for an integer.

    Unknown fields are let through; `fields` reports them as ignored.
    """

    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())


def _integral(value: object) -> object:
    """JSON has one kind of number: 1024.0 is an integer, and some clients write it so."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


Integer: TypeAlias = Annotated[int, BeforeValidator(_integral)]
Penalty: TypeAlias = Annotated[float, Field(ge=-2, le=2)]


def string_or_object(value: object) -> str | None:
    """The tag of a value that may be a string or an object; None is an error."""
    if isinstance(value, str):
        return "<string>"
    return "<object>" if isinstance(value, dict) else None


def _stop_tag(value: object) -> str | None:
    if isinstance(value, str):
        return "<string>"
    return "<strings>" if isinstance(value, list) else None


Stop: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[str], Field(max_length=4), Tag("<strings>")],
    Discriminator(
        _stop_tag,
        custom_error_type="stop_type",
        custom_error_message="Input should be a string or a list of up to 4 strings",
    ),
]


class StreamOptions(WireModel):
    """Only with `stream: true`; without it they have no effect."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class GenerationRequest(WireModel):
    """The fields of `completion_create_params` that both endpoints have, in `openai.types` and
    `openai.types.chat` (openai-python 3.54)."""

    model: str
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[Integer, Field(ge=0)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[Integer, Field(ge=-1)] | None = None
    n: Annotated[Integer, Field(ge=1, le=128)] | None = None
    stop: Stop | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, Any] | None = None
    seed: Integer | None = None
    user: str | None = None
