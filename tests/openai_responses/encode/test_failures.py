"""A failure in the middle of a stream: both of its events."""

from typing import Any

import pytest

from gateway import errors
from gateway.types import PartDelta, PartEnd, PartStart, ResponseStart, Text, Thinking
from gateway_openai_responses.encode.events import ResponseEncoder
from tests.openai_responses.answers import form_of
from tests.openai_responses.responses_support import sse_events


def failed(error: errors.GatewayError) -> list[dict[str, Any]]:
    encoder = ResponseEncoder(form_of())
    encoder.encode(0, ResponseStart())
    return [data for _, data in sse_events(encoder.fail(error).decode())]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ContextTooLong("no"), "context_length_exceeded"),
        (errors.QuotaExhausted("no"), "insufficient_quota"),
        (errors.QuotaExhausted("no", code="upstream_rate_limited"), "insufficient_quota"),
        (errors.RateLimited("no"), "rate_limit_exceeded"),
        (errors.UpstreamRateLimited("no"), "rate_limit_exceeded"),
        (errors.InvalidRequest("no"), "invalid_prompt"),
        (errors.Overloaded("no"), "server_error"),
        (errors.BackendFailed("no"), "server_error"),
        (errors.TimedOut("no"), "server_error"),
    ],
)
def test_the_code_is_one_that_clients_act_on(error: errors.GatewayError, code: str) -> None:
    _, response = failed(error)
    assert response["response"]["status"] == "failed"
    assert response["response"]["error"] == {"code": code, "message": "no"}


def test_both_events_are_sent_in_order() -> None:
    error, response = failed(errors.BackendFailed("no"))
    body = {"message": "no", "type": "server_error", "param": None, "code": "backend_error"}
    assert error == {
        "type": "error",
        "code": "backend_error",
        "message": "no",
        "param": None,
        "error": body,
        "sequence_number": 2,
    }
    assert (response["type"], response["sequence_number"]) == ("response.failed", 3)


def test_codex_reads_when_to_try_again_in_the_message() -> None:
    _, response = failed(errors.RateLimited("Slow down.", retry_after=11.5))
    assert response["response"]["error"]["message"] == "Slow down. Please try again in 11.5s."


def test_a_failure_before_the_first_event_is_a_stream_too() -> None:
    encoder = ResponseEncoder(form_of())
    names = [name for name, _ in sse_events(encoder.fail(errors.BackendFailed("no")).decode())]
    assert names == ["response.created", "response.in_progress", "error", "response.failed"]


def test_items_that_are_complete_stay_in_the_output() -> None:
    encoder = ResponseEncoder(form_of())
    encoder.encode(0, ResponseStart())
    for index in (0, 1):
        encoder.encode(0, PartStart(index=index, part=Text(text="")))
        encoder.encode(0, PartDelta(index=index, text=f"{index}"))
        encoder.encode(0, PartEnd(index=index))
    *_, (_, last) = sse_events(encoder.fail(errors.BackendFailed("no")).decode())
    assert [item["content"][0]["text"] for item in last["response"]["output"]] == ["01"]


def test_more_of_a_part_that_never_began_is_the_backend_s_failure() -> None:
    encoder = ResponseEncoder(form_of())
    with pytest.raises(errors.BackendFailed):
        encoder.encode(0, PartDelta(index=0, text="a"))


def test_an_answer_without_its_end_is_a_failure() -> None:
    encoder = ResponseEncoder(form_of())
    encoder.encode(0, PartStart(index=0, part=Thinking(text="")))
    with pytest.raises(errors.BackendFailed, match="interrupted"):
        encoder.finish()
