"""The Vercel AI SDK, the gateway, the real CLI and the embedded upstream."""

import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    Gate,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
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


@pytest.fixture
def client(make_client: MakeClient) -> NodeClient:
    return make_client(script="ai_sdk", name="ai-sdk")


def test_text(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = lambda _: text_answer("Hello", " you")
    seen = client.run("text")
    assert (seen["text"], seen["finishReason"], seen["warnings"]) == ("Hello you", "stop", [])
    assert (seen["usage"]["inputTokens"], seen["usage"]["outputTokens"]) == (10, 7)
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
    assert (end["usage"]["inputTokens"], end["usage"]["outputTokens"]) == (10, 7)


def test_thinking_is_reasoning_text(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = lambda _: Answer(blocks=(ThinkingBlock("hmm"), TextBlock("So.")))
    assert client.run("reasoning") == {"text": "So.", "reasoningText": "hmm"}


@pytest.mark.parametrize("cell", ["tools", "toolsStreamed"])
def test_a_tool_loop(gateway: RunningGateway, client: NodeClient, cell: str) -> None:
    gateway.upstream.script = weather_calls("Sunny in both")
    seen = client.run(cell)
    assert seen["text"] == "Sunny in both"
    assert seen["asked"] == [{"city": "Bern"}, {"city": "Rome"}]
    first, last = seen["steps"]
    assert first["finishReason"] == "tool-calls"
    assert first["calls"] == [{"city": "Bern"}, {"city": "Rome"}]
    assert first["results"] == ["Sunny in Bern", "Sunny in Rome"]
    assert last == {"finishReason": "stop", "calls": [], "results": []}
    assert_full_loop(gateway.upstream.requests)
    assert schema_of(gateway.upstream.requests[0], "mcp__t__get_weather") == CITY


def test_output_object(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = person_answer
    seen = client.run("structured")
    assert seen == {"output": PERSON, "finishReason": "stop", "warnings": []}
    (request,) = gateway.upstream.requests
    assert schema_of(request, FORMAT) == PERSON_SCHEMA


def test_partial_outputs_of_a_stream(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = person_answer
    seen = client.run("structuredStream")
    assert seen["output"] == PERSON
    assert len(seen["partial"]) > 1
    assert seen["partial"][-1] == PERSON
    assert schema_of(gateway.upstream.requests[0], FORMAT) == PERSON_SCHEMA


def test_generate_object(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = person_answer
    assert client.run("structuredObject") == {"object": PERSON, "finishReason": "stop"}
    assert schema_of(gateway.upstream.requests[0], FORMAT) == PERSON_SCHEMA


def test_an_output_object_at_the_end_of_a_tool_loop(
    gateway: RunningGateway, client: NodeClient
) -> None:
    calls = weather_calls()

    def script(request: MessagesRequest) -> Answer:
        return person_answer(request) if request.last_tool_results else calls(request)

    gateway.upstream.script = script
    seen = client.run("structuredAfterTools")
    assert seen["output"] == PERSON
    assert seen["asked"] == [{"city": "Bern"}, {"city": "Rome"}]
    assert [step["finishReason"] for step in seen["steps"]] == ["tool-calls", "stop"]
    for request in gateway.upstream.requests:
        assert schema_of(request, "mcp__t__get_weather") == CITY
        assert schema_of(request, FORMAT) == PERSON_SCHEMA


def test_a_failure_has_status_and_message(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = lambda _: Failure(429, "rate_limit_error", "slow down")
    seen = client.run("failure")
    assert (seen["name"], seen["statusCode"]) == ("AI_APICallError", 429)
    assert "slow down" in seen["message"]


def test_a_stream_that_breaks_is_an_error(gateway: RunningGateway, client: NodeClient) -> None:
    gateway.upstream.script = broken_answer
    *pieces, end = client.lines("brokenStream")
    assert pieces == ["first"]
    assert end["finishReason"] == "error"
    assert [error["code"] for error in end["errors"]] == ["overloaded"]
