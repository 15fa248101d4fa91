"""One process answering one conversation after another, each over one turn or many."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import anyio

from gateway.errors import BackendFailed, GatewayError, InvalidRequest, TimedOut
from gateway.types import ResponseEnd, StreamEvent
from gateway_claude_code import protocol
from gateway_claude_code.channel.cutting import cut, exchange_tools
from gateway_claude_code.channel.lines import CliLines
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.channel.patience import Patience
from gateway_claude_code.conversations.continuation import ConversationState
from gateway_claude_code.conversations.further_requests import GO_ON, is_further
from gateway_claude_code.conversations.held_start import HeldStart
from gateway_claude_code.conversations.parameters import Parameters
from gateway_claude_code.conversations.tool_check import check_tools
from gateway_claude_code.conversations.turn_lines import broke_off, end_of, lacks_output
from gateway_claude_code.process.command import MCP_SERVER
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.process.starts import Start
from gateway_claude_code.protocol import Block, Line
from gateway_claude_code.request.history import Turn
from gateway_claude_code.response.events import EventReader, read_stream_event
from gateway_claude_code.response.failures import FailureReader, ForbiddenTooSoon
from gateway_claude_code.reuse.held import Held

SETTLE_SECONDS: Final = 5
"""How long the CLI may take from an answer's end until it waits for what comes next."""


class Conversation:
    """Drives a CLI process: set it up, give it the history, ask, and read the answer.

    `busy` is True while the CLI is at work on a turn, or waits for the results of calls. `calls` are
    the ids of those that the last answer ended with; `state` and `held` say what the process holds;
    `was_spare` is True if it was started ahead of its request. `start` is told once whether the
    process got ready, and `note_quota` each `rate_limit_info`.
    """

    def __init__(
        self,
        process: CliProcess,
        start_seconds: float,
        note_quota: Callable[[object], None] = lambda _: None,
        start: Start | None = None,
    ) -> None:
        self._process = process
        self._lines = CliLines(process, note_quota)
        self._patience = Patience(start_seconds)
        self._start = start
        self._warmed_up = _over()
        self._parameters = Parameters(self._lines)
        self._settled = _over()
        self._reusable = self._reading = self._between_steps = self._clearing = False
        self.state = ConversationState()
        self.held = Held()
        self.busy = False
        self.calls: tuple[str, ...] = ()
        self.was_spare = False

    @property
    def alive(self) -> bool:
        """Whether the process still runs, as far as is known."""
        return self._process.alive

    @property
    def starting(self) -> bool:
        """Whether it has neither got ready yet nor failed to."""
        return self._start is not None and self._start.fate == "starting"

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def last_stderr(self) -> str:
        """The last lines that the CLI wrote to its standard error."""
        return self._process.last_stderr

    @property
    def parked(self) -> bool:
        """Whether it waits for the results of calls."""
        return self.state.answered and bool(self.calls)

    @property
    def empty(self) -> bool:
        """Whether it holds no conversation, or is being cleared."""
        return self._clearing or not len(self.held)

    @property
    def settled(self) -> bool:
        """Whether it is at rest; see `settle` and `clear`."""
        return self._settled.is_set()

    @property
    def used(self) -> bool:
        """Whether it was told anything of a conversation, its own or an earlier one."""
        return self.held.conversations > 0

    @property
    def bridge(self) -> McpBridge | None:
        """The process's tools, once it is set up."""
        return self._lines.bridge

    async def ended(self) -> None:
        """Wait until the process has ended."""
        await self._process.ended()

    # -- before a turn ----------------------------------------------------------------

    def become_spare(self) -> None:
        """Note that the process was started ahead of its request, and is about to warm up."""
        self.was_spare, self._warmed_up = True, anyio.Event()

    def use_transcript(self) -> None:
        """Note that the process gets earlier turns as text, as it can't take them as turns."""
        self.state = replace(self.state, transcribed=True)

    def begin(self, report_cost: Callable[[float], None]) -> None:
        """Note that another request is answered now, which is told what its turn costs."""
        self._lines.cost.begin(report_cost)

    async def warm_up(self) -> None:
        """Wait until the CLI answers, before a spare is given anything of a request.

        Raises `TimedOut` and `BackendFailed`. `apply_flag_settings` with nothing in it changes
        nothing, also before `initialize` (seen with 2.1.330: equal bodies).
        """
        try:
            await self._apply({})
        finally:
            self._warmed_up.set()

    async def set_up(
        self,
        system: str,
        bridge: McpBridge | None,
        settings: Mapping[str, Any],
        json_schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Give what a process gets once. Raises `TimedOut` and `BackendFailed`."""
        with self._limit():  # as one whose pool ends does not warm up any more
            await self._warmed_up.wait()
        if self.was_spare and not self._patience.ready:
            raise self._patience.not_ready()
        self._lines.offer(bridge)
        servers = [MCP_SERVER] if bridge is not None else []
        first = protocol.initialize(self._lines.next_id(), system, servers, json_schema)
        await self._apply(settings, first)
        self.state = replace(self.state, set_up=True)

    async def check_tools(self) -> None:
        """Raise `InvalidRequest` for a tool that the CLI did not take; see `tool_check`."""
        if self.bridge is not None:
            await check_tools(self._lines.ask, self.bridge)

    async def add_history(self, turns: Sequence[Turn]) -> None:
        """Append turns without asking the model; the last of them is the assistant's, or none."""
        for turn in turns:
            if turn.role == "assistant":
                message_id = f"msg_{self.held.conversations}_{len(self.held)}"
                self.held.add(None)
                await self._lines.send(protocol.assistant_line(turn.blocks, message_id))
                continue
            self._between_steps = True
            with self._limit():
                await self._lines.send(self._user_line(turn, query=False))
                # an assistant line would overtake it
                while (await self._lines.next()).get("type") != "result":
                    pass
            self._between_steps = False

    def _user_line(self, turn: Turn, *, query: bool) -> Line:
        uuid = str(uuid4())
        marked = any("cache_control" in block for block in turn.blocks)
        self.held.add(uuid, marked=marked)
        return protocol.user_line(turn.blocks, query=query, uuid=uuid)

    async def set_parameters(self, settings: Mapping[str, Any]) -> None:
        """Parameters for the next turn of a conversation that is set up already."""
        if self._parameters.needs(settings):
            await self._apply(settings)

    async def _apply(self, settings: Mapping[str, Any], *before: Line) -> None:
        try:
            with self._limit():
                await self._parameters.apply(settings, *before)
        except (BackendFailed, TimedOut) as error:
            if self._start is not None:
                self._start.failed(error)
            raise
        self._patience.note_ready(self._start)

    def _limit(self) -> AbstractContextManager[None]:
        return self._patience.limit(warm=self.was_spare or self.used or self.state.answered)

    # -- another conversation ---------------------------------------------------------

    async def rewind(self, number: int) -> None:
        """Cut the conversation before this turn; see `cut`."""
        with self._limit():
            await cut(self._lines, self.held, number)
        self.busy, self.calls = False, ()
        self.state = replace(self.state, thought=False)

    async def exchange_tools(self, bridge: McpBridge | None) -> None:
        """Give other tools to a process whose conversation is empty; see `exchange_tools`."""
        had_some, self._between_steps = self.bridge is not None, True
        with self._limit():
            await exchange_tools(self._lines, bridge)
        self._between_steps = False
        self.state = replace(self.state, exchanged=self.state.exchanged or had_some)

    def begin_to_clear(self) -> None:
        """Note that the conversation is about to be cut: from here on, `reusable` waits for that."""
        self._settled, self._reusable, self._clearing = anyio.Event(), False, True

    async def clear(self) -> None:
        """Cut the whole conversation, after `begin_to_clear`."""
        self._reading = True
        try:
            await self.rewind(0)
            self._reusable = True
        except GatewayError:
            return
        finally:
            self._clearing = self._reading = False
            self._settled.set()

    async def recover(self) -> bool:
        """Cut off the last turn, which may not be over; whether the process can be used again."""
        self._settled = _over()
        # neither half-exchanged tools nor a line whose result is not there can be cut (2.1.330)
        if self._between_steps or not self.state.set_up or not self.alive:
            return False
        self._reading = True
        try:
            if self.held.last_uuid is not None:
                await self.rewind(self.held.last_user)
        except GatewayError:
            return False
        finally:
            self._reading = False
            self._lines.cost.end()
        self.state = replace(self.state, answered=False)
        self._reusable = True
        return True

    # -- a turn -----------------------------------------------------------------------

    async def ask(self, turn: Turn, reader: EventReader) -> AsyncGenerator[StreamEvent]:
        """Send a user turn and yield the answer's events. Raises `GatewayError`s."""
        self.busy = True
        await self._lines.send(self._user_line(turn, query=True))
        async for event in self._answer(reader):
            yield event

    async def give_results(
        self, results: Mapping[str, Sequence[Block]], reader: EventReader
    ) -> AsyncGenerator[StreamEvent]:
        """Answer the calls that wait, by their ids, and yield the next answer's events."""
        if self.bridge is None:
            raise BackendFailed("a conversation without tools has no calls to answer")
        with self._limit():
            await self._parameters.settle()
        self.held.add(None)
        await self._lines.send(*self.bridge.answers(results))
        async for event in self._answer(reader):
            yield event

    async def _answer(self, reader: EventReader) -> AsyncGenerator[StreamEvent]:
        held = HeldStart()
        async with aclosing(self._unchecked(reader, held)) as events:
            async for event in events:
                if isinstance(event, ResponseEnd):
                    await reader.check()
                for ready in held.feed(event):
                    yield ready

    async def _unchecked(self, reader: EventReader, held: HeldStart) -> AsyncGenerator[StreamEvent]:
        failure = FailureReader()
        while not reader.ended:
            try:
                line = await self._lines.next(
                    started=reader.started, within=held.seconds_left, parked=bool(self.calls)
                )
            except TimeoutError:
                for event in held.release():
                    yield event
                continue
            if line.get("type") == "stream_event":
                for event in read_stream_event(reader, line):
                    yield event
            elif (end := end_of(line, reader)) is not None:
                for event in reader.end(end):
                    yield event
            else:
                await self._raise_failure(line, reader, failure)
            if (change := self._parameters.further.change(line, reader)) is not None:
                await self._lines.send(protocol.apply_settings(self._lines.next_id(), change))

    async def _raise_failure(self, line: Line, reader: EventReader, failure: FailureReader) -> None:
        """Raises a `GatewayError` if this line says that the turn has failed."""
        if reader.in_message and line.get("subtype") == "api_retry":
            raise broke_off()
        if self._parameters.further.ended(line):
            await self._go_on(reader)
        elif (error := failure.read(line, await self._lines.api_sentence(line))) is not None:
            raise error
        elif reader.wants_output and lacks_output(line):
            raise InvalidRequest(
                "The Claude Code CLI does not accept the answer's schema.",
                param="response_format",
            )
        elif line.get("type") == "result":
            raise BackendFailed("The Claude Code CLI ended its turn without an answer.")

    async def _go_on(self, reader: EventReader) -> None:
        """Ask again in a turn that ended because the CLI was told too soon to ask no more.

        Raises `ForbiddenTooSoon` if it has not asked anything, and `BackendFailed`.
        """
        if not reader.started:
            raise ForbiddenTooSoon
        if reader.in_message:
            raise broke_off()
        with self._limit():
            await self._parameters.renew()
        await self._lines.send(protocol.user_line([GO_ON], query=True))

    # -- after a turn -----------------------------------------------------------------

    def begin_to_settle(self, calls: Sequence[str], *, thought: bool = False) -> None:
        """Note that the answer is complete; it ended with these calls, or with none."""
        self.calls = tuple(calls)
        self.state = replace(self.state, set_up=True, answered=True, thought=thought)
        self._settled, self._reusable = anyio.Event(), False

    async def settle(self) -> None:
        """Read on until the CLI waits for the next turn, or for the results of all calls."""
        if self.settled or self._clearing:
            return
        self._reading = True
        try:
            with anyio.move_on_after(SETTLE_SECONDS) as limit:
                self._reusable = await self._until_waiting()
            if limit.cancelled_caught:  # seldom, and 2.1.330 then queues whatever it is told
                self.held.wear_out()
        except GatewayError:
            self._reusable = False
        finally:
            self._reading = False
            if not self.busy:
                self._lines.cost.end()
            self._settled.set()

    async def reusable(self) -> bool:
        """Wait until the CLI has settled; whether it can go on with the conversation."""
        while not self.settled:  # again, as it may be cleared from one moment to the next
            await self._settled.wait()
        return self._reusable and self.alive

    async def _until_waiting(self) -> bool:
        while True:
            if self.calls and self.bridge is not None and self.bridge.waits_for(self.calls):
                return True
            line = await self._lines.next(started=True, parked=bool(self.calls))
            match line:
                case {"type": "result"}:
                    self.busy = False
                    if line.get("is_error") or self.calls:
                        return False
                    await self._parameters.settle()
                    return True
                case _ if is_further(line):
                    return False

    async def close(self) -> None:
        """End the process. One that is not ready yet would get so first.

        One that is at work on a turn, or has just ended its answer, is asked first what it cost.
        """
        try:
            if self.busy and not self._reading and self._lines.cost.is_wanted:
                self.busy = not await self._lines.hear_cost()
        finally:
            await self._process.close(busy=self.busy or not self._patience.ready)


def _over() -> anyio.Event:
    event = anyio.Event()
    event.set()
    return event
