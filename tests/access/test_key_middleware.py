"""The middleware, over a whole application."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway import hookimpl
from gateway.context import Gateway
from gateway.errors import ConfigurationError
from gateway.http.app import create_app
from gateway.testing import ScriptedBackend, answer, build, part
from gateway.types import Text, Usage
from gateway_access.limits import key_limits
from tests.access.access_support import BODY, KEY, OTHER, BuildApp, ask, bearer, client, stored
from tests.clock import Clock


def error_of(response: Any) -> dict[str, Any]:
    body = response.json()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    return dict(body)


async def test_without_keys_everybody_on_this_machine_gets_in(build_app: BuildApp) -> None:
    app = build_app()
    assert (await ask(app)).status_code == 200
    assert (await ask(app, bearer("unused"))).status_code == 200
    assert not app.state.gateway.requires_keys


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY} "},
        {"X-API-Key": KEY},
        {"authorization": "Basic YWxhZGRpbg==", "x-api-key": KEY},
        {"authorization": "Bearer unused", "x-api-key": KEY},
    ],
)
async def test_a_key_gets_in_and_its_name_goes_along(
    build_app: BuildApp, headers: dict[str, str]
) -> None:
    backend = ScriptedBackend()
    app = build_app(backend, keys=[stored("laptop")])
    assert (await ask(app, headers)).status_code == 200
    assert backend.requests[0].client.key == "laptop"
    assert app.state.gateway.requires_keys


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "requires an API key"),
        ({"authorization": "Basic YWxhZGRpbg=="}, "requires an API key"),
        (bearer("wrong"), "Unknown API key"),
        ({"authorization": "Bearer"}, "Unknown API key"),
        ({"x-api-key": ""}, "Unknown API key"),
    ],
)
async def test_who_has_no_key_is_told_so(
    build_app: BuildApp, headers: dict[str, str], why: str
) -> None:
    backend = ScriptedBackend()
    response = await ask(build_app(backend, keys=[stored()]), headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "x-request-id" in response.headers
    error = error_of(response)
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
    assert why in error["message"]
    assert backend.requests == []


async def test_keys_of_the_environment_get_in(
    build_app: BuildApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_API_KEY", KEY)
    app = build_app()
    assert (await ask(app)).status_code == 401
    assert (await ask(app, bearer())).status_code == 200


async def test_health_says_no_details_without_a_key(build_app: BuildApp) -> None:
    async with client(build_app(keys=[stored()])) as http:
        for path in ("/health", "/healthz"):
            assert (await http.get(path)).json() == {"status": "ok"}
            assert (await http.get(path, headers=bearer("wrong"))).json() == {"status": "ok"}
        assert "version" in (await http.get("/health", headers=bearer())).json()
        assert (await http.get("/v1/models")).status_code == 401
        assert (await http.get("/docs")).status_code == 401
    async with client(build_app()) as http:
        assert "version" in (await http.get("/health")).json()


def test_a_gateway_with_no_key_yet_says_that_nobody_gets_in(
    build_app: BuildApp, caplog: pytest.LogCaptureFixture
) -> None:
    assert build_app(keys_file="none-yet.yaml").state.gateway.requires_keys
    assert "every request is rejected" in caplog.text


@pytest.mark.parametrize("section", [{"hosts": ["*"]}, {"origins": ["*"]}, {"origins": ["null"]}])
def test_what_lets_every_page_in_needs_keys(build_app: BuildApp, section: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"safe only with keys"):
        build_app(**section)
    build_app(**section, keys=[stored()])


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"hosts": ["http://a"]}, "'http://a' is not a host name"),
        ({"origins": ["https://a/"]}, "'https://a/' is not an origin"),
        ({"origins": ["a.example"]}, "'a.example' is not an origin"),
        ({"keys": [{"name": "a", "hash": "secret"}]}, "String should match pattern"),
    ],
)
def test_a_mistake_in_the_section_stops_the_start(
    build_app: BuildApp, section: Any, why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why):
        build_app(**section)


# -- pages --------------------------------------------------------------------------------


async def test_a_page_that_is_listed_can_send_requests_and_read_answers(
    build_app: BuildApp,
) -> None:
    page = "app://obsidian.md"
    app = build_app(keys=[stored()], origins=[page])
    async with client(app) as http:
        preflight = await http.options(
            "/v1/chat/completions",
            headers={
                "origin": page,
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,content-type",
            },
        )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == page
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    cross = {"origin": page, "sec-fetch-site": "cross-site"}
    for headers, status in (({**cross, **bearer()}, 200), (cross, 401)):
        response = await ask(app, headers)
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == page
    assert "access-control-allow-origin" not in (await ask(app, bearer())).headers


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/v1/chat/completions", BODY, {}, 401),
        ("POST", "/v1/chat/completions", BODY, {"x-api-key": "wrong"}, 401),
        ("POST", "/v1/chat/completions", {**BODY, "model": "gpt-4o"}, bearer(), 404),
        ("POST", "/v1/chat/completions", {}, bearer(), 400),
        ("GET", "/v1/nothing", None, bearer(), 404),
        ("DELETE", "/v1/chat/completions", None, bearer(), 405),
    ],
)
async def test_a_page_that_is_listed_can_read_every_error(
    build_app: BuildApp, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    page = "http://localhost:8080"
    async with client(build_app(keys=[stored()], origins=[page])) as http:
        response = await http.request(method, path, json=body, headers={"origin": page, **headers})
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == page
    assert response.headers["access-control-expose-headers"] == "*"
    assert error_of(response)["message"]


async def test_a_page_that_is_listed_may_reach_the_local_network(build_app: BuildApp) -> None:
    page = "https://chat.example"
    asks = {"origin": page, "access-control-request-method": "POST"}
    network = "access-control-{}-private-network"
    async with client(build_app(origins=[page])) as http:
        plain = await http.options("/v1/models", headers=asks)
        asked = await http.options(
            "/v1/models", headers={**asks, network.format("request"): "true"}
        )
    assert network.format("allow") not in plain.headers
    assert asked.headers[network.format("allow")] == "true"


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [("*", "https://any.example", "*"), ("*", "null", "*"), ("null", "null", "null")],
)
async def test_with_keys_every_page_can_be_let_in(
    build_app: BuildApp, listed: str, origin: str, allowed: str
) -> None:
    app = build_app(keys=[stored()], origins=[listed], hosts=["*"])
    headers = {"origin": origin, "host": "any.example", "sec-fetch-site": "cross-site"}
    response = await ask(app, {**headers, **bearer()})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == allowed
    assert "access-control-allow-credentials" not in response.headers
    assert (await ask(app, headers)).status_code == 401


async def test_the_gateways_own_pages_are_served(build_app: BuildApp) -> None:
    own = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    assert (await ask(build_app(), own)).status_code == 200


@pytest.mark.parametrize("page", ["http://127.0.0.1:3456", "http://[::1]:3456"])
async def test_its_own_pages_are_served_by_each_of_its_names(page: str, tmp_path: Path) -> None:
    app = create_app(build(tmp_path, ScriptedBackend(), disabled=("claude_code",)))
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x-a"}
    async with client(app, "localhost:3456") as http:
        sent = {"origin": page, "sec-fetch-site": "cross-site"}
        preflight = await http.options("/v1/chat/completions", headers={**sent, **asked})
        answer = await http.post("/v1/chat/completions", json=BODY, headers=sent)
    for response in (preflight, answer):
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == page


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("127.0.0.1", "http://[::1]:3456"),  # where another program may listen
        ("localhost", "http://127.0.0.1:3457"),
        ("localhost", "https://127.0.0.1:3456"),
        ("localhost", "http://127.0.0.1"),
        ("localhost", "http://127.0.0.2:3456"),
        ("localhost", "http://localhost.evil.example:3456"),
    ],
)
async def test_pages_of_other_programs_are_not_its_own(
    host: str, page: str, build_app: BuildApp
) -> None:
    async with client(build_app(host=host), "localhost:3456") as http:
        response = await http.post("/v1/chat/completions", json=BODY, headers={"origin": page})
    assert response.status_code == 403


async def test_a_request_of_two_pages_is_refused(build_app: BuildApp) -> None:
    own = ("origin", "http://localhost")
    async with client(build_app()) as http:
        response = await http.post("/v1/chat/completions", json=BODY, headers=[own, own])
    assert response.status_code == 403
    assert "at most one Origin" in error_of(response)["message"]


# -- limits -------------------------------------------------------------------------------


async def test_a_key_gets_its_models_only(build_app: BuildApp) -> None:
    app = build_app(keys=[stored(models=["claude-haiku-*"])])
    response = await ask(app, bearer())
    assert response.status_code == 403
    error = error_of(response)
    assert (error["code"], error["param"]) == ("permission_denied", "model")
    assert error["message"] == (
        "The key 'laptop' may not use the model 'test-model'; it may use: claude-haiku-*."
    )
    assert (await ask(build_app(keys=[stored(models=["test-*"])]), bearer())).status_code == 200


async def test_a_key_sees_its_models_only(tmp_path: Path) -> None:
    models: dict[str, object] = {
        name: {"backend": "scripted"} for name in ("large", "small-1", "small-2")
    }
    models["mixed"] = {"split": {"large": 1, "small-1": 1}}
    models["both"] = {"split": {"small-2": 1, "small-1": 1}}
    section = {"access": {"keys": [stored(models=["small-*"]), stored("all", OTHER)]}}
    config = {"models": models, "aliases": {"l": "large", "s": "small-1"}, "plugins": section}
    app = create_app(build(tmp_path, config=config, disabled=("claude_code",)))
    seen = {}
    async with client(app) as http:
        for key in (KEY, OTHER):
            listed = (await http.get("/v1/models", headers=bearer(key))).json()["data"]
            seen[key] = [model["id"] for model in listed]
        alone = {
            name: (await http.get(f"/v1/models/{name}", headers=bearer())).status_code
            for name in ("large", "small-1", "mixed", "both")
        }
    assert seen == {
        KEY: ["both", "small-1", "small-2", "s"],
        OTHER: ["both", "large", "mixed", "small-1", "small-2", "l", "s"],
    }
    assert alone == {"large": 403, "small-1": 200, "mixed": 403, "both": 200}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that limits go by."""
    clock = Clock()
    monkeypatch.setattr(key_limits.Limits.__init__, "__defaults__", (clock,))
    return clock


async def test_requests_per_minute(build_app: BuildApp, clock: Clock) -> None:
    app = build_app(keys=[stored(requests_per_minute=1), stored("other", OTHER)])
    first = await ask(app, bearer())
    assert first.status_code == 200
    assert first.headers["x-ratelimit-limit-requests"] == "1"
    assert first.headers["x-ratelimit-remaining-requests"] == "0"
    assert first.headers["x-ratelimit-reset-requests"] == "1m0s"
    second = await ask(app, bearer())
    assert second.status_code == 429
    assert second.headers["retry-after"] == "60"
    assert second.headers["x-ratelimit-remaining-requests"] == "0"
    assert error_of(second)["code"] == "rate_limit_exceeded"
    assert "x-ratelimit-limit-requests" not in (await ask(app, bearer(OTHER))).headers
    async with client(app) as http:
        assert (await http.get("/v1/models", headers=bearer())).status_code == 200
    clock.now += 60
    assert (await ask(app, bearer())).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_tokens_per_minute(build_app: BuildApp, clock: Clock, stream: bool) -> None:
    usage = Usage(input_tokens=50, cache_read_tokens=30, output_tokens=40)
    backend = ScriptedBackend(answer(part(0, Text(text=""), "Hi"), usage=usage))
    app = build_app(backend, keys=[stored(tokens_per_minute=60)])
    first = await ask(app, bearer(), stream=stream)
    assert first.headers["x-ratelimit-limit-tokens"] == "60"
    second = await ask(app, bearer(), stream=stream)
    assert second.status_code == 429
    assert second.headers["retry-after"] == "61"
    assert second.headers["x-ratelimit-reset-tokens"] == "2m0s"
    clock.now += 61
    assert (await ask(app, bearer(), stream=stream)).status_code == 200


async def test_requests_at_the_same_time(build_app: BuildApp) -> None:
    go = anyio.Event()
    backend = ScriptedBackend([go, *answer(part(0, Text(text=""), "Hi"))])
    app = build_app(backend, keys=[stored(concurrent=1)])
    statuses: list[int] = []

    async def one() -> None:
        statuses.append((await ask(app, bearer())).status_code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        while not backend.requests:
            await anyio.lowlevel.checkpoint()
        assert (await ask(app, bearer())).status_code == 429
        go.set()
    assert statuses == [200]
    assert (await ask(app, bearer())).status_code == 200


async def test_a_key_that_is_taken_back_meanwhile_opens_nothing(tmp_path: Path) -> None:
    class TakesBack:
        @hookimpl(tryfirst=True)
        def gateway_transform_request(self, request: Any) -> Any:
            return replace(request, client=replace(request.client, key="gone"))

    section = {"plugins": {"access": {"keys": [stored()]}}}
    plugins = (TakesBack(), backend := ScriptedBackend())
    app = create_app(build(tmp_path, *plugins, config=section, disabled=("claude_code",)))
    assert (await ask(app, bearer())).status_code == 401
    assert backend.requests == []


@pytest.mark.parametrize("required", [True, False])
def test_other_plugins_know_at_the_start_whether_keys_are_required(
    build_app: BuildApp, required: bool
) -> None:
    seen: list[bool] = []

    class Other:
        @hookimpl
        def gateway_ready(self, gateway: Gateway) -> None:
            seen.append(gateway.requires_keys)

    build_app(Other(), **({"keys": [stored()]} if required else {}))
    assert seen == [required]
