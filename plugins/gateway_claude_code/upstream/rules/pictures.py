"""The type and the size of a picture, read from its first bytes. Pure.

Only headers are read: that the pixels can be decoded is not checked.
"""

import struct
from dataclasses import dataclass
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_MARK: Final = 0xFF
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of segments that hold the size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the header says; width and height in pixels."""

    media_type: str
    width: int
    height: int

    @property
    def longest(self) -> int:
        """The longer side."""
        return max(self.width, self.height)


def read_picture(data: bytes) -> Picture | None:
    """The picture in these bytes; None if they are no PNG, JPEG, GIF or WebP."""
    try:
        found = _png(data) or _gif(data) or _webp(data) or _jpeg(data)
    except (struct.error, IndexError):
        return None
    return found if found is not None and found.width and found.height else None


def _png(data: bytes) -> Picture | None:
    if not data.startswith(_PNG) or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", data[16:24])
    return Picture(media_type="image/png", width=width, height=height)


def _gif(data: bytes) -> Picture | None:
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return Picture(media_type="image/gif", width=width, height=height)


def _webp(data: bytes) -> Picture | None:
    """The three kinds of WebP (RFC 9649): lossy, lossless, extended."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    match data[12:16]:
        case b"VP8 ":
            width, height = (side & 0x3FFF for side in struct.unpack("<HH", data[26:30]))
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width = int.from_bytes(data[24:27], "little") + 1
            height = int.from_bytes(data[27:30], "little") + 1
        case _:
            return None
    return Picture(media_type="image/webp", width=width, height=height)


def _jpeg(data: bytes) -> Picture | None:
    """The size is in the start-of-frame segment, behind any number of others."""
    if data[:3] != b"\xff\xd8\xff":
        return None
    place = 2
    while place + 9 <= len(data):
        if data[place] != _JPEG_MARK:
            return None
        marker = data[place + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return Picture(media_type="image/jpeg", width=width, height=height)
        place += 2 + int(struct.unpack(">H", data[place + 2 : place + 4])[0])
    return None
