"""The parts of `/openapi.json` that are those of the Responses API: the forms of its answers."""

from typing import Any, Final

from gateway.frontend import ERROR_SCHEMA, GENERATING, ONE_MODEL, responses_of

_RESPONSE: Final[dict[str, Any]] = {
    "title": "Response",
    "type": "object",
    "required": ["id", "object", "created_at", "status", "model", "output", "usage"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "response"},
        "created_at": {"type": "integer"},
        "status": {"enum": ["completed", "incomplete"]},
        "model": {"type": "string"},
        "output": {"type": "array", "items": {"type": "object"}},
        "usage": {"type": "object"},
    },
}

_ITEMS: Final[dict[str, Any]] = {
    "title": "ResponseItemList",
    "type": "object",
    "required": ["object", "data", "first_id", "last_id", "has_more"],
    "properties": {
        "object": {"const": "list"},
        "data": {"type": "array", "items": {"type": "object"}},
        "first_id": {"type": ["string", "null"]},
        "last_id": {"type": ["string", "null"]},
        "has_more": {"type": "boolean"},
    },
}

_DELETED: Final[dict[str, Any]] = {
    "title": "DeletedResponse",
    "type": "object",
    "required": ["id", "object", "deleted"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "response"},
        "deleted": {"const": True},
    },
}

_EVENTS: Final = {
    "schema": {
        "title": "Event",
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": {"type": "string", "description": "The type of the event"},
            "data": {"type": "string", "description": "The event in JSON"},
        },
    },
    "example": 'event: response.created\ndata: {"type": "response.created"}\n\n',
}

_KEPT: Final = (*ONE_MODEL, 400)

CREATING: Final = responses_of(
    _RESPONSE, ERROR_SCHEMA, GENERATING, stream={"text/event-stream": _EVENTS}
)
RETRIEVING: Final = responses_of(_RESPONSE, ERROR_SCHEMA, _KEPT)
LISTING_ITEMS: Final = responses_of(_ITEMS, ERROR_SCHEMA, _KEPT)
DELETING: Final = responses_of(_DELETED, ERROR_SCHEMA, _KEPT)
