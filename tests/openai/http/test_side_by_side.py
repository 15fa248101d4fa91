"""The OpenAI format is the default: another frontend has the requests that it claims by a header."""

from collections.abc import Callable

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway import hookimpl
from gateway.errors import GatewayError
from gateway.frontend import Frontend, ModelsFormat
from tests.openai.openai_support import BuildApp, http_client


class ToyFrontend:
    """Claims the requests with `toy-version`, as another vendor's API does with a header."""

    @hookimpl
    def gateway_register_frontends(self, register: Callable[[Frontend], None]) -> None:
        models = ModelsFormat(
            render_list=lambda listed, _: JSONResponse({"names": [each.name for each in listed]}),
            render_one=lambda model, _: JSONResponse({"name": model.name}),
            list_schema={"type": "object"},
            one_schema={"type": "object"},
        )
        register(
            Frontend(
                name="toy",
                matches=lambda request: "toy-version" in request.headers,
                render_error=self._render_error,
                error_schema={"type": "object"},
                models=models,
            )
        )

    def _render_error(self, error: GatewayError, _: Request) -> Response:
        return JSONResponse({"type": "error", "said": error.message}, error.status)


@pytest.mark.parametrize(
    ("method", "path", "status", "toys", "ours"),
    [
        ("GET", "/v1/models", 200, {"names"}, {"object", "data"}),
        ("GET", "/v1/models/test-model", 200, {"name"}, {"id", "object", "created", "owned_by"}),
        ("GET", "/v1/models/unknown", 404, {"type", "said"}, {"error"}),
        ("GET", "/nothing", 404, {"type", "said"}, {"error"}),
        ("DELETE", "/v1/models", 405, {"type", "said"}, {"error"}),
        ("POST", "/v1/chat/completions", 415, {"type", "said"}, {"error"}),
    ],
)
async def test_each_request_gets_the_form_that_it_asks_for(
    build_app: BuildApp, method: str, path: str, status: int, toys: set[str], ours: set[str]
) -> None:
    async with http_client(build_app(ToyFrontend())) as client:
        toy = await client.request(method, path, headers={"toy-version": "1"})
        openai = await client.request(method, path)
    assert (toy.status_code, openai.status_code) == (status, status)
    assert set(toy.json()) == toys
    assert set(openai.json()) >= ours
