"""Which frontend a request belongs to: on paths that several share, and on those that nobody serves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.errors import ConfigurationError, GatewayError, NotAuthenticated
from gateway.frontend import Frontend, ModelsFormat
from gateway.pipeline.gateway import CoreGateway
from tests.gateway.core_support import http, plugin

GatewayWith = Callable[..., CoreGateway]


def frontend(name: str, matches: Callable[[Request], bool], *, models: bool = True) -> Frontend:
    """A frontend that writes its name into everything."""

    def render_error(error: GatewayError, _: Request) -> Response:
        return JSONResponse({name: error.message}, error.status)

    form = ModelsFormat(
        render_list=lambda listed, _: JSONResponse({name: [model.name for model in listed]}),
        render_one=lambda model, _: JSONResponse({name: model.found.target.name}),
        list_schema={"title": f"{name} list"},
        one_schema={"title": f"{name} model"},
    )
    return Frontend(
        name=name,
        matches=matches,
        render_error=render_error,
        error_schema={"title": f"{name} error"},
        models=form if models else None,
    )


def registering(*frontends: Frontend) -> object:
    def gateway_register_frontends(register: Callable[[Frontend], None]) -> None:
        for each in frontends:
            register(each)

    return plugin(gateway_register_frontends)


def has_header(request: Request) -> bool:
    return "x-toy" in request.headers


TOY = frontend("toy", has_header)
DEFAULT = frontend("default", lambda _: True)


@pytest.mark.parametrize(("headers", "name"), [({"x-toy": "1"}, "toy"), ({}, "default")])
async def test_a_shared_path_is_one_route_for_two_frontends(
    gateway_with: GatewayWith, headers: dict[str, str], name: str
) -> None:
    async with http(gateway_with(registering(TOY, DEFAULT))) as client:
        answers = [
            (await client.get(path, headers=headers)).json()
            for path in ("/v1/models", "/v1/models/test-model", "/v1/models/no", "/nothing")
        ]
        posted = await client.post("/v1/models", headers=headers)
    assert answers[:2] == [{name: ["test-model"]}, {name: "s1"}]
    assert [list(answer) for answer in answers[2:]] == [[name], [name]]
    assert (posted.status_code, list(posted.json())) == (405, [name])


@pytest.mark.parametrize(("headers", "name"), [({"x-toy": "1"}, "toy"), ({}, "default")])
async def test_an_error_of_middleware_has_the_form_too(
    gateway_with: GatewayWith, headers: dict[str, str], name: str
) -> None:
    def gateway_asgi_wrapper() -> Callable[[Any], Any]:
        async def refuse(*_: object) -> None:
            raise NotAuthenticated("who?")

        return lambda _: refuse

    gateway = gateway_with(registering(TOY, DEFAULT), plugin(gateway_asgi_wrapper))
    async with http(gateway) as client:
        answer = await client.get("/v1/models", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {name: "who?"})


async def test_an_error_that_is_rendered_wrongly_is_plain_and_logged(
    gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    wrong: Any = replace(DEFAULT, render_error=lambda *_: {"error": "no response"})
    async with http(gateway_with(registering(wrong))) as client:
        answer = await client.get("/nothing")
    assert answer.json() == {"error": {"message": "Unknown path: GET /nothing."}}
    assert "the frontend default rendered an error as dict" in caplog.text


async def test_the_first_that_matches_decides(gateway_with: GatewayWith) -> None:
    async with http(gateway_with(registering(DEFAULT, TOY))) as client:
        assert "default" in (await client.get("/nothing", headers={"x-toy": "1"})).json()


async def test_a_frontend_without_a_list_of_models_leaves_it_to_others(
    gateway_with: GatewayWith,
) -> None:
    toy = frontend("toy", has_header, models=False)
    async with http(gateway_with(registering(toy, DEFAULT))) as client:
        listed = await client.get("/v1/models", headers={"x-toy": "1"})
    assert listed.json() == {"default": ["test-model"]}


@pytest.mark.parametrize("registered", [(), (TOY,)], ids=["none", "another"])
async def test_without_a_frontend_for_it_there_is_no_list(
    gateway_with: GatewayWith, registered: tuple[Frontend, ...]
) -> None:
    async with http(gateway_with(registering(*registered))) as client:
        answer = await client.get("/v1/models")
    assert answer.status_code == 404
    assert answer.json() == {"error": {"message": "Unknown path: GET /v1/models."}}


async def test_the_openapi_document_has_the_forms_of_all(gateway_with: GatewayWith) -> None:
    async with http(gateway_with(registering(TOY, DEFAULT))) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    responses = paths["/v1/models"]["get"]["responses"]
    titles = {
        status: [form["title"] for form in content["schema"]["anyOf"]]
        for status in ("200", "401")
        for content in responses[status]["content"].values()
    }
    assert titles == {"200": ["toy list", "default list"], "401": ["toy error", "default error"]}


async def test_a_predicate_that_fails_costs_no_other_frontend_its_form(
    gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    def matches(_: Request) -> bool:
        raise KeyError("x")

    async with http(gateway_with(registering(frontend("toy", matches), DEFAULT))) as client:
        missing = [await client.get("/nothing") for _ in range(2)]
        listed = await client.get("/v1/models")
    assert [(each.status_code, list(each.json())) for each in missing] == [(404, ["default"])] * 2
    assert listed.json() == {"default": ["test-model"]}
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage() == "the frontend toy failed in `matches`"


async def test_an_error_that_cannot_be_rendered_is_plain_and_logged(
    gateway_with: GatewayWith, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> Response:
        raise KeyError("x")

    async with http(gateway_with(registering(replace(DEFAULT, render_error=fails)))) as client:
        answer = await client.get("/nothing")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert "an error could not be rendered" in caplog.text


@pytest.mark.parametrize(
    ("registered", "message"),
    [((TOY, TOY), "two frontends are named 'toy'"), (("toy",), "must be a .*Frontend")],
)
def test_a_mistake_stops_the_start(
    gateway_with: GatewayWith, registered: Any, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        gateway_with(registering(*registered))
