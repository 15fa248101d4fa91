"""From the content of a message on the wire to the hub's parts."""

from collections.abc import Iterator
from typing import Final

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Document, Image, Text
from gateway_openai.media import decode_file, decode_image
from gateway_openai.wire_messages import (
    Content,
    ContentPart,
    FilePart,
    ImagePart,
    ImageURL,
    RefusalPart,
    TextPart,
)

_PASSED_OVER: Final = frozenset({"thinking", "redacted_thinking", "reasoning"})
"""Parts that other gateways put into an assistant's message; as `reasoning_content`, no input."""


def decode_content(content: Content | None, param: str) -> tuple[Text | Image | Document, ...]:
    """Everything that a user or a tool may say. Empty text is left out.

    Raises `InvalidRequest` with `param` leading to the part.
    """
    return tuple(
        part for place, wire in _parts(content, param) if (part := _decode(wire, place)) is not None
    )


def decode_text(content: Content | None, param: str) -> tuple[Text, ...]:
    """Content of an assistant, system or developer, which is text (and refusals) only."""
    texts = []
    for place, part in _parts(content, param):
        match part:
            case TextPart(text=text) | RefusalPart(refusal=text):
                texts.append(text)
            case _ if part.type not in _PASSED_OVER:
                raise InvalidRequest(
                    f"A part of the type {part.type!r} can't stand in this message.",
                    param=f"{place}.type",
                )
    return tuple(Text(text=text) for text in texts if text)


def _parts(content: Content | None, param: str) -> Iterator[tuple[str, ContentPart]]:
    if isinstance(content, str):
        yield param, TextPart(type="text", text=content)
    for index, part in enumerate(content if isinstance(content, list) else ()):
        yield f"{param}[{index}]", part


def _decode(part: ContentPart, param: str) -> Text | Image | Document | None:
    match part:
        case TextPart():
            return Text(text=part.text) if part.text else None
        case ImagePart(image_url=ImageURL(url=url)):
            return decode_image(url, f"{param}.image_url.url")
        case ImagePart(image_url=str() as url):
            return decode_image(url, f"{param}.image_url")
        case FilePart():
            return decode_file(part.file, f"{param}.file")
        case _:
            raise UnsupportedParameter(
                f"Content parts of the type {part.type!r} are not supported.",
                param=f"{param}.type",
            )
