"""Pictures and files: `data:` URLs, their types, and what is refused of them."""

import base64

import pytest

from gateway.content import media
from gateway.content.media import MAX_ESCAPES, MAX_PDF, checked_title, decode_file, decode_image
from gateway.errors import InvalidRequest
from gateway.types import Document, Image, Part
from tests.gateway.content.media_support import GIF, JPEG, PNG, WEBP, png

PDF = b"%PDF-1.7 rest %%EOF"

PLACE = "messages[0].content[0]"


def image(url: str) -> Part:
    return decode_image(url, f"{PLACE}.url")


def file(file_data: str | None = None, filename: str | None = None) -> Part:
    return decode_file(
        file_data, f"{PLACE}.file_data", checked_title(filename, f"{PLACE}.filename")
    )


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{encoded(content)}"


@pytest.mark.parametrize(
    ("url", "media_type", "content"),
    [
        (data_url("image/png", PNG), "image/png", PNG),
        (data_url("image/jpeg", JPEG), "image/jpeg", JPEG),
        (data_url("image/gif", GIF), "image/gif", GIF),
        (data_url("image/webp", WEBP), "image/webp", WEBP),
        (data_url("image/png", PNG).rstrip("="), "image/png", PNG),
        ("data:image/png;base64," + base64.urlsafe_b64encode(PNG).decode(), "image/png", PNG),
        (data_url("image/png", JPEG), "image/jpeg", JPEG),
        (data_url("application/octet-stream", WEBP), "image/webp", WEBP),
        (data_url("image/png;name=a.png", PNG), "image/png", PNG),
        (data_url("image/png", PNG).replace("data:", "DATA:"), "image/png", PNG),
        ("\n" + data_url("image/png", PNG), "image/png", PNG),
    ],
)
def test_a_picture_in_a_data_url(url: str, media_type: str, content: bytes) -> None:
    assert image(url) == Image(media_type=media_type, data=encoded(content))


def test_white_space_within_base64_is_taken_out() -> None:
    data = encoded(PNG)
    url = f"data:image/png;base64, {data[:4]}\r\n{data[4:]}\n"
    assert image(url) == Image(media_type="image/png", data=data)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://example.com/a.png", "https://example.com/a.png"),
        ("HTTPS://example.com/A", "https://example.com/A"),
        ("HTTP://example.com/a?b=c", "HTTP://example.com/a?b=c"),
    ],
)
def test_a_picture_elsewhere_is_left_there(url: str, sent: str) -> None:
    assert image(url) == Image(url=sent)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'<?xml version="1.0"?>\n<svg/>', "an SVG picture"),
        # each comment would double the work of a search that tries all ways to divide them
        (b"<!---->" * 100 + b"<!DOCTYPE svg>\n" * 100 + b"<svg/>", "an SVG picture"),
        (b"<!---->" * 100, "not a picture that can be read"),
        (b"BM" + bytes(60), "a BMP picture"),
        (b"II*\0" + bytes(60), "a TIFF picture"),
        (b"\0\0\0\x18ftypheic", "a HEIC picture"),
        (b"\0\0\0\x18ftypavif", "an AVIF picture"),
        (b"%PDF-1.7", "a PDF"),
        (b"<!DOCTYPE html>", "an HTML page"),
        (png(300, 300)[:200], "a PNG picture that was cut off after 200 bytes"),
    ],
)
def test_the_error_names_what_the_bytes_are(content: bytes, name: str) -> None:
    with pytest.raises(InvalidRequest, match=name):
        image(data_url("image/png", content))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.png",
        "file:///etc/passwd",
        "https://",
        "http:///a.png",
        "https:a.png",
        "http://[::1/a.png",
        "",
        "iVBORw0KGgo=",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png;base64,????",
        "data:image/png;base64,aGVsbG8",
        data_url("image/png", b"hello"),
        data_url("image/png", png(300, 300)[:200]),
        data_url("image/jpeg", JPEG[:300]),
        data_url("image/gif", GIF[:30]),
        data_url("image/webp", WEBP[:30]),
        "data:image/png;base64,aGVsbG8=aGVs",
        "data:image/png;base64,é",
        data_url("image/svg+xml", b"<svg/>"),
        data_url("text/plain", b"hello"),
        "data:,hello",
        f"data:image/png{';x=1' * 300};base64,{encoded(PNG)}",
    ],
)
def test_what_is_no_picture_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        image(url)
    assert caught.value.param == f"{PLACE}.url"


@pytest.mark.parametrize(
    ("file_data", "document"),
    [
        (
            data_url("application/pdf", PDF),
            Document(media_type="application/pdf", data=encoded(PDF), title="f"),
        ),
        (encoded(PDF), Document(media_type="application/pdf", data=encoded(PDF), title="f")),
        (
            data_url("text/plain", "é".encode()),
            Document(media_type="text/plain", data="é", title="f"),
        ),
        (
            data_url("text/csv;charset=latin-1", b"\xe9"),
            Document(media_type="text/csv", data="é", title="f"),
        ),
        (
            data_url("text/plain", b"\xef\xbb\xbfa"),
            Document(media_type="text/plain", data="a", title="f"),
        ),
        (
            data_url("text/plain", b"\xff\xfea\0"),
            Document(media_type="text/plain", data="a", title="f"),
        ),
        (
            data_url("text/plain;charset=latin-1", b"\xfe\xff\0a"),
            Document(media_type="text/plain", data="a", title="f"),
        ),
        (
            data_url("application/json", b"{}"),
            Document(media_type="application/json", data="{}", title="f"),
        ),
        (
            "data:,one%20two",
            Document(media_type="text/plain", data="one two", title="f"),
        ),
        (data_url("image/png", PNG), Image(media_type="image/png", data=encoded(PNG))),
    ],
)
def test_a_file(file_data: str, document: Part) -> None:
    assert file(file_data=file_data, filename="f") == document


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "file_data"),
        ({"file_data": ""}, "file_data"),
        ({"file_data": "not base64!"}, "file_data"),
        ({"file_data": data_url("text/plain", b"\xff")}, "file_data"),
        ({"file_data": data_url("text/plain", "é".encode("latin-1"))}, "file_data"),
        ({"file_data": data_url("text/plain;charset=klingon", b"a")}, "file_data"),
        ({"file_data": data_url("text/plain;charset=", b"a")}, "file_data"),
        ({"file_data": data_url("text/plain;charset=a\0b", b"a")}, "file_data"),
        ({"file_data": data_url("text/plain;charset=hex", b"00")}, "file_data"),
        ({"file_data": data_url("text/plain", b"\xff\xfea")}, "file_data"),
        ({"file_data": data_url("application/zip", b"PK")}, "file_data"),
        ({"file_data": data_url("image/tiff", b"II")}, "file_data"),
        ({"file_data": data_url("application/pdf", b"hello")}, "file_data"),
        ({"file_data": data_url("application/pdf", PDF[:12])}, "file_data"),
        ({"file_data": data_url("application/pdf", b"%PDF- /Encrypt 5 0 R %%EOF")}, "file_data"),
        (
            {
                "file_data": data_url(
                    "application/pdf", b"%PDF-" + bytes((1 << 20) - 8) + b"/Encrypt 5 0 R %%EOF"
                )
            },
            "file_data",
        ),
        ({"file_data": data_url("application/pdf", PDF), "filename": "a" * 501}, "filename"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(fields: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        file(**fields)
    assert caught.value.param == f"{PLACE}.{param}"


def test_a_pdf_over_the_limit_of_upstream_is_refused() -> None:
    most = MAX_PDF // 4 * 3
    document = file(file_data=data_url("application/pdf", b"%PDF-%%EOF".ljust(most)))
    assert isinstance(document, Document)
    with pytest.raises(InvalidRequest, match="more than 33554432 bytes") as caught:
        file(file_data=data_url("application/pdf", b"%PDF-%%EOF".ljust(most + 1)))
    assert caught.value.param == f"{PLACE}.file_data"


def test_a_large_picture_is_for_the_backend_to_make_smaller() -> None:
    picture = image(data_url("image/png", PNG.ljust(9_000_000)))
    assert isinstance(picture, Image)


@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "rot13", "bz2", "nothing"])
def test_a_charset_that_no_text_has_is_refused(charset: str) -> None:
    with pytest.raises(InvalidRequest, match="neither a PDF nor text"):
        file(file_data=f"data:text/plain;charset={charset};base64,{encoded(b'abc-def')}")


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "gb18030", "shift_jis", "utf-7"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_content_that_is_decoded_in_pieces_is_the_same(
    charset: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "_PIECE", size)
    text = "語, a+b 日本"
    part = file(
        file_data=f"data:text/plain;charset={charset};base64,{encoded(text.encode(charset))}"
    )
    assert isinstance(part, Document)
    assert part.data == text


@pytest.mark.parametrize("blanks", ["", " ", "\r\n", "\t"])
def test_a_picture_that_is_decoded_in_pieces_is_the_same(
    blanks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "_PIECE", 1)
    url = f"data:image/png;base64,{blanks.join(encoded(PNG))}"
    assert image(url) == Image(media_type="image/png", data=encoded(PNG))


@pytest.mark.parametrize("data", ["iVBORw==iVBORw==", "iVB=Rw0K", "iVBOR", "iVBO*w0K", "iVBOé"])
def test_pieces_do_not_hide_what_is_no_base64(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "_PIECE", 1)
    with pytest.raises(InvalidRequest, match="not valid base64"):
        image(f"data:image/png;base64,{data}")


def test_a_file_of_very_many_percent_signs_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="send it in base64") as caught:
        file(file_data="data:text/plain," + "%41" * (MAX_ESCAPES + 1))
    assert caught.value.param == f"{PLACE}.file_data"
