"""Small pictures, whole and valid."""

import base64
import struct
import zlib


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""
    rows = b"".join(b"\0" + b"\x80\x10\x20" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = png(1, 1)
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
WEBP = base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
JPEG = (
    b"\xff\xd8\xff\xdb\x00\x43\x00"
    + bytes(64)
    + b"\xff\xc0\x00\x0b\x08\x01\x2c\x01\x2c\x01\x01\x11\x00"
    + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    + b"scan" * 100
    + b"\xff\xd9"
)
"""300 by 300 pixels, by its header."""
