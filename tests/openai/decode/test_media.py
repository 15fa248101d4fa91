"""Pictures and files within messages: which parts have them, and their places."""

import base64

import pytest

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Document, Image, Part
from gateway_openai.decode.chat import decode, parse
from tests.gateway.content.media_support import PNG
from tests.openai.openai_support import request_body

PDF = b"%PDF-1.7 rest %%EOF"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{encoded(content)}"


def decoded_part(part: dict[str, object]) -> Part:
    request = decode(parse(request_body(messages=[{"role": "user", "content": [part]}]))).request
    return request.messages[0].parts[0]


def image(url: str) -> Part:
    return decoded_part({"type": "image_url", "image_url": {"url": url}})


def file(**fields: object) -> Part:
    return decoded_part({"type": "file", "file": fields})


def test_a_part_knows_its_place_in_the_request() -> None:
    parts = image(data_url("image/png", PNG)), file(file_data=data_url("application/pdf", PDF))
    places = [part.place for part in parts if isinstance(part, Image | Document)]
    assert places == [
        "messages[0].content[0].image_url.url",
        "messages[0].content[0].file.file_data",
    ]


def test_a_url_may_be_a_bare_string() -> None:
    part = {"type": "image_url", "image_url": "https://example.com/a.png"}
    assert decoded_part(part) == Image(url="https://example.com/a.png")


def test_many_pictures() -> None:
    part = {"type": "image_url", "image_url": {"url": data_url("image/png", PNG)}}
    messages = [{"role": "user", "content": [part] * 100}]
    request = decode(parse(request_body(messages=messages))).request
    assert request.messages[0].parts == (Image(media_type="image/png", data=encoded(PNG)),) * 100


def test_the_wrong_one_of_many_pictures_is_named() -> None:
    part = {"type": "image_url", "image_url": {"url": data_url("image/png", PNG)}}
    wrong = {"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}}
    with pytest.raises(InvalidRequest) as caught:
        decode(parse(request_body(messages=[{"role": "user", "content": [*[part] * 70, wrong]}])))
    assert caught.value.param == "messages[0].content[70].image_url.url"


def test_an_uploaded_file_is_refused() -> None:
    with pytest.raises(UnsupportedParameter) as caught:
        file(file_id="file-123")
    assert caught.value.param == "messages[0].content[0].file.file_id"


@pytest.mark.parametrize(
    ("fields", "param"),
    [({"filename": "a.pdf"}, "file_data"), ({"filename": "a" * 501}, "filename")],
)
def test_the_wrong_field_of_a_file_is_named(fields: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        file(**fields)
    assert caught.value.param == f"messages[0].content[0].file.{param}"
