"""The type and the size of a picture, read from its header, and whether all of it is there. Pure.

There is no decoder: whether the pixels can be decoded is not checked.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_GIF: Final = (b"GIF87a", b"GIF89a")
_GIF_PICTURE: Final = 0x2C
_GIF_TRAILER: Final = 0x3B
_JPEG_MARK: Final = 0xFF
_JPEG_FILL: Final = re.compile(rb"\xff+")
_JPEG_SCAN: Final = 0xDA
_TINY: Final = 16
"""Pixels."""
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
    if data[:6] not in _GIF:
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
    for marker, place in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return Picture(media_type="image/jpeg", width=width, height=height)
    return None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The marker and the place of each segment up to the first scan's, that one included."""
    place, marker = 2, 0
    while marker != _JPEG_SCAN and place + 4 <= len(data) and data[place] == _JPEG_MARK:
        marker = data[place + 1]
        if marker == _JPEG_MARK and (fill := _JPEG_FILL.match(data, place)):
            place = fill.end() - 1  # any number of them may come before a marker
            continue
        yield marker, place
        place += 2 + int(struct.unpack(">H", data[place + 2 : place + 4])[0])


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether the mark of the end follows the first scan; a thumbnail before it has its own.

    Tiny pictures, as in tests, are often without it, and any program shows them.
    """
    scans = (place for marker, place in _jpeg_segments(data) if marker == _JPEG_SCAN)
    scan, picture = next(scans, None), _jpeg(data)
    if scan is None or picture is None:
        return False
    return data.find(b"\xff\xd9", scan) >= 0 or picture.longest <= _TINY


def is_cut_off(data: bytes) -> bool:
    """Whether a picture of one of the four types ends before its end, by its structure alone."""
    try:
        if data.startswith(_PNG):
            return not _png_is_whole(data)
        if data[:4] == b"RIFF":
            return 8 + int.from_bytes(data[4:8], "little") > len(data)
        if data[:6] in _GIF:
            return not _gif_is_whole(data)
        return not _jpeg_is_whole(data)
    except (struct.error, IndexError):
        return True


def _png_is_whole(data: bytes) -> bool:
    place = len(_PNG)
    while data[place + 4 : place + 8] != b"IEND":
        place += int(struct.unpack(">I", data[place : place + 4])[0]) + 12
    return place + 8 <= len(data)


def _gif_is_whole(data: bytes) -> bool:
    """Goes from block to block (GIF89a specification, appendix A) to the trailer."""
    place = 13 + _colours(data[10])
    while data[place] != _GIF_TRAILER:
        if data[place] == _GIF_PICTURE:
            place += 10 + _colours(data[place + 9]) + 1
        else:
            place += 2
        while size := data[place]:
            place += size + 1
        place += 1
        if place == len(data):  # many programs leave the trailer out
            return True
    return True


def _colours(flags: int) -> int:
    """Bytes of the table of colours that the flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
