"""The routes: created, retrieved, listed, deleted; and what is not served."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import BackendFailed
from gateway.testing import FrontendCase, ScriptedBackend, Served, check_frontend, text_answer
from gateway.types import ResponseStart
from tests.openai_responses.conftest import Serve
from tests.openai_responses.responses_support import request_body, sse_events

PATH = "/v1/responses"


async def created(served: Served, **fields: object) -> dict[str, Any]:
    answered = await served.http.post(PATH, json=request_body(**fields))
    assert answered.status_code == 200, answered.text
    body: dict[str, Any] = answered.json()
    return body


async def failed(served: Served, method: str, path: str, **options: Any) -> tuple[int, Any]:
    answered = await served.http.request(method, path, **options)
    error = answered.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return answered.status_code, (error["code"], error["param"])


async def test_the_frontend_keeps_the_rules(tmp_path: Path) -> None:
    section = {"database": str(tmp_path / "responses.db"), "keepalive_seconds": 0.02}
    await check_frontend(
        FrontendCase(
            path=PATH,
            body=request_body(store=False),
            stream_body=request_body(stream=True, store=False),
            malformed={"model": "test-model"},
            is_error=lambda body: set(body["error"]) == {"message", "type", "param", "code"},
            is_stream_error=lambda text: sse_events(text)[-1][0] == "response.failed",
            installed=("openai", "openai_responses"),
            quick_keepalive={"plugins": {"openai_responses": section}},
        )
    )


@pytest.mark.parametrize("stream", [False, True])
async def test_a_response_is_kept_as_it_was_sent(serve: Serve, stream: bool) -> None:
    async with serve() as served:
        answered = await served.http.post(PATH, json=request_body(stream=stream))
        sent = sse_events(answered.text)[-1][1]["response"] if stream else answered.json()
        assert sent["store"] is True
        assert (await served.http.get(f"{PATH}/{sent['id']}")).json() == sent


async def test_a_response_is_kept_over_a_restart(serve: Serve) -> None:
    async with serve() as served:
        sent = await created(served)
    async with serve() as served:
        assert (await served.http.get(f"{PATH}/{sent['id']}")).json() == sent


@pytest.mark.parametrize("stream", [False, True])
async def test_nothing_is_kept_of_requests_that_say_no(
    serve: Serve, database: Path, stream: bool
) -> None:
    async with serve() as served:
        answered = await served.http.post(PATH, json=request_body(store=False, stream=stream))
        sent = sse_events(answered.text)[-1][1]["response"] if stream else answered.json()
        assert sent["store"] is False
        got = await failed(served, "GET", f"{PATH}/{sent['id']}")
        assert got == (404, ("response_not_found", "response_id"))
    assert not database.exists()  # noqa: ASYNC240 - a test has nothing else to do


async def test_nothing_is_kept_if_the_configuration_turns_it_off(serve: Serve) -> None:
    async with serve(database=False) as served:
        sent = await created(served, store=True)
        assert sent["store"] is False
        assert (await failed(served, "GET", f"{PATH}/{sent['id']}"))[0] == 404
        assert (await failed(served, "DELETE", f"{PATH}/{sent['id']}"))[0] == 404


async def test_a_failed_stream_is_not_kept(serve: Serve) -> None:
    backend = ScriptedBackend([ResponseStart(), BackendFailed("no")])
    async with serve(backend) as served:
        answered = await served.http.post(PATH, json=request_body(stream=True))
        names = [name for name, _ in sse_events(answered.text)]
        assert names[-2:] == ["error", "response.failed"]
        response_id = sse_events(answered.text)[0][1]["response"]["id"]
        assert (await failed(served, "GET", f"{PATH}/{response_id}"))[0] == 404


async def test_a_caller_who_left_is_forgotten(serve: Serve) -> None:
    async with serve() as served:
        sent = await created(served)
        served.gateway.forget("somebody else")
        assert (await served.http.get(f"{PATH}/{sent['id']}")).status_code == 200
        served.gateway.forget("address 127.0.0.1")
        assert (await served.http.get(f"{PATH}/{sent['id']}")).status_code == 404


async def test_a_conversation_goes_on_by_its_id(serve: Serve) -> None:
    async with serve() as served:
        first = await created(served, input="One", instructions="Be brief.")
        second = await created(served, input="Two", previous_response_id=first["id"])
        third = await created(served, input="Three", previous_response_id=second["id"])
        asked = served.backend.requests[-1]
        texts = [part.text for message in asked.messages for part in message.parts]  # type: ignore[union-attr]
        assert texts == ["One", "Hello there", "Two", "Hello there", "Three"]
        assert asked.system == ""  # `instructions` are of one request
        listed = (await served.http.get(f"{PATH}/{third['id']}/input_items?order=asc")).json()
        said = [item["content"][0]["text"] for item in listed["data"]]
        assert said == texts
        assert third["previous_response_id"] == second["id"]


async def test_a_conversation_can_t_go_on_without_all_of_it(serve: Serve) -> None:
    async with serve() as served:
        first = await created(served)
        second = await created(served, previous_response_id=first["id"])
        answered = await served.http.delete(f"{PATH}/{first['id']}")
        assert answered.json() == {"id": first["id"], "object": "response", "deleted": True}
        body = request_body(previous_response_id=second["id"])
        got = await failed(served, "POST", PATH, json=body)
        assert got == (400, ("previous_response_not_found", "previous_response_id"))


async def test_an_item_may_be_referred_to(serve: Serve) -> None:
    async with serve() as served:
        first = await created(served, input="One")
        listed = (await served.http.get(f"{PATH}/{first['id']}/input_items")).json()["data"]
        references = [{"type": "item_reference", "id": item["id"]} for item in listed]
        references.append({"id": first["output"][0]["id"]})
        second = await created(served, input=[*references, {"role": "user", "content": "Two"}])
        asked = served.backend.requests[-1]
        texts = [part.text for message in asked.messages for part in message.parts]  # type: ignore[union-attr]
        assert texts == ["One", "Hello there", "Two"]
        kept = (await served.http.get(f"{PATH}/{second['id']}/input_items?order=asc")).json()[
            "data"
        ]
        assert [item["type"] for item in kept] == ["message"] * 3


async def test_items_are_listed_page_by_page(serve: Serve) -> None:
    async with serve() as served:
        items = [{"role": "user", "content": str(number)} for number in range(5)]
        sent = await created(served, input=items)
        path = f"{PATH}/{sent['id']}/input_items"
        first = (await served.http.get(path, params={"limit": 2})).json()
        after = {"limit": 3, "after": first["last_id"]}
        second = (await served.http.get(path, params=after)).json()
        pages = [[item["content"][0]["text"] for item in page["data"]] for page in (first, second)]
        assert pages == [["4", "3"], ["2", "1", "0"]]
        assert [first["has_more"], second["has_more"]] == [True, False]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=%C2%B2", "limit"),
        ("order=up", "order"),
        ("after=msg_1", "after"),
    ],
)
async def test_a_wrong_page_is_refused(serve: Serve, query: str, param: str) -> None:
    async with serve() as served:
        sent = await created(served)
        got = await failed(served, "GET", f"{PATH}/{sent['id']}/input_items?{query}")
        assert got == (400, (None, param))


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{PATH}/resp_unknown", 404, "response_not_found"),
        ("DELETE", f"{PATH}/resp_unknown", 404, "response_not_found"),
        ("GET", f"{PATH}/resp_unknown/input_items", 404, "response_not_found"),
        ("GET", f"{PATH}/resp_unknown?stream=true", 400, "unsupported_parameter"),
        ("POST", f"{PATH}/resp_unknown/cancel", 400, None),
        ("POST", f"{PATH}/input_tokens", 404, "unknown_url"),
        ("POST", f"{PATH}/compact", 404, "unknown_url"),
        ("PUT", PATH, 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_there(
    serve: Serve, method: str, path: str, status: int, code: str | None
) -> None:
    async with serve() as served:
        got, (error_code, _) = await failed(served, method, path)
    assert (got, error_code) == (status, code)


async def test_a_keepalive_is_an_event_with_a_number(serve: Serve) -> None:
    pause = 0.2
    script = [*text_answer("a")[:3], pause, *text_answer("a")[3:]]
    async with serve(ScriptedBackend(script), keepalive_seconds=0.05) as served:
        answered = await served.http.post(PATH, json=request_body(stream=True))
    events = sse_events(answered.text)
    assert [name for name, _ in events].count("response.in_progress") > 1
    assert [data["sequence_number"] for _, data in events] == list(range(len(events)))


async def test_unsupported_fields_are_refused_if_the_configuration_says_so(serve: Serve) -> None:
    async with serve(unsupported="reject") as served:
        body = request_body(truncation="auto")
        assert await failed(served, "POST", PATH, json=body) == (
            400,
            ("unsupported_parameter", "truncation"),
        )


async def test_headers_name_what_was_ignored_and_adjusted(serve: Serve) -> None:
    tool = {"type": "custom", "name": "p", "format": {"type": "grammar", "definition": "x"}}
    async with serve() as served:
        body = request_body(tools=[tool], user="me")
        headers = (await served.http.post(PATH, json=body)).headers
    assert headers["x-dragoman-ignored"] == "user"
    assert headers["x-dragoman-adjusted"] == "tools.p.format=in_description"


async def test_a_response_is_documented(serve: Serve) -> None:
    async with serve() as served:
        paths = (await served.http.get("/openapi.json")).json()["paths"]
    assert set(paths[PATH]) == {"post"}
    assert set(paths[f"{PATH}/{{response_id}}"]) == {"get", "delete"}
    assert "get" in paths[f"{PATH}/{{response_id}}/input_items"]
    assert json.dumps(paths[PATH]["post"]["requestBody"])
