"""Encoding the events of an answer in a stream, and the framing of the two kinds of streams.

Server-sent events are those of the HTML standard, "9.2.5 Parsing an event stream"; NDJSON has a
JSON value in each line (github.com/ndjson/ndjson-spec).
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from gateway.errors import GatewayError
from gateway.frontend.response.json_text import dump
from gateway.types import StreamEvent


class StreamEncoder(ABC):
    """Encodes the events of all choices of one streamed answer. One object serves one answer."""

    media_type: ClassVar[str]

    @abstractmethod
    def encode(self, choice: int, event: StreamEvent) -> bytes:
        """The bytes for one event of one choice, whole events or lines; empty for an event that sends nothing.

        `choice` counts from 0. Raises `BackendFailed` for more of a part that never began.
        """

    @abstractmethod
    def finish(self) -> bytes:
        """The bytes after the end of the last choice."""

    @abstractmethod
    def fail(self, error: GatewayError) -> bytes:
        """The bytes in place of the rest, when the answer fails half-way; nothing follows them.

        The status 200 is sent by then, so they must let a client see that the answer is not whole.
        """

    @abstractmethod
    def keepalive(self) -> bytes:
        """Bytes for a long silence, which a client skips."""


class SSEEncoder(StreamEncoder):
    """Encodes into server-sent events."""

    media_type = "text/event-stream"

    def keepalive(self) -> bytes:
        """A comment: a line that begins with a colon."""
        return b": keepalive\n\n"


class NDJSONEncoder(StreamEncoder):
    """Encodes into lines of JSON."""

    media_type = "application/x-ndjson"

    def keepalive(self) -> bytes:
        """A space: JSON may begin with white space (RFC 8259, 2), but no line may be empty."""
        return b" "


def sse_event(data: object, event: str | None = None) -> bytes:
    """A server-sent event with `data` in JSON, and with the name `event` if it has one."""
    name = b"" if event is None else f"event: {event}\n".encode()
    return name + b"data: " + dump(data) + b"\n\n"


def json_line(value: object) -> bytes:
    """A line of NDJSON."""
    return dump(value) + b"\n"
