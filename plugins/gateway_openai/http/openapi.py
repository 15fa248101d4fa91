"""What `/openapi.json` says of the routes, as FastAPI sees neither bodies nor errors of them itself."""

from collections.abc import Iterable
from typing import Any, Final

from gateway_openai.wire.base import GenerationRequest

ERROR_SCHEMA: Final[dict[str, Any]] = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}

_ERRORS: Final = {
    400: "The request is malformed, asks for what can't be done, or is too long for the model",
    401: "A key is missing or wrong, or the backend has no login",
    403: "Not allowed",
    404: "There is no such model",
    408: "The request was not complete in time",
    413: "The body is over the limit",
    414: "The URL is over the limit",
    415: "The body is not JSON",
    429: "A limit of the key (`rate_limit_exceeded`), of the model's API (`upstream_rate_limited`) "
    "or of the account; `retry-after` says for how long, where that is known",
    431: "The headers are over the limit",
    500: "A bug",
    502: "The backend died, spoke nonsense, or would not stop",
    503: "The gateway is full (`gateway_busy`), the model's API is overloaded, or the backend can't "
    "be started",
    504: "Nothing came in time",
}
_REFUSED: Final = frozenset({"#/$defs/OtherMessage", "#/$defs/OtherPart"})
"""Models of what there is not: they are there to name it in an error."""

_KEYWORDS: Final = {"ge": "minimum", "le": "maximum"}
"""pydantic leaves its own words for a range in place where a validator stands before it."""

_GENERAL: Final = (401, 403, 408, 414, 429, 431, 500, 503)
"""What any request may meet, before a route is there to answer."""

GENERATING: Final = tuple(_ERRORS)
LISTING: Final = _GENERAL
ONE_MODEL: Final = (*_GENERAL, 404)

_EVENTS: Final = {
    "schema": {
        "title": "Event",
        "type": "object",
        "required": ["data"],
        "properties": {"data": {"type": "string", "description": "A chunk in JSON, or [DONE]"}},
    },
    "example": 'data: {"choices": []}\n\ndata: [DONE]\n\n',
}


def responses(
    title: str, fields: Iterable[str], errors: Iterable[int], *, streamed: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The answers of a route: a JSON object with these fields, perhaps events, and its errors."""
    names = list(fields)
    schema = {
        "title": title,
        "type": "object",
        "required": names,
        "properties": {name: {} for name in names},
    }
    return responses_of(schema, errors, streamed=streamed)


def responses_of(
    schema: dict[str, Any], errors: Iterable[int], *, streamed: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The answers of a route whose good one has this schema."""
    good: dict[str, Any] = {"application/json": {"schema": schema}}
    if streamed:
        good["text/event-stream"] = _EVENTS
    content = {"application/json": {"schema": ERROR_SCHEMA}}
    return {
        200: {"description": "The answer", "content": good},
        **{code: {"description": _ERRORS[code], "content": content} for code in sorted(errors)},
        "4XX": {"description": "Another error of the request", "content": content},
    }


def request_body(model: type[GenerationRequest]) -> dict[str, Any]:
    """An OpenAPI 3.1 request body for the requests that `model` describes."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs")
    return {
        "required": True,
        "content": {"application/json": {"schema": _inlined(schema, definitions)}},
    }


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401
    """Put definitions in place of references, which would lead to the wrong root in OpenAPI."""
    if isinstance(schema, list):
        return [
            _inlined(item, definitions)
            for item in schema
            if not (isinstance(item, dict) and item.get("$ref") in _REFUSED)
        ]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _inlined(definitions[name], definitions)
    return {_KEYWORDS.get(key, key): _inlined(value, definitions) for key, value in schema.items()}
