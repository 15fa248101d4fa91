"""The framing of the two kinds of streams, and how each is kept alive."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.frontend import NDJSONEncoder, SSEEncoder, json_line, sse_event
from gateway.types import StreamEvent


class Silent:
    """The rest of an encoder."""

    def encode(self, choice: int, event: StreamEvent) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""

    def fail(self, error: GatewayError) -> bytes:
        return b""


class Events(Silent, SSEEncoder): ...


class Lines(Silent, NDJSONEncoder): ...


@pytest.mark.parametrize(
    ("name", "sent"),
    [(None, b'data: {"a":"b"}\n\n'), ("ping", b'event: ping\ndata: {"a":"b"}\n\n')],
)
def test_an_event_has_its_data_in_one_line(name: str | None, sent: bytes) -> None:
    assert sse_event({"a": "b"}, name) == sent


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\u2028b", "a\x85b"])
def test_a_text_breaks_no_line(text: str) -> None:
    assert len(sse_event(text).decode().splitlines()) == 2
    assert len(json_line(text).decode().splitlines()) == 1


def test_a_keepalive_event_is_a_comment() -> None:
    assert Events().media_type == "text/event-stream"
    assert Events().keepalive() == b": keepalive\n\n"


def test_a_line_is_read_as_before_with_any_number_of_keepalives_in_front() -> None:
    assert Lines().media_type == "application/x-ndjson"
    sent = json_line(1) + Lines().keepalive() * 3 + json_line({"a": "b"})
    assert [json.loads(line) for line in sent.splitlines()] == [1, {"a": "b"}]
