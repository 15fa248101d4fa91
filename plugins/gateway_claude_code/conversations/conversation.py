"""One process answering one conversation, over one turn or many."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import anyio

from gateway.errors import BackendFailed, GatewayError, InvalidRequest, TimedOut
from gateway.types import ResponseEnd, StreamEvent
from gateway_claude_code import protocol
from gateway_claude_code.conversations.continuation import ConversationState
from gateway_claude_code.conversations.further_requests import GO_ON, FurtherRequests, is_further
from gateway_claude_code.conversations.held_start import HeldStart
from gateway_claude_code.conversations.mcp_bridge import McpBridge
from gateway_claude_code.conversations.patience import Patience
from gateway_claude_code.conversations.tool_check import check_tools
from gateway_claude_code.conversations.turn_cost import TurnCost
from gateway_claude_code.conversations.turn_lines import broke_off, end_of, is_applied, lacks_output
from gateway_claude_code.process.command import MCP_SERVER
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.process.starts import Start
from gateway_claude_code.protocol import Block, Line
from gateway_claude_code.request.history import Turn
from gateway_claude_code.response.events import EventReader, read_stream_event
from gateway_claude_code.response.failures import (
    FailureReader,
    ForbiddenTooSoon,
    exited,
    is_final_retry,
    removes_media,
)

SETTLE_SECONDS = 5
"""How long the CLI may take from an answer's end until it waits for what comes next."""
COST_SECONDS = 1
"""How long a process that is to end may take to say what its turn cost."""


class Conversation:
    """Drives a CLI process: set it up, give it the history, ask, and read the answer.

    `busy` is True while the CLI is at work on a turn, or waits for the results of calls.
    `calls` are the ids of the calls that the last answer ended with, and `state` says what the
    process holds; `was_spare` is True if it was started ahead of its request. `bridge` has its
    tools, once it is set up. `start` is told whether the process got ready, once, if it is one of
    those that take turns. `note_quota` is told each `rate_limit_info`.
    """

    def __init__(
        self,
        process: CliProcess,
        start_seconds: float,
        note_quota: Callable[[object], None] = lambda _: None,
        start: Start | None = None,
    ) -> None:
        self._process = process
        self._note_quota = note_quota
        self._patience = Patience(start_seconds)
        self._start = start
        self._warming: anyio.Event | None = None
        self.bridge: McpBridge | None = None
        self._requests = 0
        self._settings: Mapping[str, Any] = {}
        self._further = FurtherRequests()
        self._settled: anyio.Event | None = None
        self._reusable = self._reading = False
        self._cost = TurnCost()
        self.state = ConversationState()
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

    async def ended(self) -> None:
        """Wait until the process has ended, of whatever."""
        await self._process.ended()

    # -- before a turn ----------------------------------------------------------------

    def become_spare(self) -> None:
        """Note that the process was started ahead of its request."""
        self.was_spare = True

    def use_transcript(self) -> None:
        """Note that the process can't take earlier turns as turns: they are given as text."""
        self.state = replace(self.state, transcribed=True)

    def begin(self, report_cost: Callable[[float], None]) -> None:
        """Note that another request is answered now, which is told what its turn costs."""
        self._cost.begin(report_cost)

    async def warm_up(self) -> None:
        """Wait until the CLI answers, before it is given anything of a request.

        Raises `TimedOut` when the CLI does not start, and `BackendFailed`. `apply_flag_settings` with
        nothing in it changes nothing, also before `initialize` (seen with 2.1.330: equal bodies).
        """
        self._warming = anyio.Event()
        try:
            await self._apply({})
        finally:
            self._warming.set()

    async def set_up(
        self,
        system: str,
        bridge: McpBridge | None,
        settings: Mapping[str, Any],
        json_schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Give the system prompt, the tools and the parameters, and wait until they hold; once.

        Raises `TimedOut` when the CLI does not start, and `BackendFailed`.
        """
        if self._warming is not None:
            await self._warming.wait()
            if not self._patience.ready:
                raise self._patience.not_ready()
        self.bridge = bridge
        servers = [MCP_SERVER] if bridge is not None else []
        first = protocol.initialize(self._next_id(), system, servers, json_schema)
        await self._apply(settings, first)

    async def check_tools(self) -> None:
        """Raise `InvalidRequest` for a tool that the CLI did not take; see `tool_check`."""
        if self.bridge is not None:
            await check_tools(self._ask_cli, self.bridge)

    async def _ask_cli(self, request: Mapping[str, Any]) -> Line:
        """The CLI's answer to a control request."""
        request_id = self._next_id()
        await self._process.send(protocol.control_request(request_id, request))
        while True:
            response = (await self._next_line()).get("response")
            if isinstance(response, dict) and response.get("request_id") == request_id:
                return response

    async def add_history(self, turns: Sequence[Turn]) -> None:
        """Append turns without asking the model; the last of them is the assistant's, or none."""
        for number, turn in enumerate(turns):
            if turn.role == "assistant":
                await self._process.send(protocol.assistant_line(turn.blocks, f"msg_{number}"))
                continue
            with self._patience.limit(warm=self.was_spare or self.state.answered):
                await self._process.send(protocol.user_line(turn.blocks, query=False))
                # an assistant line would overtake it
                while (await self._next_line()).get("type") != "result":
                    pass

    async def set_parameters(self, settings: Mapping[str, Any]) -> None:
        """Parameters for the next turn of a conversation that is set up already."""
        if "effortLevel" in self._settings and "effortLevel" not in settings:
            settings = {**settings, "effortLevel": None}  # the CLI would keep the old one
        if self._further.forbidden or settings != self._settings:
            await self._apply(settings)

    async def _apply(self, settings: Mapping[str, Any], *before: Line) -> None:
        self._settings = settings
        request_id = self._next_id()
        applied = protocol.apply_settings(request_id, self._further.allow(settings))
        try:
            with self._patience.limit(warm=self.was_spare or self.state.answered):
                await self._process.send(*before, applied)
                await self._until_applied(request_id)
        except (BackendFailed, TimedOut) as error:
            if self._start is not None:
                self._start.failed(error)
            raise
        self._patience.note_ready()
        if self._start is not None:
            self._start.ready()

    # -- a turn -----------------------------------------------------------------------

    async def ask(self, turn: Turn, reader: EventReader) -> AsyncGenerator[StreamEvent]:
        """Send a user turn and yield the answer's events. Raises `GatewayError`s."""
        self.busy = True
        await self._process.send(protocol.user_line(turn.blocks, query=True))
        async for event in self._answer(reader):
            yield event

    async def give_results(
        self, results: Mapping[str, Sequence[Block]], reader: EventReader
    ) -> AsyncGenerator[StreamEvent]:
        """Answer the calls that wait, by their ids, and yield the next answer's events."""
        if self.bridge is None:
            raise BackendFailed("a conversation without tools has no calls to answer")
        await self.set_parameters(self._settings)  # lifts what forbade further requests
        await self._process.send(*self.bridge.answers(results))
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
                line = await self._next_line(started=reader.started, within=held.seconds_left)
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
            if (change := self._further.change(line, reader)) is not None:
                await self._process.send(protocol.apply_settings(self._next_id(), change))

    async def _raise_failure(self, line: Line, reader: EventReader, failure: FailureReader) -> None:
        """Raises a `GatewayError` if this line says that the turn has failed."""
        if reader.in_message and line.get("subtype") == "api_retry":
            raise broke_off()
        if self._further.ended(line):
            await self._go_on(reader)
        elif (error := failure.read(line, await self._api_sentence(line))) is not None:
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
        await self._apply(self._settings)
        await self._process.send(protocol.user_line([GO_ON], query=True))

    # -- after a turn -----------------------------------------------------------------

    def begin_to_settle(self, calls: Sequence[str], *, thought: bool = False) -> None:
        """Note that the answer is complete; it ended with these calls, or with none."""
        self.calls = tuple(calls)
        self.state = replace(self.state, answered=True, thought=thought)
        self._settled = anyio.Event()

    async def settle(self) -> None:
        """Read on until the CLI waits for the next turn, or for the results of all calls."""
        if self._settled is None:
            return
        self._reading = True
        try:
            with anyio.move_on_after(SETTLE_SECONDS):
                self._reusable = await self._until_waiting()
        except GatewayError:
            self._reusable = False
        finally:
            self._reading = False
            if not self.busy:
                self._cost.end()
            self._settled.set()

    async def reusable(self) -> bool:
        """Wait until the CLI has settled; whether it can go on with the conversation."""
        if self._settled is not None:
            await self._settled.wait()
        return self._reusable and self.alive

    async def _until_waiting(self) -> bool:
        while True:
            if self.calls and self.bridge is not None and self.bridge.waits_for(self.calls):
                return True
            line = await self._next_line(started=True)
            match line:
                case {"type": "result"}:
                    self.busy = False
                    if line.get("is_error") or self.calls:
                        return False
                    # now rather than when the next turn waits for it
                    await self.set_parameters(self._settings)
                    return True
                case _ if is_further(line):
                    return False

    async def close(self) -> None:
        """End the process. One that is not ready yet would get so first.

        One that is at work on a turn, or has just ended its answer, is asked first what it cost.
        """
        try:
            if self.busy and not self._reading and self._cost.is_wanted:
                await self._hear_cost()
        finally:
            await self._process.close(busy=self.busy or not self._patience.ready)

    async def _hear_cost(self) -> None:
        """Read on until the CLI says what the turn cost, which it does at the turn's end."""
        try:
            with anyio.move_on_after(COST_SECONDS):
                await self._interrupt()
                while (await self._next_line(started=True)).get("type") != "result":
                    pass
                self.busy = False
        except GatewayError:
            return
        finally:
            self._cost.end()

    # -- lines ------------------------------------------------------------------------

    async def _until_applied(self, request_id: str) -> None:
        while not is_applied(await self._next_line(), request_id):
            pass

    async def _next_line(self, *, started: bool = False, within: float | None = None) -> Line:
        """The next line that is not the tools' server's business.

        Raises `TimeoutError` if the process is silent for longer than `within`, in seconds.
        """
        while True:
            line = await self._process.receive(within)
            if line is None:
                raise exited(await self._process.exit_code(), started=started)
            match line.get("type"):
                case "rate_limit_event":
                    self._note_quota(line.get("rate_limit_info"))
                case "result":
                    self._cost.note(line.get("total_cost_usd"))
                case "system" if line.get("subtype") == "init" and self.bridge is not None:
                    # the CLI begins every turn with it, also those of a history, before it asks
                    self.bridge.check(line.get("tools") or ())
            if line.get("type") != "control_request":
                return line
            if self.bridge is not None and (answer := self.bridge.take(line)) is not None:
                await self._process.send(answer)
            elif self.calls:
                return line

    async def _api_sentence(self, line: Line) -> str | None:
        """The API's own sentence, for a line that announces another request and does not quote it.

        A request that is not to be made is called off at once: a retry goes out half a second
        later. One without the media that the API refused may be on its way already.
        """
        without_media = removes_media(line)
        if line.get("subtype") != "api_retry" and not without_media:
            return None
        if without_media or is_final_retry(line):
            await self._interrupt()
        return await self._process.api_sentence()

    async def _interrupt(self) -> None:
        await self._process.send(
            protocol.control_request(self._next_id(), {"subtype": "interrupt"})
        )

    def _next_id(self) -> str:
        self._requests += 1
        return f"dragoman-{self._requests}"
