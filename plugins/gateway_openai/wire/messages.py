"""Messages and their content as they are on the wire, in requests only.

The shapes are those of `openai.types.chat.ChatCompletionMessageParam` (openai-python 3.54),
made wider where clients are known to differ. Agents that speak Anthropic's format as well put its
parts (platform.claude.com/docs/en/api/messages) into messages of this one. The name of an attribute is that of the field,
but for `name` where it is not a speaker's: `fields` goes by it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from gateway.frontend import Items, WireModel, string_or_object

PASSED_OVER: Final = ("thinking", "redacted_thinking", "reasoning")
"""Parts that other gateways put into an assistant's message; as `reasoning_content`, no input, and
reported as ignored (`field_rows`)."""

# -- content parts ------------------------------------------------------------------------


class TextPart(WireModel):
    """A piece of text."""

    type: Literal["text"]
    text: str


class ImageURL(WireModel):
    """`url` is a `data:` URL in base64, or http(s)."""

    url: str
    detail: str | None = None


class ImagePart(WireModel):
    """A picture; some clients give the URL as a bare string."""

    type: Literal["image_url"]
    image_url: Annotated[
        Annotated[str, Tag("<string>")] | Annotated[ImageURL, Tag("<object>")],
        Discriminator(
            string_or_object,
            custom_error_type="image_url_type",
            custom_error_message="Input should be an object with a `url`",
        ),
    ]


class File(WireModel):
    """A file in the request itself (`file_data`), or one uploaded before (`file_id`)."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(WireModel):
    """A file to be read."""

    type: Literal["file"]
    file: File


class RefusalPart(WireModel):
    """What an assistant said when it refused."""

    type: Literal["refusal"]
    refusal: str


class Source(WireModel):
    """Where a picture or a document of Anthropic's form is: `base64`, `url` or `text`."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class SourcePart(WireModel):
    """A picture or a document in Anthropic's form."""

    type: Literal["image", "document"]
    source: Source
    title: str | None = None


class OtherPart(WireModel):
    """Any other type, such as `input_audio`: named in the error, or passed over."""

    type: str


def _content_tag(value: object) -> str | None:
    if isinstance(value, str):
        return "<string>"
    return "<parts>" if isinstance(value, list) else None


_CONTENT: Final = Discriminator(
    _content_tag,
    custom_error_type="content_type",
    custom_error_message="Input should be a string or a list of content parts",
)

_SAID_TAGS: Final = {
    "text": "<text>",
    "image_url": "<image_url>",
    "file": "<file>",
    "refusal": "<refusal>",
    "image": "<source>",
    "document": "<source>",
}
_PART_TAGS: Final = {**_SAID_TAGS, "tool_use": "<tool_use>", "tool_result": "<tool_result>"}


def _discriminator(tags: Mapping[str, str]) -> Discriminator:
    def tag(value: object) -> str | None:
        if not isinstance(value, dict):
            return None
        kind = value.get("type")
        return tags.get(kind, "<other>") if isinstance(kind, str) else "<other>"

    return Discriminator(
        tag,
        custom_error_type="content_part_type",
        custom_error_message="Input should be an object with a `type`",
    )


ResultPart: TypeAlias = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[ImagePart, Tag("<image_url>")]
    | Annotated[FilePart, Tag("<file>")]
    | Annotated[RefusalPart, Tag("<refusal>")]
    | Annotated[SourcePart, Tag("<source>")]
    | Annotated[OtherPart, Tag("<other>")],
    _discriminator(_SAID_TAGS),
]
"""A part of what a tool gave back."""

ResultContent: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[Items[ResultPart], Tag("<parts>")], _CONTENT
]


class ToolUsePart(WireModel):
    """A call in an earlier answer in Anthropic's form. `input` is an object, or its JSON."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: (
        Annotated[
            Annotated[str, Tag("<string>")] | Annotated[dict[str, Any], Tag("<object>")],
            Discriminator(
                string_or_object,
                custom_error_type="input_type",
                custom_error_message="Input should be an object",
            ),
        ]
        | None
    ) = None


class ToolResultPart(WireModel):
    """What a tool gave back, in a user's message of Anthropic's form."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: ResultContent | None = None
    is_error: bool | None = None


ContentPart: TypeAlias = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[ImagePart, Tag("<image_url>")]
    | Annotated[FilePart, Tag("<file>")]
    | Annotated[RefusalPart, Tag("<refusal>")]
    | Annotated[SourcePart, Tag("<source>")]
    | Annotated[ToolUsePart, Tag("<tool_use>")]
    | Annotated[ToolResultPart, Tag("<tool_result>")]
    | Annotated[OtherPart, Tag("<other>")],
    _discriminator(_PART_TAGS),
]

Content: TypeAlias = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[Items[ContentPart], Tag("<parts>")], _CONTENT
]


# -- messages -----------------------------------------------------------------------------


class SystemMessage(WireModel):
    """Instructions; any number of them, anywhere."""

    role: Literal["system", "developer"]
    content: Content | None = None
    name: str | None = None


class UserMessage(WireModel):
    """What the user says."""

    role: Literal["user"]
    content: Content | None = None
    name: str | None = None


class CalledFunction(WireModel):
    """`arguments` is JSON text as the model wrote it: it may be empty, or no JSON at all."""

    name: str
    arguments: str | None = None


class AssistantToolCall(WireModel):
    """A call in an earlier answer. Some clients leave `type` out."""

    id: str
    type: str = "function"
    function: CalledFunction | None = None


class AssistantMessage(WireModel):
    """An earlier answer. `function_call` is the form before `tool_calls`."""

    role: Literal["assistant"]
    content: Content | None = None
    refusal: str | None = None
    tool_calls: Items[AssistantToolCall] | None = None
    function_call: CalledFunction | None = None
    name: str | None = None
    audio: dict[str, Any] | None = None


class ToolMessage(WireModel):
    """What a tool gave back."""

    role: Literal["tool"]
    tool_call_id: str
    # Not a speaker's name either, and nothing is lost with it: the id says which tool it was.
    tool_name: str | None = Field(default=None, alias="name")
    content: Content | None = None


class FunctionMessage(WireModel):
    """What a function gave back, in the form before `tool_calls`."""

    role: Literal["function"]
    # Not a speaker's name, which has no effect: it says whose result this is.
    function_name: str = Field(alias="name")
    content: Content | None = None


class OtherMessage(WireModel):
    """A role that there is not; named in the error."""

    role: str


_ROLE_TAGS = {
    "system": "<system>",
    "developer": "<system>",
    "user": "<user>",
    "assistant": "<assistant>",
    "tool": "<tool>",
    "function": "<function>",
}


def _message_tag(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    role = value.get("role")
    return _ROLE_TAGS.get(role, "<other>") if isinstance(role, str) else "<other>"


Message: TypeAlias = Annotated[
    Annotated[SystemMessage, Tag("<system>")]
    | Annotated[UserMessage, Tag("<user>")]
    | Annotated[AssistantMessage, Tag("<assistant>")]
    | Annotated[ToolMessage, Tag("<tool>")]
    | Annotated[FunctionMessage, Tag("<function>")]
    | Annotated[OtherMessage, Tag("<other>")],
    Discriminator(
        _message_tag,
        custom_error_type="message_type",
        custom_error_message="Input should be an object with a `role`",
    ),
]
