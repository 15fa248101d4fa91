"""From the content of messages and outputs on the wire to the hub's parts."""

from collections.abc import Iterator
from typing import TypeAlias

from gateway.content.media import checked_title, decode_file, decode_image
from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Document, Image, Text
from gateway_openai_responses.wire.content import (
    Content,
    FilePart,
    ImagePart,
    Part,
    RefusalPart,
    TextPart,
)

Said: TypeAlias = Text | Image | Document
"""What a user or a tool may say."""


def decode_content(content: Content | None, param: str) -> tuple[Said, ...]:
    """Everything that a user or a tool may say. Empty text is left out.

    Raises `InvalidRequest` with `param` leading to the part.
    """
    return tuple(
        said
        for place, part in _parts_of(content, param)
        if (said := _said(part, place)) is not None
    )


def decode_text(content: Content | None, param: str) -> tuple[Text, ...]:
    """Content that is text and refusals only. Raises `InvalidRequest`."""
    return tuple(
        text
        for place, part in _parts_of(content, param)
        if (text := _text(part, place)) is not None
    )


def _parts_of(content: Content | None, param: str) -> Iterator[tuple[str, Part | Text]]:
    if isinstance(content, str):
        yield param, Text(text=content)
    for index, part in enumerate(content if isinstance(content, list) else ()):
        yield f"{param}[{index}]", part


def _text(part: Part | Text, param: str) -> Text | None:
    match part:
        case Text(text=text) | TextPart(text=text) | RefusalPart(refusal=text):
            return Text(text=text) if text else None
        case _:
            raise InvalidRequest(
                f"A part of the type {part.type!r} is not allowed in this message.",
                param=f"{param}.type",
            )


def _said(part: Part | Text, param: str) -> Said | None:
    match part:
        case Text() | TextPart() | RefusalPart():
            return _text(part, param)
        case ImagePart():
            _check_no_id(part.file_id, f"{param}.file_id", "image_url")
            if part.image_url is None:
                raise _missing(f"{param}.image_url")
            return decode_image(part.image_url, f"{param}.image_url")
        case FilePart():
            return _file(part, param)
        case _:
            raise UnsupportedParameter(
                f"Content parts of the type {part.type!r} are not supported.",
                param=f"{param}.type",
            )


def _file(part: FilePart, param: str) -> Document | Image:
    _check_no_id(part.file_id, f"{param}.file_id", "file_data")
    if part.file_url is not None:
        raise UnsupportedParameter(
            "Files are not fetched from URLs here; send the content as 'file_data'.",
            param=f"{param}.file_url",
        )
    title = checked_title(part.filename, f"{param}.filename")
    return decode_file(part.file_data, f"{param}.file_data", title)


def _check_no_id(file_id: str | None, param: str, instead: str) -> None:
    if file_id is not None:
        raise UnsupportedParameter(
            f"Files can't be uploaded here; send the content as {instead!r}.", param=param
        )


def _missing(param: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: {param!r}.", param=param)
