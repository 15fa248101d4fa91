"""Error messages about a picture or a document that the API rejects. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Document, Image, ToolResult

_WORDS: Final = {"image": "an image", "document": "a file"}
_PLACE: Final = re.compile(r"^messages[^:]*:\s*")
MOST_PLACES: Final = 10
"""The number of places that an error names."""


def media_refusal(kind: str | None, sentence: str, request: ChatRequest) -> InvalidRequest:
    """The 400 that names the part: the only one of its kind, or else all candidates.

    `kind` is "image", "document" or None for either. The API counts places in the CLI's request,
    so the place that it names is of no use to a client.
    """
    found = [part for part in media(request) if kind in (None, kind_of(part))]
    places = [part.place for part in found if part.place]
    what = _WORDS.get(kind or "", "an image or a file")
    # such as "messages.0.content.1.image.source.base64.data: …" in front of the sentence
    sentence = _PLACE.sub("", sentence).strip() or "no reason was given"
    text = f"The model's API does not accept {what} of this request: {sentence}"
    text = text if text.endswith((".", "!", "?")) else f"{text}."
    if len(places) == 1:
        return InvalidRequest(f"{text} Replace it, or leave it out.", param=places[0])
    if places:
        named = ", ".join(places[:MOST_PLACES]) + (", …" if len(places) > MOST_PLACES else "")
        text = f"{text} It is one of: {named}."
    return InvalidRequest(text, param="messages")


def media(request: ChatRequest) -> Iterator[Image | Document]:
    """All pictures and documents of the conversation, including those in tool results."""
    for message in request.messages:
        for part in message.parts:
            for inner in part.parts if isinstance(part, ToolResult) else (part,):
                if isinstance(inner, Image | Document):
                    yield inner


def kind_of(part: Image | Document) -> str:
    """The API's word for it."""
    return "image" if isinstance(part, Image) else "document"
