"""`GET /v1/models` and `GET /v1/models/NAME`: one route for all frontends that have a form for it."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.frontend import LISTING, ONE_MODEL, listed_models, model_named, responses_of
from gateway.frontend.registration import Frontends, ModelsFormat
from gateway.interface import Gateway


def add_model_routes(router: APIRouter, gateway: Gateway, frontends: Frontends) -> None:
    """Add the routes, if any frontend has a form for them."""
    formats = [each.models for each in frontends.with_models if each.models is not None]
    if not formats:
        return
    errors = _any_of(each.error_schema for each in frontends.with_models)

    @router.head("/v1/models", include_in_schema=False)
    @router.get(
        "/v1/models",
        operation_id="listModels",
        summary="List models",
        tags=["Models"],
        response_class=Response,
        responses=responses_of(_any_of(each.list_schema for each in formats), errors, LISTING),
    )
    async def list_models(request: Request) -> Response:
        """Models and aliases, without patterns; of each what is known of it."""
        return _form(frontends, request).render_list(listed_models(gateway, request), request)

    @router.head("/v1/models/{name:path}", include_in_schema=False)
    @router.get(
        "/v1/models/{name:path}",
        operation_id="retrieveModel",
        summary="Retrieve a model",
        tags=["Models"],
        response_class=Response,
        responses=responses_of(_any_of(each.one_schema for each in formats), errors, ONE_MODEL),
    )
    async def retrieve_model(name: str, request: Request) -> Response:
        """Any name that a request may have, so those that match a pattern, too."""
        return _form(frontends, request).render_one(model_named(gateway, name, request), request)


def _form(frontends: Frontends, request: Request) -> ModelsFormat:
    if (form := frontends.models_of(request)) is None:
        raise HTTPException(404)
    return form


def _any_of(schemas: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    first, *others = schemas
    return {"anyOf": [first, *others]} if others else first
