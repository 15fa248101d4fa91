"""Parts of `/openapi.json` for routes whose bodies and errors FastAPI doesn't see itself."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

_ERRORS: Final = {
    400: "The request is malformed, unsupported, or too long for the model",
    401: "A key is missing or wrong, or the backend has no login",
    403: "Not allowed",
    404: "Unknown model",
    408: "The request was not complete in time",
    413: "The body is over the limit",
    414: "The URL is over the limit",
    415: "The body is not JSON",
    429: "A limit of the key (`rate_limit_exceeded`), of the model's API (`upstream_rate_limited`) "
    "or of the account; `retry-after` says how long to wait, if known",
    431: "The headers are over the limit",
    500: "A bug",
    502: "The backend crashed, sent an invalid response, or did not stop",
    503: "The gateway is full (`gateway_busy`), the model's API is overloaded, or the backend can't "
    "be started",
    504: "Timeout",
}

_KEYWORDS: Final = {"ge": "minimum", "le": "maximum"}
"""pydantic leaves its own words for a range in place where a validator precedes it."""

_GENERAL: Final = (401, 403, 408, 414, 429, 431, 500, 503)
"""Statuses of errors before a route is reached."""

GENERATING: Final = tuple(_ERRORS)
"""Statuses of errors of a route that generates."""
LISTING: Final = _GENERAL
"""Statuses of errors of a route that lists models."""
ONE_MODEL: Final = (*_GENERAL, 404)
"""Statuses of errors of a route for one model."""


def responses_of(
    schema: Mapping[str, Any],
    error_schema: Mapping[str, Any],
    errors: Iterable[int],
    *,
    stream: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[int | str, dict[str, Any]]:
    """The responses of a route: a JSON value with `schema`, and its errors by status.

    `stream` is the content of a streamed answer, an OpenAPI media type object by media type.
    """
    good: dict[str, Any] = {"application/json": {"schema": dict(schema)}, **(stream or {})}
    content = {"application/json": {"schema": dict(error_schema)}}
    return {
        200: {"description": "The answer", "content": good},
        **{code: {"description": _ERRORS[code], "content": content} for code in sorted(errors)},
        "4XX": {"description": "Another request error", "content": content},
    }


def request_body(
    model: type[BaseModel], left_out: Collection[type[BaseModel]] = ()
) -> dict[str, Any]:
    """An OpenAPI 3.1 request body for the requests that `model` describes.

    Models that are `left_out` do not appear among the choices of a union: a frontend may have some
    only to reject such values by name.
    """
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    hidden = frozenset(f"#/$defs/{each.__name__}" for each in left_out)
    return {
        "required": True,
        "content": {"application/json": {"schema": _inlined(schema, definitions, hidden)}},
    }


def _inlined(
    schema: Any,  # noqa: ANN401
    definitions: dict[str, Any],
    hidden: frozenset[str],
) -> Any:  # noqa: ANN401
    """Put definitions in place of references, which would lead to the wrong root in OpenAPI."""
    if isinstance(schema, list):
        return [
            _inlined(item, definitions, hidden)
            for item in schema
            if not (isinstance(item, dict) and item.get("$ref") in hidden)
        ]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _inlined(definitions[name], definitions, hidden)
    return {
        _KEYWORDS.get(key, key): _inlined(value, definitions, hidden)
        for key, value in schema.items()
    }
