"""Drives one process by hand, in the backend's own steps."""

from gateway.streams import AnswerBuilder
from gateway.types import ChatResponse
from gateway_claude_code.channel.mcp_bridge import bridge_of
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.turn_plan import reader_of
from gateway_claude_code.request.history import earlier, turns
from gateway_claude_code.request.prepare import Prepared


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
