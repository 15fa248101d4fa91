"""What holds for every answer: streamed and whole say the same, in the order of the API."""

from typing import Any

from hypothesis import given
from openai.types.responses import Response

from gateway.types import StreamEvent
from gateway_openai_responses.encode.encoding import ResponseEncoding
from gateway_openai_responses.encode.response import ResponseForm
from tests.openai_responses.answers import answers, folded, forms, streamed, whole


def without_times(response: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if name != "completed_at"}


@given(events=answers(), form=forms)
def test_the_last_event_has_the_whole_response(
    events: list[StreamEvent], form: ResponseForm
) -> None:
    encoding = ResponseEncoding(form)
    response = encoding.whole([whole(events)])
    assert Response.model_validate(response)
    last = streamed(encoding.stream(1), events)[-1]
    assert last["type"] == f"response.{response['status']}"
    assert without_times(last["response"]) == without_times(response)


@given(events=answers(), form=forms)
def test_the_sdk_folds_the_events_into_the_whole_response(
    events: list[StreamEvent], form: ResponseForm
) -> None:
    encoding = ResponseEncoding(form)
    output = encoding.whole([whole(events)])["output"]
    of_deltas, ended = folded(streamed(encoding.stream(1), events))
    assert ended == output
    for delivered, item in zip(of_deltas, output, strict=True):
        if item["type"] == "function_call":
            assert delivered["arguments"] == item["arguments"]
        if item["type"] == "message" and item["content"][0]["type"] == "output_text":
            assert delivered["content"][0]["text"] == item["content"][0]["text"]


@given(events=answers(), form=forms)
def test_events_are_numbered_and_nested(events: list[StreamEvent], form: ResponseForm) -> None:
    data = streamed(ResponseEncoding(form).stream(1), events)
    assert [event["sequence_number"] for event in data] == list(range(len(data)))
    first, second, *items, last = [event["type"] for event in data]
    assert (first, second) == ("response.created", "response.in_progress")
    assert last in ("response.completed", "response.incomplete")
    opened: list[int] = []
    for event in data:
        match event["type"]:
            case "response.output_item.added":
                assert event["output_index"] == len(opened)
                opened.append(1)
            case "response.output_item.done":
                assert opened[event["output_index"]] == 1
                opened[event["output_index"]] = 0
            case kind if kind in items:
                assert opened[event["output_index"]] == 1  # nothing of an item is outside of it
    assert not any(opened)


PAIRS = {
    "response.output_text.delta": ("response.output_text.done", "text"),
    "response.refusal.delta": ("response.refusal.done", "refusal"),
    "response.function_call_arguments.delta": (
        "response.function_call_arguments.done",
        "arguments",
    ),
    "response.custom_tool_call_input.delta": ("response.custom_tool_call_input.done", "input"),
    "response.reasoning_summary_text.delta": ("response.reasoning_summary_text.done", "text"),
}


@given(events=answers(), form=forms)
def test_deltas_are_together_what_the_done_event_has(
    events: list[StreamEvent], form: ResponseForm
) -> None:
    so_far: dict[tuple[str, str], str] = {}
    done: dict[tuple[str, str], str] = {}
    for event in streamed(ResponseEncoding(form).stream(1), events):
        if event["type"] in PAIRS:
            key = (PAIRS[event["type"]][0], event["item_id"])
            so_far[key] = so_far.get(key, "") + event["delta"]
        for kind, field in PAIRS.values():
            if event["type"] == kind:
                done[kind, event["item_id"]] = event[field]
    assert {key: text for key, text in done.items() if text} == so_far
