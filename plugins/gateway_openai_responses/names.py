"""The names of request fields here, by those that backends use, which are those of chat completions."""

from collections.abc import Mapping
from typing import Final

from gateway.errors import GatewayError
from gateway.frontend import Envelope, envelope

NAMES: Final[Mapping[str, str]] = {
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "thinking": "input.reasoning",
    "tools.function.strict": "tools.strict",
}


def error_body(error: GatewayError) -> Envelope:
    """The body of an error, whose `param` is a field of this API."""
    body = envelope(error)["error"]
    param = body["param"]
    return {"error": {**body, "param": NAMES.get(param, param) if param is not None else None}}
