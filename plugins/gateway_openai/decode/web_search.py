"""From `web_search_options` to the hub's options of a search. Pure."""

from typing import Final

from gateway.types import UserLocation, WebSearchOptions
from gateway_openai.wire.chat import ChatCompletionRequest

PLACE: Final = "web_search_options"


def decode_web_search(wire: ChatCompletionRequest) -> WebSearchOptions | None:
    """The client's options; None if it does not ask for a search."""
    given = wire.web_search_options
    if given is None:
        return None
    place = given.user_location.approximate if given.user_location is not None else None
    return WebSearchOptions(
        context_size=given.search_context_size,
        location=None
        if place is None
        else UserLocation(
            city=place.city, region=place.region, country=place.country, timezone=place.timezone
        ),
        place=PLACE,
    )
