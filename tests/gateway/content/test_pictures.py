"""Types and sizes of pictures, read from their first bytes."""

import struct

import pytest

from gateway.content.pictures import Picture, read_picture
from tests.claude_code.upstream.rules.rule_cases import png
from tests.work import lines

JPEG = (
    b"\xff\xd8\xff\xe0\x00\x04\x00\x00"
    b"\xff\xc4\x00\x04\x00\x00"
    b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 4, 3) + b"\x01\x01\x11\x00"
)
WEBP = b"RIFF\0\0\0\0WEBP"

PICTURES = {
    "image/png": png(3, 4),
    "image/gif": b"GIF89a" + struct.pack("<HH", 3, 4),
    "image/jpeg": JPEG,
}
WEBPS = {
    "lossy": WEBP + b"VP8 " + b"\0" * 10 + struct.pack("<HH", 3, 4),
    "lossless": WEBP + b"VP8L" + b"\0" * 4 + b"\x2f" + (2 | 3 << 14).to_bytes(4, "little"),
    "extended": WEBP + b"VP8X" + b"\0" * 8 + b"\x02\0\0\x03\0\0",
}
NO_PICTURES = {
    "nothing": b"",
    "a text": b"Hello",
    "the beginning of a PNG": png()[:20],
    "a PNG without a size": png(0, 0),
    "the beginning of a JPEG": JPEG[:10],
    "a JPEG that goes on as something else": JPEG[:8] + b"Hello, world",
    "another RIFF": b"RIFF\0\0\0\0WAVEfmt " + b"\0" * 20,
    "an unknown kind of WebP": WEBP + b"ANIM" + b"\0" * 20,
}


@pytest.mark.parametrize("media_type", PICTURES)
def test_type_and_size_are_read(media_type: str) -> None:
    found = read_picture(PICTURES[media_type])
    assert found == Picture(media_type=media_type, width=3, height=4)


@pytest.mark.parametrize("data", WEBPS.values(), ids=WEBPS)
def test_all_kinds_of_webp_are_read(data: bytes) -> None:
    assert read_picture(data) == Picture(media_type="image/webp", width=3, height=4)


@pytest.mark.parametrize("data", NO_PICTURES.values(), ids=NO_PICTURES)
def test_other_bytes_are_no_picture(data: bytes) -> None:
    assert read_picture(data) is None


def test_bytes_that_fill_a_jpeg_cost_nothing() -> None:
    filled = JPEG[:2] + b"\xff" * 10_000 + JPEG[2:]
    assert read_picture(filled) == read_picture(JPEG)
    assert lines(lambda: read_picture(filled)) < 1000
