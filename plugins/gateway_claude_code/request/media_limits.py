"""Pictures and documents within the limits of the model's API, or a 400 that names the part. Pure.

The CLI makes users' pictures smaller by itself, in bytes and in pixels, also those of earlier turns.
It does not do so in the results of tools: there it refuses more than 5 MB of base64 (`image_error`),
and the API too many pixels. Such a picture is put after the results, as the user's (all seen with
2.1.330; doctor: media_smaller).

Limits: platform.claude.com/docs/en/build-with-claude/vision and
platform.claude.com/docs/en/build-with-claude/pdf-support.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from gateway.content.pictures import Picture, read_picture
from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Document, Image, Message, Part, Text, ToolResult
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.request.media_words import media

# the longer side of a picture (platform.claude.com/docs/en/build-with-claude/vision)
MOST_PIXELS: Final = 8000
MANY_PICTURES: Final = 20
MOST_PIXELS_OF_MANY: Final = 2000
"""The same, if a request has more than `MANY_PICTURES`; those of earlier turns count."""
MOST_BASE64_IN_RESULT: Final = 5 * 1024 * 1024
"""Characters: the limit of CLI 2.1.330, below the API's 10 MB."""
# platform.claude.com/docs/en/build-with-claude/pdf-support: 100 pages below a window of 1M tokens
MOST_PARTS: Final = 600
MOST_PARTS_IN_SMALL_CONTEXT: Final = 100
SMALL_CONTEXT: Final = 200_000
"""Pictures, and pages of PDFs, by the model's context window in tokens."""
LONGEST_TITLE: Final = 500
"""Characters of a document's title."""

HEADER_BASE64: Final = 1024 * 1024
"""Characters that are searched for a picture's size; a JPEG has it after its metadata."""
MOST_INFLATED: Final = 64 * 1024 * 1024
"""Bytes of a PDF's compressed objects that are searched for pages."""

BEHIND: Final = "(This picture is behind the results of the calls.)"
FROM_RESULT: Final = "(A picture from the result of a call:)"

# ISO 32000-1, 7.7.3.3: a page object has the type /Page, their tree /Pages
_PAGE: Final = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")
# ISO 32000-1, 7.5.7: since PDF 1.5 objects may be in a compressed stream
_OBJECTS: Final = b"/ObjStm"
_LONGEST_DICTIONARY: Final = 500
"""Bytes from the name of a stream's type to its content."""
_MOST_STREAMS: Final = 10_000
"""Marks of object streams that are examined."""
_STREAM: Final = re.compile(rb">>\s{0,8}stream\r?\n")
_PIECE: Final = 1 << 20
"""Bytes that are searched in one step, which no other request can interrupt."""
_OVERLAP: Final = 64
"""Bytes of a page object's mark that may reach into the next piece."""


def within_limits(request: ChatRequest, facts: ModelFacts) -> ChatRequest:
    """The request with the pictures of results at places that the API accepts.

    Raises `InvalidRequest` with the place of a part that it does not accept at all.
    """
    parts = list(media(request))
    if not parts:
        return request
    pictures = [part for part in parts if isinstance(part, Image)]
    documents = [part for part in parts if isinstance(part, Document)]
    most = MOST_PARTS if facts.context_window > SMALL_CONTEXT else MOST_PARTS_IN_SMALL_CONTEXT
    _check_pictures(pictures, most)
    _check_documents(documents, most)
    side = MOST_PIXELS if len(pictures) <= MANY_PICTURES else MOST_PIXELS_OF_MANY
    messages = tuple(_rearranged(message, side) for message in request.messages)
    return request if messages == request.messages else replace(request, messages=messages)


def _check_pictures(pictures: list[Image], most: int) -> None:
    if len(pictures) > most:
        raise InvalidRequest(
            f"The request has {len(pictures)} pictures; the model accepts {most}. Leave out the "
            "oldest ones.",
            param=pictures[most].place or "messages",
        )
    for picture in pictures:
        # the API refuses `http:`, and 2.1.330 then asks with a sentence in place of the picture
        if picture.url is not None and not picture.url.startswith("https://"):
            raise InvalidRequest(
                "The model's API fetches pictures from https URLs only. Use https, or send the "
                "picture itself as a data: URL.",
                param=picture.place or "messages",
            )


def _check_documents(documents: list[Document], most: int) -> None:
    pages = 0
    for document in documents:
        if document.title and len(document.title) > LONGEST_TITLE:
            raise InvalidRequest(
                f"The title of a file has {len(document.title)} characters; the limit is "
                f"{LONGEST_TITLE}.",
                param=document.place or "messages",
            )
        if document.media_type == "application/pdf":
            pages += pages_of(_decoded(document.data))
        if pages > most:
            raise InvalidRequest(
                f"The PDFs have {pages} pages up to this one; the model accepts {most}. Send fewer "
                "pages, or their text.",
                param=document.place or "messages",
            )


def _rearranged(message: Message, side: int) -> Message:
    """The message with large pictures moved from its results to after the last result."""
    parts: list[Part] = []
    moved: list[Part] = []
    last_result = 0
    for part in message.parts:
        if isinstance(part, ToolResult):
            large = [inner for inner in part.parts if _is_too_large(inner, side)]
            moved += [each for picture in large for each in (Text(text=FROM_RESULT), picture)]
            part = _without(part, large) if large else part  # noqa: PLW2901
            last_result = len(parts) + 1
        parts.append(part)
    if not moved:
        return message
    return replace(message, parts=(*parts[:last_result], *moved, *parts[last_result:]))


def _without(result: ToolResult, large: list[Text | Image | Document]) -> ToolResult:
    parts = tuple(Text(text=BEHIND) if part in large else part for part in result.parts)
    return replace(result, parts=parts)


def _is_too_large(part: Text | Image | Document, side: int) -> bool:
    if not isinstance(part, Image) or part.data is None:
        return False
    if len(part.data) > MOST_BASE64_IN_RESULT:
        return True
    picture = _header(part.data)
    return picture is not None and picture.longest > side


def _header(data: str) -> Picture | None:
    return read_picture(_decoded(data[:HEADER_BASE64]))


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data)
    except (ValueError, binascii.Error):
        return b""


def pages_of(pdf: bytes) -> int:
    """The pages of a PDF: its page objects, also in compressed object streams (PDF 1.5)."""
    return _pages_in(pdf) + sum(map(_pages_in, _object_streams(pdf)))


def _pages_in(data: bytes) -> int:
    return sum(
        page.start() < start + _PIECE
        for start in range(0, len(data), _PIECE)
        for page in _PAGE.finditer(data, start, start + _PIECE + _OVERLAP)
    )


def _object_streams(pdf: bytes) -> Iterator[bytes]:
    """The content of the object streams. Each byte is read once, whatever the file claims."""
    left, marks = MOST_INFLATED, 0
    place = pdf.find(_OBJECTS)
    while place >= 0 and left > 0 and marks < _MOST_STREAMS:
        marks += 1
        end_of_name = place + len(_OBJECTS)
        stream = _STREAM.search(pdf, end_of_name, end_of_name + _LONGEST_DICTIONARY)
        if stream is None:
            place = pdf.find(_OBJECTS, end_of_name)
            continue
        end = pdf.find(b"endstream", stream.end())
        if end < 0:
            return
        with suppress(zlib.error):
            inflated = zlib.decompressobj().decompress(pdf[stream.end() : end], left)
            left -= len(inflated)
            yield inflated
        place = pdf.find(_OBJECTS, end)
