"""An answer of the CLI: what it is told, and what of its lines is passed on."""

from dataclasses import replace

import anyio
import pytest

from gateway.context import RequestContext
from gateway.types import (
    ResponseEnd,
    ResponseFormat,
    ResponseStart,
    Sampling,
    Tool,
)
from tests.claude_code.claude_code_support import (
    ANSWER,
    TARGET,
    Environ,
    MakeCli,
    a_request,
    backend_for,
    events_of,
    is_gone,
)
from tests.claude_code.conversations.conversations_support import texts

DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"


async def test_an_answer(fake_cli: MakeCli, environ: Environ) -> None:
    events = await events_of(backend_for(fake_cli(ANSWER), environ), a_request())
    assert events[0] == ResponseStart(model="claude-test")
    assert texts(events) == ["Hi"]
    assert events[-1] == ResponseEnd(stop_reason="end")


@pytest.mark.parametrize(
    ("total", "costs"),
    [("0.25", [0.25]), ("None", []), ("'free'", []), ("-1", []), ("float('inf')", [])],
)
async def test_what_the_cli_says_of_the_cost(
    fake_cli: MakeCli, environ: Environ, total: str, costs: list[float]
) -> None:
    cli = fake_cli(f"{ANSWER}; say(dict(type='result', total_cost_usd={total})); hear()")
    backend = backend_for(cli, environ, max_live=1)
    found: list[float] = []
    said = anyio.Event()

    def note(usd: float) -> None:
        found.append(usd)
        said.set()

    ctx = RequestContext(request_id="r-1", report_cost=note)
    async with backend.running():
        async for _ in backend.answer(a_request(), TARGET, ctx):
            pass
        with anyio.move_on_after(5 if costs else 0.3):
            await said.wait()
    assert found == costs


async def test_after_an_answer_the_process_is_gone(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(f"{ANSWER}; hold()")
    await events_of(backend_for(cli, environ), a_request())
    assert is_gone(cli.pid)


async def test_what_the_cli_is_told(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli("set_up(); hear(); begin(); text('{\"a\": 1}'); end()")
    schema = {"$schema": DRAFT_2020, "type": "object", "required": ["a"], "x-mine": 1}
    request = a_request(
        "Hi",
        system="Be brief.",
        tools=(Tool(name="look"),),
        response_format=ResponseFormat(kind="json_schema", schema=schema),
    )
    await events_of(backend_for(cli, environ), request)
    begin, settings, question = cli.heard
    assert begin["request"] == {
        "subtype": "initialize",
        "systemPrompt": ["Be brief."],
        "sdkMcpServers": ["t"],
        "jsonSchema": {"type": "object", "required": ["a"]},
    }
    assert settings["request"]["subtype"] == "apply_flag_settings"
    assert question["message"]["content"] == [
        {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    ]


async def test_without_tools_there_is_no_tools_server(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(ANSWER)
    await events_of(backend_for(cli, environ), a_request())
    assert "sdkMcpServers" not in cli.heard[0]["request"]


async def test_history_is_added_in_order_and_only_the_last_turn_asks(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(
        "set_up(); hear(); say(dict(type='system'), dict(type='result')); hear(); hear();"
        "begin(); text('Hi'); end()"
    )
    await events_of(backend_for(cli, environ), a_request("one", "two", "three"))
    assert [
        (line["message"]["content"][0]["text"], line.get("shouldQuery"))
        for line in cli.heard
        if "message" in line
    ] == [("one", False), ("two", None), ("three", None)]


async def test_the_tools_server_answers_while_the_cli_is_set_up(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(
        "first = hear(); second = hear();"
        "say(dict(type='control_request', request_id='x', request=dict(message=dict(id=1,"
        " method='ping')))); hear(); say(applied(first), applied(second)); hear();"
        "begin(); text('Hi'); end()"
    )
    await events_of(backend_for(cli, environ), a_request(tools=(Tool(name="look"),)))
    assert cli.heard[2]["response"]["request_id"] == "x"


async def test_a_call_gets_no_answer_from_the_tools_server(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(
        "set_up(); hear(); begin(); say(dict(type='control_request', request_id='x', request="
        "dict(message=dict(id=1, method='tools/call', params=dict(name='look'))))); end('tool_use')"
    )
    events = await events_of(backend_for(cli, environ), a_request(tools=(Tool(name="look"),)))
    assert events[-1] == ResponseEnd(stop_reason="end")
    assert all(line["type"] != "control_response" for line in cli.heard)


async def test_a_model_without_sampling_is_asked_without_it(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli(ANSWER)
    context = RequestContext(request_id="r-1")
    request = a_request(sampling=Sampling(temperature=0.5, top_k=3))
    target = replace(TARGET, sampling=False)
    backend = backend_for(cli, environ)
    async with backend.running():
        _ = [event async for event in backend.answer(request, target, context)]
    env = cli.heard[1]["request"]["settings"]["env"]
    assert env["CLAUDE_CODE_EXTRA_BODY"] == "{}"
    assert context.ignored == ["temperature", "top_k"]


async def test_a_model_with_sampling_is_asked_with_it(fake_cli: MakeCli, environ: Environ) -> None:
    cli = fake_cli(ANSWER)
    target = replace(TARGET, sampling=True)
    await events_of(backend_for(cli, environ), a_request(sampling=Sampling(top_k=3)), target)
    env = cli.heard[1]["request"]["settings"]["env"]
    assert env["CLAUDE_CODE_EXTRA_BODY"] == '{"top_k": 3}'
