"""Pictures and files that come within a request, mostly as `data:` URLs (RFC 2397)."""

import base64
import codecs
import re
import string
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from gateway.content.media_checks import PDF_MAGIC, check_pdf, picture_type
from gateway.content.pictures import read_picture
from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Document, Image

PDF: Final = "application/pdf"

# the whole of a request: platform.claude.com/docs/en/build-with-claude/pdf-support. Pictures need no
# limit here, as the CLI makes large ones smaller (seen with 2.1.330, up to 29 MB).
MAX_PDF: Final = 32 * 1024 * 1024
"""Bytes in base64: upstream takes no larger request."""

LONGEST_TITLE: Final = 500  # platform.claude.com/docs/en/api/messages
"""Characters of a document's title upstream."""

MAX_ESCAPES: Final = 1_000_000
"""Percent-encoded bytes of a `data:` URL: decoding them takes about half a second."""

_PIECE: Final = 1 << 20
"""Bytes that are decoded in one step; of base64, four times as many characters."""

_LONGEST_HEADER: Final = 1000
"""Characters of a `data:` URL before its comma: a media type and a few attributes."""

_NO_CHARSETS: Final = frozenset({"punycode", "idna", "undefined"})
"""Python's names of encodings that no file has. The first two take hours for a long text."""

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

    The bytes say which type it is, whatever the URL claims. Raises `InvalidRequest`.
    """
    url = url.strip()
    scheme = url.partition(":")[0].lower()
    if scheme in ("http", "https"):
        if not _has_host(url):
            raise InvalidRequest(f"{param!r} is a URL without a valid host.", param=param)
        # the model's API knows the scheme in lower case only
        return Image(url=f"https{url[5:]}" if scheme == "https" else url, place=param)
    if scheme != "data":
        raise InvalidRequest(
            f"{param!r} must be a data: URL in base64, such as 'data:image/png;base64,…', or an "
            "https URL.",
            param=param,
        )
    payload = parse_data_url(url, param)
    return _image(payload, param)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:  # such as brackets that are not closed
        return False


def decode_file(data: str | None, param: str, title: str | None = None) -> Document | Image:
    """A PDF in base64, the text of a text file, or a picture. Raises `InvalidRequest`.

    `data` is a `data:` URL, or base64 alone; `param` is its path in the client's request. `title` is
    the file's name, as `checked_title` returns it.
    """
    if not data:
        raise InvalidRequest(f"Missing required parameter: {param!r}.", param=param)
    bare = data[:5].lower() != "data:"
    url = f"data:application/octet-stream;base64,{data}" if bare else data
    payload = parse_data_url(url, param)
    pdf = payload.content.startswith(PDF_MAGIC)
    if payload.media_type.startswith("image/") and not pdf:
        return _image(payload, param)
    if payload.media_type == PDF or pdf:
        check_pdf(payload.content, param)
        if len(payload.encoded) > MAX_PDF:
            raise InvalidRequest(
                f"{param!r} is a PDF of more than {MAX_PDF} bytes in base64.", param=param
            )
        return Document(media_type=PDF, data=payload.encoded, title=title, place=param)
    if bare and read_picture(payload.content) is not None:
        return _image(payload, param)
    return _text(payload, title, param)


def checked_title(title: str | None, param: str) -> str | None:
    """The name of a file, if it has one. Raises `InvalidRequest` for one that is too long."""
    if title is not None and len(title) > LONGEST_TITLE:
        raise InvalidRequest(
            f"{param!r} has {len(title)} characters; the limit is {LONGEST_TITLE}.", param=param
        )
    return title or None


def parse_data_url(url: str, param: str) -> Payload:
    """Take a `data:` URL apart. Raises `InvalidRequest` for what is not base64."""
    header, comma, data = url.partition(",")
    if len(header) > _LONGEST_HEADER:
        raise InvalidRequest(
            f"{param!r} has more than {_LONGEST_HEADER} characters before the data. It must begin "
            "like 'data:image/png;base64,'.",
            param=param,
        )
    media_type, *attributes = (item.strip() for item in header[len("data:") :].split(";"))
    options = {attribute.lower() for attribute in attributes}
    if not comma:
        raise InvalidRequest(f"{param!r} is a data: URL without data.", param=param)
    try:
        if "base64" in options:
            encoded = "".join(data.split()) if len(data) < _PIECE else _without_blanks(data)
            encoded = _padded(encoded.replace("-", "+").replace("_", "/"))  # RFC 4648, section 5
            content = _from_base64(encoded)
        else:
            if data.count("%") > MAX_ESCAPES:
                raise InvalidRequest(
                    f"{param!r} has more than {MAX_ESCAPES} percent-encoded bytes; send it in base64.",
                    param=param,
                )
            content = unquote_to_bytes(data)
            encoded = base64.b64encode(content).decode("ascii")
    except ValueError:
        raise InvalidRequest(
            f"{param!r} is not valid base64: check that it is complete and encoded only once.",
            param=param,
        ) from None
    if not content:
        raise InvalidRequest(f"{param!r} is a data: URL without data.", param=param)
    charsets = [option.partition("=")[2] for option in options if option.startswith("charset=")]
    return Payload(
        media_type=media_type.lower() or "text/plain",
        charset=charsets[0] if charsets else "utf-8",
        encoded=encoded,
        content=content,
    )


def _without_blanks(data: str) -> str:
    """Without white space, in one step: with `split`, each piece of it would be a string."""
    return data.encode("ascii").translate(None, string.whitespace.encode()).decode()


def _from_base64(encoded: str) -> bytes:
    """Raises `ValueError`. Piece by piece, as one step for all would hold up everybody else."""
    if "=" in encoded[:-2]:
        raise ValueError("the padding is not at the end")
    step = 4 * _PIECE
    return b"".join(
        base64.b64decode(encoded[start : start + step], validate=True)
        for start in range(0, len(encoded), step)
    )


def _decoded(content: bytes, charset: str) -> str:
    """Raises `ValueError` or `LookupError`. Piece by piece; some decoders take 100 ms a megabyte."""
    codec = codecs.lookup(charset)
    b"a".decode(charset, "ignore")  # a LookupError if it makes something other than text
    if codec.name in _NO_CHARSETS:
        raise LookupError(f"unknown character set {charset}")
    decoder = codec.incrementaldecoder()
    texts = [
        decoder.decode(content[start : start + _PIECE]) for start in range(0, len(content), _PIECE)
    ]
    return "".join((*texts, decoder.decode(b"", final=True)))


def _padded(encoded: str) -> str:
    """With the padding that many clients leave out."""
    return encoded if "=" in encoded else encoded + "=" * (-len(encoded) % 4)


def _image(payload: Payload, param: str) -> Image:
    media_type = picture_type(payload.content, payload.media_type, param)
    return Image(media_type=media_type, data=payload.encoded, place=param)


def _text(payload: Payload, title: str | None, param: str) -> Document:
    if not _TEXT_TYPES.fullmatch(payload.media_type):
        raise UnsupportedParameter(
            f"{param!r} is of the type {payload.media_type!r}; only PDF and text files are "
            "supported.",
            param=param,
        )
    charset = next(
        (name for mark, name in _BYTE_ORDER_MARKS if payload.content.startswith(mark)),
        payload.charset,
    )
    try:
        text = _decoded(payload.content, charset)
    except (ValueError, LookupError):
        raise InvalidRequest(
            f"{param!r} is neither a PDF nor text in {charset!r}; other text needs a data: URL "
            "with its charset, such as 'data:text/plain;charset=latin-1;base64,…'.",
            param=param,
        ) from None
    return Document(media_type=payload.media_type, data=text, title=title, place=param)
