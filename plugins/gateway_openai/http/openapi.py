"""The parts of `/openapi.json` that are OpenAI's own: the forms of its answers."""

from typing import Any, Final

from gateway.frontend import ERROR_SCHEMA, GENERATING, responses_of

_FIELDS: Final = ("id", "object", "created", "model", "choices", "usage")
"""Of both kinds of completions."""

_EVENTS: Final = {
    "schema": {
        "title": "Event",
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "string", "description": "A chunk in JSON, or [DONE]"}},
    },
    "example": 'data: {"choices": []}\n\ndata: [DONE]\n\n',
}


def generating(title: str) -> dict[int | str, dict[str, Any]]:
    """The responses of a route for completions: an object of this name, or events, and errors."""
    schema = {
        "title": title,
        "type": "object",
        "required": list(_FIELDS),
        "properties": {name: {} for name in _FIELDS},
    }
    return responses_of(schema, ERROR_SCHEMA, GENERATING, stream={"text/event-stream": _EVENTS})
