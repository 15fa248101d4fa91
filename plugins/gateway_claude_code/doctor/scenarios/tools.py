"""Scenarios: the client's tools, and answers by a schema."""

from collections.abc import Mapping
from typing import Final

import anyio

from gateway.errors import BackendFailed, InvalidRequest
from gateway.types import (
    ChatResponse,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    WebSearchOptions,
)
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.doctor.scenarios.rig import (
    TARGET,
    Rig,
    asking,
    message,
    plain_turns,
    prepared,
)
from gateway_claude_code.doctor.scenarios.talk import ask, give, set_up, settled
from gateway_claude_code.doctor.scenarios.turns import LOOK
from gateway_claude_code.request.prepare import Prepared, prepare
from gateway_claude_code.request.settings import STRUCTURED_OUTPUT
from gateway_claude_code.request.tools.call_input import call_input
from gateway_claude_code.request.tools.tool_names import PREFIX, ToolNames
from gateway_claude_code.response.json_answer import NOT_AS_ASKED
from gateway_claude_code.search_policy import SearchPolicy
from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    Script,
    TextBlock,
    ToolUseBlock,
    cited,
    in_order,
    text_answer,
)
from gateway_claude_code.upstream import web_search as search_of
from gateway_claude_code.upstream.events import finished
from gateway_claude_code.upstream.request import result_text

NAME: Final = f"{PREFIX}look"
OPEN_SECONDS: Final = 0.5
"""The time for which a call is left open. The backend waits as long as the client takes."""

LONG: Final = Tool(name="long", description="word " * 2_400)
REFUSED: Final = Tool(name="odd", schema={"type": "object", "properties": {"$filter": {}}})
"""A tool that CLI 2.1.330 omits, as the API refuses the name of the property."""

PAGE: Final = "https://example.com/news"

SCHEMA: Final = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
FREE_FORM: Final = {**SCHEMA, "additionalProperties": {"type": "integer"}}
"""A schema outside the subset of the API's structured output, so for the CLI's tool."""


async def calls(rig: Rig) -> None:
    """One call that waits for its result."""
    asked = _asked(1)
    rig.upstream.script = _calls_then_done(1)
    async with rig.process() as (_, talk):
        await set_up(talk, asked)
        _note_tools(rig, await ask(talk, asked))
        waiting = await settled(talk)
        await anyio.sleep(OPEN_SECONDS)
        if not waiting or len(rig.requests) > 1:
            rig.differs("parking", "the CLI did not wait for the result of a call")
            return
        await give(talk, asked, "blue")
    given = [result_text(result) for result in rig.requests[-1].last_tool_results]
    rig.note(
        "parking",
        given == ["blue"] and len(rig.requests) == len(("the call", "its result")),
        f"{OPEN_SECONDS} s later the result went to the model: {given}",
    )


async def as_offered(rig: Rig) -> None:
    """A long description, and a tool that the API would refuse, both unchanged."""
    asked = _asked(1)
    bridge = McpBridge((LONG, REFUSED), ToolNames((LONG.name, REFUSED.name)))
    async with rig.process() as (_, talk):
        await talk.set_up("", bridge, asked.settings(seeded=True))
        await talk.check_tools()
        announced = bridge.left_out
        await ask(talk, asked)
    found = {tool.get("name"): tool for tool in rig.requests[0].tools}
    arrived = len(str(found.get(f"{PREFIX}{LONG.name}", {}).get("description", "")))
    rig.note(
        "tool_descriptions",
        arrived == len(LONG.description),
        f"{arrived} of {len(LONG.description)} characters arrived",
    )
    missing = [tool.name for tool in (LONG, REFUSED) if f"{PREFIX}{tool.name}" not in found]
    rig.note(
        "tool_list",
        missing == list(announced),
        f"left out: {missing or 'none'}; missing from its list: {list(announced) or 'none'}",
    )


async def parallel_calls(rig: Rig) -> None:
    """Two calls in one turn, which have to wait at the same time."""
    asked = _asked(2)
    rig.upstream.script = _calls_then_done(2)
    async with rig.process() as (_, talk):
        await set_up(talk, asked)
        await ask(talk, asked)
        together = await settled(talk)
    rig.note(
        "parallel_calls",
        together,
        "two calls waited at once" if together else "two calls did not wait at the same time",
    )


def _asked(count: int) -> Prepared:
    return prepared(asking(message("user", f"Look {count} times."), tools=(LOOK,)))


def _calls_then_done(count: int) -> Script:
    def script(request: MessagesRequest) -> Answer:
        if request.last_tool_results:
            return text_answer("Done.")
        return Answer(blocks=tuple(ToolUseBlock(NAME, {"at": "sea"}) for _ in range(count)))

    return script


def _note_tools(rig: Rig, answer: ChatResponse) -> None:
    offered = [
        (tool.get("name"), tool.get("description"), tool.get("input_schema"))
        for tool in rig.requests[0].tools
        if str(tool.get("name")).startswith(PREFIX)
    ]
    if offered != [(NAME, LOOK.description, LOOK.schema)]:
        names = [name for name, _, _ in offered]
        rig.differs("tools", f"the tool {NAME} was offered differently: {names}")
        return
    called = [part for part in answer.parts if isinstance(part, ToolCall)]
    whole = [(call.name, call_input(call.arguments)) for call in called]
    rig.note(
        "tools", whole == [("look", {"at": "sea"})], f"offered with their schemas; called: {whole}"
    )


async def web_search(rig: Rig) -> None:
    """A search beside the client's tools, with an answer that cites it; and the turn after it."""
    found = search_of("what is new", PAGE)
    cites = TextBlock("So it is.", citations=(cited(PAGE),))
    rig.upstream.script = in_order(Answer(blocks=(*found, cites)), text_answer("Done."))
    searches = WebSearchOptions()
    first, second = (
        prepare(asking(message("user", text), tools=(LOOK,), web_search=searches), TARGET,
                searches=SearchPolicy())
        for text in ("What is new?", "Is it?")
    )  # fmt: skip
    async with rig.process() as (_, talk):
        await set_up(talk, first)
        answer = await ask(talk, first)
        if await settled(talk):
            await talk.set_parameters(second.settings(seeded=False))
            await ask(talk, second)
    offered = [str(tool.get("name")) for tool in rig.requests[0].tools]
    parts = [type(part).__name__ for part in answer.parts if part != Text(text="So it is.")]
    said = [block for turn in plain_turns(rig.requests[-1]) for block in turn["content"]]
    kept = [block["type"] for block in said if "search" in str(block) or "citations" in block]
    whole = all(finished(block) in said for block in (*found, cites))
    rig.note(
        "web_search",
        offered == [NAME, "web_search"] and parts == ["WebSearch", "Text"] and whole,
        f"offered: {', '.join(offered)}; streamed: {', '.join(parts)}; kept: {', '.join(kept)}",
    )


async def output_format(rig: Rig) -> None:
    """An answer by a schema that the API itself accepts."""

    def script(request: MessagesRequest) -> Answer:
        given = (request.body.get("output_config") or {}).get("format") or {}
        return text_answer('{"n": 3}' if given.get("schema") == SCHEMA else "three")

    await _by_schema(rig, "output_format", SCHEMA, script)


async def structured_output(rig: Rig) -> None:
    """An answer by a schema for the CLI's tool."""

    def script(request: MessagesRequest) -> Answer:
        if any(tool.get("name") == STRUCTURED_OUTPUT for tool in request.tools):
            return Answer(blocks=(ToolUseBlock(STRUCTURED_OUTPUT, {"n": 3}),))
        return text_answer("three")

    await _by_schema(rig, "structured_output", FREE_FORM, script)


async def _by_schema(rig: Rig, name: str, schema: Mapping[str, object], script: Script) -> None:
    form = ResponseFormat(kind="json_schema", schema=schema, name="answer")
    try:
        answer = await rig.answer(
            asking(message("user", "n?"), response_format=form), script=script
        )
    except (InvalidRequest, BackendFailed) as error:
        if isinstance(error, BackendFailed) and error.code != NOT_AS_ASKED:
            raise
        rig.differs(name, error.message)
        return
    text = "".join(part.text for part in answer.parts if isinstance(part, Text))
    rig.note(name, call_input(text) == {"n": 3}, f"the answer was {text!r:.100}")
