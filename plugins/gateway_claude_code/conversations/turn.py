"""Driving any conversation by a plan: the rest is sent, and the answer is read."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.context import RequestContext
from gateway.errors import BackendFailed
from gateway.load.off_loop import off_loop
from gateway.types import ResponseEnd, ResponseStart, StreamEvent
from gateway_claude_code.channel.mcp_bridge import bridge_of
from gateway_claude_code.conversations.answer_headers import (
    note_left_out,
    note_messages,
    note_terms,
    note_transcript,
)
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.tool_check import CheckedTools
from gateway_claude_code.conversations.turn_plan import Rest, TurnPlan
from gateway_claude_code.request.cache_marks import CacheMarks, marked
from gateway_claude_code.request.prepare import WentOut
from gateway_claude_code.response.events import EventReader
from gateway_claude_code.response.failures import NotReady


class TurnDriver:
    """Puts planned requests to conversations, whatever these hold already."""

    def __init__(self, marks: CacheMarks) -> None:
        self._marks = marks
        self.tools = CheckedTools()

    async def answer(
        self,
        plan: TurnPlan,
        conversation: Conversation,
        reader: EventReader,
        ctx: RequestContext,
        went_out: WentOut,
        *,
        kept: int | None = None,
    ) -> AsyncGenerator[StreamEvent]:
        """The events of the answer. Raises `GatewayError`.

        `kept` turns of the request stay in a process that had another conversation before.
        """
        conversation.begin(ctx.report_cost)
        ctx.mark("ready")
        note_transcript(conversation, ctx)
        if kept is not None:
            await _open(plan, conversation, kept)
        rest = await off_loop(ctx.body_bytes, plan.rest, conversation.state, kept)
        await self._give(plan, rest, conversation, ctx)
        # now, as another request may have learnt meanwhile which marks the API takes
        mark = self._marks.mark if rest.may_mark and not conversation.held.has_mark else None
        went_out.note(rest.terms, mark)
        ctx.mark("asked")
        if rest.turn is not None:
            events = conversation.ask(marked(rest.turn, mark), reader)
        else:
            results = dict(zip(conversation.calls, rest.results, strict=True))
            events = conversation.give_results(results, reader)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, ResponseStart):
                    note_terms(plan.prepared, rest.terms, ctx)
                    note_left_out(conversation, ctx)
                elif isinstance(event, ResponseEnd):
                    note_messages(reader, ctx)
                yield event

    async def _give(
        self, plan: TurnPlan, rest: Rest, conversation: Conversation, ctx: RequestContext
    ) -> None:
        """Everything that comes before the turn that is asked."""
        prepared = plan.prepared
        conversation.held.open(prepared.digests.opening, prepared.digests.offer)
        conversation.held.begin(plan.prefixes if plan.has_turns(rest, conversation.held) else ())
        if rest.from_start:
            await conversation.set_up(
                prepared.request.system, bridge_of(prepared), rest.settings, prepared.json_schema
            )
        else:
            await conversation.set_parameters(rest.settings)
        if rest.kept is None:
            return
        if not (rest.kept or rest.history):  # a turn of the history would tell as well
            await self.tools.check(conversation, prepared.tools, ctx.body_bytes)
        await conversation.add_history(rest.history)


async def _open(plan: TurnPlan, conversation: Conversation, kept: int) -> None:
    """Cut the conversation after the turns that stay, and have the tools be the request's.

    Tools, and then all settings, change in an empty conversation only: a change of model would be
    written into any other (seen with 2.1.330).
    """
    try:
        await conversation.rewind(kept)
    except BackendFailed as error:  # another process will do
        raise NotReady(error.message) from error
    if conversation.held.offer != plan.prepared.digests.offer:
        await conversation.exchange_tools(bridge_of(plan.prepared))
