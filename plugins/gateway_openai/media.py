"""Pictures and files that come within a request, mostly as `data:` URLs (RFC 2397)."""

import base64
import codecs
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Document, Image
from gateway_openai.wire_messages import File

PDF: Final = "application/pdf"

MAX_PDF: Final = 32 * 1024 * 1024
"""Bytes in base64: upstream takes no larger request
(https://platform.claude.com/docs/en/build-with-claude/pdf-support). There is no such limit for
pictures here, as the CLI makes large ones smaller (seen with 2.1.330, up to 29 MB)."""

IMAGE_TYPES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")

_IMAGE_MAGIC: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)

_TEXT_TYPES: Final = re.compile(
    r"text/.+|application/(.+\+)?(json|xml|yaml|x-yaml|toml|javascript|x-sh|sql|octet-stream)"
)

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""They say more surely what a text file is encoded in than a client does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The bytes of a `data:` URL; `encoded` is them in base64, without white space."""

    media_type: str
    charset: str
    encoded: str
    content: bytes


def decode_image(url: str, param: str) -> Image:
    """The picture at a `data:` URL, or a reference to one at http(s), which is never fetched here.

    What the bytes begin with counts more than the type that the URL claims. Raises
    `InvalidRequest`.
    """
    url = url.strip()
    scheme = url.partition(":")[0].lower()
    if scheme in ("http", "https"):
        if not _has_host(url):
            raise InvalidRequest(f"{param!r} is a URL without a valid host.", param=param)
        return Image(url=url)
    if scheme != "data":
        raise InvalidRequest(
            f"{param!r} has to be a data: URL in base64 or an http(s) URL.", param=param
        )
    payload = parse_data_url(url, param)
    return _image(payload, param)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:  # such as brackets that are not closed
        return False


def decode_file(file: File, param: str, field: str = "file_data") -> Document | Image:
    """A PDF in base64, or the text of a text file. Raises `InvalidRequest`.

    `field` is what the client calls the data in the object at `param`.
    """
    if file.file_id is not None:
        raise UnsupportedParameter(
            "Files can't be uploaded here; send the content as 'file_data'.",
            param=f"{param}.file_id",
        )
    param = f"{param}.{field}"
    if not file.file_data:
        raise InvalidRequest(f"Missing required parameter: {param!r}.", param=param)
    bare = file.file_data[:5].lower() != "data:"
    url = f"data:application/octet-stream;base64,{file.file_data}" if bare else file.file_data
    payload = parse_data_url(url, param)
    if payload.media_type.startswith("image/"):
        return _image(payload, param)
    if payload.media_type == PDF or payload.content.startswith(b"%PDF-"):
        if len(payload.encoded) > MAX_PDF:
            raise InvalidRequest(
                f"{param!r} is a PDF of more than {MAX_PDF} bytes in base64.", param=param
            )
        return Document(media_type=PDF, data=payload.encoded, title=file.filename)
    return _text(payload, file.filename, param)


def parse_data_url(url: str, param: str) -> Payload:
    """Take a `data:` URL apart. Raises `InvalidRequest` for what is not base64."""
    header, comma, data = url.partition(",")
    media_type, *attributes = (item.strip() for item in header[len("data:") :].split(";"))
    options = {attribute.lower() for attribute in attributes}
    if not comma:
        raise InvalidRequest(f"{param!r} is a data: URL without data.", param=param)
    try:
        if "base64" in options:
            encoded = "".join(data.split())
            content = base64.b64decode(encoded, validate=True)
        else:
            content = unquote_to_bytes(data)
            encoded = base64.b64encode(content).decode("ascii")
    except ValueError:
        raise InvalidRequest(f"{param!r} is not valid base64.", param=param) from None
    if not content:
        raise InvalidRequest(f"{param!r} is a data: URL without data.", param=param)
    charsets = [option.partition("=")[2] for option in options if option.startswith("charset=")]
    return Payload(
        media_type=media_type.lower() or "text/plain",
        charset=charsets[0] if charsets else "utf-8",
        encoded=encoded,
        content=content,
    )


def _image(payload: Payload, param: str) -> Image:
    found = [name for magic, name in _IMAGE_MAGIC if magic.match(payload.content)]
    claimed = "image/jpeg" if payload.media_type == "image/jpg" else payload.media_type
    media_type = found[0] if found else claimed
    if media_type not in IMAGE_TYPES:
        raise InvalidRequest(
            f"{param!r} is of the type {media_type!r}; there are: {', '.join(IMAGE_TYPES)}.",
            param=param,
        )
    return Image(media_type=media_type, data=payload.encoded)


def _text(payload: Payload, title: str | None, param: str) -> Document:
    if not _TEXT_TYPES.fullmatch(payload.media_type):
        raise UnsupportedParameter(
            f"{param!r} is of the type {payload.media_type!r}; there are PDF and text files.",
            param=param,
        )
    charset = next(
        (name for mark, name in _BYTE_ORDER_MARKS if payload.content.startswith(mark)),
        payload.charset,
    )
    try:
        text = payload.content.decode(charset)
    except (ValueError, LookupError):
        raise InvalidRequest(
            f"{param!r} is neither a PDF nor text in {charset!r}; other text needs a data: URL "
            "with its charset, such as 'data:text/plain;charset=latin-1;base64,…'.",
            param=param,
        ) from None
    return Document(media_type=payload.media_type, data=text, title=title)
