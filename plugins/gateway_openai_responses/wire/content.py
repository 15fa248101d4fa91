"""The content of messages and of tools' outputs on the wire, in requests only.

Shapes are those of `openai.types.responses.ResponseInputContentParam`, `ResponseOutputMessageParam`
and `ResponseFunctionCallOutputItemParam` (openai-python 3.54).
"""

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Discriminator, Tag

from gateway.frontend import Items, WireModel

TEXT_TYPES: Final = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
"""All of them are plain text, whoever said it."""


class TextPart(WireModel):
    """A piece of text. `annotations` and `logprobs` are echoed from an earlier answer."""

    type: Literal["input_text", "output_text", "text", "summary_text", "reasoning_text"]
    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None
    prompt_cache_breakpoint: Any = None


class RefusalPart(WireModel):
    """An earlier refusal of the assistant."""

    type: Literal["refusal"]
    refusal: str


class ImagePart(WireModel):
    """A picture: `image_url` is a `data:` URL in base64, or https."""

    type: Literal["input_image"]
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: Any = None


class FilePart(WireModel):
    """A file: `file_data` is a `data:` URL in base64, or base64 alone."""

    type: Literal["input_file"]
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: Any = None


class OtherPart(WireModel):
    """Any other type, such as `input_audio`: named in the error."""

    type: str


_TAGS: Final = {
    **dict.fromkeys(TEXT_TYPES, "<text>"),
    "refusal": "<refusal>",
    "input_image": "<image>",
    "input_file": "<file>",
}


def _part_tag(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    kind = value.get("type")
    return _TAGS.get(kind, "<other>") if isinstance(kind, str) else "<other>"


Part: TypeAlias = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[RefusalPart, Tag("<refusal>")]
    | Annotated[ImagePart, Tag("<image>")]
    | Annotated[FilePart, Tag("<file>")]
    | Annotated[OtherPart, Tag("<other>")],
    Discriminator(
        _part_tag,
        custom_error_type="content_part_type",
        custom_error_message="Input should be an object with a `type`",
    ),
]


def content_tag(value: object) -> str | None:
    """The tag of a value that may be a string or a list; None is an error."""
    if isinstance(value, str):
        return "<string>"
    return "<parts>" if isinstance(value, Collection) and not isinstance(value, dict) else None


Content: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[Items[Part], Tag("<parts>")],
    Discriminator(
        content_tag,
        custom_error_type="content_type",
        custom_error_message="Input should be a string or a list of content parts",
    ),
]
