"""The request body of `POST /v1/completions`, as it is on the wire.

Shapes and ranges are those of `openai.types.completion_create_params` (openai-python 3.54).
"""

from typing import Annotated, TypeAlias

from pydantic import Discriminator, Field, Tag

from gateway.frontend import Integer, Items
from gateway_openai.wire.base import GenerationRequest


def _prompt_tag(value: object) -> str | None:
    if isinstance(value, str):
        return "<string>"
    if isinstance(value, list) and not any(isinstance(item, int | list) for item in value):
        return "<strings>"
    return None


Prompt: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[Items[str], Field(min_length=1), Tag("<strings>")],
    Discriminator(
        _prompt_tag,
        custom_error_type="prompt_type",
        custom_error_message="Input should be a string or a list of strings, not of tokens",
    ),
]


class CompletionRequest(GenerationRequest):
    """A request for `n` completions of each prompt."""

    prompt: Prompt
    best_of: Annotated[Integer, Field(ge=1, le=128)] | None = None
    echo: bool | None = None
    logprobs: Annotated[Integer, Field(ge=0, le=5)] | None = None
    suffix: str | None = None
