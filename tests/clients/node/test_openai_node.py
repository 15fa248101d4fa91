"""The official package `openai` for Node, the gateway, the real CLI and the embedded upstream."""

import json
from typing import Any

import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    Gate,
    TextBlock,
    text_answer,
)
from tests.clients.node.conftest import MakeClient
from tests.clients.node.node_client import NodeClient
from tests.clients.node.node_scripts import (
    CITY,
    FORMAT,
    PERSON,
    PERSON_SCHEMA,
    assert_full_loop,
    broken_answer,
    person_answer,
    schema_of,
    weather_calls,
)
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

USAGE = {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17}


@pytest.fixture
def client(make_client: MakeClient) -> NodeClient:
    return make_client(script="openai_node", name="openai-node")


def counts(usage: dict[str, Any]) -> dict[str, int]:
    return {name: usage[name] for name in USAGE}


def test_text(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = lambda _: text_answer("Hello", " you")
    seen = client.run("text")
    (choice,) = seen["completion"]["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello you", "stop")
    assert seen["completion"]["model"] == "claude-sonnet-4"
    assert counts(seen["completion"]["usage"]) == USAGE
    assert seen["requestId"].startswith("req_")
    (request,) = gateway.upstream.requests
    assert request.last_user_text == "Hello"
    assert request.tools == []


def test_pieces_come_before_the_upstream_has_finished(
    gateway: RunningGateway, client: NodeClient
) -> None:
    gate = Gate()  # opened by the first piece
    gateway.upstream.script = lambda _: Answer(
        blocks=(TextBlock("first second", ("first", " second")),), gates={3: gate}
    )
    *pieces, end = [(gate.open(), line)[1] for line in client.lines("stream")]
    assert pieces == ["first", " second"]
    assert end["finishReason"] == "stop"
    assert counts(end["usage"]) == USAGE


def test_the_stream_helper_s_final_methods(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = lambda _: text_answer("Hello", " you")
    seen = client.run("streamHelper")
    assert seen["deltas"] == ["Hello", " you"]
    assert seen["content"] == "Hello you"
    assert (seen["message"]["role"], seen["message"]["content"]) == ("assistant", "Hello you")
    assert seen["completion"]["choices"][0]["finish_reason"] == "stop"
    assert seen["completion"]["id"].startswith("chatcmpl-")
    assert counts(seen["usage"]) == USAGE


@pytest.mark.parametrize("cell", ["tools", "toolsStreamed"])
def test_run_tools(gateway: RunningGateway, client: NodeClient, cell: str) -> None:
    gateway.upstream.script = weather_calls("Sunny in both")
    seen = client.run(cell)
    assert seen["content"] == "Sunny in both"
    assert seen["asked"] == [{"city": "Bern"}, {"city": "Rome"}]
    assert seen["roles"] == ["user", "assistant", "tool", "tool", "assistant"]
    assert seen["lastResult"] == "Sunny in Rome"
    assert seen["completions"] == 2
    assert seen["usage"]["completion_tokens"] == 14
    assert_full_loop(gateway.upstream.requests)
    assert schema_of(gateway.upstream.requests[0], "mcp__t__get_weather") == CITY


def test_parsed_calls_of_zod_functions(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = weather_calls()
    assert client.run("toolsParsed") == [{"city": "Bern"}, {"city": "Rome"}]


def test_streamed_arguments_of_calls(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = weather_calls()
    seen = client.run("toolsStreamHelper")
    assert [json.loads(pieces) for pieces in seen["pieces"]] == [{"city": "Bern"}, {"city": "Rome"}]
    assert seen["parsed"] == [{"city": "Bern"}, {"city": "Rome"}]
    assert seen["last"]["name"] == "get_weather"
    assert json.loads(seen["last"]["arguments"]) == {"city": "Rome"}


def test_parse_with_a_zod_schema(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = person_answer
    seen = client.run("structured")
    assert seen["parsed"] == PERSON
    assert json.loads(seen["content"]) == PERSON
    assert seen["finishReason"] == "stop"
    (request,) = gateway.upstream.requests
    assert schema_of(request, FORMAT) == PERSON_SCHEMA


def test_the_stream_helper_parses_too(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = person_answer
    seen = client.run("structuredStream")
    assert seen["parsed"] == PERSON
    assert json.loads(seen["content"]) == PERSON
    assert schema_of(gateway.upstream.requests[0], FORMAT) == PERSON_SCHEMA


def test_a_failure_is_the_client_s_own_exception(
    gateway: RunningGateway, client: NodeClient
) -> None:
    gateway.upstream.script = lambda _: Failure(429, "rate_limit_error", "slow down")
    seen = client.run("failure")
    assert (seen["kind"], seen["status"]) == ("RateLimitError", 429)
    assert seen["code"] == "upstream_rate_limited"
    assert "429" in seen["message"]


def test_a_stream_that_breaks_is_an_exception(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = broken_answer
    *pieces, error = client.lines("brokenStream")
    assert pieces == ["first"]
    assert (error["kind"], error["code"]) == ("APIError", "overloaded")
