"""An answer in which the model may call the gateway's tools: they are run, and the model goes on."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from gateway.context import RequestContext
from gateway.errors import BackendFailed
from gateway.streams import EventSource
from gateway.tools import ServedTool
from gateway.types import ChatRequest, Message, StreamEvent, ToolCall, ToolChoice, ToolResult
from gateway_tools.answer import AnswerInRounds
from gateway_tools.config import ToolsConfig
from gateway_tools.memory import Memory, Turn
from gateway_tools.run import Runner

MAX_SHOWN = 200
"""Characters of a call's arguments that the client is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that serving an answer needs, the same for all requests."""

    config: ToolsConfig
    runner: Runner
    memory: Memory

    async def serve(
        self,
        stream: EventSource,
        request: ChatRequest,
        ctx: RequestContext,
        tools: Mapping[str, ServedTool],
    ) -> AsyncGenerator[StreamEvent]:
        """The client's view of the answer. Raises `GatewayError`s.

        A turn that also calls the client's tools ends here, and is remembered: the client sends
        its results with another request.
        """
        answer = AnswerInRounds(tools, text_at_end=request.response_format.kind != "text")
        asked = request
        for left in reversed(range(self.config.max_rounds + 1)):
            async with aclosing(stream) as events:
                async for event in events:
                    for passed_on in answer.read(event):
                        yield passed_on
            own, others = answer.calls(own=True), answer.calls(own=False)
            results: tuple[ToolResult, ...] = ()
            if own and left:
                for shown in answer.note(_shown(own)) if self.config.show == "thinking" else ():
                    yield shown
                results = await self.runner.run(own, tools)
            if others or not own:
                break
            if not left or ctx.reopen is None:
                raise BackendFailed("The model kept calling tools and never answered.")
            asked = _going_on(asked, answer.message, results, last=left == 1)
            answer.next_round()
            stream = await ctx.reopen(asked)
        rest = list(answer.end())
        if others and (results or asked is not request):
            self.memory.keep(request.client, others, _turn(request, asked, answer, results))
        for event in rest:
            yield event


def _turn(
    request: ChatRequest,
    asked: ChatRequest,
    answer: AnswerInRounds,
    results: tuple[ToolResult, ...],
) -> Turn:
    earlier = asked.messages[len(request.messages) :]
    return Turn(messages=(*earlier, answer.message), results=results, text=answer.text)


def _going_on(
    asked: ChatRequest, message: Message, results: tuple[ToolResult, ...], *, last: bool
) -> ChatRequest:
    """The request for the next round; in the last one the model has to answer."""
    return replace(
        asked,
        messages=(*asked.messages, message, Message(role="user", parts=results)),
        tool_choice=ToolChoice(mode="none") if last else asked.tool_choice,
    )


def _shown(calls: Sequence[ToolCall]) -> str:
    return "".join(f"{call.name} {_short(call.arguments)}\n" for call in calls)


def _short(arguments: str) -> str:
    try:
        text = json.dumps(json.loads(arguments), ensure_ascii=False)
    except ValueError:
        text = arguments
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
