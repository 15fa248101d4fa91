"""The gateway runs the model's calls of its own tools; the client sees the rest of the answer."""

from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import anyio
import pytest

from gateway import hookimpl
from gateway.errors import BackendFailed, ConfigurationError
from gateway.pipeline.gateway import CoreGateway
from gateway.streams import EventSource
from gateway.testing import ScriptedBackend, answer, part, text_answer
from gateway.types import (
    ChatRequest,
    Citation,
    Client,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseFormat,
    StreamEvent,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    Usage,
    WebSearch,
)
from tests.tools.tools_support import ask, asking, assistant, calling, clock, offering, result, user

ToolGateway = Callable[..., CoreGateway]

CLOCK = ToolCall(id="c1", name="clock", arguments='{"zone":"CET"}')
MINE = ToolCall(id="m1", name="mine", arguments="{}")


async def test_the_model_goes_on_with_the_result(tool_gateway: ToolGateway) -> None:
    called = calling(("c1", "clock", CLOCK.arguments), text="Let me see. ")
    backend = ScriptedBackend(called, text_answer("It is noon."))
    response = await ask(tool_gateway(backend, offering(clock)), asking())
    assert response.parts == (Text(text="Let me see. "), Text(text="It is noon."))
    assert response.stop_reason == "end"
    first, second = backend.requests
    assert [tool.name for tool in first.tools] == ["clock"]
    assert first.tools[0].description == "What time it is in a zone."
    assert second.messages[1:] == (
        assistant(Text(text="Let me see. "), CLOCK),
        user(result("c1", "noon in CET")),
    )
    assert backend.closed == 2


async def test_searches_and_sources_are_passed_on(tool_gateway: ToolGateway) -> None:
    called = calling(("c1", "clock", CLOCK.arguments))
    search = WebSearch(id="s", query="noon", status="completed")
    source = Citation(url="u")
    said: list[StreamEvent] = [
        PartStart(index=0, part=WebSearch(id="s")),
        PartEnd(index=0, search=search),
        PartStart(index=1, part=Text(text="")),
        PartCitation(index=1, citation=source),
        PartDelta(index=1, text="Noon."),
        PartEnd(index=1),
    ]
    backend = ScriptedBackend(called, answer(said))
    response = await ask(tool_gateway(backend, offering(clock)), asking())
    assert response.parts == (search, Text(text="Noon.", citations=(source,)))


async def test_usage_is_the_sum_of_the_rounds(tool_gateway: ToolGateway) -> None:
    called = calling(("c1", "clock", "{}"), usage=Usage(input_tokens=10, output_tokens=5))
    said = answer(part(0, Text(text=""), "Noon."), usage=Usage(input_tokens=20, reasoning_tokens=1))
    backend = ScriptedBackend(called, said)
    response = await ask(tool_gateway(backend, offering(clock)), asking())
    assert response.usage == Usage(input_tokens=30, output_tokens=5, reasoning_tokens=1)


async def test_calls_run_side_by_side_and_their_results_keep_their_order(
    tool_gateway: ToolGateway,
) -> None:
    here = anyio.Event()

    async def first() -> str:
        await here.wait()
        return "one"

    async def second() -> str:
        here.set()
        return "two"

    backend = ScriptedBackend(
        calling(("c1", "first", "{}"), ("c2", "second", "{}")), text_answer("Done.")
    )
    await ask(tool_gateway(backend, offering(first, second)), asking())
    assert backend.requests[1].messages[-1] == user(result("c1", "one"), result("c2", "two"))


async def test_at_most_so_many_run_at_once(tool_gateway: ToolGateway) -> None:
    running, most = 0, 0

    async def work() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.lowlevel.checkpoint()
        running -= 1
        return "done"

    calls = [(f"c{number}", "work", "{}") for number in range(5)]
    backend = ScriptedBackend(calling(*calls), text_answer("Done."))
    await ask(tool_gateway(backend, offering(work), tools={"concurrency": 2}), asking())
    assert most == 2


# -- what goes wrong ----------------------------------------------------------------------


def broken() -> str:
    raise KeyError("no such city")


async def endless() -> str:
    await anyio.sleep_forever()
    return ""


def long() -> str:
    return "x" * 150


@pytest.mark.parametrize(
    ("tool", "arguments", "told", "is_error"),
    [
        (broken, "{}", "KeyError: 'no such city'", True),
        (endless, "{}", "no result within 0.05 s", True),
        (long, "{}", "x" * 100 + "\n[cut: 50 more characters]", False),
        (
            clock,
            '{"zone": 1}',
            "invalid arguments: zone: Input should be a valid string",
            True,
        ),
        (clock, "{", "invalid arguments: : Invalid JSON", True),
    ],
    ids=["raises", "takes too long", "says too much", "wrong arguments", "no JSON"],
)
async def test_what_goes_wrong_is_told_to_the_model(
    tool_gateway: ToolGateway, tool: Any, arguments: str, told: str, is_error: bool
) -> None:
    backend = ScriptedBackend(calling(("c1", tool.__name__, arguments)), text_answer("Sorry."))
    tools = {"seconds": 0.05 if tool is endless else 5, "result_characters": 100}
    response = await ask(tool_gateway(backend, offering(tool), tools=tools), asking())
    assert response.parts == (Text(text="Sorry."),)
    [given] = backend.requests[1].messages[-1].parts
    assert given.is_error == is_error
    assert given.parts[0].text.startswith(told)


async def test_in_the_last_round_the_model_has_to_answer(tool_gateway: ToolGateway) -> None:
    backend = ScriptedBackend(calling(("c1", "clock", "{}")))
    gateway = tool_gateway(backend, offering(clock), tools={"max_rounds": 3})
    with pytest.raises(BackendFailed, match="kept calling tools"):
        await ask(gateway, asking())
    assert [request.tool_choice.mode for request in backend.requests] == [*["auto"] * 3, "none"]


async def test_an_answer_that_was_cut_in_a_call_stays_cut(tool_gateway: ToolGateway) -> None:
    call = part(0, ToolCall(id="c1", name="clock", arguments=""), '{"zo')
    backend = ScriptedBackend(answer(call, stop_reason="max_tokens"))
    response = await ask(tool_gateway(backend, offering(clock)), asking())
    assert (response.stop_reason, response.parts) == ("max_tokens", ())


async def test_a_client_that_goes_away_ends_the_tool(tool_gateway: ToolGateway) -> None:
    ended, begun = [], anyio.Event()

    async def waiting() -> str:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)
        return ""

    backend = ScriptedBackend(calling(("c1", "waiting", "{}")))
    gateway = tool_gateway(backend, offering(waiting))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, gateway, asking())
        await begun.wait()
        tasks.cancel_scope.cancel()
    assert (ended, backend.closed) == ([True], 1)


# -- beside the client's own tools --------------------------------------------------------


async def test_calls_of_both_in_one_turn(tool_gateway: ToolGateway) -> None:
    """The client sees its own; when its results come, the gateway's are put back in."""
    backend = ScriptedBackend(
        calling(("c0", "clock", "{}"), text="One. "),
        calling(("c1", "clock", CLOCK.arguments), ("m1", "mine", "{}"), text="Two."),
        text_answer("Done."),
    )
    gateway = tool_gateway(backend, offering(clock))
    response = await ask(gateway, asking(tools=["mine"]))
    assert response.parts == (Text(text="One. "), Text(text="Two."), MINE)
    assert response.stop_reason == "tool_calls"

    seen = assistant(Text(text="One. Two."), MINE)
    again = asking(asking().messages[0], seen, user(result("m1", "ok")), tools=["mine"])
    response = await ask(gateway, again)
    assert response.parts == (Text(text="Done."),)
    assert backend.requests[2].messages[1:] == (
        assistant(Text(text="One. "), ToolCall(id="c0", name="clock", arguments="{}")),
        user(result("c0", "noon in UTC")),
        assistant(Text(text="Two."), CLOCK, MINE),
        user(result("c1", "noon in CET"), result("m1", "ok")),
    )


@pytest.mark.parametrize(
    ("text", "call_id", "client", "remember", "restored"),
    [
        ("Two.", "m1", Client(), 1, True),
        ("", "m-1", Client(), 1, True),
        ("Something else.", "m1", Client(), 1, False),
        ("Two.", "m2", Client(), 1, False),
        ("Two.", "m1", Client(key="other"), 1, False),
        ("Two.", "m1", Client(), 0, False),
    ],
    ids=["the same", "rewritten", "edited", "other ids", "another client", "forgotten"],
)
async def test_only_a_turn_that_was_left_as_it_was_is_put_back(
    tool_gateway: ToolGateway,
    text: str,
    call_id: str,
    client: Client,
    remember: int,
    restored: bool,
) -> None:
    both = calling(("c1", "clock", "{}"), ("m1", "mine", "{}"), text="Two.")
    backend = ScriptedBackend(both, text_answer("Done."))
    gateway = tool_gateway(backend, offering(clock), tools={"remember": remember})
    await ask(gateway, asking(tools=["mine"]))
    call = ToolCall(id=call_id, name="mine", arguments="{ }")
    said = (Text(text=text), call) if text else (call,)
    messages = (asking().messages[0], assistant(*said), user(result(call_id, "ok")))
    await ask(gateway, asking(*messages, tools=["mine"], client=client))
    sent = backend.requests[1].messages
    assert call in sent[1].parts
    names = [part.name for part in sent[1].parts if isinstance(part, ToolCall)]
    assert names == (["clock", "mine"] if restored else ["mine"])
    if not restored:
        assert sent == messages


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice(), ToolChoice()),
        (ToolChoice(mode="none"), ToolChoice(mode="none")),
        (ToolChoice(mode="required"), ToolChoice(mode="required", names=("a", "b"))),
        (ToolChoice(names=("a",)), ToolChoice(names=("a", "clock"))),
        (ToolChoice(mode="required", names=("a",)), ToolChoice(mode="required", names=("a",))),
    ],
    ids=str,
)
async def test_what_the_client_chooses_among(
    tool_gateway: ToolGateway, choice: ToolChoice, expected: ToolChoice
) -> None:
    backend = ScriptedBackend()
    gateway = tool_gateway(backend, offering(clock))
    await ask(gateway, asking(tools=["a", "b"], tool_choice=choice))
    assert [tool.name for tool in backend.requests[0].tools] == ["a", "b", "clock"]
    assert backend.requests[0].tool_choice == expected


async def test_of_one_name_the_tool_is_the_client_s(tool_gateway: ToolGateway) -> None:
    backend = ScriptedBackend(calling(("c1", "clock", "{}")))
    response = await ask(tool_gateway(backend, offering(clock)), asking(tools=["clock"]))
    assert response.parts == (ToolCall(id="c1", name="clock", arguments="{}"),)
    assert len(backend.requests[0].tools) == 1


async def test_other_plugins_see_what_the_client_sees(tool_gateway: ToolGateway) -> None:
    """Transforms come before the tools are added, and wrappers get the answer without them."""
    seen: list[object] = []

    def gateway_transform_request(request: ChatRequest) -> None:
        seen.append(request.tools)

    async def gateway_wrap_stream(stream: EventSource) -> AsyncGenerator[StreamEvent]:
        async for event in stream:
            if isinstance(event, PartStart):
                seen.append(event.part)
            yield event

    watching = SimpleNamespace(
        gateway_transform_request=hookimpl(gateway_transform_request),
        gateway_wrap_stream=hookimpl(gateway_wrap_stream),
    )
    backend = ScriptedBackend(calling(("c1", "clock", "{}")), text_answer("Noon."))
    await ask(tool_gateway(backend, offering(clock), watching), asking())
    assert seen == [(), Text(text="")]


# -- the form of the answer ---------------------------------------------------------------


async def test_calls_can_be_shown_as_reasoning(tool_gateway: ToolGateway) -> None:
    backend = ScriptedBackend(calling(("c1", "clock", CLOCK.arguments)), text_answer("Noon."))
    gateway = tool_gateway(backend, offering(clock), tools={"show": "thinking"})
    response = await ask(gateway, asking())
    assert response.parts == (Thinking(text='clock {"zone": "CET"}\n'), Text(text="Noon."))


async def test_a_bare_off_in_the_yaml_means_off(tool_gateway: ToolGateway) -> None:
    backend = ScriptedBackend(calling(("c1", "clock", "{}")), text_answer("Noon."))
    response = await ask(tool_gateway(backend, offering(clock), tools={"show": False}), asking())
    assert response.parts == (Text(text="Noon."),)


async def test_an_answer_in_json_has_no_text_before_it(tool_gateway: ToolGateway) -> None:
    called = calling(("c1", "clock", "{}"), text="Let me see.")
    backend = ScriptedBackend(called, text_answer('{"noon":', "true}"))
    gateway = tool_gateway(backend, offering(clock))
    response = await ask(gateway, asking(response_format=ResponseFormat(kind="json_object")))
    assert response.parts == (Text(text='{"noon":true}'),)


# -- who is offered what ------------------------------------------------------------------


def sums(a: int, b: int) -> int:
    return a + b


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        ({}, []),
        ({"test-model": ["clock"]}, ["clock"]),
        ({"test-*": ["s*"]}, ["sums"]),
        ({"other*": ["*"]}, []),
        ({"*": ["sums"], "test-model": ["clock", "sums"]}, ["clock", "sums"]),
    ],
    ids=str,
)
async def test_a_model_is_offered_what_the_yaml_says(
    tool_gateway: ToolGateway, offer: dict[str, list[str]], expected: list[str]
) -> None:
    backend = ScriptedBackend()
    await ask(tool_gateway(backend, offering(clock, sums), tools={"offer": offer}), asking())
    assert [tool.name for tool in backend.requests[0].tools] == expected


@pytest.mark.parametrize(
    ("offer", "message"),
    [
        ({"*": ["clok"]}, "unknown tool 'clok' in .*; did you mean 'clock'"),
        (
            {"test-modle": ["clock"]},
            "unknown model 'test-modle' in 'plugins.tools.offer'; did you mean 'test-model'",
        ),
    ],
)
def test_what_there_is_not_can_t_be_offered(
    tool_gateway: ToolGateway, offer: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        tool_gateway(ScriptedBackend(), offering(clock), tools={"offer": offer})
