"""Drives one process by hand, in the backend's own steps."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, Final

import anyio

from gateway.streams import AnswerBuilder
from gateway.types import ChatResponse, PartDelta, Tool
from gateway_claude_code.channel.mcp_bridge import bridge_of
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.turn_plan import reader_of
from gateway_claude_code.doctor.scenarios.rig import Rig, asking, message, prepared
from gateway_claude_code.process.cli_version import switches_models
from gateway_claude_code.request.history import earlier, turns
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.upstream import MessagesRequest, Reply, in_order

BEGINNING_SECONDS: Final = 1
"""The time for the first piece of an answer that is left. The CLI may also keep it to itself."""


async def set_up(talk: Conversation, asked: Prepared, *, switch: bool = False) -> None:
    """Give a new process the system prompt, the tools, the parameters and the earlier turns."""
    settings = asked.settings(seeded=True, switch=switch)
    await talk.set_up(asked.request.system, bridge_of(asked), settings, asked.json_schema)
    history = turns(asked.request.messages, asked.names)
    await talk.add_history(earlier(history, as_written=switch))


async def ask(talk: Conversation, asked: Prepared) -> ChatResponse:
    """Ask the last turn of the request. Raises `GatewayError`."""
    reader, builder = reader_of(asked), AnswerBuilder()
    async for event in talk.ask(turns(asked.request.messages, asked.names)[-1], reader):
        builder.add(event)
    talk.begin_to_settle(reader.calls)
    return builder.build()


async def settled(talk: Conversation) -> bool:
    """Whether the CLI waits for the next turn, or for the results of all calls."""
    await talk.settle()
    return await talk.reusable()


async def give(talk: Conversation, asked: Prepared, *results: str) -> ChatResponse:
    """Answer the calls that wait, in their order. Raises `GatewayError`."""
    reader, builder = reader_of(asked), AnswerBuilder()
    contents = {
        call: [{"type": "text", "text": result}]
        for call, result in zip(talk.calls, results, strict=True)
    }
    async for event in talk.give_results(contents, reader):
        builder.add(event)
    return builder.build()


class OneProcess:
    """A process that has one conversation after another, asked turn by turn with its `tools`.

    `waits` is whether it came to rest after its last turn: for the next one, or for results.
    """

    def __init__(self, rig: Rig, talk: Conversation, *tools: Tool) -> None:
        self._rig = rig
        self._talk = talk
        self._tools = tools
        self._switch = switches_models(rig.cli.version)
        self.waits = False

    async def begin(self) -> None:
        """Set it up. Raises `GatewayError`, like all of these."""
        await set_up(self._talk, self._prepared(""), switch=self._switch)

    async def say(self, text: str, *replies: Reply) -> Mapping[str, Any]:
        """The body of the request for this turn."""
        self._rig.upstream.script = in_order(*replies)
        asked = await self._next(text)
        number = len(self._rig.requests)
        await ask(self._talk, asked)
        await self._settle()
        return self._rig.requests[number].body

    async def leave(self, text: str, reply: Reply) -> Mapping[str, Any]:
        """The same for a turn whose answer is left at its first piece."""
        asked = await self._next(text)
        number = len(self._rig.requests)
        turn = turns(asked.request.messages, asked.names)[-1]
        with anyio.CancelScope() as scope:

            def script(_: MessagesRequest) -> Reply:
                scope.deadline = anyio.current_time() + BEGINNING_SECONDS
                return reply

            self._rig.upstream.script = script
            async with aclosing(self._talk.ask(turn, reader_of(asked))) as events:
                async for event in events:
                    if isinstance(event, PartDelta):
                        break
        return self._rig.requests[number].body

    async def add(self, text: str) -> None:
        """Append a turn without asking the model."""
        await self._talk.add_history(turns((message("user", text),), self._prepared("").names))

    async def give(self, result: str) -> None:
        """Answer the call that waits."""
        await give(self._talk, self._prepared(""), result)
        self._talk.begin_to_settle(())
        await self._settle()

    async def cut(self, number: int) -> None:
        """Cut the conversation before this turn."""
        await self._talk.rewind(number)

    async def exchange(self, *tools: Tool) -> None:
        """Give other tools to an empty conversation."""
        self._tools = tools
        await self._talk.exchange_tools(bridge_of(self._prepared("")))

    async def _next(self, text: str) -> Prepared:
        asked = self._prepared(text)
        exchanged = self._talk.state.exchanged
        await self._talk.set_parameters(
            asked.settings(seeded=True, switch=self._switch, exchanged=exchanged)
        )
        return asked

    async def _settle(self) -> None:
        self._talk.held.confirm((), parked=bool(self._talk.calls))
        self.waits = await settled(self._talk)

    def _prepared(self, text: str) -> Prepared:
        return prepared(asking(message("user", text), tools=self._tools))
