"""The request body for `/openapi.json`, as FastAPI does not see the body itself."""

from typing import Any

from gateway_openai.wire_base import GenerationRequest


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
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _inlined(definitions[name], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
