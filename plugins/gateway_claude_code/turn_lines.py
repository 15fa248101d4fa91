"""What single lines of the CLI say about a turn. Pure."""

from gateway.errors import BackendFailed
from gateway.types import ResponseEnd
from gateway_claude_code.events import EventReader
from gateway_claude_code.parameters import STRUCTURED_OUTPUT
from gateway_claude_code.protocol import Line


def broke_off() -> BackendFailed:
    """The answer has begun, and will not come to its end."""
    return BackendFailed("The upstream's answer broke off before its end.")


def end_of(line: Line, reader: EventReader) -> ResponseEnd | None:
    """The end of an answer, where a line other than the API's own events says so."""
    if reader.in_message and refused(line):
        return ResponseEnd(stop_reason="refusal", refusal=refusal_explanation(line))
    done = line.get("type") == "result" and not line.get("is_error")
    if done and reader.wants_output and reader.started:
        return ResponseEnd(stop_reason="end")
    return None


def lacks_output(line: Line) -> bool:
    """Whether the CLI begins a turn without the tool for structured output."""
    return line.get("subtype") == "init" and STRUCTURED_OUTPUT not in (line.get("tools") or ())


def refused(line: Line) -> bool:
    """Whether a line says that the model refused: seen in place of the API's own stop reason."""
    match line:
        case {"type": "system", "subtype": "model_refusal_no_fallback"}:
            return True
        case {"type": "result", "stop_reason": "refusal"}:
            return True
        case _:
            return False


def refusal_explanation(line: Line) -> str | None:
    """The API's own words about a refusal, where the CLI passes them on (2.1.330)."""
    explanation = line.get("apiRefusalExplanation")
    return explanation if isinstance(explanation, str) and explanation.strip() else None
