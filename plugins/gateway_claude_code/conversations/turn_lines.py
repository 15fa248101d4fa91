"""Reading single lines of the CLI about a turn and its settings. Pure."""

from gateway.errors import BackendFailed
from gateway.types import ResponseEnd
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.settings import STRUCTURED_OUTPUT
from gateway_claude_code.response.events import EventReader


def broke_off() -> BackendFailed:
    """The answer has begun, and will not come to its end."""
    return BackendFailed("The upstream's answer was interrupted.")


def end_of(line: Line, reader: EventReader) -> ResponseEnd | None:
    """The end of an answer, where a line other than the API's own events says so."""
    if line.get("type") != "result":
        return None
    # seen in place of the API's own stop reason
    if reader.in_message and line.get("stop_reason") == "refusal":
        return ResponseEnd(stop_reason="refusal")
    if not line.get("is_error") and reader.wants_output and reader.started:
        return ResponseEnd(stop_reason="end")
    return None


def lacks_output(line: Line) -> bool:
    """Whether the CLI begins a turn without the tool for structured output."""
    return line.get("subtype") == "init" and STRUCTURED_OUTPUT not in (line.get("tools") or ())


def is_applied(line: Line, request_id: str) -> bool:
    """Whether this line says that settings hold. Raises `BackendFailed` where the CLI refuses them."""
    response = line.get("response")
    if not isinstance(response, dict):
        return False
    if response.get("subtype") == "error":
        raise BackendFailed(
            f"The Claude Code CLI rejected a control request: {response.get('error')}"
        )
    return bool(response.get("request_id") == request_id)
