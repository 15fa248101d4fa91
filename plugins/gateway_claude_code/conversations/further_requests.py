"""Whether the CLI may ask its upstream again for a turn that it was given once. Pure.

CLI 2.1.330 asks again by itself: for the rest of an answer that was cut at its token limit; after
one without visible text (thinking only, blanks, nothing at all); and after one that stopped for a
call and held none. Its second request has other parameters than the client's, is paid for, and
its answer would not be the client's.

Lines say when a turn begins (`system`, `init`) and when a request is on its way (`status:
requesting`). From then on, further ones are forbidden (`NO_FURTHER_REQUEST`), which does not
affect the one that is on its way: the CLI reads its input again when it waits for the upstream
(80 turns on a busy machine, none of them too soon; and then the turn is made again). Sent together
with the user's line, it is always too soon. An upstream that answers within milliseconds is now and
then ahead of it (1 of 58 blank or cut answers at a load of 6): the request that follows is then
ended as soon as it shows (`is_further`).
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway_claude_code.protocol import Block, Line
from gateway_claude_code.request.settings import NO_FURTHER_REQUEST, without_limit
from gateway_claude_code.response.events import EventReader

GO_ON: Final[Block] = {"type": "text", "text": "Continue."}
"""For a turn that ended although it was to go on."""


class FurtherRequests:
    """Follows the lines of a conversation. `forbidden` is whether the CLI may ask no more."""

    def __init__(self) -> None:
        self.forbidden = False

    def change(self, line: Line, reader: EventReader) -> Mapping[str, Any] | None:
        """The settings to apply after this line, which the reader has read; None for no change."""
        if reader.goes_on:
            return self.allow({}) if self.forbidden else None
        # without the line, which other versions may not write, as soon as an attempt gave anything
        asked = is_request(line) or reader.gave_something or reader.ended
        if self.forbidden or reader.asks_freely or not asked:
            return None
        self.forbidden = True
        return NO_FURTHER_REQUEST

    def allow(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """These settings, under which the CLI may ask again."""
        forbidden, self.forbidden = self.forbidden, False
        return without_limit(settings) if forbidden else settings

    def ended(self, line: Line) -> bool:
        """Whether a turn ended because the CLI may ask no more."""
        return self.forbidden and line.get("terminal_reason") == "blocking_limit"


def is_request(line: Line) -> bool:
    """Whether the CLI is about to ask its upstream."""
    status = line.get("subtype") == "status" and line.get("status") == "requesting"
    return status or (line.get("type") == "system" and line.get("subtype") == "init")


def is_further(line: Line) -> bool:
    """Whether the CLI asks its upstream once more, after an answer that was whole."""
    event = line.get("event")
    begun = isinstance(event, dict) and event.get("type") == "message_start"
    return begun or is_request(line)
