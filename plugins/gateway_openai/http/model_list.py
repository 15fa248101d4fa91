"""The models as `GET /v1/models` lists them: `openai.types.Model`."""

from collections.abc import Sequence
from typing import Any, Final, TypedDict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.frontend import ListedModel, ModelsFormat
from gateway_openai.http.model_fields import SCHEMA, ModelObject, described

CREATED: Final = 1735689600
"""2025-01-01, for all of them: clients want a time, the model map has none."""


class ModelList(TypedDict):
    """The body of `GET /v1/models`."""

    object: str
    data: list[ModelObject]


LIST_SCHEMA: Final[dict[str, Any]] = {
    "title": "ModelList",
    "type": "object",
    "required": ["object", "data"],
    "additionalProperties": False,
    "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": SCHEMA}},
}
"""`ModelList` for the OpenAPI document."""


def model_object(listed: ListedModel) -> ModelObject:
    """One model, under the name that was asked for."""
    model: ModelObject = {
        "id": listed.name,
        "object": "model",
        "created": CREATED,
        "owned_by": listed.found.target.backend,
    }
    if listed.found.description:
        model["description"] = listed.found.description
    return {**model, **described(listed.description)}


def _list(models: Sequence[ListedModel], _: Request) -> Response:
    body: ModelList = {"object": "list", "data": [model_object(each) for each in models]}
    return JSONResponse(body)


def _one(model: ListedModel, _: Request) -> Response:
    return JSONResponse(model_object(model))


MODELS: Final = ModelsFormat(
    render_list=_list, render_one=_one, list_schema=LIST_SCHEMA, one_schema=SCHEMA
)
