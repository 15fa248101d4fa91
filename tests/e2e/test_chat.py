"""The official client, the gateway, the real CLI and the embedded upstream: the main job."""

import base64
import json

import pytest

from gateway_claude_code.upstream import (
    Answer,
    Gate,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
    in_order,
    text_answer,
)
from tests.cells import on_demand
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def only_request(gateway: RunningGateway) -> MessagesRequest:
    assert len(gateway.upstream.requests) == 1
    return gateway.upstream.requests[0]


def texts(turn: dict) -> list[str]:
    """A turn's texts, without the note about the date that CLI 2.1.197 puts before the first."""
    content = turn["content"]
    found = [content] if isinstance(content, str) else [b["text"] for b in content if "text" in b]
    return [text for text in found if not text.startswith("<system-reminder>")]


def test_a_chat(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: text_answer("Hello", " you")
    raw = gateway.client.chat.completions.with_raw_response.create(
        model="claude-sonnet-4", messages=[{"role": "user", "content": "Hi"}]
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "Hello you"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "claude-sonnet-4"
    assert raw.headers["x-dragoman-model"]
    assert raw.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("asked", "family"),
    [("claude-opus-4", "opus"), on_demand("claude-sonnet-4", "sonnet"), on_demand("claude-haiku-4", "haiku"),
     on_demand("opus", "opus"), ("claude-code-cli/claude-haiku-4", "haiku"), ("claude-code-cli/sonnet", "sonnet")],
)  # fmt: skip
def test_each_model_reaches_the_upstream(gateway: RunningGateway, asked: str, family: str) -> None:
    gateway.client.chat.completions.create(
        model=asked, messages=[{"role": "user", "content": "Hi"}]
    )
    assert family in only_request(gateway).model


def test_a_full_model_id_goes_through_as_it_is(gateway: RunningGateway) -> None:
    gateway.client.chat.completions.create(
        model="claude-sonnet-4-5-20250929", messages=[{"role": "user", "content": "Hi"}]
    )
    assert only_request(gateway).model == "claude-sonnet-4-5-20250929"


def test_chunks_arrive_before_the_upstream_has_finished(gateway: RunningGateway) -> None:
    gate = Gate()  # the upstream waits here for the test to have seen the first piece
    gateway.upstream.script = lambda _: Answer(
        blocks=(TextBlock("first second", pieces=("first", " second")),), gates={3: gate}
    )
    stream = gateway.client.chat.completions.create(
        model="claude-sonnet-4", messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    pieces = []
    for chunk in stream:
        if chunk.choices[0].delta.content:
            pieces.append(chunk.choices[0].delta.content)
            gate.open()
    assert pieces == ["first", " second"]


def test_usage_counts_cached_tokens(gateway: RunningGateway) -> None:
    usage = Usage(
        input_tokens=10,
        cache_read_input_tokens=500,
        cache_creation_input_tokens=20,
        output_tokens=7,
    )
    gateway.upstream.script = lambda _: Answer(blocks=(TextBlock("Hi"),), usage=usage)
    chunks = list(
        gateway.client.chat.completions.create(
            model="claude-sonnet-4",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[-1].choices == []
    seen = chunks[-1].usage
    assert seen is not None
    assert (seen.prompt_tokens, seen.completion_tokens, seen.total_tokens) == (530, 7, 537)
    assert seen.prompt_tokens_details is not None
    assert seen.prompt_tokens_details.cached_tokens == 500


def test_a_conversation_arrives_as_real_turns(gateway: RunningGateway) -> None:
    gateway.client.chat.completions.create(
        model="claude-sonnet-4",
        messages=[
            {"role": "system", "content": "You are a parrot."},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "ONE"},
            {"role": "user", "content": "two"},
            {"role": "assistant", "content": "TWO"},
            {"role": "user", "content": "three"},
        ],
    )
    request = only_request(gateway)
    assert [(turn["role"], texts(turn)) for turn in request.turns] == [
        ("user", ["one"]),
        ("assistant", ["ONE"]),
        ("user", ["two"]),
        ("assistant", ["TWO"]),
        ("user", ["three"]),
    ]
    assert request.system_text == "You are a parrot."


def test_an_image(gateway: RunningGateway) -> None:
    gateway.client.chat.completions.create(
        model="claude-sonnet-4",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                    {"type": "image_url", "image_url": {"url": "https://example.test/a.png"}},
                ],
            }
        ],
    )
    images = [
        b["source"] for b in only_request(gateway).turns[0]["content"] if b["type"] == "image"
    ]
    assert images == [
        {"type": "base64", "media_type": "image/png", "data": PNG},
        {"type": "url", "url": "https://example.test/a.png"},
    ]
    assert base64.b64decode(PNG)


def test_a_tool_loop_with_two_parallel_calls(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(
        Answer(
            blocks=(
                TextBlock("Looking."),
                ToolUseBlock("mcp__t__get_weather", {"city": "Ankara"}),
                ToolUseBlock("mcp__t__get_weather", {"city": "İzmir"}),
            ),
            stop_reason="tool_use",
        ),
        Answer(blocks=(TextBlock("Both sunny."),)),
    )
    messages = [{"role": "user", "content": "Weather in Ankara and İzmir?"}]
    calls: dict[int, dict] = {}
    deltas = 0
    finish = None
    for chunk in gateway.client.chat.completions.create(
        model="claude-sonnet-4", messages=messages, tools=[WEATHER], stream=True
    ):
        choice = chunk.choices[0]
        finish = choice.finish_reason or finish
        for call in choice.delta.tool_calls or []:
            deltas += 1
            known = calls.setdefault(call.index, {"id": call.id, "name": "", "arguments": ""})
            known["name"] += call.function.name or ""
            known["arguments"] += call.function.arguments or ""
    assert finish == "tool_calls"
    assert deltas > len(calls) == 2
    assert [json.loads(c["arguments"]) for c in calls.values()] == [
        {"city": "Ankara"},
        {"city": "İzmir"},
    ]
    assert all(call["id"].isalnum() for call in calls.values())

    messages.append(
        {
            "role": "assistant",
            "content": "Looking.",
            "tool_calls": [
                {
                    "id": c["id"],
                    "type": "function",
                    "function": {"name": c["name"], "arguments": c["arguments"]},
                }
                for c in calls.values()
            ],
        }
    )
    messages.extend(
        {"role": "tool", "tool_call_id": call["id"], "content": f"sun {call['id']}"}
        for call in reversed(calls.values())
    )
    answer = gateway.client.chat.completions.create(
        model="claude-sonnet-4", messages=messages, tools=[WEATHER]
    )
    assert answer.choices[0].message.content == "Both sunny."

    first, second = gateway.upstream.requests
    assert first.tools == second.tools
    assert first.tools[0]["name"] == "mcp__t__get_weather"
    assert first.tools[0]["input_schema"] == WEATHER["function"]["parameters"]
    used = [b["id"] for b in second.turns[1]["content"] if b["type"] == "tool_use"]
    results = {b["tool_use_id"]: b for b in second.turns[2]["content"]}
    assert used == list(results)
    assert [call_id.replace("_", "") for call_id in used] == [call["id"] for call in calls.values()]
    for call_id, block in results.items():
        given = call_id.replace("_", "")
        assert block["content"] == [{"type": "text", "text": f"sun {given}"}]


def test_thinking_is_reasoning_content(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(ThinkingBlock("hmm", signature="sig"), TextBlock("So."))
    )
    message = gateway.client.chat.completions.create(
        model="claude-sonnet-4", messages=[{"role": "user", "content": "Hi"}]
    ).choices[0].message  # fmt: skip
    assert (message.content, message.model_extra["reasoning_content"]) == ("So.", "hmm")


def test_parameters_reach_the_upstream_natively(gateway: RunningGateway) -> None:
    gateway.client.chat.completions.create(
        model="claude-opus-4-6",
        messages=[{"role": "user", "content": "Hi"}],
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=False,
        max_completion_tokens=2000,
        temperature=0.25,
        stop=["END"],
    )
    body = only_request(gateway).body
    assert body["max_tokens"] == 2000
    assert body["temperature"] == 0.25
    assert body["stop_sequences"] == ["END"]
    assert body["tool_choice"] == {
        "type": "tool",
        "name": "mcp__t__get_weather",
        "disable_parallel_tool_use": True,
    }


def test_parameters_that_a_model_does_not_take_are_met_as_nearly_as_possible(
    gateway: RunningGateway,
) -> None:
    raw = gateway.client.chat.completions.with_raw_response.create(
        model="claude-sonnet-4",
        messages=[{"role": "user", "content": "Hi"}],
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=False,
        max_completion_tokens=2000,
        temperature=0.25,
        stop=["END"],
        reasoning_effort="low",
    )
    (call,) = raw.parse().choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert raw.headers["x-dragoman-adjusted"] == "tool_choice=asked_for"
    assert raw.headers["x-dragoman-ignored"] == "temperature"
    body = only_request(gateway).body
    assert body["max_tokens"] == 2000
    assert "temperature" not in body
    assert body["stop_sequences"] == ["END"]
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert "Call the `mcp__t__get_weather` tool now" in only_request(gateway).last_user_text
    assert body["output_config"]["effort"] == "low"


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [("max_tokens", "length"), on_demand("refusal", "content_filter"), ("stop_sequence", "stop")],
)
def test_finish_reasons_and_one_upstream_request_each(
    gateway: RunningGateway, stop_reason: str, finish_reason: str
) -> None:
    gateway.upstream.script = lambda _: Answer(
        blocks=(TextBlock("partial"),), stop_reason=stop_reason
    )
    # with a limit as low as this, the answer is likely to be cut
    choice = gateway.client.chat.completions.create(
        model="claude-sonnet-4", messages=[{"role": "user", "content": "Hi"}], max_tokens=100
    ).choices[0]
    assert (choice.finish_reason, choice.message.content) == (finish_reason, "partial")
    gateway.wait_until_idle()
    only_request(gateway)


def test_hello_costs_little(gateway: RunningGateway) -> None:
    gateway.client.chat.completions.create(
        model="claude-sonnet-4",
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Hello"},
        ],
    )
    assert only_request(gateway).size < 2500


@pytest.mark.parametrize(
    "text",
    ["x" * 400_000, "a\u2028b\u2029c", "nul:\x00.", "😀 \U0001f9d1‍🚀", "tab\tcr\r\nbell\x07"],
    ids=["400 KB", "line separators", "NUL", "emoji", "control"],
)
def test_text_goes_through_unchanged(gateway: RunningGateway, text: str) -> None:
    gateway.client.chat.completions.create(
        model="claude-sonnet-4", messages=[{"role": "user", "content": text}]
    )
    assert texts(only_request(gateway).turns[0]) == [text]


@pytest.mark.parametrize("additional", [False, {"type": "string"}], ids=["native", "by tool"])
def test_structured_output_is_the_content(gateway: RunningGateway, additional: object) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": additional,
    }
    answer = gateway.client.chat.completions.create(
        model="claude-sonnet-4",
        messages=[{"role": "user", "content": "Who?"}],
        response_format={"type": "json_schema", "json_schema": {"name": "who", "schema": schema}},
    )
    assert isinstance(json.loads(answer.choices[0].message.content)["name"], str)
    assert answer.choices[0].finish_reason == "stop"
    request = gateway.upstream.requests[0]
    assert ("format" in request.body["output_config"]) is (additional is False)
    assert [tool["name"] for tool in request.tools] == (
        [] if additional is False else ["StructuredOutput"]
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"backend": "claude-code", "target": "sonnet"},
        on_demand({"backend": "claude-code", "target": "claude-opus-4-6", "sampling": False}),
    ],
    ids=["documented", "by its entry"],
)
def test_sampling_that_a_model_does_not_take_is_ignored_with_a_word(
    start_gateway: StartGateway, entry: dict[str, object]
) -> None:
    gateway = start_gateway(config={"models": {"plain": entry}})
    raw = gateway.client.chat.completions.with_raw_response.create(
        model="plain", messages=[{"role": "user", "content": "Hi"}], temperature=0
    )
    assert raw.headers["x-dragoman-ignored"] == "temperature"
    assert "temperature" not in only_request(gateway).body


def test_json_object_is_asked_for_in_the_system_prompt(gateway: RunningGateway) -> None:
    gateway.client.chat.completions.create(
        model="claude-sonnet-4",
        messages=[{"role": "system", "content": "Hi."}, {"role": "user", "content": "JSON please"}],
        response_format={"type": "json_object"},
    )
    assert "one JSON object" in only_request(gateway).system_text
