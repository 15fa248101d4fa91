"""Media within the limits of the model's API, or a 400 that names the part."""

import base64
import struct
import zlib
from dataclasses import replace
from typing import Final

import pytest

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Document, Image, Message, Part, Text, ToolResult
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.request.media_limits import (
    BEHIND,
    FROM_RESULT,
    MOST_BASE64_IN_RESULT,
    pages_of,
    within_limits,
)
from gateway_claude_code.response.failures import MediaRefused, told

FACTS: Final = documented("claude-sonnet-5-5").facts
SMALL: Final = replace(FACTS, context_window=200_000)
PAGE: Final = b"<< /Type /Page >>\n"


def picture(width: int, place: str = "there", padding: int = 0) -> Image:
    """The header of one, `width` pixels wide."""
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, 1)
    data = base64.b64encode(header + bytes(padding)).decode()
    return Image(media_type="image/png", data=data, place=place)


def pdf(pages: int, place: str = "there") -> Document:
    data = base64.b64encode(b"%PDF-1.7\n" + PAGE * pages).decode()
    return Document(media_type="application/pdf", data=data, place=place)


def asked(*parts: Part) -> ChatRequest:
    return ChatRequest(model="m", messages=(Message(role="user", parts=parts),))


def result(*parts: Image | Text) -> ToolResult:
    return ToolResult(call_id="a", parts=parts)


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ([Image(url="http://x.example/a.png", place="there")], "there"),
        ([picture(1)] * 600 + [picture(1, "one too many")], "one too many"),
        ([pdf(300), pdf(301, "second")], "second"),
        (
            [Document(media_type="application/pdf", data="", title="t" * 501, place="there")],
            "there",
        ),
    ],
)
def test_what_the_api_does_not_take_is_named(parts: list[Part], place: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        within_limits(asked(*parts), FACTS)
    assert caught.value.param == place


@pytest.mark.parametrize("parts", [[picture(1)] * 101, [pdf(101)]])
def test_a_model_with_a_small_context_takes_fewer(parts: list[Part]) -> None:
    within_limits(asked(*parts), FACTS)
    with pytest.raises(InvalidRequest, match="101"):
        within_limits(asked(*parts), SMALL)


@pytest.mark.parametrize(
    "parts",
    [
        [Text(text="no media")],
        [Image(url="https://x.example/a.png")],
        [picture(9000)],  # the CLI makes it smaller
        [picture(1, padding=MOST_BASE64_IN_RESULT)],
        [result(picture(8000), Text(text="seen"))],
    ],
)
def test_what_it_takes_stays_as_it_is(parts: list[Part]) -> None:
    request = asked(*parts)
    assert within_limits(request, FACTS) is request


@pytest.mark.parametrize("large", [picture(8001), picture(1, padding=MOST_BASE64_IN_RESULT)])
def test_a_large_picture_of_a_result_goes_behind_the_results(large: Image) -> None:
    said = Text(text="and now?")
    small = result(picture(5))
    request = within_limits(asked(result(Text(text="seen"), large), small, said), FACTS)
    assert request.messages[0].parts == (
        result(Text(text="seen"), Text(text=BEHIND)),
        small,
        Text(text=FROM_RESULT),
        large,
        said,
    )


def test_among_many_pictures_each_must_be_smaller() -> None:
    parts = [result(picture(2001)), *[picture(1)] * 19]
    assert within_limits(asked(*parts), FACTS) == asked(*parts)
    assert within_limits(asked(*parts, picture(1)), FACTS) != asked(*parts, picture(1))


def test_pages_are_found_in_compressed_objects() -> None:
    objects = zlib.compress(PAGE * 3)
    stream = b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n" + objects + b"\nendstream\n"
    assert pages_of(b"%PDF-1.7\n" + PAGE + stream + stream) == 7


@pytest.mark.parametrize(
    ("parts", "param"),
    [
        ([picture(1, "only"), pdf(1, "a file")], "only"),
        ([picture(1, "first"), result(picture(1, "second"))], "messages"),
        ([Text(text="none")], "messages"),
    ],
)
def test_a_picture_that_the_api_refused_is_named(parts: list[Part], param: str) -> None:
    sentence = "messages.0.content.0.image.source.base64.data: Could not process image"
    error = told(MediaRefused("image", sentence), asked(*parts))
    assert error.param == param
    assert "Could not process image" in error.message
    if param == "messages" and len(parts) > 1:
        assert "first, second" in error.message


@pytest.mark.parametrize("at", [-8, -1, 0, 1])
def test_a_page_is_found_once_wherever_a_search_is_divided(at: int) -> None:
    assert pages_of(bytes((1 << 20) + at - 4) + PAGE) == 1


def test_a_stream_may_have_other_dictionaries_in_its_own() -> None:
    objects = b"/ObjStm /DecodeParms << /Columns 4 >> /Length 9 >>\nstream\n%sendstream"
    assert pages_of(objects % zlib.compress(PAGE * 3)) == 3


@pytest.mark.parametrize(
    "pdf",
    [b"/ObjStm " * 100_000, b"/ObjStm >>stream\n" * 100_000,
     b"/ObjStm >>stream\n" * 100_000 + b"endstream"],
    ids=["no end of a dictionary", "no end of a stream", "one end for all"],
)  # fmt: skip
def test_a_pdf_costs_no_more_than_its_length(pdf: bytes) -> None:
    """Each search for an end to the end of the file would take minutes in all."""
    assert pages_of(pdf) == 0
