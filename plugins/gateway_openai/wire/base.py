"""The parts that the request bodies of both endpoints share on the wire."""

from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag

from gateway.frontend import Integer, WireModel

Penalty: TypeAlias = Annotated[float, Field(ge=-2, le=2)]


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
