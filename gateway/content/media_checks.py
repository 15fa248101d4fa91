"""What the bytes of pictures and PDFs show: their type, and whether they can be read at all. Pure.

A model's API refuses what it can't read, and other programs replace it by a sentence, so that the
model answers without having seen it. Nothing is decoded here.
"""

import re
from typing import Final

from gateway.content.pictures import is_cut_off, read_picture
from gateway.errors import InvalidRequest

PDF_MAGIC: Final = b"%PDF-"

_OTHERS: Final = (
    (re.compile(rb"BM.{12}", re.DOTALL), "a BMP picture"),
    (re.compile(rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+"), "a TIFF picture"),
    (
        re.compile(rb".{4}ftyp(?:heic|heix|heif|hevc|hevx|heim|heis|mif1|msf1)", re.DOTALL),
        "a HEIC picture",
    ),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), "an AVIF picture"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "a video"),
    (re.compile(rb"\x00\x00\x01\x00"), "an icon (ICO)"),
    (re.compile(rb"8BPS"), "a Photoshop file"),
    (re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL "), "a JPEG XL picture"),
    (re.compile(rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"), "a JPEG 2000 picture"),
    (re.compile(rb"%PDF-"), "a PDF, which belongs in a part of the type 'file'"),
    (
        # atomic throughout: the ways to divide comments double with each one
        re.compile(
            rb"\s*+(?:<\?xml[^>]*+>\s*+)?(?>(?><!--.*?-->)\s*+|<!DOCTYPE[^>]*+>\s*+)*+<svg",
            re.DOTALL,
        ),
        "an SVG picture",
    ),
    (re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE), "an HTML page"),
)
"""What clients send for pictures, by how it begins."""

_HOW: Final = "Send PNG, JPEG, GIF or WebP"
_ENCRYPTED: Final = re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")
_END_OF_PDF: Final = (b"%%EOF", b"startxref")
_HEAD: Final = 64 * 1024
"""Bytes at the beginning that are searched for what a file is instead of a picture."""
_PIECE: Final = 1 << 20
"""Bytes that are searched in one step, in which nobody else is served."""
_OVERLAP: Final = 256
"""Bytes of a mark that may be in the next piece."""


def picture_type(content: bytes, claimed: str, param: str) -> str:
    """The type of a picture, whatever it was declared as.

    Raises `InvalidRequest` for what is no picture of one of the four types, or only a part of one.
    """
    picture = read_picture(content)
    if picture is None:
        raise InvalidRequest(f"{param!r} is {_found(content, claimed)}. {_HOW}.", param=param)
    if is_cut_off(content):
        kind = picture.media_type.removeprefix("image/").upper()
        raise InvalidRequest(
            f"{param!r} is a {kind} picture that was cut off after {len(content)} bytes. "
            "Send the whole file.",
            param=param,
        )
    return picture.media_type


def _found(content: bytes, claimed: str) -> str:
    head = content[:_HEAD]
    for magic, name in _OTHERS:
        if magic.match(head):
            return name
    size = f"{len(content)} bytes" if len(content) > 1 else "1 byte"
    return f"not a picture that can be read: {size}, declared as {claimed!r}"


def check_pdf(content: bytes, param: str) -> None:
    """Raise `InvalidRequest` for a PDF that the model's API does not take."""
    # it takes a "standard PDF (no passwords/encryption)", says
    # platform.claude.com/docs/en/build-with-claude/pdf-support, "Check PDF requirements"
    if not content.startswith(PDF_MAGIC):
        raise InvalidRequest(
            f"{param!r} is declared as a PDF, but does not begin with '%PDF-'. Send a PDF file, or "
            "declare its real type.",
            param=param,
        )
    if all(content.rfind(mark) < 0 for mark in _END_OF_PDF):
        raise InvalidRequest(
            f"{param!r} is a PDF that was cut off after {len(content)} bytes. Send the whole file.",
            param=param,
        )
    if any(
        _ENCRYPTED.search(content, start, start + _PIECE + _OVERLAP)
        for start in range(0, len(content), _PIECE)
    ):
        raise InvalidRequest(
            f"{param!r} is an encrypted PDF. Remove its password or its restrictions, and send it "
            "again.",
            param=param,
        )
