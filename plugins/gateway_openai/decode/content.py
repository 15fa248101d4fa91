"""From the content of a message on the wire to the hub's parts."""

import json
from collections.abc import Iterator
from typing import TypeAlias

from gateway.content.media import checked_title, decode_file, decode_image
from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Document, Image, Text, ToolCall, ToolResult
from gateway_openai.wire.messages import (
    PASSED_OVER,
    Content,
    ContentPart,
    File,
    FilePart,
    ImagePart,
    ImageURL,
    RefusalPart,
    ResultContent,
    SourcePart,
    TextPart,
    ToolResultPart,
    ToolUsePart,
)

Said: TypeAlias = Text | Image | Document
"""What a user or a tool may say."""


def decode_content(content: Content | ResultContent | None, param: str) -> tuple[Said, ...]:
    """Everything that a tool may say. Empty text is left out.

    Raises `InvalidRequest` with `param` leading to the part.
    """
    return tuple(
        part for place, wire in parts_of(content, param) if (part := decode_part(wire, place))
    )


def decode_user(content: Content | None, param: str) -> Iterator[tuple[str, Said | ToolResult]]:
    """What a user may say, and results of tools in Anthropic's form; each with its place.

    Raises `InvalidRequest` with `param` leading to the part.
    """
    for place, part in parts_of(content, param):
        if isinstance(part, ToolResultPart):
            parts = decode_content(part.content, f"{place}.content")
            yield (
                place,
                ToolResult(call_id=part.tool_use_id, parts=parts, is_error=bool(part.is_error)),
            )
        elif said := decode_part(part, place):
            yield place, said


def decode_assistant(content: Content | None, param: str) -> Iterator[tuple[str, Text | ToolCall]]:
    """An assistant's text, refusals, and calls in Anthropic's form; each with its place.

    Raises `InvalidRequest` with `param` leading to the part.
    """
    for place, part in parts_of(content, param):
        match part:
            case ToolUsePart(input=str() as arguments):
                yield place, ToolCall(id=part.id, name=part.name, arguments=arguments)
            case ToolUsePart():
                arguments = json.dumps(part.input or {}, ensure_ascii=False)
                yield place, ToolCall(id=part.id, name=part.name, arguments=arguments)
            case _ if text := _text(part, place):
                yield place, text


def decode_text(content: Content | None, param: str) -> tuple[Text, ...]:
    """Content of a system or developer message, which is text (and refusals) only."""
    return tuple(
        text for place, part in parts_of(content, param) if (text := _text(part, place)) is not None
    )


def parts_of(
    content: Content | ResultContent | None, param: str
) -> Iterator[tuple[str, ContentPart | Text]]:
    """The parts of a message's content, each with its place; a mere string is a text already."""
    if isinstance(content, str):
        yield param, Text(text=content)
    for index, part in enumerate(content if isinstance(content, list) else ()):
        yield f"{param}[{index}]", part


def _text(part: ContentPart | Text, param: str) -> Text | None:
    match part:
        case Text():
            return part if part.text else None
        case TextPart(text=text) | RefusalPart(refusal=text):
            return Text(text=text) if text else None
        case _ if part.type in PASSED_OVER:
            return None
        case _:
            raise InvalidRequest(
                f"A part of the type {part.type!r} is not allowed in this message.",
                param=f"{param}.type",
            )


def decode_part(part: ContentPart | Text, param: str) -> Said | None:
    """One part of what a user or a tool says; None for an empty text. Raises `InvalidRequest`."""
    match part:
        case Text():
            return part if part.text else None
        case TextPart():
            return Text(text=part.text) if part.text else None
        case ImagePart(image_url=ImageURL(url=url)):
            return decode_image(url, f"{param}.image_url.url")
        case ImagePart(image_url=str() as url):
            return decode_image(url, f"{param}.image_url")
        case FilePart():
            return _file(part.file, f"{param}.file")
        case SourcePart(type="image"):
            return _image(part, f"{param}.source")
        case SourcePart():
            return _document(part, param)
        case ToolUsePart() | ToolResultPart():
            raise InvalidRequest(
                f"A part of the type {part.type!r} is not allowed in this message.",
                param=f"{param}.type",
            )
        case _:
            raise UnsupportedParameter(
                f"Content parts of the type {part.type!r} are not supported.",
                param=f"{param}.type",
            )


def _file(file: File, param: str) -> Document | Image:
    if file.file_id is not None:
        raise UnsupportedParameter(
            "Files can't be uploaded here; send the content as 'file_data'.",
            param=f"{param}.file_id",
        )
    title = checked_title(file.filename, f"{param}.filename")
    return decode_file(file.file_data, f"{param}.file_data", title)


def _image(part: SourcePart, param: str) -> Image:
    match part.source.type:
        case "url":
            return decode_image(_given(part.source.url, f"{param}.url"), f"{param}.url")
        case "base64":
            return decode_image(_data_url(part, param), f"{param}.data")
        case _:
            raise _unknown_source(part, param, "base64 or url")


def _document(part: SourcePart, place: str) -> Document | Image:
    title, param = checked_title(part.title, f"{place}.title"), f"{place}.source"
    match part.source.type:
        case "text":
            data = _given(part.source.data, f"{param}.data")
            return Document(media_type="text/plain", data=data, title=title, place=f"{param}.data")
        case "base64":
            return decode_file(_data_url(part, param), f"{param}.data", title)
        case _:
            raise _unknown_source(part, param, "base64 or text")


def _data_url(part: SourcePart, param: str) -> str:
    data = _given(part.source.data, f"{param}.data")
    return f"data:{part.source.media_type or ''};base64,{data}"


def _given(value: str | None, param: str) -> str:
    if not value:
        raise InvalidRequest(f"Missing required parameter: {param!r}.", param=param)
    return value


def _unknown_source(part: SourcePart, param: str, known: str) -> UnsupportedParameter:
    return UnsupportedParameter(
        f"Sources of the type {part.source.type!r} are not supported for a part of the type "
        f"{part.type!r}; send it as {known}.",
        param=f"{param}.type",
    )
