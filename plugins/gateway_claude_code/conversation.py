"""One process answering one conversation, over one turn or many."""

import math
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import anyio

from gateway.errors import BackendFailed, GatewayError, InvalidRequest, TimedOut
from gateway.types import ResponseEnd, StreamEvent
from gateway_claude_code import protocol
from gateway_claude_code.command import MCP_SERVER
from gateway_claude_code.errors import FailureReader, NotReady, exited, is_final_retry
from gateway_claude_code.events import EventReader, read_stream_event
from gateway_claude_code.history import Turn
from gateway_claude_code.mcp_bridge import McpBridge
from gateway_claude_code.parameters import LAST_REQUEST, STRUCTURED_OUTPUT
from gateway_claude_code.process import CliProcess
from gateway_claude_code.protocol import Block, Line
from gateway_claude_code.starts import Start
from gateway_claude_code.tool_check import check_tools

WARM_SECONDS = 5
"""How long one may take to answer a control line that has answered before, or had time to start."""
SETTLE_SECONDS = 5
"""How long the CLI may take from an answer's end until it waits for what comes next."""


class Conversation:
    """Drives a CLI process: set it up, give it the history, ask, and read the answer.

    `busy` is True while the CLI is at work on a turn, or waits for the results of calls.
    `calls` are the ids of the calls that the last answer ended with, and `thought` is whether it
    began with thinking; `was_spare` is True if the process was started ahead of its request,
    `transcribed` if it got its earlier turns as text. `bridge` has its tools, once it is set up.
    `start` is told whether the process got ready, once, if it is one of those that take turns.
    `note_quota` is told each `rate_limit_info`, and `report_cost`, which belongs to the request
    that is answered now, what the CLI says that a turn cost, in US dollars.
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
        self._start_seconds = start_seconds
        self._start = start
        self._born = time.monotonic()
        self._ready = False
        self._warming: anyio.Event | None = None
        self.bridge: McpBridge | None = None
        self._requests = 0
        self._settings: Mapping[str, Any] = {}
        self._guarded = False
        self._settled: anyio.Event | None = None
        self._reusable = False
        self._total_cost = 0.0
        self.report_cost: Callable[[float], None] = nobody_asks
        self.busy = False
        self.calls: tuple[str, ...] = ()
        self.thought = False
        self.was_spare = False
        self.transcribed = False

    @property
    def alive(self) -> bool:
        """Whether the process still runs, as far as is known."""
        return self._process.alive

    @property
    def starting(self) -> bool:
        """Whether it is still to be seen if it gets ready."""
        return self._start is not None and self._start.fate == "starting"

    @property
    def answered(self) -> bool:
        """Whether it has given an answer already."""
        return self._settled is not None

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
            if not self._ready:
                raise self._not_ready()
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
            with self._start_limit():
                await self._process.send(protocol.user_line(turn.blocks, query=False))
                # an assistant line would overtake it
                while (await self._next_line()).get("type") != "result":
                    pass

    async def set_parameters(self, settings: Mapping[str, Any]) -> None:
        """Parameters for the next turn of a conversation that is set up already."""
        if "effortLevel" in self._settings and "effortLevel" not in settings:
            settings = {**settings, "effortLevel": None}  # the CLI would keep the old one
        if self._guarded or settings != self._settings:
            await self._apply(settings)

    async def _apply(self, settings: Mapping[str, Any], *before: Line) -> None:
        self._settings, self._guarded = settings, False
        request_id = self._next_id()
        try:
            with self._start_limit():
                await self._process.send(*before, protocol.apply_settings(request_id, settings))
                await self._until_applied(request_id)
        except (BackendFailed, TimedOut) as error:
            if self._start is not None:
                self._start.failed(error)
            raise
        self._ready = True
        if self._start is not None:
            self._start.ready()

    # -- a turn -----------------------------------------------------------------------

    async def ask(
        self, turn: Turn, reader: EventReader, *, once: bool = False
    ) -> AsyncGenerator[StreamEvent]:
        """Send a user turn and yield the answer's events. Raises `GatewayError`s.

        With `once` the CLI's further requests for this turn, which it makes by itself after an
        answer that was cut or empty, are such that the upstream refuses them.
        """
        self.busy = True
        reader.asks_again = not once
        await self._process.send(protocol.user_line(turn.blocks, query=True))
        async for event in self._answer(reader, once=once):
            yield event

    async def give_results(
        self, results: Mapping[str, Sequence[Block]], reader: EventReader
    ) -> AsyncGenerator[StreamEvent]:
        """Answer the calls that wait, by their ids, and yield the next answer's events."""
        if self.bridge is None:
            raise BackendFailed("a conversation without tools has no calls to answer")
        await self._process.send(*self.bridge.answers(results))
        async for event in self._answer(reader, once=False):
            yield event

    async def _answer(self, reader: EventReader, *, once: bool) -> AsyncGenerator[StreamEvent]:
        async with aclosing(self._unchecked(reader, once=once)) as events:
            async for event in events:
                if isinstance(event, ResponseEnd):
                    await reader.check()
                yield event

    async def _unchecked(self, reader: EventReader, *, once: bool) -> AsyncGenerator[StreamEvent]:
        failure = FailureReader()
        while not reader.ended:
            line = await self._next_line(started=reader.started)
            kind = line.get("type")
            if kind == "stream_event":
                for event in read_stream_event(reader, line):
                    yield event
                # not before: an attempt that gave nothing yet is made again by the CLI
                if once and not self._guarded and (reader.gave_something or reader.ended):
                    self._guarded = True
                    await self._process.send(protocol.apply_settings(self._next_id(), LAST_REQUEST))
            elif reader.in_message and refused(line):
                for event in reader.end("refusal"):
                    yield event
            elif reader.in_message and line.get("subtype") == "api_retry":
                raise broke_off()
            elif (error := failure.read(line, await self._api_sentence(line))) is not None:
                # while guarded, what is refused as wrong is the CLI's own next request
                mine = self._guarded and isinstance(error, InvalidRequest)
                raise broke_off() if mine else error
            elif reader.wants_output and lacks_output(line):
                raise InvalidRequest(
                    "The Claude Code CLI does not take the schema of the answer.",
                    param="response_format",
                )
            elif kind == "result" and reader.wants_output and reader.started:
                for event in reader.end("end"):
                    yield event
            elif kind == "result":
                raise BackendFailed("The Claude Code CLI ended its turn without an answer.")

    # -- after a turn -----------------------------------------------------------------

    def begin_to_settle(self, calls: Sequence[str], *, thought: bool = False) -> None:
        """Note that the answer is complete; it ended with these calls, or with none."""
        self.calls = tuple(calls)
        self.thought = thought
        self._settled = anyio.Event()

    async def settle(self) -> None:
        """Read on until the CLI waits for the next turn, or for the results of all calls."""
        if self._settled is None:
            return
        try:
            with anyio.move_on_after(SETTLE_SECONDS):
                self._reusable = await self._until_waiting()
        except GatewayError:
            self._reusable = False
        finally:
            self.report_cost = nobody_asks  # it holds on to the whole request
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
                case {"type": "stream_event", "event": {"type": "message_start"}}:
                    return False

    async def close(self) -> None:
        """End the process. One that is not ready yet would get so first."""
        await self._process.close(busy=self.busy or not self._ready)

    # -- lines ------------------------------------------------------------------------

    @contextmanager
    def _start_limit(self) -> Iterator[None]:
        try:
            with anyio.fail_after(self._patience()):
                yield
        except TimeoutError as error:
            raise self._not_ready() from error

    def _patience(self) -> float:
        """Seconds: what is left of the start, and afterwards as long or as short as is reasonable."""
        if not self._ready:
            return self._born + self._start_seconds - time.monotonic()
        warm = self.was_spare or self._settled is not None
        return min(self._start_seconds, WARM_SECONDS) if warm else self._start_seconds

    def _not_ready(self) -> NotReady:
        seconds = self._patience() if self._ready else self._start_seconds
        return NotReady(
            f"the Claude Code CLI did not get ready within {seconds:g} s "
            "(plugins.claude_code.start_seconds)"
        )

    async def _until_applied(self, request_id: str) -> None:
        while True:
            response = (await self._next_line()).get("response")
            if not isinstance(response, dict):
                continue
            if response.get("subtype") == "error":
                raise BackendFailed(
                    f"The Claude Code CLI refused a control request: {response.get('error')}"
                )
            if response.get("request_id") == request_id:
                return

    async def _next_line(self, *, started: bool = False) -> Line:
        """The next line that is not the tools' server's business."""
        while True:
            line = await self._process.receive()
            if line is None:
                raise exited(await self._process.exit_code(), started=started)
            match line.get("type"):
                case "rate_limit_event":
                    self._note_quota(line.get("rate_limit_info"))
                case "result":
                    self._note_cost(line.get("total_cost_usd"))
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
        """What the API said, for the line that announces a retry and does not say it.

        A retry that is not to be made is called off at once: half a second later it goes out.
        """
        if line.get("subtype") != "api_retry":
            return None
        if is_final_retry(line):
            interrupt = protocol.control_request(self._next_id(), {"subtype": "interrupt"})
            await self._process.send(interrupt)
        return await self._process.api_sentence()

    def _note_cost(self, total: object) -> None:
        """`total` is that of all turns of the process so far."""
        if isinstance(total, int | float) and self._total_cost < total < math.inf:
            self.report_cost(total - self._total_cost)
            self._total_cost = total

    def _next_id(self) -> str:
        self._requests += 1
        return f"dragoman-{self._requests}"


def nobody_asks(_: float) -> None:
    """Where the cost does not matter."""


def broke_off() -> BackendFailed:
    """The answer has begun, and will not come to its end."""
    return BackendFailed("The upstream's answer broke off before its end.")


def lacks_output(line: Line) -> bool:
    """Whether the CLI begins a turn without the tool for structured output."""
    return line.get("subtype") == "init" and STRUCTURED_OUTPUT not in (line.get("tools") or ())


def refused(line: Line) -> bool:
    """Whether a line says that the model refused: seen in place of the API's own stop reason."""
    match line:
        case {"type": "system", "subtype": "model_refusal_no_fallback"}:
            return True
        case {"type": "result", "stop_reason": "refusal"}:
            return True
        case _:
            return False
