"""`web_search_options`: whether the model may search, and for whom."""

from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.types import UserLocation, WebSearchOptions
from gateway_openai.decode.chat import decode, parse

PLACE = "web_search_options"
ANKARA = {"city": "Ankara", "country": "TR", "region": "Ankara", "timezone": "Europe/Istanbul"}


def options(given: object) -> WebSearchOptions | None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], PLACE: given}
    call = decode(parse(body))
    assert call.ignored == ()
    return call.request.web_search


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        ({}, WebSearchOptions()),
        ({"search_context_size": "low"}, WebSearchOptions(context_size="low")),
        (
            {"user_location": {"type": "approximate", "approximate": ANKARA}},
            WebSearchOptions(location=UserLocation(**ANKARA)),
        ),
        ({"user_location": None}, WebSearchOptions()),
    ],
)
def test_what_is_asked_for(given: object, wanted: WebSearchOptions | None) -> None:
    assert options(given) == wanted


def test_the_place_is_for_errors() -> None:
    found = options({})
    assert found is not None
    assert found.place == PLACE


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"search_context_size": "huge"}, f"{PLACE}.search_context_size"),
        ({"user_location": {"type": "exact"}}, f"{PLACE}.user_location.type"),
        (
            {"user_location": {"type": "approximate", "approximate": {"city": 1}}},
            f"{PLACE}.user_location.approximate.city",
        ),
    ],
)
def test_what_is_wrong(given: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        options(given)
    assert caught.value.param == param
