"""Checking a body against wire models: errors name the first place that is wrong."""

import pytest

from gateway.errors import InvalidRequest
from gateway.frontend import Integer, Items, WireModel, checked
from gateway.frontend.wire_models import path


class Item(WireModel):
    text: str


class Body(WireModel):
    count: Integer = 0
    items: Items[Item] | None = None


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({"count": "1"}, "count", "Invalid value for 'count': Input should be a valid integer."),
        ({"count": True}, "count", "Invalid value for 'count': Input should be a valid integer."),
        ({"items": [{}, {}]}, "items[0].text", "Missing required parameter: 'items[0].text'."),
    ],
)
def test_the_first_wrong_place_is_named(body: dict[str, object], param: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(Body, body)
    assert (caught.value.param, caught.value.message) == (param, message)


def test_unknown_fields_and_whole_floats_are_taken() -> None:
    body = checked(Body, {"count": 1024.0, "more": 1})
    assert (body.count, body.__pydantic_extra__) == (1024, {"more": 1})


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ((), ""),
        (("n",), "n"),
        (("messages", 2, "<user>", "content", "<string>"), "messages[2].content"),
        (
            ("messages", 0, "<user>", "content", "<parts>", 1, "<text>", "text"),
            "messages[0].content[1].text",
        ),
    ],
)
def test_a_path_has_no_union_tags(location: tuple[str | int, ...], expected: str) -> None:
    assert path(location) == expected
