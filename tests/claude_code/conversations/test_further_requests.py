"""When the CLI may ask its upstream again, and when not."""

from typing import Any, Final

from gateway_claude_code.cli_variables import BLOCKING_LIMIT
from gateway_claude_code.conversations.further_requests import FurtherRequests
from gateway_claude_code.request.settings import NO_FURTHER_REQUEST
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import EventReader, read_stream_event

REQUESTING: Final = {"type": "system", "subtype": "status", "status": "requesting"}
INIT: Final = {"type": "system", "subtype": "init", "tools": []}
BLOCKED: Final = {"type": "result", "is_error": True, "terminal_reason": "blocking_limit"}
ALLOWED: Final = {"env": {BLOCKING_LIMIT: ""}}


def reader() -> EventReader:
    return EventReader(ToolNames(["look"]))


def line(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "stream_event", "event": {"type": kind, **fields}}


def call(name: str) -> dict[str, Any]:
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    return line("content_block_start", index=0, content_block=block)


START: Final = line("message_start", message={"model": "m"})
TEXT: Final = line("content_block_start", index=0, content_block={"type": "text", "text": ""})


def changes(reader: EventReader, *lines: dict[str, Any]) -> list[Any]:
    """What is to be applied after each line."""
    further, found = FurtherRequests(), []
    for each in lines:
        if each["type"] == "stream_event":
            read_stream_event(reader, each)
        found.append(further.change(each, reader))
    return found


def test_once_a_request_is_on_its_way_no_other_may_follow() -> None:
    assert changes(reader(), INIT, REQUESTING, START, TEXT) == [
        NO_FURTHER_REQUEST,
        None,
        None,
        None,
    ]


def test_a_version_that_does_not_say_so_is_stopped_at_the_first_text() -> None:
    assert changes(reader(), START, TEXT) == [None, NO_FURTHER_REQUEST]


def test_an_unknown_tool_is_reported_to_the_model_which_is_asked_again() -> None:
    done = line("message_delta", delta={"stop_reason": "tool_use"}, usage={})
    lines = REQUESTING, START, call("mcp__t__nope"), done, REQUESTING
    assert changes(reader(), *lines) == [
        NO_FURTHER_REQUEST, None, ALLOWED, None, NO_FURTHER_REQUEST,
    ]  # fmt: skip


def test_a_known_tool_is_not() -> None:
    assert changes(reader(), REQUESTING, START, call("mcp__t__look"))[1:] == [None, None]


def test_an_answer_that_may_take_any_number_of_requests_is_left_alone() -> None:
    free = EventReader(ToolNames(["look"]), unlimited=True)
    assert changes(free, INIT, REQUESTING, START, TEXT) == [None] * 4


def test_settings_take_the_limit_back_where_there_is_one() -> None:
    further = FurtherRequests()
    settings = {"env": {"A": "1"}, "model": "m"}
    assert further.allow(settings) == settings
    further.change(INIT, reader())
    assert further.ended(BLOCKED)
    assert further.allow(settings) == {"env": {"A": "1", BLOCKING_LIMIT: ""}, "model": "m"}
    assert not further.ended(BLOCKED)
