"""One process answering one conversation."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import anyio

from gateway.errors import BackendFailed, InvalidRequest, TimedOut
from gateway.types import StreamEvent
from gateway_claude_code import protocol
from gateway_claude_code.command import MCP_SERVER
from gateway_claude_code.errors import FailureReader, exited
from gateway_claude_code.events import EventReader, read_stream_event
from gateway_claude_code.history import Turn
from gateway_claude_code.mcp_bridge import McpBridge
from gateway_claude_code.parameters import STRUCTURED_OUTPUT
from gateway_claude_code.process import CliProcess
from gateway_claude_code.protocol import Line


class Conversation:
    """Drives a CLI process: set it up, give it the history, ask, and read the answer.

    `busy` is True while the CLI is at work on a turn.
    """

    def __init__(self, process: CliProcess, bridge: McpBridge, start_seconds: float) -> None:
        self._process = process
        self._bridge = bridge
        self._start_seconds = start_seconds
        self._requests = 0
        self.busy = False

    async def set_up(
        self,
        system: str,
        settings: Mapping[str, Any],
        *,
        tools: bool,
        json_schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Give the system prompt, the tools' server and the parameters, and wait until they hold.

        Raises `TimedOut` when the CLI does not start, and `BackendFailed`.
        """
        servers = [MCP_SERVER] if tools else []
        first, last = self._next_id(), self._next_id()
        with self._start_limit():
            await self._process.send(
                protocol.initialize(first, system, servers, json_schema),
                protocol.apply_settings(last, settings),
            )
            await self._until_applied(last)

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

    async def ask(self, turn: Turn, reader: EventReader) -> AsyncGenerator[StreamEvent]:
        """Send the last user turn and yield the answer's events. Raises `GatewayError`s."""
        failure = FailureReader()
        self.busy = True
        await self._process.send(protocol.user_line(turn.blocks, query=True))
        while not reader.ended:
            line = await self._next_line(started=reader.started)
            kind = line.get("type")
            if kind == "stream_event":
                for event in read_stream_event(reader, line):
                    yield event
            elif reader.in_message and refused(line):
                for event in reader.end("refusal"):
                    yield event
            elif reader.in_message and line.get("subtype") == "api_retry":
                raise BackendFailed("The upstream's answer broke off before its end.")
            elif (error := failure.read(line)) is not None:
                raise error
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

    async def close(self) -> None:
        """End the process."""
        await self._process.close(busy=self.busy)

    @contextmanager
    def _start_limit(self) -> Iterator[None]:
        try:
            with anyio.fail_after(self._start_seconds):
                yield
        except TimeoutError as error:
            raise TimedOut(
                f"the Claude Code CLI did not get ready within {self._start_seconds:g} s "
                "(plugins.claude_code.start_seconds)"
            ) from error

    async def _until_applied(self, request_id: str) -> None:
        while True:
            response = (await self._next_line()).get("response")
            if not isinstance(response, dict):
                continue
            if response.get("subtype") == "error":
                raise BackendFailed(
                    f"The Claude Code CLI refused to be set up: {response.get('error')}"
                )
            if response.get("request_id") == request_id:
                return

    async def _next_line(self, *, started: bool = False) -> Line:
        """The next line that is not the tools' server's business."""
        while True:
            line = await self._process.receive()
            if line is None:
                raise exited(await self._process.exit_code(), started=started)
            if line.get("type") != "control_request":
                return line
            if (answer := self._bridge.take(line)) is not None:
                await self._process.send(answer)

    def _next_id(self) -> str:
        self._requests += 1
        return f"dragoman-{self._requests}"


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
