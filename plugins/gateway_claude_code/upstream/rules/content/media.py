"""Rules about pictures and documents."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.content.pictures import read_picture
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.blocks import Placed, all_blocks, field_of
from gateway_claude_code.upstream.rules.rule import Refusal, invalid

PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
MOST_BASE64: Final = 10 * 1024 * 1024
MOST_PIXELS: Final = 8000
MANY_PICTURES: Final = 20
MOST_PIXELS_OF_MANY: Final = 2000
MOST_PARTS: Final = 600
MOST_PARTS_IN_SMALL_CONTEXT: Final = 100
"""Pictures, and pages of PDFs, with a context window of 200,000 tokens."""
SMALL_CONTEXT: Final = 200_000
LONGEST_TITLE: Final = 500
PAGE: Final = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inline:
    """A picture or document within the request; `data` is None if it is not base64."""

    path: str
    media_type: str
    encoded: str
    data: bytes | None


def picture_type(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A picture is of one of four types."""
    for inline in _inline(request, "image"):
        if inline.media_type not in PICTURE_TYPES:
            *others, last = (f"'{kind}'" for kind in PICTURE_TYPES)
            return invalid(
                f"{inline.path}.media_type: Input should be {', '.join(others)} or {last}"
            )
    return None


def picture_bytes(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The bytes are a picture of the declared type."""
    for inline in _inline(request, "image"):
        if inline.data is None:
            return invalid(f"{inline.path}.data: invalid base64 data")
        picture = read_picture(inline.data)
        if picture is None:
            return invalid("Could not process image")
        if picture.media_type != inline.media_type:
            return invalid(
                f"{inline.path}: The image was specified using the {inline.media_type} media "
                f"type, but the image appears to be a {picture.media_type} image"
            )
    return None


def picture_size(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A picture has at most 10 MB."""
    for inline in _inline(request, "image"):
        found = len(inline.encoded)
        if found > MOST_BASE64:
            return invalid(
                f"{inline.path}: image exceeds 10 MB maximum: {found} bytes > {MOST_BASE64} bytes"
            )
    return None


def picture_pixels(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A side has at most 8,000 pixels, and 2,000 if there are more than 20 pictures."""
    pictures = list(_inline(request, "image"))
    many = len(pictures) > MANY_PICTURES
    most = MOST_PIXELS_OF_MANY if many else MOST_PIXELS
    of = " for many-image requests" if many else ""
    for inline in pictures:
        picture = read_picture(inline.data or b"")
        if picture is not None and picture.longest > most:
            return invalid(
                f"{inline.path}.data: At least one of the image dimensions exceed max allowed "
                f"size{of}: {most} pixels"
            )
    return None


def picture_count(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """There are at most 600 pictures, or 100 with a small context window."""
    found, most = sum(placed.kind == "image" for placed in all_blocks(request)), _most(facts)
    if found > most:
        return invalid(f"Too many images: {found} > {most}")
    return None


def urls(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Addresses begin with https."""
    for placed in all_blocks(request):
        source = placed.block.get("source")
        if placed.kind not in ("image", "document") or field_of(source, "type") != "url":
            continue
        if not str(field_of(source, "url")).startswith("https://"):
            return invalid(
                f"{placed.path}.{placed.kind}.source.url: Only HTTPS URLs are supported."
            )
    return None


def pdf(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """A PDF is valid, with at most 600 pages, or 100 with a small context window.

    Pages are counted as `/Type /Page` in the bytes; those in compressed objects are missed.
    """
    pages = 0
    for inline in _inline(request, "document"):
        if inline.data is None or not inline.data.startswith(b"%PDF-"):
            return invalid("The PDF specified was not valid.")
        pages += len(PAGE.findall(inline.data))
    if pages > _most(facts):
        return invalid(f"A maximum of {_most(facts)} PDF pages may be provided.")
    return None


def titles(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A title has 1 to 500 characters."""
    for placed in all_blocks(request):
        title = placed.block.get("title")
        if placed.kind != "document" or title is None:
            continue
        where = f"{placed.path}.document.title"
        if not title:
            return invalid(f"{where}: String should have at least 1 character")
        if len(title) > LONGEST_TITLE:
            return invalid(f"{where}: String should have at most {LONGEST_TITLE} characters")
    return None


def _most(facts: ModelFacts) -> int:
    small = facts.context_window <= SMALL_CONTEXT
    return MOST_PARTS_IN_SMALL_CONTEXT if small else MOST_PARTS


def _inline(request: MessagesRequest, kind: str) -> Iterator[_Inline]:
    for placed in all_blocks(request):
        if placed.kind == kind and (found := _read(placed)) is not None:
            yield found


def _read(placed: Placed) -> _Inline | None:
    source = placed.block.get("source")
    if field_of(source, "type") != "base64":
        return None
    encoded = str(field_of(source, "data"))
    try:
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        data = None
    return _Inline(
        path=f"{placed.path}.{placed.kind}.source.base64",
        media_type=str(field_of(source, "media_type")),
        encoded=encoded,
        data=data,
    )
